package check

import (
	"context"
	"iter"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// ListObjects yields the objects of a type for which [Evaluator.Check] would not say
// denied, sorted bytewise by id, behind after ("" for the beginning). An error ends
// the list; a condition that failed for one object is in its item instead.
func (e *Evaluator) ListObjects(
	ctx context.Context, t tuples.ObjectType, r tuples.Relation, subject tuples.Subject, after tuples.ID,
) iter.Seq2[Item, error] {
	return e.Objects(t, r, subject).Items(ctx, after)
}

// Objects is the list of [Evaluator.ListObjects], to be read page by page.
func (e *Evaluator) Objects(t tuples.ObjectType, r tuples.Relation, subject tuples.Subject) *List {
	o := &objectList{evaluator: e, objectType: t, relation: r, subject: subject}
	return &List{most: wholeReach, find: o.find, judge: o.judge}
}

// objectList is the work on one list of objects.
type objectList struct {
	evaluator  *Evaluator
	objectType tuples.ObjectType
	relation   tuples.Relation
	subject    tuples.Subject
	solver     *solver
	step       *model.Step
	found      *nodeSet
	rest       []int
}

// open finds subject and step, once.
func (o *objectList) open(ctx context.Context) error {
	if o.solver != nil {
		return nil
	}
	step, err := o.evaluator.step(o.objectType, o.relation)
	if err != nil {
		return err
	}
	if o.solver, err = o.evaluator.solver(ctx, o.subject); err != nil {
		return err
	}
	o.step = alias(step, o.solver.subject.kind)
	return nil
}

// find walks to the candidates.
func (o *objectList) find(ctx context.Context, after tuples.ID, most int) (*Stretch, error) {
	if err := o.open(ctx); err != nil {
		return nil, err
	}
	if o.found == nil {
		if err := o.walk(ctx); err != nil {
			return nil, err
		}
	}
	s, err := o.evaluator.stretch(ctx, o.step.Type, o.found, after, most)
	if err == nil {
		s.rest = o.rest
	}
	return s, err
}

func (o *objectList) walk(ctx context.Context) (err error) {
	a := newAscents(o.solver)
	if o.step.Gate == nil || o.step.Gate.Circular {
		o.found, err = a.members(ctx, o.step)
		return err
	}
	if !o.step.Reaches(o.solver.subject.kind) {
		o.found = &nodeSet{}
		return nil
	}
	// What is left of the operands is asked about candidate by candidate, as the list is read.
	o.found, o.rest, err = a.pass(ctx, o.step)
	return err
}

// judge yields the objects that are not denied.
func (o *objectList) judge(ctx context.Context, s *Stretch, after tuples.ID, yield func(Item, error) bool) bool {
	if err := o.open(ctx); err != nil {
		yield(Item{}, err)
		return false
	}
	for _, c := range s.behind(after) {
		item := Item{ID: c.id, Decision: Decision{Outcome: Allowed}}
		if c.standing != certain || len(s.rest) > 0 {
			v, err := o.verify(ctx, &c, s.rest)
			if err == nil {
				item, err = o.evaluator.item(ctx, c.id, v)
			}
			if err != nil {
				yield(Item{}, err)
				return false
			}
		}
		if item.Err == nil && item.Decision.Outcome == Denied {
			continue
		}
		if !yield(item, nil) {
			return false
		}
	}
	return true
}

// verify asks what the walk left open. Objects that follow each other have much in common, so
// that what the solver knows is kept, within bounds.
func (o *objectList) verify(ctx context.Context, c *candidate, rest []int) (value, error) {
	if c.standing != doubtful && len(rest) == 0 {
		return c.value(), nil
	}
	node, err := o.evaluator.graph.nodeOf(ctx, o.objectType, c)
	if err != nil {
		return value{}, err
	}
	o.solver.forgetMany()
	if c.standing != doubtful {
		v, err := o.solver.operands(ctx, node, o.step, rest)
		return c.value().and(v), err
	}
	return o.solver.solve(ctx, node, o.step)
}
