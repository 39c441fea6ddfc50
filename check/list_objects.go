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

// ListObjects yields the objects of a type for which [Evaluator.Check] would not say
// denied, sorted bytewise by id, behind after ("" for the beginning). An error ends
// the list; a condition that failed for one object is in its item instead.
func (e *Evaluator) ListObjects(
	ctx context.Context, t tuples.ObjectType, r tuples.Relation, subject tuples.Subject, after tuples.ID,
) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		target, err := e.step(t, r)
		if err != nil {
			yield(Item{}, err)
			return
		}
		s, err := e.solver(ctx, subject)
		if err != nil {
			yield(Item{}, err)
			return
		}
		found, err := newClimb(s, target).run(ctx)
		if err != nil {
			yield(Item{}, err)
			return
		}
		sorted, err := e.sortByID(ctx, found, after)
		if err != nil {
			yield(Item{}, err)
			return
		}
		e.yieldVerified(ctx, sorted, yield, func(c candidate) (value, error) {
			return s.solve(ctx, c.node, target)
		})
	}
}

// candidate is an object or subject that may belong to a list.
type candidate struct {
	id   tuples.ID
	node tuples.Node
	// sure says that it belongs there: it was reached along unions and tuples
	// without open conditions.
	sure bool
}

// sortByID names the candidates behind after and sorts them.
func (e *Evaluator) sortByID(ctx context.Context, found map[tuples.Node]bool, after tuples.ID) ([]candidate, error) {
	nodes := make([]tuples.Node, 0, len(found))
	for node := range found {
		nodes = append(nodes, node)
	}
	slices.Sort(nodes) // neighbours lie together on disk
	objects, err := e.graph.objects(ctx, nodes)
	if err != nil {
		return nil, err
	}
	candidates := make([]candidate, 0, len(nodes))
	for i, object := range objects {
		if object.ID > after {
			candidates = append(candidates, candidate{id: object.ID, node: nodes[i], sure: found[nodes[i]]})
		}
	}
	slices.SortFunc(candidates, func(a, b candidate) int { return strings.Compare(string(a.id), string(b.id)) })
	return candidates, nil
}

// yieldVerified yields the candidates that are not denied; verify judges those that
// are not sure.
func (e *Evaluator) yieldVerified(
	ctx context.Context, candidates []candidate, yield func(Item, error) bool, verify func(candidate) (value, error),
) {
	for _, c := range candidates {
		item, err := e.judge(ctx, c, verify)
		if err != nil {
			yield(Item{}, err)
			return
		}
		if item.Err == nil && item.Decision.Outcome == Denied {
			continue
		}
		if !yield(item, nil) {
			return
		}
	}
}

// judge turns a candidate into an item.
func (e *Evaluator) judge(ctx context.Context, c candidate, verify func(candidate) (value, error)) (Item, error) {
	if c.sure {
		return Item{ID: c.id, Decision: Decision{Outcome: Allowed}}, nil
	}
	v, err := verify(c)
	if err != nil {
		return Item{}, err
	}
	decision, err := e.decide(ctx, v)
	var failed *ConditionError
	if errors.As(err, &failed) {
		return Item{ID: c.id, Err: failed}, nil
	}
	return Item{ID: c.id, Decision: decision}, err
}

// climb walks from a subject upwards, along the reverse of the edges that the model
// allows, to everything that it may be a member of. It goes by the unions alone: what
// lies behind an "and", a "but not" or an open condition is reached, but not sure.
type climb struct {
	solver *solver
	target *model.Step
	needed []bool // by step: it can lead to the target
	seen   map[atomKey]bool
	queue  []ascent
	page   []tuples.Edge
}

// ascent is one atom to go on from.
type ascent struct {
	node tuples.Node
	step *model.Step
	sure bool
}

func newClimb(s *solver, target *model.Step) *climb {
	c := &climb{
		solver: s,
		target: target,
		needed: make([]bool, len(s.graph.program.Steps)),
		seen:   make(map[atomKey]bool),
		page:   make([]tuples.Edge, 0, pageSize),
	}
	for queue := []*model.Step{target}; len(queue) > 0; queue = queue[1:] {
		if step := queue[0]; !c.needed[step.ID] {
			c.needed[step.ID] = true
			queue = append(queue, step.Supports()...)
		}
	}
	return c
}

// run returns the objects reached in the target step, and whether they are sure.
func (c *climb) run(ctx context.Context) (map[tuples.Node]bool, error) {
	if err := c.start(ctx); err != nil {
		return nil, err
	}
	found := make(map[tuples.Node]bool)
	for len(c.queue) > 0 {
		a := c.queue[len(c.queue)-1]
		c.queue = c.queue[:len(c.queue)-1]
		if a.step == c.target {
			found[a.node] = c.seen[atomKey{a.node, a.step.ID}]
		}
		for i := range a.step.Uses {
			if err := c.ascend(ctx, a, &a.step.Uses[i]); err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

// start reaches what tuples of the subject itself lead to, and a userset's own step.
func (c *climb) start(ctx context.Context) error {
	subject := &c.solver.subject
	for _, step := range c.solver.graph.program.Steps {
		if !c.needed[step.ID] {
			continue
		}
		if subject.kind.Relation != 0 {
			if step.Type == subject.kind.Type && subject.is(subject.node, step) {
				c.reach(subject.node, step, true)
			}
			continue
		}
		for _, alternative := range step.Alternatives {
			if direct, ok := alternative.(*model.Direct); ok {
				if err := c.startDirect(ctx, step, direct); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (c *climb) startDirect(ctx context.Context, step *model.Step, direct *model.Direct) error {
	for i := range direct.Plain {
		accept := &direct.Plain[i]
		node, applies := c.solver.subject.matches(accept)
		if !applies {
			continue
		}
		if err := c.reachAll(ctx, ascent{node: node, sure: true}, step, step.Relation, accept); err != nil {
			return err
		}
	}
	return nil
}

func (c *climb) ascend(ctx context.Context, a ascent, use *model.Use) error {
	switch {
	case !c.needed[use.Step.ID]:
		return nil
	case use.Via == nil:
		c.reach(a.node, use.Step, a.sure && use.Step.Op == model.OpUnion)
		return c.solver.graph.spend(ctx, 1)
	}
	return c.reachAll(ctx, a, use.Step, use.Relation, use.Via)
}

// reachAll reaches step of all objects that have a tuple of relation with the subject
// a stands for.
func (c *climb) reachAll(ctx context.Context, a ascent, step *model.Step, relation tuples.Symbol, accept *model.Accept) error {
	list := tuples.ObjectsOf{Subject: a.node, SubjectRelation: accept.Relation, Type: step.Type, Relation: relation}
	var after tuples.Node
	for {
		page, err := c.solver.graph.edgesTo(ctx, list, after, c.page[:0])
		if err != nil {
			return err
		}
		for _, edge := range page {
			key := tuples.EdgeKey{Object: edge.Node, Relation: relation, Subject: a.node, SubjectRelation: accept.Relation}
			guard, err := c.solver.evaluator.guard(ctx, accept, edge.Grant, key)
			if err != nil {
				return err
			}
			if guard.truth != no {
				c.reach(edge.Node, step, a.sure && guard.truth == yes)
			}
		}
		if len(page) < cap(page) {
			return nil
		}
		after = page[len(page)-1].Node
	}
}

// reach queues an atom when it is new, and again when it becomes sure.
func (c *climb) reach(node tuples.Node, step *model.Step, sure bool) {
	key := atomKey{node, step.ID}
	if before, seen := c.seen[key]; seen && (before || !sure) {
		return
	}
	c.seen[key] = sure
	c.queue = append(c.queue, ascent{node, step, sure})
}
