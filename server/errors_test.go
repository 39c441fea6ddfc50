package server_test

import (
	"context"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server"
	"github.com/usher-authz/usher/tuples"
)

// Every reason that core.proto promises is provoked over a connection, and comes with
// the code that stands beside it there.
func TestReasons(t *testing.T) {
	ok := newLibrary(t, "media:logo#owner@user:anna", `media:bad#viewer@user:anna with office_hours {"opens":1}`)
	other, err := ok.stores.CreateStore(ok.ctx, &usherv1.CreateStoreRequest{Name: "other"})
	if err != nil {
		t.Fatal(err)
	}
	checkAt := func(w *world, text string, c *usherv1.Consistency) error {
		r := question(t, text)
		r.Consistency = c
		_, err := w.permissions.Check(w.ctx, r)
		return err
	}
	ask := func(w *world, text string) error { return checkAt(w, text, nil) }
	write := func(w *world, r *usherv1.WriteRequest) error {
		_, err := w.tuples.Write(w.ctx, r)
		return err
	}
	touch := func(lines ...string) *usherv1.WriteRequest {
		return &usherv1.WriteRequest{Updates: updates(t, usherv1.Operation_OPERATION_TOUCH, lines...)}
	}
	failing := func(err error) error {
		db := &faulty{commit: func() error { return err }}
		return write(newFaulty(t, server.Options{}, db), touch("media:logo#owner@user:anna"))
	}
	cases := map[usherv1.ErrorReason]struct {
		code    codes.Code
		provoke func() error
	}{
		usherv1.ErrorReason_ERROR_REASON_INVALID_FIELD: {codes.InvalidArgument, func() error {
			_, err := ok.permissions.Check(ok.ctx, &usherv1.CheckRequest{})
			return err
		}},
		usherv1.ErrorReason_ERROR_REASON_UNKNOWN_TYPE: {codes.InvalidArgument, func() error {
			return ask(ok, "user:anna can_view video:logo")
		}},
		usherv1.ErrorReason_ERROR_REASON_UNKNOWN_RELATION: {codes.InvalidArgument, func() error {
			return ask(ok, "user:anna can_fly media:logo")
		}},
		usherv1.ErrorReason_ERROR_REASON_TUPLE_NOT_ALLOWED: {codes.InvalidArgument, func() error {
			return write(ok, touch("media:logo#owner@user:*"))
		}},
		usherv1.ErrorReason_ERROR_REASON_INVALID_MODEL: {codes.InvalidArgument, func() error {
			_, err := ok.models.WriteModel(ok.ctx, &usherv1.WriteModelRequest{Source: dslSource("model\n  schema 1.1\ntype a\n  relations\n    define x: [b]\n")})
			return err
		}},
		usherv1.ErrorReason_ERROR_REASON_FORGED_TOKEN: {codes.InvalidArgument, func() error {
			return checkAt(ok, "user:anna can_view media:logo", exactly("AAAA"))
		}},
		usherv1.ErrorReason_ERROR_REASON_FOREIGN_TOKEN: {codes.InvalidArgument, func() error {
			return checkAt(ok, "user:anna can_view media:logo", exactly(other.GetStore().GetToken()))
		}},
		usherv1.ErrorReason_ERROR_REASON_CURSOR_MISMATCH: {codes.InvalidArgument, func() error {
			r := &usherv1.ListObjectsRequest{ObjectType: "media", Relation: "can_view", Subject: subject(t, "user:bert")}
			page, err := collect(ok.permissions.ListObjects(ok.ctx, r))
			if err != nil {
				return err
			}
			r.Subject, r.Resume = subject(t, "user:anna"), &usherv1.Resume{Cursor: page[0].GetCursor()}
			_, err = collect(ok.permissions.ListObjects(ok.ctx, r))
			return err
		}},
		usherv1.ErrorReason_ERROR_REASON_TOO_MANY_ITEMS: {codes.InvalidArgument, func() error {
			_, err := ok.permissions.BatchCheck(ok.ctx, &usherv1.BatchCheckRequest{Items: make([]*usherv1.BatchCheckItem, 10_001)})
			return err
		}},
		usherv1.ErrorReason_ERROR_REASON_STORE_NOT_FOUND: {codes.NotFound, func() error {
			_, err := ok.stores.GetStore(ok.ctx, &usherv1.GetStoreRequest{Store: "nowhere"})
			return err
		}},
		usherv1.ErrorReason_ERROR_REASON_MODEL_NOT_FOUND: {codes.NotFound, func() error {
			_, err := ok.models.ReadModel(ok.ctx, &usherv1.ReadModelRequest{ModelId: "01ARZ3NDEKTSV4RRFFQ69G5FAV"})
			return err
		}},
		usherv1.ErrorReason_ERROR_REASON_STORE_EXISTS: {codes.AlreadyExists, func() error {
			_, err := ok.stores.CreateStore(ok.ctx, &usherv1.CreateStoreRequest{Name: "other"})
			return err
		}},
		usherv1.ErrorReason_ERROR_REASON_TUPLE_EXISTS: {codes.AlreadyExists, func() error {
			return write(ok, &usherv1.WriteRequest{Updates: updates(t, usherv1.Operation_OPERATION_CREATE, "media:logo#owner@user:anna")})
		}},
		usherv1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED: {codes.AlreadyExists, func() error {
			first, second := touch("media:a#owner@user:anna"), touch("media:b#owner@user:anna")
			first.RequestId, second.RequestId = "once", "once"
			return errors.Join(write(ok, first), write(ok, second))
		}},
		usherv1.ErrorReason_ERROR_REASON_NO_MODEL: {codes.FailedPrecondition, func() error {
			return ask(newWorld(t, server.Options{}), "user:anna can_view media:logo")
		}},
		usherv1.ErrorReason_ERROR_REASON_PRECONDITION_FAILED: {codes.FailedPrecondition, func() error {
			r := touch("media:logo#editor@user:bert")
			r.Preconditions = []*usherv1.Precondition{mustBeAllowed(t, "user:carl can_share media:logo")}
			return write(ok, r)
		}},
		usherv1.ErrorReason_ERROR_REASON_CONDITION_FAILED: {codes.FailedPrecondition, func() error {
			r := question(t, "user:anna can_view media:bad")
			r.Context = values(t, map[string]any{"hour": "noon"})
			_, err := ok.permissions.Check(ok.ctx, r)
			return err
		}},
		usherv1.ErrorReason_ERROR_REASON_REVISION_UNAVAILABLE: {codes.OutOfRange, func() error {
			w, old := newForgetful(t)
			return checkAt(w, "user:anna can_view media:logo", exactly(old))
		}},
		usherv1.ErrorReason_ERROR_REASON_REVISION_AHEAD: {codes.OutOfRange, func() error {
			return checkAt(ok, "user:anna can_view media:logo", atTime(time.Now().Add(time.Hour)))
		}},
		usherv1.ErrorReason_ERROR_REASON_WORK_BUDGET_EXHAUSTED: {codes.ResourceExhausted, func() error {
			return ask(serve(t, ok.db, server.Options{WorkBudget: 1}), "user:anna can_view media:logo")
		}},
		usherv1.ErrorReason_ERROR_REASON_CONFLICT:        {codes.Aborted, func() error { return failing(tuples.ErrConflict) }},
		usherv1.ErrorReason_ERROR_REASON_OUTCOME_UNKNOWN: {codes.Unknown, func() error { return failing(tuples.ErrOutcomeUnknown) }},
		usherv1.ErrorReason_ERROR_REASON_READ_ONLY:       {codes.Unavailable, func() error { return failing(tuples.ErrReadOnly) }},
		usherv1.ErrorReason_ERROR_REASON_DEADLINE_EXCEEDED: {codes.DeadlineExceeded, func() error {
			return failing(context.DeadlineExceeded)
		}},
		usherv1.ErrorReason_ERROR_REASON_CANCELLED:     {codes.Canceled, func() error { return failing(context.Canceled) }},
		usherv1.ErrorReason_ERROR_REASON_SHUTTING_DOWN: {codes.Unavailable, func() error { return failing(tuples.ErrClosed) }},
		usherv1.ErrorReason_ERROR_REASON_INTERNAL:      {codes.Internal, func() error { return failing(errors.New("secret detail")) }},
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
