package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// shownTree writes a userset tree as text: a union is (a | b), leaves show subjects.
func shownTree(n *usherv1.ExpandNode) string {
	children := func(c *usherv1.ExpandChildren, op string) string {
		var parts []string
		for _, child := range c.GetChildren() {
			parts = append(parts, shownTree(child))
		}
		return "(" + strings.Join(parts, op) + ")"
	}
	switch kind := n.GetNode().(type) {
	case *usherv1.ExpandNode_Direct:
		return "[" + strings.Join(shownSubjects(kind.Direct.GetTuples()), " ") + "]"
	case *usherv1.ExpandNode_Computed:
		return kind.Computed.GetObject().GetId() + "#" + kind.Computed.GetRelation()
	case *usherv1.ExpandNode_TupleToUserset:
		t := kind.TupleToUserset
		return t.GetComputed() + " from " + t.GetTupleset() + " [" + strings.Join(shownSubjects(t.GetTuples()), " ") + "]"
	case *usherv1.ExpandNode_Union:
		return children(kind.Union, " | ")
	case *usherv1.ExpandNode_Intersection:
		return children(kind.Intersection, " & ")
	case *usherv1.ExpandNode_Exclusion:
		return children(kind.Exclusion, " - ")
	}
	return "nothing"
}

func shownSubjects(list []*usherv1.Tuple) []string {
	var all []string
	for _, t := range list {
		text := t.GetSubject().GetId()
		if t.GetSubject().GetRelation() != "" {
			text += "#" + t.GetSubject().GetRelation()
		}
		if t.GetCondition() != nil {
			text += "?"
		}
		all = append(all, text)
	}
	return all
}

func TestExpand(t *testing.T) {
	w := newLibrary(t,
		"media:logo#folder@folder:acme", "media:logo#viewer@user:anna", "media:logo#viewer@group:design#member",
		`media:logo#viewer@user:dora with office_hours {"opens":9}`,
	)
	for _, c := range []struct{ relation, want string }{
		{"viewer", "([anna dora? design#member] | logo#editor | viewer from folder [acme])"},
		{"can_view", "(logo#viewer - logo#blocked)"},
		{"can_share", "logo#owner"},
		{"owner", "[]"},
	} {
		t.Run(c.relation, func(t *testing.T) {
			got, err := w.permissions.Expand(w.ctx, &usherv1.ExpandRequest{Object: object(t, "media:logo"), Relation: c.relation})
			if err != nil || got.GetToken() == "" || got.GetRevision() != 2 {
				t.Fatalf("got %v, %v", got, err)
			}
			if text := shownTree(got.GetTree()); text != c.want {
				t.Errorf("got %s, want %s", text, c.want)
			}
		})
	}
	t.Run("intersection", func(t *testing.T) {
		w.writeModel("model\n  schema 1.1\ntype user\ntype doc\n  relations\n    define a: [user]\n    define b: [user]\n    define c: a and b\n")
		got, err := w.permissions.Expand(w.ctx, &usherv1.ExpandRequest{Object: object(t, "doc:x"), Relation: "c"})
		if err != nil || shownTree(got.GetTree()) != "(x#a & x#b)" {
			t.Errorf("got %v, %v", got, err)
		}
	})
}

// Each leaf pages on its own, at the revision of the tree.
func TestExpandPages(t *testing.T) {
	var lines []string
	for i := range 23 {
		lines = append(lines, fmt.Sprintf("media:logo#viewer@user:u%02d", i), fmt.Sprintf("media:logo#viewer@group:g%02d#member", i),
			fmt.Sprintf("media:logo#folder@folder:f%02d", i))
	}
	w := newLibrary(t, lines...)
	r := &usherv1.ExpandRequest{Object: object(t, "media:logo"), Relation: "viewer", PageSize: 10}
	first, err := w.permissions.Expand(w.ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	leaves := func(response *usherv1.ExpandResponse) (direct *usherv1.ExpandDirect, from *usherv1.ExpandTupleToUserset) {
		children := response.GetTree().GetUnion().GetChildren()
		return children[0].GetDirect(), children[2].GetTupleToUserset()
	}
	direct, from := leaves(first)
	if len(direct.GetTuples()) != 10 || len(from.GetTuples()) != 10 || direct.GetCursor() == "" || from.GetCursor() == "" {
		t.Fatalf("got %v", first)
	}
	w.remove(lines...)
	subjects, folders := shownSubjects(direct.GetTuples()), shownSubjects(from.GetTuples())
	for r.Cursor = direct.GetCursor(); r.Cursor != ""; {
		next, err := w.permissions.Expand(w.ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		part, other := leaves(next)
		if len(other.GetTuples()) != 0 || next.GetToken() != first.GetToken() {
			t.Fatalf("got %v", next)
		}
		subjects = append(subjects, shownSubjects(part.GetTuples())...)
		r.Cursor = part.GetCursor()
	}
	for r.Cursor = from.GetCursor(); r.Cursor != ""; {
		next, err := w.permissions.Expand(w.ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		_, part := leaves(next)
		folders = append(folders, shownSubjects(part.GetTuples())...)
		r.Cursor = part.GetCursor()
	}
	for name, got := range map[string][]string{"subjects": subjects, "folders": folders} {
		want := map[string]int{"subjects": 46, "folders": 23}[name]
		if distinct := slices.Compact(sorted(got)); len(got) != want || len(distinct) != want {
			t.Errorf("%s: got %d, %d of them distinct, want %d", name, len(got), len(distinct), want)
		}
	}
}

func TestBadExpands(t *testing.T) {
	w := newLibrary(t, "media:a#viewer@user:anna", "media:a#viewer@user:bert")
	first, err := w.permissions.Expand(w.ctx, &usherv1.ExpandRequest{Object: object(t, "media:a"), Relation: "viewer", PageSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	cursor := first.GetTree().GetUnion().GetChildren()[0].GetDirect().GetCursor()
	for _, c := range []struct {
		name, reason, field string
		change              func(*usherv1.ExpandRequest)
	}{
		{"no object", "INVALID_FIELD", "object.type", func(r *usherv1.ExpandRequest) { r.Object = nil }},
		{"no relation", "INVALID_FIELD", "relation", func(r *usherv1.ExpandRequest) { r.Relation = "" }},
		{"an unknown type", "UNKNOWN_TYPE", "object.type", func(r *usherv1.ExpandRequest) { r.Object.Type = "video" }},
		{"an unknown relation", "UNKNOWN_RELATION", "relation", func(r *usherv1.ExpandRequest) { r.Relation = "can_fly" }},
		{"a negative page", "INVALID_FIELD", "page_size", func(r *usherv1.ExpandRequest) { r.PageSize = -1 }},
		{"a page of 10,001", "INVALID_FIELD", "page_size", func(r *usherv1.ExpandRequest) { r.PageSize = 10_001 }},
		{"a changed cursor", "FORGED_TOKEN", "cursor", func(r *usherv1.ExpandRequest) { r.Cursor = changed(cursor) }},
		{"a cursor of another question", "CURSOR_MISMATCH", "cursor", func(r *usherv1.ExpandRequest) {
			r.Cursor, r.Object = cursor, object(t, "media:b")
		}},
		{"a consistency beside a cursor", "INVALID_FIELD", "consistency", func(r *usherv1.ExpandRequest) {
			r.Cursor, r.Consistency = cursor, exactly(first.GetToken())
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &usherv1.ExpandRequest{Object: object(t, "media:a"), Relation: "viewer"}
			c.change(r)
			_, err := w.permissions.Expand(w.ctx, r)
			wantRefusal(t, err, codes.InvalidArgument, c.reason, c.field)
		})
	}
}
