package server_test

import (
	"errors"
	"io"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/usher-authz/usher/check/checktest"
	"github.com/usher-authz/usher/check/reference"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/server"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
	"github.com/usher-authz/usher/tuples/bolt"
)

// The scenarios that say what answers mean hold over gRPC too, whatever of them is in memory.
func TestScenarios(t *testing.T) {
	for name, scenario := range checktest.Scenarios(t) {
		for how, memory := range map[string]int64{"with an index": 1 << 20, "with a small index": 16 << 10, "without an index": withoutIndex} {
			t.Run(name+" "+how, func(t *testing.T) { scenario.Run(t, newCaller(t, scenario, memory)) })
		}
	}
}

// caller asks a server about the world of a scenario.
type caller struct {
	*world
	contextual []*usherv1.Tuple
	context    *structpb.Struct
}

// newCaller writes the tuples straight to the store: some are forbidden by the model,
// as if written under an earlier one.
func newCaller(t *testing.T, s checktest.Scenario, indexMemory int64) *caller {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "usher.db"), bolt.Options{
		NoSync: true, CollectEvery: -1, Clock: func() time.Time { return checktest.Now },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.CreateStore(t.Context(), server.DefaultStore); err != nil {
		t.Fatal(err)
	}
	store, err := db.Store(t.Context(), server.DefaultStore)
	if err != nil {
		t.Fatal(err)
	}
	symbols := s.World(t).Model.Symbols()
	commits := []tuples.Commit{{NewModel: &tuples.NewModel{ID: "01M", Source: model.Source{DSL: s.Source}.Encode(), Symbols: symbols}}}
	for _, tuple := range s.Stored {
		commits = append(commits, tuples.Commit{Mutations: []tuples.Mutation{{Op: tuples.OpTouch, Tuple: tuple}}})
	}
	for _, commit := range commits {
		if _, err := store.Commit(t.Context(), commit); err != nil {
			t.Fatal(err)
		}
	}
	return &caller{
		world:      serve(t, db, server.Options{IndexMemory: indexMemory}),
		contextual: wire.FromTuples(s.Contextual),
		context:    wire.FromContext(s.Context),
	}
}

func (c *caller) Check(on tuples.Userset, s tuples.Subject) reference.Answer {
	c.t.Helper()
	response, err := c.permissions.Check(c.ctx, &usherv1.CheckRequest{
		Object: wire.FromObject(on.Object), Relation: string(on.Relation), Subject: wire.FromSubject(s),
		ContextualTuples: c.contextual, Context: c.context,
	})
	if err != nil {
		c.failed(err)
		return reference.Answer{Outcome: reference.Failed}
	}
	return toAnswer(response.GetOutcome(), response.GetMissingContext())
}

func (c *caller) ListObjects(t tuples.ObjectType, r tuples.Relation, s tuples.Subject) []reference.Item {
	c.t.Helper()
	return c.list(func(resume *usherv1.Resume) (func() ([]reference.Item, error), error) {
		stream, err := c.permissions.ListObjects(c.ctx, &usherv1.ListObjectsRequest{
			ObjectType: string(t), Relation: string(r), Subject: wire.FromSubject(s),
			ContextualTuples: c.contextual, Context: c.context, Resume: resume,
		})
		return func() (items []reference.Item, err error) {
			response, err := stream.Recv()
			for _, o := range response.GetObjects() {
				items = append(items, reference.Item{ID: tuples.ID(o.GetId()), Answer: toAnswer(o.GetOutcome(), o.GetMissingContext())})
			}
			return items, err
		}, err
	})
}

func (c *caller) ListSubjects(on tuples.Userset, t tuples.ObjectType) []reference.Item {
	c.t.Helper()
	return c.ListUsersets(on, t, "")
}

func (c *caller) ListUsersets(on tuples.Userset, t tuples.ObjectType, r tuples.Relation) []reference.Item {
	c.t.Helper()
	return c.list(func(resume *usherv1.Resume) (func() ([]reference.Item, error), error) {
		stream, err := c.permissions.ListSubjects(c.ctx, &usherv1.ListSubjectsRequest{
			Object: wire.FromObject(on.Object), Relation: string(on.Relation),
			SubjectType: string(t), SubjectRelation: string(r),
			ContextualTuples: c.contextual, Context: c.context, Resume: resume,
		})
		return func() (items []reference.Item, err error) {
			response, err := stream.Recv()
			for _, s := range response.GetSubjects() {
				items = append(items, reference.Item{ID: tuples.ID(s.GetId()), Answer: toAnswer(s.GetOutcome(), s.GetMissingContext())})
			}
			return items, err
		}, err
	})
}

// list collects a list. Where it ends in a failed condition it goes on behind the item
// that failed, as the error says.
func (c *caller) list(open func(*usherv1.Resume) (func() ([]reference.Item, error), error)) (all []reference.Item) {
	c.t.Helper()
	var resume *usherv1.Resume
	for {
		receive, err := open(resume)
		if err != nil {
			c.t.Fatal(err)
		}
		for err == nil {
			var items []reference.Item
			items, err = receive()
			all = append(all, items...)
		}
		if errors.Is(err, io.EOF) {
			return all
		}
		info := c.failed(err)
		resume = &usherv1.Resume{Cursor: info.GetMetadata()["cursor"], After: info.GetMetadata()["resume_after"]}
		subject, err := tuples.ParseSubject(resume.GetAfter())
		if err != nil {
			c.t.Fatalf("resume_after: %v", err)
		}
		all = append(all, reference.Item{ID: subject.ID, Answer: reference.Answer{Outcome: reference.Failed}})
	}
}

// failed expects the failure of a condition, the only one that scenarios know.
func (c *caller) failed(err error) *errdetails.ErrorInfo {
	c.t.Helper()
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetReason() == "CONDITION_FAILED" {
			return info
		}
	}
	c.t.Fatalf("error %v, want a failed condition at most", err)
	return nil
}

func toAnswer(o usherv1.Outcome, missing []string) reference.Answer {
	outcome := map[usherv1.Outcome]reference.Outcome{
		usherv1.Outcome_OUTCOME_ALLOWED:     reference.Allowed,
		usherv1.Outcome_OUTCOME_DENIED:      reference.Denied,
		usherv1.Outcome_OUTCOME_CONDITIONAL: reference.Conditional,
	}[o]
	return reference.Answer{Outcome: outcome, Missing: missing}
}
