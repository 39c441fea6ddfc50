package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
)

// treeRequest asks who may view what lies below roots.
func treeRequest(t testing.TB, roots ...string) *usherv1.SummarizeTreeRequest {
	r := &usherv1.SummarizeTreeRequest{
		ContainedBy: []*usherv1.Containment{{Relation: "parent"}, {ObjectType: "media", Relation: "folder"}},
		Relations:   []*usherv1.TreeRelation{{Relation: "viewer"}, {Relation: "can_view"}},
	}
	for _, root := range roots {
		r.Roots = append(r.Roots, object(t, root))
	}
	return r
}

// tree returns a line for each object of a tree.
func (w *world) tree(r *usherv1.SummarizeTreeRequest) ([]string, error) {
	messages, err := collect(w.permissions.SummarizeTree(w.ctx, r))
	var lines []string
	for _, m := range messages {
		for _, o := range m.GetObjects() {
			lines = append(lines, treeLine(o))
		}
	}
	return lines, err
}

func treeLine(o *usherv1.TreeObject) string {
	line := strings.Repeat("  ", int(o.GetDepth())) + wire.ToObject(o.GetObject()).String()
	for _, s := range o.GetStates() {
		line += " " + strings.ToLower(strings.TrimPrefix(s.GetOpenness().String(), "OPENNESS_"))
		if s.GetInherited() {
			line += " from"
			for _, origin := range s.GetOrigins() {
				line += " " + wire.ToObject(origin).String()
			}
		}
	}
	return line
}

// forest is two trees, of which the second is a cycle.
var forest = []string{
	"folder:press#parent@folder:top", "folder:archive#parent@folder:top", "folder:old#parent@folder:archive",
	"media:logo#folder@folder:press", "media:logo#folder@folder:old", "media:film#folder@folder:old",
	"folder:press#viewer@user:*", "folder:archive#viewer@group:design#member", "media:film#viewer@user:anna",
	"folder:x#parent@folder:y", "folder:y#parent@folder:x", "folder:y#owner@user:bert",
}

func TestSummarizeTree(t *testing.T) {
	w := newLibrary(t, forest...)
	for _, c := range []struct {
		name    string
		request *usherv1.SummarizeTreeRequest
		want    []string
	}{
		{"D7 each object below what it lies in, once", treeRequest(t, "folder:top"), []string{
			"folder:top private unspecified",
			"  folder:archive invited unspecified",
			"    folder:old invited from folder:archive unspecified",
			"      media:film invited invited",
			"      media:logo public from folder:press public from folder:press",
			"  folder:press public unspecified",
		}},
		{"a cycle ends", treeRequest(t, "folder:x", "folder:y"), []string{
			"folder:x invited from folder:y unspecified",
			"  folder:y invited unspecified",
		}},
		{"D8 a switch decides what is inherited", func() *usherv1.SummarizeTreeRequest {
			r := treeRequest(t, "folder:archive")
			r.Relations = []*usherv1.TreeRelation{{Relation: "viewer", Inherits: "folder"}}
			r.ContextualTuples = []*usherv1.Tuple{tuple(t, "media:film#folder@folder:x")}
			return r
		}(), []string{
			"folder:archive invited",
			"  folder:old invited from folder:archive",
			"    media:film invited from folder:archive folder:y",
			"    media:logo public from folder:press",
		}},
		{"D7 public under a condition shows as invited", func() *usherv1.SummarizeTreeRequest {
			r := treeRequest(t, "media:secret")
			r.ContextualTuples = []*usherv1.Tuple{tuple(t, `media:secret#viewer@user:anna with office_hours {"opens":9}`)}
			return r
		}(), []string{"media:secret invited invited"}},
		{"one type of contained objects alone", func() *usherv1.SummarizeTreeRequest {
			r := treeRequest(t, "folder:press")
			r.ContainedBy = []*usherv1.Containment{{ObjectType: "folder", Relation: "parent"}}
			return r
		}(), []string{"folder:press public unspecified"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := w.tree(c.request)
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\n%v, want\n%s", strings.Join(got, "\n"), err, strings.Join(c.want, "\n"))
			}
		})
	}
}

// The parent of an object is the one it is listed below; a root has none.
func TestTreeParents(t *testing.T) {
	w := newLibrary(t, forest...)
	messages, err := collect(w.permissions.SummarizeTree(w.ctx, treeRequest(t, "folder:archive")))
	if err != nil {
		t.Fatal(err)
	}
	objects := messages[0].GetObjects()
	if objects[0].GetParent() != nil || wire.ToObject(objects[2].GetParent()).String() != "folder:old" {
		t.Errorf("got %v", objects)
	}
}

func TestTreeWithAFailingObject(t *testing.T) {
	w := newLibrary(t, "media:a#folder@folder:f", "media:b#folder@folder:f", "media:c#folder@folder:f",
		`media:b#viewer@user:bert with office_hours {"hour":0,"opens":0}`)
	r := treeRequest(t, "folder:f")
	got, err := w.tree(r)
	if want := []string{"folder:f private unspecified", "  media:a private private"}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	failed := wantRefusal(t, err, codes.FailedPrecondition, "CONDITION_FAILED", "")
	r.Resume = &usherv1.Resume{Cursor: failed.metadata["cursor"], After: failed.metadata["resume_after"]}
	got, err = w.tree(r)
	if want := []string{"  media:c private private"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestBadTrees(t *testing.T) {
	w := newLibrary(t, forest...)
	first, err := collect(w.permissions.SummarizeTree(w.ctx, treeRequest(t, "folder:top")))
	if err != nil {
		t.Fatal(err)
	}
	many := make([]*usherv1.Object, 1001)
	for i := range many {
		many[i] = object(t, fmt.Sprintf("folder:%d", i))
	}
	for _, c := range []struct {
		name, reason, field string
		change              func(*usherv1.SummarizeTreeRequest)
	}{
		{"no roots", "INVALID_FIELD", "roots", func(r *usherv1.SummarizeTreeRequest) { r.Roots = nil }},
		{"too many roots", "TOO_MANY_ITEMS", "roots", func(r *usherv1.SummarizeTreeRequest) { r.Roots = many }},
		{"a root without a type", "INVALID_FIELD", "roots[0].type", func(r *usherv1.SummarizeTreeRequest) { r.Roots[0].Type = "" }},
		{"a root twice", "INVALID_FIELD", "roots[1]", func(r *usherv1.SummarizeTreeRequest) { r.Roots = append(r.Roots, r.Roots[0]) }},
		{"a root of an unknown type", "UNKNOWN_TYPE", "roots[0].type", func(r *usherv1.SummarizeTreeRequest) { r.Roots[0].Type = "video" }},
		{"no containment", "INVALID_FIELD", "contained_by", func(r *usherv1.SummarizeTreeRequest) { r.ContainedBy = nil }},
		{"too many containments", "TOO_MANY_ITEMS", "contained_by", func(r *usherv1.SummarizeTreeRequest) {
			r.ContainedBy = make([]*usherv1.Containment, 21)
		}},
		{"a containment without a relation", "INVALID_FIELD", "contained_by[0].relation", func(r *usherv1.SummarizeTreeRequest) {
			r.ContainedBy[0].Relation = ""
		}},
		{"a containment of a broken type", "INVALID_FIELD", "contained_by[1].object_type", func(r *usherv1.SummarizeTreeRequest) {
			r.ContainedBy[1].ObjectType = "a b"
		}},
		{"a containment of an unknown type", "UNKNOWN_TYPE", "contained_by[1].object_type", func(r *usherv1.SummarizeTreeRequest) {
			r.ContainedBy[1].ObjectType = "video"
		}},
		{"a containment that its type lacks", "UNKNOWN_RELATION", "contained_by[1].relation", func(r *usherv1.SummarizeTreeRequest) {
			r.ContainedBy[1].Relation = "parent"
		}},
		{"a containment that every type lacks", "UNKNOWN_RELATION", "contained_by[0].relation", func(r *usherv1.SummarizeTreeRequest) {
			r.ContainedBy[0].Relation = "shelf"
		}},
		{"no relations", "INVALID_FIELD", "relations", func(r *usherv1.SummarizeTreeRequest) { r.Relations = nil }},
		{"too many relations", "TOO_MANY_ITEMS", "relations", func(r *usherv1.SummarizeTreeRequest) {
			r.Relations = make([]*usherv1.TreeRelation, 21)
		}},
		{"a relation without a name", "INVALID_FIELD", "relations[0].relation", func(r *usherv1.SummarizeTreeRequest) { r.Relations[0].Relation = "" }},
		{"a relation that every type lacks", "UNKNOWN_RELATION", "relations[0].relation", func(r *usherv1.SummarizeTreeRequest) {
			r.Relations[0].Relation = "can_fly"
		}},
		{"a broken switch", "INVALID_FIELD", "relations[0].inherits", func(r *usherv1.SummarizeTreeRequest) { r.Relations[0].Inherits = "a b" }},
		{"a switch that every type lacks", "UNKNOWN_RELATION", "relations[0].inherits", func(r *usherv1.SummarizeTreeRequest) {
			r.Relations[0].Inherits = "inherits"
		}},
		{"a place that is no object", "INVALID_FIELD", "resume.after", func(r *usherv1.SummarizeTreeRequest) {
			r.Resume = &usherv1.Resume{Cursor: first[0].GetCursor(), After: "nonsense"}
		}},
		{"a place outside the tree", "INVALID_FIELD", "resume.after", func(r *usherv1.SummarizeTreeRequest) {
			r.Resume = &usherv1.Resume{Cursor: first[0].GetCursor(), After: "folder:x"}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := treeRequest(t, "folder:top")
			c.change(r)
			_, err := w.tree(r)
			wantRefusal(t, err, codes.InvalidArgument, c.reason, c.field)
		})
	}
}
