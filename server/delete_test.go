package server_test

import (
	"fmt"
	"testing"

	"google.golang.org/grpc/codes"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

func TestDeleteTuples(t *testing.T) {
	w := newLibrary(t,
		"media:a#viewer@user:anna", "media:a#viewer@user:bert", "media:a#owner@user:carl",
		"media:b#viewer@user:anna", "media:b#viewer@group:design#member",
	)
	for _, c := range []struct {
		name    string
		request *usherv1.DeleteTuplesRequest
		deleted int32
		more    bool
		left    int
	}{
		{"nothing matches", &usherv1.DeleteTuplesRequest{Filter: &usherv1.TupleFilter{ObjectType: "folder"}}, 0, false, 5},
		{"one of two", &usherv1.DeleteTuplesRequest{
			Filter: &usherv1.TupleFilter{SubjectType: "user", SubjectId: "anna"}, Limit: 1, AllowPartial: true,
		}, 1, true, 4},
		{"the other", &usherv1.DeleteTuplesRequest{
			Filter: &usherv1.TupleFilter{SubjectType: "user", SubjectId: "anna"}, Limit: 1, AllowPartial: true,
		}, 1, false, 3},
		{"usersets of one relation", &usherv1.DeleteTuplesRequest{
			Filter: &usherv1.TupleFilter{SubjectRelation: ptr("member")},
		}, 1, false, 2},
		{"all of one object", &usherv1.DeleteTuplesRequest{
			Filter: &usherv1.TupleFilter{ObjectType: "media", ObjectId: "a"},
		}, 2, false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := w.tuples.DeleteTuples(w.ctx, c.request)
			if err != nil || got.GetDeleted() != c.deleted || got.GetMore() != c.more || got.GetToken() == "" || got.GetRevision() == 0 {
				t.Errorf("got %v, %v", got, err)
			}
			if left := len(w.read(&usherv1.ReadRequest{})); left != c.left {
				t.Errorf("%d tuples are left, want %d", left, c.left)
			}
		})
	}
}

func ptr[T any](v T) *T { return &v }

func TestDeleteTuplesReplay(t *testing.T) {
	w := newLibrary(t, "media:a#owner@user:anna", "media:a#viewer@user:bert")
	r := &usherv1.DeleteTuplesRequest{
		RequestId:     "clear-a",
		Filter:        &usherv1.TupleFilter{ObjectType: "media", ObjectId: "a"},
		Preconditions: []*usherv1.Precondition{mustBeAllowed(t, "user:anna can_share media:a")},
	}
	first, err := w.tuples.DeleteTuples(w.ctx, r)
	if err != nil || first.GetDeleted() != 2 || first.GetReplayed() {
		t.Fatalf("got %v, %v", first, err)
	}
	again, err := w.tuples.DeleteTuples(w.ctx, r)
	if err != nil || again.GetDeleted() != 2 || !again.GetReplayed() || again.GetToken() != first.GetToken() {
		t.Errorf("got %v, %v", again, err)
	}
}

func TestBadDeletes(t *testing.T) {
	w := newLibrary(t, "media:a#viewer@user:anna", "media:a#viewer@user:bert")
	media := &usherv1.TupleFilter{ObjectType: "media"}
	for _, c := range []struct {
		name, field string
		request     *usherv1.DeleteTuplesRequest
	}{
		{"no filter", "filter", &usherv1.DeleteTuplesRequest{}},
		{"an empty filter", "filter", &usherv1.DeleteTuplesRequest{Filter: &usherv1.TupleFilter{}}},
		{"an id without a type", "filter.object_id", &usherv1.DeleteTuplesRequest{Filter: &usherv1.TupleFilter{ObjectId: "a"}}},
		{"a negative limit", "limit", &usherv1.DeleteTuplesRequest{Filter: media, Limit: -1}},
		{"a limit of 10,001", "limit", &usherv1.DeleteTuplesRequest{Filter: media, Limit: 10_001}},
		{"more than the limit", "filter", &usherv1.DeleteTuplesRequest{Filter: media, Limit: 1}},
		{"an actor without a type", "actor.type", &usherv1.DeleteTuplesRequest{Filter: media, Actor: &usherv1.Subject{Id: "anna"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := w.tuples.DeleteTuples(w.ctx, c.request)
			wantRefusal(t, err, codes.InvalidArgument, "INVALID_FIELD", c.field)
		})
	}
	if left := len(w.read(&usherv1.ReadRequest{})); left != 2 {
		t.Errorf("%d tuples are left", left)
	}
	_, err := w.tuples.DeleteTuples(w.ctx, &usherv1.DeleteTuplesRequest{
		Filter: media, Preconditions: []*usherv1.Precondition{mustBeAllowed(t, "user:anna can_share media:a")},
	})
	wantRefusal(t, err, codes.FailedPrecondition, "PRECONDITION_FAILED", "")
}

// Ten thousand at one revision is the most, and what there is by default.
func TestDeleteAtTheLimit(t *testing.T) {
	w := newLibrary(t)
	for part := range 2 {
		lines := make([]string, 6_000)
		for i := range lines {
			lines[i] = fmt.Sprintf("media:%d#viewer@user:u%d", i, part)
		}
		w.touch(lines...)
	}
	got, err := w.tuples.DeleteTuples(w.ctx, &usherv1.DeleteTuplesRequest{Filter: &usherv1.TupleFilter{ObjectType: "media"}, AllowPartial: true})
	if err != nil || got.GetDeleted() != 10_000 || !got.GetMore() {
		t.Errorf("got %v, %v", got, err)
	}
}
