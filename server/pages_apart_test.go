package server_test

import (
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// What a page leaves behind serves the next page of its own list, and of no other: two lists
// that differ in one thing begin alike and are read by turns, a page of one item each.
func TestListsThatAreReadByTurns(t *testing.T) {
	w := newLibrary(t,
		"media:a#viewer@user:anna", "media:b#viewer@user:anna", "media:c#viewer@user:anna",
		"media:a#viewer@user:bert", "media:d#viewer@user:bert", "media:e#viewer@user:bert",
		"media:a#owner@user:anna", "media:f#owner@user:anna", "media:g#owner@user:anna",
		`media:bb#viewer@user:anna with office_hours {"opens":9}`,
	)
	for _, c := range []struct {
		name   string
		differ func(r *usherv1.ListObjectsRequest)
		write  string // between the first pages
	}{
		{name: "another subject", differ: func(r *usherv1.ListObjectsRequest) { r.Subject = subject(t, "user:bert") }},
		{name: "another relation", differ: func(r *usherv1.ListObjectsRequest) { r.Relation = "owner" }},
		{name: "another context", differ: func(r *usherv1.ListObjectsRequest) { r.Context = values(t, map[string]any{"hour": 8}) }},
		{name: "contextual tuples", differ: func(r *usherv1.ListObjectsRequest) {
			r.ContextualTuples = tupleList(t, "media:aa#viewer@user:anna")
		}},
		{name: "another revision", differ: func(*usherv1.ListObjectsRequest) {}, write: "media:h#viewer@user:anna"},
	} {
		t.Run(c.name, func(t *testing.T) {
			one := &usherv1.ListObjectsRequest{
				ObjectType: "media", Relation: "can_view", Subject: subject(t, "user:anna"), Context: values(t, map[string]any{"hour": 10}),
			}
			other := proto.CloneOf(one)
			c.differ(other)
			lists := []*usherv1.ListObjectsRequest{one, other}
			whole, got := make([][]string, 2), make([][]string, 2)
			for i, r := range lists {
				all, err := collect(w.permissions.ListObjects(w.ctx, r))
				if err != nil {
					t.Fatal(err)
				}
				whole[i] = ids(all[0].GetObjects())
				r.PageSize = 1
				if i == 0 && c.write != "" {
					got[i] = w.nextPage(t, r, got[i])
					w.touch(c.write)
				}
			}
			for range 10 {
				for i, r := range lists {
					got[i] = w.nextPage(t, r, got[i])
				}
			}
			if slices.Equal(whole[0], whole[1]) || !slices.Equal(got[0], whole[0]) || !slices.Equal(got[1], whole[1]) {
				t.Errorf("got %v and %v, want %v and %v", got[0], got[1], whole[0], whole[1])
			}
		})
	}
}

// nextPage appends the next page to what was listed, and sets the request to go on behind it.
func (w *world) nextPage(t *testing.T, r *usherv1.ListObjectsRequest, listed []string) []string {
	t.Helper()
	page, err := collect(w.permissions.ListObjects(w.ctx, r))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range page {
		listed = append(listed, ids(m.GetObjects())...)
		r.Resume = &usherv1.Resume{Cursor: m.GetCursor(), After: "media:" + listed[len(listed)-1]}
	}
	return listed
}
