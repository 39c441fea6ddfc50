package index

import (
	"context"
	"slices"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// climb works out a closure. It goes from the subject upwards, along the reverse edges.
type climb struct {
	snapshot tuples.Snapshot
	ladder   *ladder
	subject  tuples.Node
	relation tuples.Symbol
	seen     map[foothold]bool // true for sure
	queue    []foothold
	page     []tuples.Edge
}

// foothold is a step of an object that the climb has reached.
type foothold struct {
	node tuples.Node
	step *model.Step
}

// climbPage is how many edges one read returns.
const climbPage = 64

// run returns the closure.
func (c *climb) run(ctx context.Context) (*Closure, error) {
	c.seen = make(map[foothold]bool)
	c.page = make([]tuples.Edge, 0, climbPage)
	for _, step := range c.ladder.program.Steps {
		if c.relation != 0 && step.Root && step.Type == c.subject.Type() && step.Relation == c.relation && c.ladder.holds(step) {
			c.reach(foothold{c.subject, step}, true) // a userset is a member of itself
		}
	}
	for _, e := range c.ladder.entries {
		if err := c.enter(ctx, e); err != nil {
			return nil, err
		}
	}
	for len(c.queue) > 0 && len(c.seen) <= maxClosure {
		at := c.queue[len(c.queue)-1]
		c.queue = c.queue[:len(c.queue)-1]
		if err := c.ascend(ctx, at); err != nil {
			return nil, err
		}
	}
	return c.closure(), nil
}

// enter reaches what tuples that name the subject lead to, or a wildcard that it falls under.
func (c *climb) enter(ctx context.Context, e entry) error {
	switch {
	case c.relation != 0 || e.accept.Type != c.subject.Type():
		return nil
	case e.accept.Wildcard:
		return c.reachAll(ctx, tuples.WildcardNode(e.accept.Type), e.step, e.step.Relation, e.accept, true)
	case c.subject.IsWildcard():
		return nil // the anonymous public is no concrete object
	}
	return c.reachAll(ctx, c.subject, e.step, e.step.Relation, e.accept, true)
}

func (c *climb) ascend(ctx context.Context, at foothold) error {
	sure := c.seen[at]
	for i := range at.step.Uses {
		use := &at.step.Uses[i]
		switch {
		case !c.ladder.holds(use.Step):
		case use.Via == nil:
			c.reach(foothold{at.node, use.Step}, sure)
		default:
			if err := c.reachAll(ctx, at.node, use.Step, use.Relation, use.Via, sure); err != nil {
				return err
			}
		}
	}
	return nil
}

// reachAll reaches a step of all objects that have a tuple of a relation with the node.
func (c *climb) reachAll(ctx context.Context, node tuples.Node, step *model.Step, relation tuples.Symbol, accept *model.Accept, sure bool) error {
	list := tuples.ObjectsOf{Subject: node, SubjectRelation: accept.Relation, Type: step.Type, Relation: relation}
	var after tuples.Node
	for len(c.seen) <= maxClosure {
		if ctx.Err() != nil { // reads from memory do not look
			return context.Cause(ctx)
		}
		page, err := c.snapshot.EdgesTo(ctx, list, after, c.page[:0])
		if err != nil {
			return err
		}
		for _, edge := range page {
			if condition, ok := accept.Allows(edge.Grant); ok {
				lasting := edge.Grant == nil || edge.Grant.Expires.IsZero()
				c.reach(foothold{edge.Node, step}, sure && condition == nil && lasting)
			}
		}
		if len(page) < cap(page) {
			return nil
		}
		after = page[len(page)-1].Node
	}
	return nil
}

// reach queues a foothold when it is new, and again when it becomes sure.
func (c *climb) reach(at foothold, sure bool) {
	if before, seen := c.seen[at]; seen && (before || !sure) {
		return
	}
	c.seen[at] = sure
	c.queue = append(c.queue, at)
}

// closure sorts what was reached.
func (c *climb) closure() *Closure {
	done := &Closure{
		ladder: c.ladder, subject: c.subject, relation: c.relation,
		revision: c.snapshot.Revision(), now: c.snapshot.Time(), bytes: sizeOfClosure,
	}
	if len(c.seen) > maxClosure {
		done.large = true
		return done
	}
	for at, sure := range c.seen {
		g := done.group(at.step)
		if g == nil {
			done.groups = append(done.groups, group{step: at.step.ID})
			g = &done.groups[len(done.groups)-1]
		}
		if sure {
			g.sure = append(g.sure, at.node)
		} else {
			g.maybe = append(g.maybe, at.node)
		}
	}
	done.bytes += int64(cap(done.groups)) * sizeOfGroup
	for i := range done.groups {
		g := &done.groups[i]
		slices.Sort(g.sure)
		slices.Sort(g.maybe)
		g.sure, g.maybe = slices.Clip(g.sure), slices.Clip(g.maybe)
		done.bytes += int64(8 * (cap(g.sure) + cap(g.maybe)))
	}
	return done
}
