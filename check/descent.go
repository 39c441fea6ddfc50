package check

import (
	"context"
	"errors"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// descent walks from an object's step downwards to every subject of a kind that is named on
// the way. It is the reverse of [climb]: what is found may be a member, and what is sure is.
type descent struct {
	evaluator *Evaluator
	kind      model.Kind
	gates     *gates // nil to look behind every "and" and "but not", on both sides
	found     nodeSet
	seen      map[atomKey]bool // true for sure
	queue     []ascent
	page      []tuples.Edge
}

// ascent is one atom to go on from.
type ascent struct {
	node tuples.Node
	step *model.Step
	sure bool
}

// descentPage is how many edges one read returns. A group can have a million members.
const descentPage = 512

func newDescent(e *Evaluator, kind model.Kind) *descent {
	return &descent{
		evaluator: e,
		kind:      kind,
		seen:      make(map[atomKey]bool),
		page:      e.room(descentPage),
	}
}

// run finds the subjects of an atom.
func (d *descent) run(ctx context.Context, node tuples.Node, step *model.Step) error {
	d.reach(node, step, true)
	for len(d.queue) > 0 {
		a := d.queue[len(d.queue)-1]
		d.queue = d.queue[:len(d.queue)-1]
		if err := d.gates.spend(ctx, 1); err != nil {
			return err
		}
		if d.kind.Relation != 0 && a.step.Root && a.step.Type == d.kind.Type && a.step.Relation == d.kind.Relation {
			d.found.addNode(a.node, a.sure)
		}
		if a.step.Op != model.OpUnion {
			if err := d.pass(ctx, a); err != nil {
				return err
			}
			continue
		}
		for _, alternative := range a.step.Alternatives {
			if direct, ok := alternative.(*model.Direct); ok && d.kind.Relation == 0 {
				if err := d.collect(ctx, a, direct.Plain); err != nil {
					return err
				}
			}
			if err := d.descend(ctx, a, alternative); err != nil {
				return err
			}
		}
	}
	return nil
}

// pass finds the subjects of a step that combines operands: exactly if that is quickly done,
// else everybody who is named behind it.
func (d *descent) pass(ctx context.Context, a ascent) error {
	members, err := d.gates.within(ctx, atomKey{a.node, a.step.ID})
	switch {
	case errors.Is(err, errTooMuch):
		if err := d.gates.spend(ctx, 0); err != nil {
			return err
		}
		for _, operand := range a.step.Operands {
			d.reach(a.node, operand, false)
		}
		return nil
	case err != nil:
		return err
	}
	for _, w := range members.words {
		if a.sure {
			d.found.add(w.key, w.reached, w.sure)
		} else {
			d.found.add(w.key, w.reached, 0)
		}
	}
	return nil
}

// descend reaches what an alternative leads to.
func (d *descent) descend(ctx context.Context, a ascent, alternative model.Alternative) error {
	switch way := alternative.(type) {
	case *model.Same:
		d.reach(a.node, way.Target, a.sure)
	case *model.Direct:
		return d.followTuples(ctx, a, way.Usersets, a.step.Relation)
	case *model.FromTupleset:
		return d.followTuples(ctx, a, way.Objects, way.Tupleset)
	}
	return nil
}

// followTuples reaches what the subjects of the tuples stand for.
func (d *descent) followTuples(ctx context.Context, a ascent, accepts []model.Accept, relation tuples.Symbol) error {
	for i := range accepts {
		accept := &accepts[i]
		if !accept.Target.Reaches(d.kind) {
			continue
		}
		list := tuples.SubjectsOf{Object: a.node, Relation: relation, Type: accept.Type, SubjectRelation: accept.Relation}
		err := d.evaluator.eachEdge(ctx, list, d.page, concreteOnly(accept), func(edge tuples.Edge, guard value) bool {
			d.reach(edge.Node, accept.Target, a.sure && guard.truth == yes)
			return true
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// collect adds the plain subjects and the wildcard of the wanted type.
func (d *descent) collect(ctx context.Context, a ascent, plain []model.Accept) error {
	var concrete, wildcard *model.Accept
	for i := range plain {
		switch {
		case plain[i].Kind != d.kind:
		case plain[i].Wildcard:
			wildcard = &plain[i]
		default:
			concrete = &plain[i]
		}
	}
	if concrete == nil && wildcard == nil {
		return nil
	}
	list := tuples.SubjectsOf{Object: a.node, Relation: a.step.Relation, Type: d.kind.Type}
	return d.evaluator.eachEdge(ctx, list, d.page, func(edge tuples.Edge) *model.Accept {
		if edge.Node.IsWildcard() {
			return wildcard
		}
		return concrete
	}, func(edge tuples.Edge, guard value) bool {
		d.found.addNode(edge.Node, a.sure && guard.truth == yes)
		return true
	})
}

// reach queues an atom when it is new, and again when it becomes sure.
func (d *descent) reach(node tuples.Node, step *model.Step, sure bool) {
	if !step.Reaches(d.kind) {
		return
	}
	key := atomKey{node, step.ID}
	if before, seen := d.seen[key]; seen && (before || !sure) {
		return
	}
	d.seen[key] = sure
	d.queue = append(d.queue, ascent{node, step, sure})
}
