package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
	"github.com/usher-authz/usher/tuples/bolt"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(killedFile); path != "" {
		fmt.Println(serveUntilKilled(path))
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// library is the model of most tests.
const library = `
model
  schema 1.1

type user

type group
  relations
    define member: [user, group#member]

type folder
  relations
    define parent: [folder]
    define owner: [user]
    define viewer: [user, user:*, group#member] or owner or viewer from parent

type media
  relations
    define folder: [folder]
    define owner: [user]
    define blocked: [user]
    define editor: [user, group#member] or owner
    define viewer: [user, user:*, group#member, user with office_hours] or editor or viewer from folder
    define can_view: viewer but not blocked
    define can_share: owner

condition office_hours(hour: int, opens: int) {
  hour >= opens && 100 / hour < 50
}
`

// world is a server over a new database, with a client of each service.
type world struct {
	t      testing.TB
	ctx    context.Context
	db     *bolt.DB // nil if the test keeps it
	server *server.Server
	conn   *grpc.ClientConn

	permissions usherv1.PermissionServiceClient
	tuples      usherv1.TupleServiceClient
	models      usherv1.ModelServiceClient
	stores      usherv1.StoreServiceClient
}

// newWorld starts a server whose default store has no model.
func newWorld(t testing.TB, options server.Options) *world {
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
	w := serve(t, db, options)
	w.db = db
	t.Cleanup(func() { // before the server drains
		if err := w.server.VerifyIndexes(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return w
}

// withoutIndex is an IndexMemory for no index: tests run with one unless they say so.
const withoutIndex = -1

// serve starts a server over a database that the test keeps.
func serve(t testing.TB, db tuples.Database, options server.Options) *world {
	t.Helper()
	if options.IndexMemory == 0 {
		options.IndexMemory = 16 << 20
	}
	w := &world{t: t, server: server.New(db, options)}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- w.server.GRPC().Serve(listener) }()
	w.conn, err = grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	w.ctx = ctx
	t.Cleanup(func() {
		cancel()
		_ = w.conn.Close()
		w.server.Drain(t.Context())
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	w.permissions = usherv1.NewPermissionServiceClient(w.conn)
	w.tuples = usherv1.NewTupleServiceClient(w.conn)
	w.models = usherv1.NewModelServiceClient(w.conn)
	w.stores = usherv1.NewStoreServiceClient(w.conn)
	return w
}

// newLibrary starts a server whose default store has the library model and these tuples.
func newLibrary(t testing.TB, lines ...string) *world {
	t.Helper()
	w := newWorld(t, server.Options{})
	w.writeModel(library)
	if len(lines) > 0 {
		w.touch(lines...)
	}
	return w
}

func (w *world) writeModel(dsl string) *usherv1.WriteModelResponse {
	w.t.Helper()
	response, err := w.models.WriteModel(w.ctx, &usherv1.WriteModelRequest{Source: dslSource(dsl)})
	if err != nil {
		w.t.Fatal(err)
	}
	return response
}

func dslSource(dsl string) *usherv1.ModelSource {
	return &usherv1.ModelSource{Source: &usherv1.ModelSource_Dsl{Dsl: dsl}}
}

// touch writes tuples and returns the token.
func (w *world) touch(lines ...string) string {
	w.t.Helper()
	return w.write(&usherv1.WriteRequest{Updates: updates(w.t, usherv1.Operation_OPERATION_TOUCH, lines...)}).GetToken()
}

// remove deletes tuples and returns the token.
func (w *world) remove(lines ...string) string {
	w.t.Helper()
	return w.write(&usherv1.WriteRequest{Updates: updates(w.t, usherv1.Operation_OPERATION_DELETE, lines...)}).GetToken()
}

func (w *world) write(r *usherv1.WriteRequest) *usherv1.WriteResponse {
	w.t.Helper()
	response, err := w.tuples.Write(w.ctx, r)
	if err != nil {
		w.t.Fatal(err)
	}
	return response
}

func updates(t testing.TB, op usherv1.Operation, lines ...string) []*usherv1.TupleUpdate {
	t.Helper()
	list := make([]*usherv1.TupleUpdate, len(lines))
	for i, line := range lines {
		list[i] = &usherv1.TupleUpdate{Operation: op, Tuple: tuple(t, line)}
	}
	return list
}

// tuple reads the text form into a message.
func tuple(t testing.TB, line string) *usherv1.Tuple {
	t.Helper()
	parsed, err := tuples.ParseTuple(line)
	if err != nil {
		t.Fatal(err)
	}
	message := &usherv1.Tuple{
		Object:   &usherv1.Object{Type: string(parsed.Object.Type), Id: string(parsed.Object.ID)},
		Relation: string(parsed.Relation),
		Subject: &usherv1.Subject{
			Type: string(parsed.Subject.Type), Id: string(parsed.Subject.ID), Relation: string(parsed.Subject.Relation),
		},
	}
	if c := parsed.Condition; c != nil {
		message.Condition = &usherv1.Condition{Name: c.Name, Context: values(t, c.Context)}
	}
	if !parsed.Expires.IsZero() {
		message.ExpiresAt = timestamppb.New(parsed.Expires)
	}
	for name, value := range parsed.Attributes {
		if message.Attributes == nil {
			message.Attributes = map[string]*usherv1.AttributeValue{}
		}
		message.Attributes[name] = wire.FromValue(value)
	}
	return message
}

func values(t testing.TB, v map[string]any) *structpb.Struct {
	t.Helper()
	s, err := structpb.NewStruct(v)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func object(t testing.TB, text string) *usherv1.Object {
	t.Helper()
	o, err := tuples.ParseObject(text)
	if err != nil {
		t.Fatal(err)
	}
	return &usherv1.Object{Type: string(o.Type), Id: string(o.ID)}
}

func subject(t testing.TB, text string) *usherv1.Subject {
	t.Helper()
	s, err := tuples.ParseSubject(text)
	if err != nil {
		t.Fatal(err)
	}
	return &usherv1.Subject{Type: string(s.Type), Id: string(s.ID), Relation: string(s.Relation)}
}

// question reads "user:anna can_view media:logo".
func question(t testing.TB, text string) *usherv1.CheckRequest {
	t.Helper()
	words := strings.Fields(text)
	if len(words) != 3 {
		t.Fatalf("question %q is not SUBJECT RELATION OBJECT", text)
	}
	return &usherv1.CheckRequest{Subject: subject(t, words[0]), Relation: words[1], Object: object(t, words[2])}
}

// check answers "user:anna can_view media:logo" with "allowed", "denied" or "conditional".
func (w *world) check(text string) string {
	w.t.Helper()
	response, err := w.permissions.Check(w.ctx, question(w.t, text))
	if err != nil {
		w.t.Fatalf("%s: %v", text, err)
	}
	return outcome(response.GetOutcome())
}

func outcome(o usherv1.Outcome) string {
	return strings.ToLower(strings.TrimPrefix(o.String(), "OUTCOME_"))
}

// receiver is a stream as a client reads it.
type receiver[M any] interface{ Recv() (*M, error) }

// collect reads a stream to its end.
func collect[M any](stream receiver[M], err error) ([]*M, error) {
	if err != nil {
		return nil, err
	}
	var all []*M
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, message)
	}
}

// refusal is an error as a caller sees it.
type refusal struct {
	code     codes.Code
	reason   string
	domain   string
	message  string
	metadata map[string]string
	fields   []string // of the violations
	details  []string // descriptions of the violations
}

func refusalOf(err error) refusal {
	st := status.Convert(err)
	r := refusal{code: st.Code(), message: st.Message()}
	for _, detail := range st.Details() {
		switch d := detail.(type) {
		case *errdetails.ErrorInfo:
			r.reason, r.domain, r.metadata = d.GetReason(), d.GetDomain(), d.GetMetadata()
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				r.fields = append(r.fields, v.GetField())
				r.details = append(r.details, v.GetDescription())
			}
		}
	}
	return r
}

// wantRefusal asks for a reason and, unless it is "", a first field.
func wantRefusal(t testing.TB, err error, code codes.Code, reason, field string) refusal {
	t.Helper()
	r := refusalOf(err)
	if r.code != code || r.reason != reason || r.domain != "usher.v1" {
		t.Fatalf("got %v %s (%s), want %v %s: %v", r.code, r.reason, r.domain, code, reason, err)
	}
	if field != "" && (len(r.fields) == 0 || r.fields[0] != field) {
		t.Fatalf("got violations of %q, want %q first: %v", r.fields, field, err)
	}
	return r
}
