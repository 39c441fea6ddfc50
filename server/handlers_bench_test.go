package server

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	grpcprom "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
	"github.com/usher-authz/usher/tuples/bolt"
)

// shelf is the model of what handlers cost: little to think about.
const shelf = `
model
  schema 1.1
type user
type media
  relations
    define owner: [user]
    define viewer: [user] or owner
`

// shelved is how many media user:anna owns.
const shelved = 100

// newHandlers returns the permission service over a small store whose index is warm, to be
// called without gRPC.
func newHandlers(t testing.TB) *permissionService {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "usher.db"), bolt.Options{NoSync: true, CollectEvery: -1})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if _, err := db.CreateStore(ctx, DefaultStore); err != nil {
		t.Fatal(err)
	}
	s := New(db, Options{IndexMemory: 64 << 20})
	t.Cleanup(func() {
		s.Drain(ctx)
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	source := &usherv1.ModelSource{Source: &usherv1.ModelSource_Dsl{Dsl: shelf}}
	if _, err := (&modelService{Server: s}).WriteModel(ctx, &usherv1.WriteModelRequest{Source: source}); err != nil {
		t.Fatal(err)
	}
	write := &usherv1.WriteRequest{}
	for i := range shelved {
		write.Updates = append(write.Updates, &usherv1.TupleUpdate{
			Operation: usherv1.Operation_OPERATION_TOUCH,
			Tuple:     &usherv1.Tuple{Object: shelfObject(i), Relation: "owner", Subject: anna},
		})
	}
	if _, err := (&tupleService{Server: s}).Write(ctx, write); err != nil {
		t.Fatal(err)
	}
	s.indexes.warming.Wait()
	return &permissionService{Server: s}
}

var anna = wire.FromSubject(tuples.Subject{Type: "user", ID: "anna"})

func shelfObject(i int) *usherv1.Object {
	return &usherv1.Object{Type: "media", Id: fmt.Sprint("logo", i)}
}

// BenchmarkHandlers are what is between gRPC and the engine, and a little engine.
func BenchmarkHandlers(b *testing.B) {
	s := newHandlers(b)
	requests := questions(shelved)
	for _, rpc := range []struct {
		name string
		call func(context.Context) error
	}{
		{"Check", func(ctx context.Context) error {
			_, err := s.Check(ctx, requests.check)
			return err
		}},
		{"BatchCheck of 100", func(ctx context.Context) error {
			_, err := s.BatchCheck(ctx, requests.batch)
			return err
		}},
		{"FilterObjects of 100", func(ctx context.Context) error {
			_, err := s.FilterObjects(ctx, requests.filter)
			return err
		}},
	} {
		b.Run(rpc.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := rpc.call(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// asking are a request each of the questions about media that anna owns.
type asking struct {
	check  *usherv1.CheckRequest
	batch  *usherv1.BatchCheckRequest
	filter *usherv1.FilterObjectsRequest
}

func questions(n int) asking {
	a := asking{
		check:  &usherv1.CheckRequest{Object: shelfObject(0), Relation: "viewer", Subject: anna},
		batch:  &usherv1.BatchCheckRequest{},
		filter: &usherv1.FilterObjectsRequest{ObjectType: "media", Relation: "viewer", Subject: anna},
	}
	for i := range n {
		object := shelfObject(i)
		a.batch.Items = append(a.batch.Items, &usherv1.BatchCheckItem{Object: object, Relation: "viewer", Subject: anna})
		a.filter.ObjectIds = append(a.filter.ObjectIds, object.GetId())
	}
	return a
}

// BenchmarkInterceptors are what each adds to a call, without gRPC, and what two of them
// stand for: the metrics of go-grpc-middleware and a deadline with a timer.
func BenchmarkInterceptors(b *testing.B) {
	s := newHandlers(b)
	stock := grpcprom.NewServerMetrics(grpcprom.WithServerHandlingTimeHistogram(grpcprom.WithHistogramBuckets(latencyBuckets)))
	timer := func(ctx context.Context, r any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		return handler(ctx, r)
	}
	info := &grpc.UnaryServerInfo{FullMethod: healthv1.Health_Check_FullMethodName}
	var response any = &healthv1.HealthCheckResponse{}
	handler := func(ctx context.Context, _ any) (any, error) { return response, ctx.Err() }
	for _, chain := range []struct {
		name         string
		interceptors []grpc.UnaryServerInterceptor
	}{
		{"none", nil},
		{"recovery", s.unaryInterceptors()[1:]},
		{"metrics, deadline, status and log", s.unaryInterceptors()[:1]},
		{"all", s.unaryInterceptors()},
		{"stock metrics", []grpc.UnaryServerInterceptor{stock.UnaryServerInterceptor()}},
		{"timer", []grpc.UnaryServerInterceptor{timer}},
	} {
		b.Run(chain.name, func(b *testing.B) {
			// As below a connection: the context can be cancelled, and has no deadline.
			ctx, cancel := context.WithCancel(b.Context())
			defer cancel()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := chained(chain.interceptors, info, handler)(ctx, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// chained calls interceptors one within the other, as gRPC does.
func chained(interceptors []grpc.UnaryServerInterceptor, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) grpc.UnaryHandler {
	if len(interceptors) == 0 {
		return handler
	}
	return func(ctx context.Context, r any) (any, error) {
		return interceptors[0](ctx, r, info, chained(interceptors[1:], info, handler))
	}
}
