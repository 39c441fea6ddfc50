package check

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// TreeQuery asks how open each object of a tree is.
type TreeQuery struct {
	Roots []tuples.Object // none twice
	// ContainedBy are the relations by which objects lie in one another.
	ContainedBy []tuples.Containment
	// Settings are what to tell the state of: 1 to [MaxRights].
	Settings []TreeSetting
}

// TreeSetting is one setting of the objects of a tree.
type TreeSetting struct {
	Relation tuples.Relation
	// Inherits is the relation whose tuples say that an object takes the setting from
	// another one; "" for none.
	Inherits tuples.Relation
}

// TreeObject is one object of a tree.
type TreeObject struct {
	Object tuples.Object
	Parent tuples.Object // what it lies in; the zero Object of a root
	Depth  int           // steps below a root
	States []ShareState  // one for each setting
	// Err is a [ConditionError] if a state depends on a condition that failed; States says
	// nothing then.
	Err error
}

// ErrNotInTree says that the object to go on behind is not in the tree.
var ErrNotInTree = errors.New("object is not in the tree")

// SummarizeTree yields the objects of a tree with their states, each once, behind after
// (the zero Object for the beginning): roots in the order of the query, below each object
// what lies in it, sorted bytewise by text form. An object that lies in several is yielded
// where it comes first, so that cycles end. A tuple whose condition is open puts an object
// into another one. A type that lacks a setting's relation has no state of it.
//
// An error ends the list, [ErrNotInTree] among them; a condition that failed for one object
// is in its item instead. It fails as [Evaluator.Check] does. States cost nothing for the
// objects before after.
func (e *Evaluator) SummarizeTree(ctx context.Context, q TreeQuery, after tuples.Object) iter.Seq2[TreeObject, error] {
	return func(yield func(TreeObject, error) bool) {
		t, err := e.newTreeWalk(ctx, q)
		if err != nil {
			yield(TreeObject{}, err)
			return
		}
		reached := after == tuples.Object{}
		for {
			next, ok, err := t.next(ctx)
			if err == nil && !ok && !reached {
				err = ErrNotInTree
			}
			if err != nil {
				yield(TreeObject{}, err)
				return
			}
			if !ok {
				return
			}
			if !reached {
				reached = next.object == after
				continue
			}
			item, err := t.look(ctx, next)
			if !yield(item, err) || err != nil {
				return
			}
		}
	}
}

// treeWalk is the work on one tree, depth first with a stack of its own.
type treeWalk struct {
	evaluator  *Evaluator
	openness   *openness
	containers []containment
	seen       map[tuples.Node]bool
	stack      [][]leaf // of each depth what is still to come, the next one last
	page       []tuples.Edge
}

// leaf is an object of the tree at its place.
type leaf struct {
	object, parent tuples.Object
	node           tuples.Node
	text           string // of the object; "" of a root
	depth          int
}

// containment is how objects of one type lie in objects of another.
type containment struct {
	inside   tuples.Symbol
	relation tuples.Symbol
	accept   *model.Accept
}

func (e *Evaluator) newTreeWalk(ctx context.Context, q TreeQuery) (*treeWalk, error) {
	if err := e.prepare(ctx); err != nil {
		return nil, err
	}
	t := &treeWalk{
		evaluator: e, openness: newOpenness(e, q.Settings),
		seen: make(map[tuples.Node]bool), page: make([]tuples.Edge, 0, pageSize),
	}
	for _, c := range q.ContainedBy {
		t.containers = append(t.containers, e.containments(c)...)
	}
	var roots []leaf
	for _, root := range slices.Backward(q.Roots) {
		if e.request.Program.Type(root.Type) == 0 {
			return nil, &UnknownError{Type: root.Type}
		}
		node, err := e.graph.node(ctx, root)
		if err != nil {
			return nil, err
		}
		roots = append(roots, leaf{object: root, node: node})
	}
	t.stack = append(t.stack, roots)
	return t, nil
}

// containments returns the kinds of tuples by which objects lie in others.
func (e *Evaluator) containments(c tuples.Containment) []containment {
	program := e.request.Program
	var all []containment
	for _, typ := range program.Model.Types {
		step := program.Relation(typ.Name, c.Relation)
		if step == nil || c.Type != "" && c.Type != typ.Name {
			continue
		}
		accepts := program.Accepts(typ.Name, c.Relation)
		for i := range accepts {
			if a := &accepts[i]; a.Relation == 0 && !a.Wildcard {
				all = append(all, containment{step.Type, step.Relation, a})
			}
		}
	}
	return all
}

// next returns the next object of the tree, false at its end.
func (t *treeWalk) next(ctx context.Context) (leaf, bool, error) {
	for len(t.stack) > 0 {
		depth := len(t.stack) - 1
		rest := t.stack[depth]
		if len(rest) == 0 {
			t.stack = t.stack[:depth]
			continue
		}
		l := rest[len(rest)-1]
		t.stack[depth] = rest[:len(rest)-1]
		if t.seen[l.node] {
			continue
		}
		t.seen[l.node] = true
		inside, err := t.inside(ctx, l)
		if err != nil {
			return leaf{}, false, err
		}
		t.stack = append(t.stack, inside)
		l.depth = depth
		return l, true, nil
	}
	return leaf{}, false, nil
}

// inside returns what lies in an object and was not yielded yet, the first last.
func (t *treeWalk) inside(ctx context.Context, l leaf) ([]leaf, error) {
	var nodes []tuples.Node
	for i := range t.containers {
		c := &t.containers[i]
		if c.accept.Type != l.node.Type() {
			continue
		}
		var err error
		if nodes, err = t.appendInside(ctx, nodes, l.node, c); err != nil {
			return nil, err
		}
	}
	slices.Sort(nodes)
	nodes = slices.Compact(nodes)
	objects, err := t.evaluator.graph.objects(ctx, nodes)
	if err != nil {
		return nil, err
	}
	leaves := make([]leaf, len(nodes))
	for i, object := range objects {
		leaves[i] = leaf{object: object, parent: l.object, node: nodes[i], text: object.String()}
	}
	slices.SortFunc(leaves, func(a, b leaf) int { return strings.Compare(b.text, a.text) })
	return leaves, nil
}

// appendInside appends the objects that lie in one by one kind of tuple.
func (t *treeWalk) appendInside(ctx context.Context, nodes []tuples.Node, node tuples.Node, c *containment) ([]tuples.Node, error) {
	list := tuples.ObjectsOf{Subject: node, Type: c.inside, Relation: c.relation}
	var after tuples.Node
	for {
		page, err := t.evaluator.graph.edgesTo(ctx, list, after, t.page[:0])
		if err != nil {
			return nil, err
		}
		for _, edge := range page {
			key := tuples.EdgeKey{Object: edge.Node, Relation: c.relation, Subject: node}
			guard, err := t.evaluator.guard(ctx, c.accept, edge.Grant, key)
			if err != nil {
				return nil, err
			}
			if guard.truth != no && !t.seen[edge.Node] {
				nodes = append(nodes, edge.Node)
			}
		}
		if len(page) < cap(page) {
			return nodes, nil
		}
		after = page[len(page)-1].Node
	}
}

// look returns an object with its states.
func (t *treeWalk) look(ctx context.Context, l leaf) (TreeObject, error) {
	item := TreeObject{Object: l.object, Parent: l.parent, Depth: l.depth}
	var err error
	item.States, err = t.openness.states(ctx, l.object.Type, l.node)
	if failed := (*ConditionError)(nil); errors.As(err, &failed) {
		return TreeObject{Object: l.object, Err: failed}, nil
	}
	return item, err
}
