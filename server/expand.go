package server

import (
	"context"

	"github.com/usher-authz/usher/check"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// Expand implements usher.v1.PermissionService.
func (s *permissionService) Expand(ctx context.Context, r *usherv1.ExpandRequest) (*usherv1.ExpandResponse, error) {
	on, err := toUserset(r.GetObject(), r.GetRelation())
	if err != nil {
		return nil, err
	}
	if err := validatePage(r.GetPageSize(), maxItems); err != nil {
		return nil, err
	}
	h, err := s.handle(ctx, r.GetStore())
	if err != nil {
		return nil, err
	}
	p, err := s.place(h, "cursor", r.GetCursor(), r)
	if err != nil {
		return nil, err
	}
	a, err := s.askPage(ctx, h, p, r, nil)
	if err != nil {
		return nil, err
	}
	defer a.close()
	page, err := p.expandPage(int(r.GetPageSize()))
	if err != nil {
		return nil, err
	}
	tree, err := a.evaluator.Expand(ctx, on, page)
	if err != nil {
		return nil, locate(a.program.Model, err, usersetNames(on)...)
	}
	x := treeConverter{server: s.Server, next: cursor{stamp: a.stamped(), model: a.id(), query: p.query}}
	return &usherv1.ExpandResponse{Tree: x.node(tree), Token: a.newToken(), Revision: a.revision()}, nil
}

// expandPage selects the whole tree, or one leaf behind its last tuple.
func (p place) expandPage(size int) (check.ExpandPage, error) {
	page := check.ExpandPage{Size: orDefault(size, defaultExpandPage)}
	if p.cursor == nil {
		return page, nil
	}
	page.Leaf = p.cursor.leaf
	key, err := tuples.ParseKey(p.cursor.after)
	page.After = &key
	return page, err
}

// treeConverter turns the engine's tree into messages.
type treeConverter struct {
	server *Server
	next   cursor // without leaf and after
}

func (x *treeConverter) node(t *check.Tree) *usherv1.ExpandNode {
	switch w := t.Rewrite.(type) {
	case model.This:
		return &usherv1.ExpandNode{Node: &usherv1.ExpandNode_Direct{
			Direct: &usherv1.ExpandDirect{Tuples: wire.FromTuples(t.Tuples), Cursor: x.cursor(t)},
		}}
	case model.ComputedUserset:
		return &usherv1.ExpandNode{Node: &usherv1.ExpandNode_Computed{
			Computed: &usherv1.ExpandUserset{Object: wire.FromObject(t.Computed.Object), Relation: string(t.Computed.Relation)},
		}}
	case model.TupleToUserset:
		return &usherv1.ExpandNode{Node: &usherv1.ExpandNode_TupleToUserset{
			TupleToUserset: &usherv1.ExpandTupleToUserset{
				Tupleset: string(w.Tupleset), Computed: string(w.Computed),
				Tuples: wire.FromTuples(t.Tuples), Cursor: x.cursor(t),
			},
		}}
	case model.Union:
		return &usherv1.ExpandNode{Node: &usherv1.ExpandNode_Union{Union: x.children(t)}}
	case model.Intersection:
		return &usherv1.ExpandNode{Node: &usherv1.ExpandNode_Intersection{Intersection: x.children(t)}}
	case model.Exclusion:
		return &usherv1.ExpandNode{Node: &usherv1.ExpandNode_Exclusion{Exclusion: x.children(t)}}
	}
	return nil
}

func (x *treeConverter) children(t *check.Tree) *usherv1.ExpandChildren {
	out := &usherv1.ExpandChildren{Children: make([]*usherv1.ExpandNode, len(t.Children))}
	for i, child := range t.Children {
		out.Children[i] = x.node(child)
	}
	return out
}

// cursor returns where a leaf goes on, "" if it is complete.
func (x *treeConverter) cursor(t *check.Tree) string {
	if !t.More {
		return ""
	}
	c := x.next
	c.leaf, c.after = t.Leaf, t.Tuples[len(t.Tuples)-1].Key.String()
	return x.server.sealCursor(c)
}
