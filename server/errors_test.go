package server_test

import (
	"context"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server"
	"github.com/usher-authz/usher/tuples"
)

// provocation is a way to get an error with a reason, and the code that goes with it.
type provocation struct {
	reason  usherv1.ErrorReason
	code    codes.Code
	provoke func() error
}

// Every reason that core.proto promises is provoked over a connection, and comes with
// the code that stands beside it there.
func TestReasons(t *testing.T) {
	w := newLibrary(t, "media:logo#owner@user:anna", `media:bad#viewer@user:anna with office_hours {"opens":1}`)
	cases := map[usherv1.ErrorReason]provocation{}
	for _, p := range slices.Concat(badFields(t, w), badTokens(t, w), badStates(t, w), badGuards(t, w), faults(t, w)) {
		cases[p.reason] = p
	}
	for number, enumName := range usherv1.ErrorReason_name {
		name := strings.TrimPrefix(enumName, "ERROR_REASON_")
		if name == "UNSPECIFIED" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			c, ok := cases[usherv1.ErrorReason(number)]
			if !ok {
				t.Fatal("no case provokes this reason")
			}
			err := c.provoke()
			if err == nil {
				t.Fatal("no error")
			}
			r := wantRefusal(t, err, c.code, name, "")
			if strings.Contains(fmt.Sprint(r), "secret") {
				t.Errorf("the caller learns what is the log's: %v", r)
			}
		})
	}
}

// tryCheck asks a question at a state.
func (w *world) tryCheck(text string, c *usherv1.Consistency) error {
	r := question(w.t, text)
	r.Consistency = c
	_, err := w.permissions.Check(w.ctx, r)
	return err
}

// tryWrite touches or creates tuples under preconditions.
func (w *world) tryWrite(op usherv1.Operation, line, requestID string, guards ...*usherv1.Precondition) error {
	_, err := w.tuples.Write(w.ctx, &usherv1.WriteRequest{
		Updates: updates(w.t, op, line), RequestId: requestID, Preconditions: guards,
	})
	return err
}

const (
	create = usherv1.Operation_OPERATION_CREATE
	touch  = usherv1.Operation_OPERATION_TOUCH
)

func badFields(t *testing.T, w *world) []provocation {
	return []provocation{
		{usherv1.ErrorReason_ERROR_REASON_INVALID_FIELD, codes.InvalidArgument, func() error {
			_, err := w.permissions.Check(w.ctx, &usherv1.CheckRequest{})
			return err
		}},
		{usherv1.ErrorReason_ERROR_REASON_UNKNOWN_TYPE, codes.InvalidArgument, func() error {
			return w.tryCheck("user:anna can_view video:logo", nil)
		}},
		{usherv1.ErrorReason_ERROR_REASON_UNKNOWN_RELATION, codes.InvalidArgument, func() error {
			return w.tryCheck("user:anna can_fly media:logo", nil)
		}},
		{usherv1.ErrorReason_ERROR_REASON_TUPLE_NOT_ALLOWED, codes.InvalidArgument, func() error {
			return w.tryWrite(touch, "media:logo#owner@user:*", "")
		}},
		{usherv1.ErrorReason_ERROR_REASON_INVALID_MODEL, codes.InvalidArgument, func() error {
			_, err := w.models.WriteModel(w.ctx, &usherv1.WriteModelRequest{
				Source: dslSource("model\n  schema 1.1\ntype a\n  relations\n    define x: [b]\n"),
			})
			return err
		}},
		{usherv1.ErrorReason_ERROR_REASON_TOO_MANY_ITEMS, codes.InvalidArgument, func() error {
			_, err := w.permissions.BatchCheck(w.ctx, &usherv1.BatchCheckRequest{Items: make([]*usherv1.BatchCheckItem, 10_001)})
			return err
		}},
	}
}

func badTokens(t *testing.T, w *world) []provocation {
	const asked = "user:anna can_view media:logo"
	return []provocation{
		{usherv1.ErrorReason_ERROR_REASON_FORGED_TOKEN, codes.InvalidArgument, func() error {
			return w.tryCheck(asked, exactly("AAAA"))
		}},
		{usherv1.ErrorReason_ERROR_REASON_FOREIGN_TOKEN, codes.InvalidArgument, func() error {
			other, err := w.stores.CreateStore(w.ctx, &usherv1.CreateStoreRequest{Name: "foreign"})
			if err != nil {
				t.Fatal(err)
			}
			return w.tryCheck(asked, exactly(other.GetStore().GetToken()))
		}},
		{usherv1.ErrorReason_ERROR_REASON_CURSOR_MISMATCH, codes.InvalidArgument, func() error {
			r := &usherv1.ListObjectsRequest{ObjectType: "media", Relation: "can_view", Subject: subject(t, "user:bert")}
			page, err := collect(w.permissions.ListObjects(w.ctx, r))
			if err != nil {
				t.Fatal(err)
			}
			r.Subject, r.Resume = subject(t, "user:anna"), &usherv1.Resume{Cursor: page[0].GetCursor()}
			_, err = collect(w.permissions.ListObjects(w.ctx, r))
			return err
		}},
		{usherv1.ErrorReason_ERROR_REASON_REVISION_UNAVAILABLE, codes.OutOfRange, func() error {
			forgetful, old := newForgetful(t)
			return forgetful.tryCheck(asked, exactly(old))
		}},
		{usherv1.ErrorReason_ERROR_REASON_REVISION_AHEAD, codes.OutOfRange, func() error {
			return w.tryCheck(asked, atTime(time.Now().Add(time.Hour)))
		}},
	}
}

func badStates(t *testing.T, w *world) []provocation {
	createStore := func(name string) error {
		_, err := w.stores.CreateStore(w.ctx, &usherv1.CreateStoreRequest{Name: name})
		return err
	}
	return []provocation{
		{usherv1.ErrorReason_ERROR_REASON_STORE_NOT_FOUND, codes.NotFound, func() error {
			_, err := w.stores.GetStore(w.ctx, &usherv1.GetStoreRequest{Store: "nowhere"})
			return err
		}},
		{usherv1.ErrorReason_ERROR_REASON_MODEL_NOT_FOUND, codes.NotFound, func() error {
			_, err := w.models.ReadModel(w.ctx, &usherv1.ReadModelRequest{ModelId: "01ARZ3NDEKTSV4RRFFQ69G5FAV"})
			return err
		}},
		{usherv1.ErrorReason_ERROR_REASON_STORE_EXISTS, codes.AlreadyExists, func() error {
			return errors.Join(createStore("twice"), createStore("twice"))
		}},
		{usherv1.ErrorReason_ERROR_REASON_TUPLE_EXISTS, codes.AlreadyExists, func() error {
			return w.tryWrite(create, "media:logo#owner@user:anna", "")
		}},
		{usherv1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED, codes.AlreadyExists, func() error {
			return errors.Join(w.tryWrite(touch, "media:a#owner@user:anna", "once"), w.tryWrite(touch, "media:b#owner@user:anna", "once"))
		}},
		{usherv1.ErrorReason_ERROR_REASON_NO_MODEL, codes.FailedPrecondition, func() error {
			return newWorld(t, server.Options{}).tryCheck("user:anna can_view media:logo", nil)
		}},
		{usherv1.ErrorReason_ERROR_REASON_NO_DECISION_LOG, codes.FailedPrecondition, func() error {
			r := question(t, "user:anna can_view media:logo")
			r.Record = true
			_, err := w.permissions.Check(w.ctx, r)
			return err
		}},
		{usherv1.ErrorReason_ERROR_REASON_NOT_RECORDED, codes.Unavailable, func() error {
			r := newRecorder(t, required, server.RecordedRelation{Relation: "can_view"})
			return errors.Join(r.log.Close(), r.tryCheck("user:anna can_view file:logo", nil))
		}},
	}
}

func badGuards(t *testing.T, w *world) []provocation {
	return []provocation{
		{usherv1.ErrorReason_ERROR_REASON_PRECONDITION_FAILED, codes.FailedPrecondition, func() error {
			return w.tryWrite(touch, "media:logo#editor@user:bert", "", mustBeAllowed(t, "user:carl can_share media:logo"))
		}},
		{usherv1.ErrorReason_ERROR_REASON_CONDITION_FAILED, codes.FailedPrecondition, func() error {
			r := question(t, "user:anna can_view media:bad")
			r.Context = values(t, map[string]any{"hour": "noon"})
			_, err := w.permissions.Check(w.ctx, r)
			return err
		}},
		{usherv1.ErrorReason_ERROR_REASON_WORK_BUDGET_EXHAUSTED, codes.ResourceExhausted, func() error {
			return serve(t, w.db, server.Options{WorkBudget: 1}).tryCheck("user:anna can_view media:logo", nil)
		}},
	}
}

// faults are what a disk, or the end of a context, does to a write.
func faults(t *testing.T, w *world) []provocation {
	failing := func(err error) func() error {
		return func() error {
			broken := serve(t, &faulty{DB: w.db, commit: func() error { return err }}, server.Options{})
			return broken.tryWrite(touch, "media:logo#owner@user:anna", "")
		}
	}
	return []provocation{
		{usherv1.ErrorReason_ERROR_REASON_CONFLICT, codes.Aborted, failing(tuples.ErrConflict)},
		{usherv1.ErrorReason_ERROR_REASON_OUTCOME_UNKNOWN, codes.Unknown, failing(fmt.Errorf("%w: secret", tuples.ErrOutcomeUnknown))},
		{usherv1.ErrorReason_ERROR_REASON_READ_ONLY, codes.Unavailable, failing(fmt.Errorf("%w: secret", tuples.ErrReadOnly))},
		{usherv1.ErrorReason_ERROR_REASON_DEADLINE_EXCEEDED, codes.DeadlineExceeded, failing(context.DeadlineExceeded)},
		{usherv1.ErrorReason_ERROR_REASON_CANCELLED, codes.Canceled, failing(context.Canceled)},
		{usherv1.ErrorReason_ERROR_REASON_SHUTTING_DOWN, codes.Unavailable, failing(tuples.ErrClosed)},
		{usherv1.ErrorReason_ERROR_REASON_INTERNAL, codes.Internal, failing(errors.New("secret"))},
	}
}

func exactly(token string) *usherv1.Consistency {
	return &usherv1.Consistency{Requirement: &usherv1.Consistency_Exactly{Exactly: token}}
}

func atLeast(token string) *usherv1.Consistency {
	return &usherv1.Consistency{Requirement: &usherv1.Consistency_AtLeastAsFresh{AtLeastAsFresh: token}}
}

func atTime(at time.Time) *usherv1.Consistency {
	return &usherv1.Consistency{Requirement: &usherv1.Consistency_AtTime{AtTime: timestamppb.New(at)}}
}

func mustBeAllowed(t *testing.T, text string) *usherv1.Precondition {
	t.Helper()
	q := question(t, text)
	return &usherv1.Precondition{Condition: &usherv1.Precondition_MustBeAllowed{MustBeAllowed: &usherv1.CheckPrecondition{
		Object: q.GetObject(), Relation: q.GetRelation(), Subject: q.GetSubject(),
	}}}
}

// A violation tells where, what, why and what to do (promise 7).
func TestViolationsTellTheWayOut(t *testing.T) {
	w := newLibrary(t)
	_, err := w.permissions.Check(w.ctx, question(t, "user:anna can_fly media:logo"))
	r := wantRefusal(t, err, codes.InvalidArgument, "UNKNOWN_RELATION", "relation")
	want := `"can_fly": is not a relation of type "media" in the authorization model; ` +
		`use one of folder, owner, blocked, editor, viewer, can_view, can_share`
	if r.details[0] != want {
		t.Errorf("got  %s\nwant %s", r.details[0], want)
	}
}

// A status stays below what clients and proxies accept in trailers.
func TestStatusesAreBounded(t *testing.T) {
	w := newLibrary(t)
	long := strings.Repeat("é", 500)
	var many []*usherv1.TupleUpdate
	for range 50 {
		many = append(many, &usherv1.TupleUpdate{Operation: touch, Tuple: &usherv1.Tuple{
			Object: &usherv1.Object{Type: "media", Id: long + " "}, Relation: "viewer", Subject: subject(t, "user:anna"),
		}})
	}
	_, err := w.tuples.Write(w.ctx, &usherv1.WriteRequest{Updates: many})
	r := wantRefusal(t, err, codes.InvalidArgument, "INVALID_FIELD", "updates[0].tuple.object.id")
	if size := proto.Size(status.Convert(err).Proto()); size > 5<<10 || len(r.message) > 1100 || len(r.fields) < 5 {
		t.Errorf("%d bytes, a message of %d, %d violations", size, len(r.message), len(r.fields))
	}
}

// Only errors.go speaks gRPC's codes, so that one table holds them all; the command
// line may read the codes it receives.
func TestOnlyErrorsNamesCodes(t *testing.T) {
	root := ".."
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if rel == "gen" || rel == "cmd" || rel == "tools" || strings.HasPrefix(d.Name(), ".") && rel != "." {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || rel == filepath.Join("server", "errors.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			switch imported, _ := strconv.Unquote(spec.Path.Value); imported {
			case "google.golang.org/grpc/codes", "google.golang.org/grpc/status":
				t.Errorf("%s imports %s; return an error of the domain, and give it a reason in server/failure.go", rel, imported)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
