package examples_test

import (
	"cmp"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/usher-authz/usher/check/checktest"
	"github.com/usher-authz/usher/check/reference"
	"github.com/usher-authz/usher/examples"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/scenario"
	"github.com/usher-authz/usher/server"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// openServer answers over the API, as to any other service. It has a server for each time
// that a test asks for.
func openServer(t *testing.T, e examples.Example, _ *scenario.File) answers {
	clients := map[time.Time]usherv1.PermissionServiceClient{}
	return func(test *testing.T, s *scenario.Test, a scenario.Assertion) string {
		if clients[s.At] == nil {
			connection := serve(t, openDatabase(t, s.At))
			upload(t, connection, e)
			clients[s.At] = usherv1.NewPermissionServiceClient(connection)
		}
		r := remote{test, clients[s.At], wire.FromTuples(s.Tuples), wire.FromContext(a.Context)}
		switch q := a.Query.(type) {
		case scenario.Question:
			return checktest.Ask(r, q)
		case scenario.Why:
			return r.explain(q)
		case scenario.Attributes:
			return r.restrict(q)
		case scenario.Shares:
			return r.summarize(q)
		}
		return "unknown query"
	}
}

// serve runs a server over db on a port of its own until the test ends.
func serve(t *testing.T, db tuples.Database) *grpc.ClientConn {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := server.New(db, server.Options{})
	served := make(chan error, 1)
	go func() { served <- s.GRPC().Serve(listener) }()
	t.Cleanup(func() {
		s.Drain(context.Background())
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	connection, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := connection.Close(); err != nil {
			t.Error(err)
		}
	})
	return connection
}

// upload makes the store "default" with the model and the tuples of an example.
func upload(t *testing.T, connection *grpc.ClientConn, e examples.Example) {
	t.Helper()
	store := &usherv1.CreateStoreRequest{Name: "default"}
	if _, err := usherv1.NewStoreServiceClient(connection).CreateStore(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	source := &usherv1.ModelSource{Source: &usherv1.ModelSource_Dsl{Dsl: e.Model.DSL}}
	written, err := usherv1.NewModelServiceClient(connection).WriteModel(t.Context(), &usherv1.WriteModelRequest{Source: source})
	if err != nil {
		t.Fatal(err)
	}
	if len(written.GetWarnings()) > 0 {
		t.Errorf("the server warns of the model: %v", written.GetWarnings())
	}
	var write usherv1.WriteRequest
	for _, tuple := range wire.FromTuples(e.Tuples) {
		write.Updates = append(write.Updates, &usherv1.TupleUpdate{Operation: usherv1.Operation_OPERATION_CREATE, Tuple: tuple})
	}
	if _, err := usherv1.NewTupleServiceClient(connection).Write(t.Context(), &write); err != nil {
		t.Fatal(err)
	}
}

// remote makes a PermissionService a [checktest.Answerer]. It fails the test on
// every error: no condition of an example fails to evaluate.
type remote struct {
	t          *testing.T
	client     usherv1.PermissionServiceClient
	contextual []*usherv1.Tuple
	context    *structpb.Struct
}

func (r remote) Check(on tuples.Userset, s tuples.Subject) reference.Answer {
	response, err := r.client.Check(r.t.Context(), &usherv1.CheckRequest{
		Object: wire.FromObject(on.Object), Relation: string(on.Relation), Subject: wire.FromSubject(s), ContextualTuples: r.contextual, Context: r.context,
	})
	if err != nil {
		r.t.Fatalf("check %s %s: %v", s, on, err)
	}
	return r.answer(response.GetOutcome(), response.GetMissingContext())
}

// explain returns an explanation in the form of [scenario.FormatExplanation].
func (r remote) explain(q scenario.Why) string {
	response, err := r.client.Check(r.t.Context(), &usherv1.CheckRequest{
		Object: wire.FromObject(q.On.Object), Relation: string(q.On.Relation), Subject: wire.FromSubject(q.Subject),
		ContextualTuples: r.contextual, Context: r.context, Explain: true,
	})
	if err != nil {
		r.t.Fatalf("%s: %v", q, err)
	}
	answer := r.answer(response.GetOutcome(), response.GetMissingContext())
	var names []string
	if answer.Outcome == reference.Allowed {
		names = grantingTuples(response.GetExplanation().GetRoot())
	}
	for _, u := range response.GetExplanation().GetWouldGrant() {
		names = append(names, wire.ToObject(u.GetObject()).String()+"#"+u.GetRelation())
	}
	by := cmp.Or(strings.Join(names, ", "), "nothing")
	if answer.Outcome == reference.Allowed {
		return "allowed by " + by
	}
	return scenario.FormatAnswer(string(answer.Outcome), answer.Missing) + ", would be granted by " + by
}

func grantingTuples(n *usherv1.ExplanationNode) []string {
	var keys []string
	if n.GetTuple() != nil && n.GetOutcome() == usherv1.Outcome_OUTCOME_ALLOWED {
		keys = append(keys, wire.ToKey(n.GetTuple()).String())
	}
	for _, child := range n.GetChildren() {
		keys = append(keys, grantingTuples(child)...)
	}
	return keys
}

func (r remote) ListObjects(t tuples.ObjectType, relation tuples.Relation, s tuples.Subject) []reference.Item {
	stream, err := r.client.ListObjects(r.t.Context(), &usherv1.ListObjectsRequest{
		ObjectType: string(t), Relation: string(relation), Subject: wire.FromSubject(s), ContextualTuples: r.contextual, Context: r.context,
	})
	var items []reference.Item
	for _, message := range receive(r.t, stream, err) {
		for _, object := range message.GetObjects() {
			items = append(items, reference.Item{ID: tuples.ID(object.GetId()), Answer: r.answer(object.GetOutcome(), object.GetMissingContext())})
		}
	}
	return items
}

func (r remote) ListSubjects(on tuples.Userset, t tuples.ObjectType) []reference.Item {
	return r.ListUsersets(on, t, "")
}

func (r remote) ListUsersets(on tuples.Userset, t tuples.ObjectType, relation tuples.Relation) []reference.Item {
	stream, err := r.client.ListSubjects(r.t.Context(), &usherv1.ListSubjectsRequest{
		Object: wire.FromObject(on.Object), Relation: string(on.Relation),
		SubjectType: string(t), SubjectRelation: string(relation), ContextualTuples: r.contextual, Context: r.context,
	})
	var items []reference.Item
	for _, message := range receive(r.t, stream, err) {
		for _, subject := range message.GetSubjects() {
			items = append(items, reference.Item{ID: tuples.ID(subject.GetId()), Answer: r.answer(subject.GetOutcome(), subject.GetMissingContext())})
		}
	}
	return items
}

func (r remote) answer(o usherv1.Outcome, missing []string) reference.Answer {
	switch o {
	case usherv1.Outcome_OUTCOME_ALLOWED:
		return reference.Answer{Outcome: reference.Allowed}
	case usherv1.Outcome_OUTCOME_DENIED:
		return reference.Answer{Outcome: reference.Denied}
	case usherv1.Outcome_OUTCOME_CONDITIONAL:
		return reference.Answer{Outcome: reference.Conditional, Missing: missing}
	}
	r.t.Fatalf("the server answers %s", o)
	return reference.Answer{}
}

// receive returns all messages of a stream that was opened with err.
func receive[M any](t *testing.T, stream grpc.ServerStreamingClient[M], err error) []*M {
	t.Helper()
	var messages []*M
	for err == nil {
		var message *M
		if message, err = stream.Recv(); err == nil {
			messages = append(messages, message)
		}
	}
	if err != io.EOF {
		t.Fatal(err)
	}
	return messages
}
