package server_test

import (
	"fmt"
	"net"
	"path/filepath"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server"
	"github.com/usher-authz/usher/tuples/bolt"
)

// BenchmarkCheck is a Check over loopback next to the health RPC, which passes the same
// interceptors: the difference is what an answer costs.
func BenchmarkCheck(b *testing.B) {
	db, err := bolt.Open(filepath.Join(b.TempDir(), "usher.db"), bolt.Options{NoSync: true, CollectEvery: -1})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := db.CreateStore(b.Context(), server.DefaultStore); err != nil {
		b.Fatal(err)
	}
	s := server.New(db, server.Options{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.GRPC().Serve(listener) }()
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		_ = conn.Close()
		s.Drain(b.Context())
		if err := <-served; err != nil {
			b.Error(err)
		}
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	}()
	if _, err := usherv1.NewModelServiceClient(conn).WriteModel(b.Context(), &usherv1.WriteModelRequest{Source: dslSource(library)}); err != nil {
		b.Fatal(err)
	}
	write := &usherv1.WriteRequest{}
	add := func(object, id, relation, subject, sid string) {
		write.Updates = append(write.Updates, &usherv1.TupleUpdate{Operation: usherv1.Operation_OPERATION_TOUCH, Tuple: &usherv1.Tuple{
			Object: &usherv1.Object{Type: object, Id: id}, Relation: relation, Subject: &usherv1.Subject{Type: subject, Id: sid},
		}})
	}
	for i := range 3000 {
		add("media", fmt.Sprint(i), "viewer", "user", "anna")
		add("media", fmt.Sprint(i), "folder", "folder", fmt.Sprint(i%50))
		add("media", fmt.Sprint(i), "owner", "user", fmt.Sprint("u", i))
	}
	if _, err := usherv1.NewTupleServiceClient(conn).Write(b.Context(), write); err != nil {
		b.Fatal(err)
	}
	b.Run("health", func(b *testing.B) {
		client := healthv1.NewHealthClient(conn)
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := client.Check(b.Context(), &healthv1.HealthCheckRequest{}); err != nil {
					b.Error(err)
				}
			}
		})
	})
	b.Run("check", func(b *testing.B) {
		client := usherv1.NewPermissionServiceClient(conn)
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				r := &usherv1.CheckRequest{
					Object:   &usherv1.Object{Type: "media", Id: fmt.Sprint(i % 3000)},
					Relation: "can_view",
					Subject:  &usherv1.Subject{Type: "user", Id: "anna"},
				}
				if _, err := client.Check(b.Context(), r); err != nil {
					b.Error(err)
				}
			}
		})
	})
}
