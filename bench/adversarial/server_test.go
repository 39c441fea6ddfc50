package adversarial_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/usher-authz/usher/bench/adversarial"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
	"github.com/usher-authz/usher/tuples/bolt"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a server of this process over a world of its own, and a client.
type world struct {
	connection  *grpc.ClientConn
	permissions usherv1.PermissionServiceClient
	tuples      usherv1.TupleServiceClient
}

// serve starts a server over the tuples of a world. memory is that of its index; when serve
// returns it has all that it will have.
func serve(t testing.TB, model string, all iter.Seq[tuples.Tuple], memory int64) *world {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "usher.db"), bolt.Options{NoSync: true, CollectEvery: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := db.CreateStore(t.Context(), server.DefaultStore); err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	w := listen(t, server.New(db, server.Options{Registry: registry, IndexMemory: memory}))
	source := &usherv1.ModelSource{Source: &usherv1.ModelSource_Dsl{Dsl: model}}
	if _, err := usherv1.NewModelServiceClient(w.connection).WriteModel(t.Context(), &usherv1.WriteModelRequest{Source: source}); err != nil {
		t.Fatal(err)
	}
	load(t, db, all)
	awaitWarm(t, registry)
	return w
}

// listen gives a server a port and a client.
func listen(t testing.TB, s *server.Server) *world {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.GRPC().Serve(listener) }()
	connection, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = connection.Close()
		s.Drain(context.Background())
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return &world{connection, usherv1.NewPermissionServiceClient(connection), usherv1.NewTupleServiceClient(connection)}
}

// load commits tuples in large pieces.
func load(t testing.TB, db *bolt.DB, all iter.Seq[tuples.Tuple]) {
	t.Helper()
	store, err := db.Store(t.Context(), server.DefaultStore)
	if err != nil {
		t.Fatal(err)
	}
	const most = 250_000
	var mutations []tuples.Mutation
	flush := func() {
		if _, err := store.Commit(t.Context(), tuples.Commit{Bulk: true, Mutations: mutations}); err != nil {
			t.Fatal(err)
		}
		mutations = nil
	}
	for tuple := range all {
		if mutations = append(mutations, tuples.Mutation{Op: tuples.OpTouch, Tuple: tuple}); len(mutations) == most {
			flush()
		}
	}
	if len(mutations) > 0 {
		flush()
	}
}

// awaitWarm waits until the server's index has all that it will have.
func awaitWarm(t testing.TB, registry *prometheus.Registry) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == "usher_index_loaded" })
		if i < 0 || families[i].GetMetric()[0].GetGauge().GetValue() == 1 {
			return
		}
	}
	t.Fatal("the index is not loaded after a minute")
}

// request is a question that is ready to be asked: the same whenever it is.
type request func(ctx context.Context) (got []string, err error)

// prepare turns a question into messages. For a list that does not begin at its beginning
// a cursor is asked for.
func (w *world) prepare(t testing.TB, q adversarial.Question) request {
	t.Helper()
	switch q.Kind {
	case adversarial.Check:
		return w.check(t, q)
	case adversarial.FilterObjects:
		r := &usherv1.FilterObjectsRequest{
			Subject: subject(t, q.Subject), Relation: q.Relation, ObjectType: q.Object, ObjectIds: q.Candidates,
		}
		return func(ctx context.Context) ([]string, error) {
			answer, err := w.permissions.FilterObjects(ctx, r)
			return answer.GetAllowedIds(), err
		}
	case adversarial.ListObjects:
		return w.listObjects(t, q)
	case adversarial.ListSubjects:
		return w.listSubjects(t, q)
	}
	t.Fatalf("question of unknown kind %d", q.Kind)
	return nil
}

func (w *world) check(t testing.TB, q adversarial.Question) request {
	r := &usherv1.CheckRequest{Object: object(t, q.Object), Relation: q.Relation, Subject: subject(t, q.Subject)}
	outcomes := map[usherv1.Outcome]string{usherv1.Outcome_OUTCOME_ALLOWED: "allowed", usherv1.Outcome_OUTCOME_DENIED: "denied"}
	return func(ctx context.Context) ([]string, error) {
		answer, err := w.permissions.Check(ctx, r)
		return []string{outcomes[answer.GetOutcome()]}, err
	}
}

func (w *world) listObjects(t testing.TB, q adversarial.Question) request {
	r := &usherv1.ListObjectsRequest{Subject: subject(t, q.Subject), Relation: q.Relation, ObjectType: q.Object, PageSize: int32(q.Page)}
	ask := func(ctx context.Context) ([]string, string, error) {
		stream, err := w.permissions.ListObjects(ctx, r)
		return receive(stream, err, func(m *usherv1.ListObjectsResponse) ([]string, string) {
			var ids []string
			for _, o := range m.GetObjects() {
				ids = append(ids, o.GetId())
			}
			return ids, m.GetCursor()
		})
	}
	r.Resume = w.begin(t, q, q.Object, ask)
	return func(ctx context.Context) ([]string, error) {
		got, _, err := ask(ctx)
		return got, err
	}
}

func (w *world) listSubjects(t testing.TB, q adversarial.Question) request {
	r := &usherv1.ListSubjectsRequest{Object: object(t, q.Object), Relation: q.Relation, SubjectType: q.Subject, PageSize: int32(q.Page)}
	ask := func(ctx context.Context) ([]string, string, error) {
		stream, err := w.permissions.ListSubjects(ctx, r)
		return receive(stream, err, func(m *usherv1.ListSubjectsResponse) ([]string, string) {
			var ids []string
			for _, s := range m.GetSubjects() {
				ids = append(ids, s.GetId())
			}
			return ids, m.GetCursor()
		})
	}
	r.Resume = w.begin(t, q, q.Subject, ask)
	return func(ctx context.Context) ([]string, error) {
		got, _, err := ask(ctx)
		return got, err
	}
}

// begin asks for a list once if the question is to go on with it, and returns where.
func (w *world) begin(t testing.TB, q adversarial.Question, kind string, ask func(context.Context) ([]string, string, error)) *usherv1.Resume {
	t.Helper()
	if q.After == "" {
		return nil
	}
	_, cursor, err := ask(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &usherv1.Resume{Cursor: cursor, After: kind + ":" + q.After}
}

// receive reads a stream to its end, and returns its ids and its cursor.
func receive[M any](stream grpc.ServerStreamingClient[M], err error, of func(*M) ([]string, string)) (ids []string, cursor string, _ error) {
	for err == nil {
		var message *M
		if message, err = stream.Recv(); err == nil {
			var more []string
			more, cursor = of(message)
			ids = append(ids, more...)
		}
	}
	if !errors.Is(err, io.EOF) {
		return nil, "", err
	}
	return ids, cursor, nil
}

// right reports the first difference of an answer from the one that is right.
func right(got, want []string) error {
	if slices.Equal(got, want) {
		return nil
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return fmt.Errorf("%d of %d are right, then comes %q, want %q", i, len(want), got[i], want[i])
		}
	}
	return fmt.Errorf("%d, want %d", len(got), len(want))
}

func object(t testing.TB, text string) *usherv1.Object {
	t.Helper()
	o, err := tuples.ParseObject(text)
	if err != nil {
		t.Fatal(err)
	}
	return wire.FromObject(o)
}

func subject(t testing.TB, text string) *usherv1.Subject {
	t.Helper()
	s, err := tuples.ParseSubject(text)
	if err != nil {
		t.Fatal(err)
	}
	return wire.FromSubject(s)
}
