package server_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server"
)

// shelves are folders in one another with media in them, and who sees them.
var shelves = []string{
	"folder:press#owner@user:anna", "folder:press#viewer@group:design#member",
	"folder:2026#parent@folder:press", "folder:2026#viewer@user:bert",
	"media:logo#folder@folder:press", "media:logo#owner@user:anna", "media:poster#folder@folder:2026", "media:poster#viewer@user:carl",
	"media:elsewhere#owner@user:anna", "group:design#member@user:dora",
}

// erased are the tuples of shelves without those of some places of it.
func erased(gone ...int) (left []string) {
	for i, line := range shelves {
		if !slices.Contains(gone, i) {
			left = append(left, line)
		}
	}
	slices.Sort(left)
	return left
}

func within(relations ...string) (list []*usherv1.Containment) {
	for _, relation := range relations {
		list = append(list, &usherv1.Containment{Relation: relation})
	}
	return list
}

func TestDeleteObject(t *testing.T) {
	for _, c := range []struct {
		name    string
		object  string
		content []*usherv1.Containment
		left    []string
		objects map[string]int64
	}{
		{"B11 C5 its contents stay", "folder:press", nil, erased(0, 1, 2, 4), map[string]int64{"folder": 1}},
		{"C5 its contents go along", "folder:press", within("parent", "folder"), erased(0, 1, 2, 3, 4, 5, 6, 7), map[string]int64{"folder": 2, "media": 2}},
		{"C5 along one relation alone", "folder:press", within("parent"), erased(0, 1, 2, 3, 4, 6), map[string]int64{"folder": 2}},
		{"along a relation of one type", "folder:press", []*usherv1.Containment{{ObjectType: "media", Relation: "folder"}},
			erased(0, 1, 2, 4, 5), map[string]int64{"folder": 1, "media": 1}},
		{"a group, as the subject of others' tuples too", "group:design", nil, erased(1, 9), map[string]int64{"group": 1}},
		{"a user", "user:anna", nil, erased(0, 5, 8), map[string]int64{"user": 1}},
		{"what no tuple names", "folder:nowhere", within("parent", "folder"), erased(), map[string]int64{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newLibrary(t, shelves...)
			before := w.head()
			r := &usherv1.DeleteObjectRequest{Object: object(t, c.object), Contents: c.content, DryRun: true}
			tried, err := w.tuples.DeleteObject(w.ctx, r)
			if err != nil {
				t.Fatal(err)
			}
			if stored := w.lines(); !slices.Equal(stored, erased()) || tried.GetRevision() != before || tried.GetToken() == "" {
				t.Errorf("a dry run left %q at revision %d", stored, tried.GetRevision())
			}
			r.DryRun = false
			got, err := w.tuples.DeleteObject(w.ctx, r)
			if err != nil {
				t.Fatal(err)
			}
			if stored := w.lines(); !slices.Equal(stored, c.left) {
				t.Errorf("left %q\nwant %q", stored, c.left)
			}
			for _, answer := range []*usherv1.DeleteObjectResponse{tried, got} {
				if answer.GetDeleted() != int64(len(shelves)-len(c.left)) || !maps.Equal(answer.GetObjects(), c.objects) {
					t.Errorf("dry run %v: got %v, want %v", answer == tried, answer, c.objects)
				}
			}
			if len(c.left) == len(shelves) {
				return
			}
			w.expectUndo(t, got.GetToken(), len(shelves)-len(c.left))
		})
	}
}

// expectUndo undoes a delete, tries it out before, and finds all shelves restored.
func (w *world) expectUndo(t *testing.T, token string, restored int) {
	t.Helper()
	left := w.lines()
	r := &usherv1.UndoDeleteRequest{DeletedAt: token, DryRun: true}
	tried, err := w.tuples.UndoDelete(w.ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	if stored := w.lines(); !slices.Equal(stored, left) {
		t.Errorf("a dry run left %q", stored)
	}
	r.DryRun = false
	undone, err := w.tuples.UndoDelete(w.ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	if stored := w.lines(); !slices.Equal(stored, erased()) || undone.GetRevision() != w.head() {
		t.Errorf("restored %q at revision %d of %d\nwant     %q", stored, undone.GetRevision(), w.head(), erased())
	}
	for _, answer := range []*usherv1.UndoDeleteResponse{tried, undone} {
		if answer.GetRestored() != int64(restored) || answer.GetSkipped() != 0 || answer.GetToken() == "" {
			t.Errorf("dry run %v: got %v, want %d restored", answer == tried, answer, restored)
		}
	}
}

// What was written anew since, or would have expired, stays as it is.
func TestUndoLeavesWhatIsThere(t *testing.T) {
	w := newLibrary(t, "media:a#viewer@user:anna", "media:a#viewer@user:bert", "media:a#owner@user:carl")
	deleted, err := w.tuples.DeleteTuples(w.ctx, &usherv1.DeleteTuplesRequest{Filter: &usherv1.TupleFilter{ObjectType: "media"}})
	if err != nil {
		t.Fatal(err)
	}
	w.touch("media:a#viewer@user:anna expires 2099-01-01T00:00:00Z")
	for _, want := range [][2]int64{{2, 1}, {0, 3}} {
		got, err := w.tuples.UndoDelete(w.ctx, &usherv1.UndoDeleteRequest{DeletedAt: deleted.GetToken()})
		if err != nil || got.GetRestored() != want[0] || got.GetSkipped() != want[1] {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	}
	want := []string{"media:a#owner@user:carl", "media:a#viewer@user:anna expires 2099-01-01T00:00:00Z", "media:a#viewer@user:bert"}
	if stored := w.lines(); !slices.Equal(stored, want) {
		t.Errorf("got %q, want %q", stored, want)
	}
}

// Deletes and undos are guarded and retried like every write, and tell what they were.
func TestDeleteObjectIsAWrite(t *testing.T) {
	w := newLibrary(t, shelves...)
	start := w.touch("media:elsewhere#viewer@user:zoe")
	r := &usherv1.DeleteObjectRequest{
		Object: object(t, "media:logo"), Preconditions: []*usherv1.Precondition{mustBeAllowed(t, "user:bert can_share media:logo")},
		Actor: subject(t, "user:anna"), Metadata: map[string]string{"message": "outdated"}, RequestId: "delete-1",
	}
	_, err := w.tuples.DeleteObject(w.ctx, r)
	if got := wantRefusal(t, err, codes.FailedPrecondition, "PRECONDITION_FAILED", ""); got.metadata["field"] != "preconditions[0].must_be_allowed" {
		t.Errorf("got %v", got.metadata)
	}
	r.Preconditions[0].GetMustBeAllowed().Subject = subject(t, "user:anna")
	first, err := w.tuples.DeleteObject(w.ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	again, err := w.tuples.DeleteObject(w.ctx, r)
	if err != nil || !again.GetReplayed() || again.GetToken() != first.GetToken() || again.GetDeleted() != 2 || again.GetObjects()["media"] != 1 {
		t.Errorf("got %v, %v", again, err)
	}
	undo := &usherv1.UndoDeleteRequest{DeletedAt: first.GetToken(), RequestId: "undo-1", Preconditions: []*usherv1.Precondition{mustBeAllowed(t, "user:anna can_share media:logo")}}
	_, err = w.tuples.UndoDelete(w.ctx, undo)
	wantRefusal(t, err, codes.FailedPrecondition, "PRECONDITION_FAILED", "")
	undo.Preconditions = nil
	if _, err := w.tuples.UndoDelete(w.ctx, undo); err != nil {
		t.Fatal(err)
	}
	retried, err := w.tuples.UndoDelete(w.ctx, undo)
	if err != nil || !retried.GetReplayed() || retried.GetRestored() != 2 {
		t.Errorf("got %v, %v", retried, err)
	}
	var causes []usherv1.Cause
	for _, c := range w.changesAfter(start, 2) {
		causes = append(causes, c.GetCause())
		if c.GetCause() == usherv1.Cause_CAUSE_ERASE && (c.GetActor().GetId() != "anna" || c.GetMetadata()["message"] != "outdated") {
			t.Errorf("got %v", c)
		}
	}
	if want := []usherv1.Cause{usherv1.Cause_CAUSE_ERASE, usherv1.Cause_CAUSE_UNDO}; !slices.Equal(causes, want) {
		t.Errorf("got %v, want %v", causes, want)
	}
}

// changesAfter returns the next n changes behind a token.
func (w *world) changesAfter(token string, n int) (changes []*usherv1.ChangeSet) {
	w.t.Helper()
	stream, err := w.tuples.Watch(w.ctx, &usherv1.WatchRequest{After: token})
	if err != nil {
		w.t.Fatal(err)
	}
	for len(changes) < n {
		m, err := stream.Recv()
		if err != nil {
			w.t.Fatal(err)
		}
		if c := m.GetChanges(); c != nil {
			changes = append(changes, c)
		}
	}
	return changes
}

func TestBadDeleteObjects(t *testing.T) {
	w := newLibrary(t, shelves...)
	many := within(make([]string, 21)...)
	for _, c := range []struct {
		name, reason, field string
		change              func(*usherv1.DeleteObjectRequest)
	}{
		{"no object", "INVALID_FIELD", "object.type", func(r *usherv1.DeleteObjectRequest) { r.Object = nil }},
		{"a wildcard", "INVALID_FIELD", "object.id", func(r *usherv1.DeleteObjectRequest) { r.Object.Id = "*" }},
		{"a type that no model ever had", "UNKNOWN_TYPE", "object.type", func(r *usherv1.DeleteObjectRequest) { r.Object.Type = "floder" }},
		{"contents without relation", "INVALID_FIELD", "contents[1].relation", func(r *usherv1.DeleteObjectRequest) { r.Contents = within("parent", "") }},
		{"contents by a relation that no model ever had", "UNKNOWN_RELATION", "contents[0].relation", func(r *usherv1.DeleteObjectRequest) { r.Contents = within("parnet") }},
		{"contents of a type with a blank", "INVALID_FIELD", "contents[0].object_type", func(r *usherv1.DeleteObjectRequest) {
			r.Contents = []*usherv1.Containment{{ObjectType: "me dia", Relation: "folder"}}
		}},
		{"contents of a type that no model ever had", "UNKNOWN_TYPE", "contents[0].object_type", func(r *usherv1.DeleteObjectRequest) {
			r.Contents = []*usherv1.Containment{{ObjectType: "video", Relation: "folder"}}
		}},
		{"21 relations", "TOO_MANY_ITEMS", "contents", func(r *usherv1.DeleteObjectRequest) { r.Contents = many }},
		{"an empty precondition", "INVALID_FIELD", "preconditions[0]", func(r *usherv1.DeleteObjectRequest) { r.Preconditions = []*usherv1.Precondition{{}} }},
		{"an actor without id", "INVALID_FIELD", "actor.id", func(r *usherv1.DeleteObjectRequest) { r.Actor = &usherv1.Subject{Type: "user"} }},
		{"a long request id", "INVALID_FIELD", "request_id", func(r *usherv1.DeleteObjectRequest) { r.RequestId = fmt.Sprintf("%256d", 1) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &usherv1.DeleteObjectRequest{Object: object(t, "folder:press")}
			c.change(r)
			_, err := w.tuples.DeleteObject(w.ctx, r)
			wantRefusal(t, err, codes.InvalidArgument, c.reason, c.field)
		})
	}
	if stored := w.lines(); !slices.Equal(stored, erased()) {
		t.Errorf("refused requests left %q", stored)
	}
}

func TestBadUndos(t *testing.T) {
	w := newLibrary(t)
	written := w.touch("media:a#viewer@user:anna")
	empty, err := newWorld(t, server.Options{}).stores.GetStore(w.ctx, &usherv1.GetStoreRequest{})
	if err != nil {
		t.Fatal(err)
	}
	other, err := w.stores.CreateStore(w.ctx, &usherv1.CreateStoreRequest{Name: "other"})
	if err != nil {
		t.Fatal(err)
	}
	forgetful, old := newForgetful(t)
	for _, c := range []struct {
		name, token, reason string
		world               *world
		code                codes.Code
	}{
		{"no token", "", "FORGED_TOKEN", w, codes.InvalidArgument},
		{"a forged token", "AAAA", "FORGED_TOKEN", w, codes.InvalidArgument},
		{"a token of another store", other.GetStore().GetToken(), "FOREIGN_TOKEN", w, codes.InvalidArgument},
		{"a token of another server", empty.GetStore().GetToken(), "FORGED_TOKEN", w, codes.InvalidArgument},
		{"a revision that removed nothing", written, "INVALID_FIELD", w, codes.InvalidArgument},
		{"a revision that is not kept any more", old, "REVISION_UNAVAILABLE", forgetful, codes.OutOfRange},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, dry := range []bool{true, false} {
				_, err := c.world.tuples.UndoDelete(w.ctx, &usherv1.UndoDeleteRequest{DeletedAt: c.token, DryRun: dry})
				field := "deleted_at"
				if c.code == codes.OutOfRange {
					field = ""
				}
				wantRefusal(t, err, c.code, c.reason, field)
			}
		})
	}
	t.Run("a delete that found nothing", func(t *testing.T) {
		w.touch("media:b#viewer@user:anna")
		removed := w.remove("media:b#viewer@user:anna")
		later := removed
		for later == removed { // within one millisecond the tokens are the same
			nothing, err := w.tuples.DeleteObject(w.ctx, &usherv1.DeleteObjectRequest{Object: object(t, "media:b")})
			if err != nil || nothing.GetDeleted() != 0 {
				t.Fatalf("got %v, %v", nothing, err)
			}
			later = nothing.GetToken()
		}
		_, err := w.tuples.UndoDelete(w.ctx, &usherv1.UndoDeleteRequest{DeletedAt: later})
		wantRefusal(t, err, codes.InvalidArgument, "INVALID_FIELD", "deleted_at")
		if stored := w.lines(); len(stored) != 1 {
			t.Errorf("somebody else's delete was undone: %q", stored)
		}
		if _, err := w.tuples.UndoDelete(w.ctx, &usherv1.UndoDeleteRequest{DeletedAt: removed}); err != nil {
			t.Error(err)
		}
	})
	t.Run("the empty store", func(t *testing.T) {
		_, err := w.tuples.UndoDelete(w.ctx, &usherv1.UndoDeleteRequest{Store: "other", DeletedAt: other.GetStore().GetToken()})
		wantRefusal(t, err, codes.InvalidArgument, "INVALID_FIELD", "deleted_at")
	})
}
