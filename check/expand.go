package check

import (
	"context"
	"fmt"
	"slices"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// Tree is one level of the userset tree of a relation to an object: the relation's
// rewrite with the tuples that it reads (Zanzibar paper, section 2.4.5).
type Tree struct {
	// Rewrite is what the node stands for; the fields below say more of it.
	Rewrite model.Rewrite
	// Children are the operands of a union, intersection or exclusion.
	Children []*Tree
	// Computed is the userset that a [model.ComputedUserset] leads to.
	Computed tuples.Userset
	// Tuples are those of the relation itself ([model.This]), or of the tupleset
	// relation ([model.TupleToUserset]). Tuples that the model forbids are left out.
	Tuples []tuples.Tuple
	// Leaf numbers the nodes that have tuples, in the order of the model, from 1.
	Leaf int
	// More says that the leaf has tuples behind the last one.
	More bool
}

// ExpandPage selects what [Evaluator.Expand] reads.
type ExpandPage struct {
	Size int // tuples of each leaf at most
	// Leaf and After select the tuples of one leaf behind a tuple; 0 and nil the
	// beginning of all leaves.
	Leaf  int
	After *tuples.Key
}

// Expand returns the userset tree of a relation to an object, one level deep.
// Conditions are not evaluated.
func (e *Evaluator) Expand(ctx context.Context, on tuples.Userset, page ExpandPage) (*Tree, error) {
	step, node, err := e.atom(ctx, on)
	if err != nil {
		return nil, err
	}
	x := &expansion{evaluator: e, on: on, node: node, page: page}
	return x.expand(ctx, step.Rewrite)
}

// expansion is the work on one tree.
type expansion struct {
	evaluator *Evaluator
	on        tuples.Userset
	node      tuples.Node
	page      ExpandPage
	leaves    int
}

func (x *expansion) expand(ctx context.Context, rewrite model.Rewrite) (*Tree, error) {
	tree := &Tree{Rewrite: rewrite}
	var err error
	switch w := rewrite.(type) {
	case model.This:
		accepts := x.evaluator.request.Program.Accepts(x.on.Object.Type, x.on.Relation)
		err = x.leaf(ctx, tree, x.on.Relation, accepts)
	case model.ComputedUserset:
		tree.Computed = tuples.Userset{Object: x.on.Object, Relation: w.Relation}
	case model.TupleToUserset:
		err = x.leaf(ctx, tree, w.Tupleset, x.withRelation(w))
	case model.Union:
		tree.Children, err = x.expandAll(ctx, w.Operands)
	case model.Intersection:
		tree.Children, err = x.expandAll(ctx, w.Operands)
	case model.Exclusion:
		tree.Children, err = x.expandAll(ctx, []model.Rewrite{w.Base, w.Subtract})
	default:
		err = fmt.Errorf("expand: unknown rewrite %T", rewrite)
	}
	return tree, err
}

func (x *expansion) expandAll(ctx context.Context, rewrites []model.Rewrite) ([]*Tree, error) {
	children := make([]*Tree, len(rewrites))
	for i, rewrite := range rewrites {
		var err error
		if children[i], err = x.expand(ctx, rewrite); err != nil {
			return nil, err
		}
	}
	return children, nil
}

// withRelation returns the tupleset's kinds of object that have the computed relation.
func (x *expansion) withRelation(w model.TupleToUserset) []model.Accept {
	program := x.evaluator.request.Program
	var with []model.Accept
	for _, accept := range program.Accepts(x.on.Object.Type, w.Tupleset) {
		t := tuples.ObjectType(program.Name(accept.Type))
		if program.Relation(t, w.Computed) != nil && accept.Relation == 0 && !accept.Wildcard {
			with = append(with, accept)
		}
	}
	return with
}

// leaf reads the tuples of one relation, kind by kind.
func (x *expansion) leaf(ctx context.Context, tree *Tree, relation tuples.Relation, accepts []model.Accept) error {
	x.leaves++
	tree.Leaf = x.leaves
	if x.page.Leaf != 0 && x.page.Leaf != tree.Leaf {
		return nil
	}
	from, after, err := x.start(ctx, accepts)
	if err != nil {
		return err
	}
	for i, accept := range accepts {
		shared := slices.ContainsFunc(accepts[:i], func(a model.Accept) bool { return a.Kind == accept.Kind })
		if i < from || shared { // a wildcard shares the list of its type
			continue
		}
		if err := x.readKind(ctx, tree, relation, accept.Kind, accepts, after); err != nil || tree.More {
			return err
		}
		after = 0
	}
	return nil
}

// start finds the kind and the node at which the page begins.
func (x *expansion) start(ctx context.Context, accepts []model.Accept) (int, tuples.Node, error) {
	if x.page.After == nil {
		return 0, 0, nil
	}
	subject := x.page.After.Subject
	graph := &x.evaluator.graph
	node, err := graph.node(ctx, subject.Object())
	kind := model.Kind{Type: node.Type(), Relation: graph.relation(subject.Type, subject.Relation)}
	for i, accept := range accepts {
		if accept.Kind == kind {
			return i, node, err
		}
	}
	return len(accepts), 0, err
}

// readKind appends the tuples of one kind, until the page is full.
func (x *expansion) readKind(
	ctx context.Context, tree *Tree, relation tuples.Relation, kind model.Kind, accepts []model.Accept, after tuples.Node,
) error {
	graph := &x.evaluator.graph
	list := tuples.SubjectsOf{
		Object: x.node, Relation: graph.relation(x.on.Object.Type, relation),
		Type: kind.Type, SubjectRelation: kind.Relation,
	}
	buffer := make([]tuples.Edge, 0, pageSize)
	for {
		page, err := graph.edgesFrom(ctx, list, after, buffer)
		if err != nil {
			return err
		}
		var visible []tuples.Edge
		for _, edge := range page {
			if permitted(accepts, kind, edge) {
				visible = append(visible, edge)
			}
		}
		if room := x.page.Size - len(tree.Tuples); len(visible) > room {
			visible, tree.More = visible[:room], true
		}
		if err := x.name(ctx, tree, relation, kind, visible); err != nil {
			return err
		}
		if tree.More || len(page) < cap(page) {
			return nil
		}
		after = page[len(page)-1].Node
	}
}

// permitted reports whether the model accepts a tuple of a kind.
func permitted(accepts []model.Accept, kind model.Kind, edge tuples.Edge) bool {
	if edge.Grant == expired {
		return false
	}
	for i := range accepts {
		if a := &accepts[i]; a.Kind == kind && a.Wildcard == edge.Node.IsWildcard() {
			_, ok := a.Allows(edge.Grant)
			return ok
		}
	}
	return false
}

// name appends edges as tuples.
func (x *expansion) name(
	ctx context.Context, tree *Tree, relation tuples.Relation, kind model.Kind, edges []tuples.Edge,
) error {
	nodes := make([]tuples.Node, len(edges))
	for i, edge := range edges {
		nodes[i] = edge.Node
	}
	objects, err := x.evaluator.graph.objects(ctx, nodes)
	if err != nil {
		return err
	}
	subjectRelation := tuples.Relation(x.evaluator.request.Program.Name(kind.Relation))
	for i, edge := range edges {
		t := tuples.Tuple{Key: tuples.Key{
			Object: x.on.Object, Relation: relation,
			Subject: tuples.Subject{Type: objects[i].Type, ID: objects[i].ID, Relation: subjectRelation},
		}}
		if edge.Grant != nil {
			t.Grant = *edge.Grant
		}
		tree.Tuples = append(tree.Tuples, t)
	}
	return nil
}
