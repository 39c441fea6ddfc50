package check

import (
	"context"

	"github.com/usher-authz/usher/check/index"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// Sizes of reads of reverse lists. Most are short; a folder with a million media is read in
// pieces that cost less than what is done with them.
const (
	climbPage     = 64
	longClimbPage = 1024
)

// objectsOf is the list of the tuples by which a use leads up from a node.
func objectsOf(node tuples.Node, use *model.Use) tuples.ObjectsOf {
	return tuples.ObjectsOf{Subject: node, SubjectRelation: use.Via.Relation, Type: use.Step.Type, Relation: use.Relation}
}

// named returns those of the news of a word that tuples can name as their subject.
func (c *climb) named(step *model.Step, from *word, use *model.Use) uint64 {
	g := c.solver.graph
	if from.todo == 0 || g.overlay != nil {
		return from.todo
	}
	list := objectsOf(tuples.NewNode(step.Type, from.ordinal(0)), use)
	return index.Named(g.snapshot, list, from.todo)
}

// reachAll reaches the objects that have a tuple with the node as its subject; below is what
// is known of that.
func (c *climb) reachAll(ctx context.Context, node tuples.Node, below value, use *model.Use) error {
	list := objectsOf(node, use)
	buf := c.solver.evaluator.room(climbPage)
	var after tuples.Node
	for {
		page, err := c.solver.graph.edgesTo(ctx, list, after, buf)
		if err != nil {
			return err
		}
		if err := c.spend(ctx, 0); err != nil {
			return err
		}
		if err := c.reachPage(ctx, page, below, &list, use); err != nil || len(page) < cap(page) {
			return err
		}
		after = page[len(page)-1].Node
		buf = c.solver.evaluator.room(longClimbPage)
	}
}

// room returns an empty buffer for so many edges, longClimbPage at most. There is one.
func (e *Evaluator) room(edges int) []tuples.Edge {
	if cap(e.page) < edges {
		e.page = make([]tuples.Edge, 0, edges)
	}
	return e.page[:0:edges]
}

// reachPage reaches the objects of a page, a word at a time.
func (c *climb) reachPage(ctx context.Context, page []tuples.Edge, below value, list *tuples.ObjectsOf, use *model.Use) error {
	_, plain := use.Via.Allows(nil)
	now := word{}
	for i := range page {
		edge := &page[i]
		v := below
		if edge.Grant != nil {
			key := tuples.EdgeKey{Object: edge.Node, Relation: list.Relation, Subject: list.Subject, SubjectRelation: list.SubjectRelation}
			guard, err := c.solver.evaluator.guard(ctx, use.Via, edge.Grant, key)
			if err != nil {
				return err
			}
			v = below.through(guard)
		} else if !plain {
			continue
		}
		ordinal := edge.Node.Ordinal()
		switch {
		case v.truth == no:
			continue
		case v.causes != nil:
			c.reachOpen(use.Step, ordinal, v.causes)
			continue
		}
		if key := ordinal >> wordBits; key != now.key {
			c.reach(use.Step, now.key, now.reached, now.sure)
			now = word{key: key}
		}
		now.reached |= bitOf(ordinal)
		if v.truth == yes {
			now.sure |= bitOf(ordinal)
		}
	}
	c.reach(use.Step, now.key, now.reached, now.sure)
	return nil
}

// through returns what is known behind a tuple. What is open without a cause stays so: only a
// Check knows.
func (v value) through(guard value) value {
	if v.truth == open && v.causes == nil && guard.truth != no {
		return v
	}
	return v.and(guard)
}

// reachNode reaches one object surely.
func (c *climb) reachNode(step *model.Step, node tuples.Node) {
	bit := bitOf(node.Ordinal())
	c.reach(step, node.Ordinal()>>wordBits, bit, bit)
}

// reachSet reaches the objects of a set.
func (c *climb) reachSet(step *model.Step, set *nodeSet) {
	set.each(func(key uint32, reached, sure uint64) {
		c.reach(step, key, reached, sure)
	}, func(ordinal uint32, why *causes) {
		c.reachOpen(step, ordinal, why)
	})
}

// reach notes objects in a step. Of those that are not sure, only a Check knows.
func (c *climb) reach(step *model.Step, key uint32, reached, sure uint64) {
	if reached == 0 || c.done[step.ID] {
		return
	}
	if !c.unsure {
		if later := reached &^ sure; later != 0 {
			c.putOff = append(c.putOff, putOff{step: step, key: key, some: later})
		}
		if reached = sure; sure == 0 {
			return
		}
	}
	if at, news := c.set(step).add(key, reached, sure); news {
		c.comeBack(step, at)
	}
}

// reachOpen notes an object that is a member unless what keeps it open keeps it out.
func (c *climb) reachOpen(step *model.Step, ordinal uint32, why *causes) {
	if c.done[step.ID] {
		return
	}
	if !c.unsure {
		c.putOff = append(c.putOff, putOff{step: step, key: ordinal >> wordBits, some: bitOf(ordinal), why: why})
		return
	}
	if at, news := c.set(step).addOpen(ordinal, why); news {
		c.comeBack(step, at)
	}
}

// comeBack queues a word, if there is a way on from it.
func (c *climb) comeBack(step *model.Step, at int) {
	w := &c.sets[step.ID].words[at]
	if !w.queued && len(c.links.Uses(step)) > 0 {
		w.queued = true
		c.queue = append(c.queue, spot{step, at})
	}
}

func (c *climb) set(step *model.Step) *nodeSet {
	if c.sets[step.ID] == nil {
		c.sets[step.ID] = c.solver.evaluator.listRoom().set()
	}
	return c.sets[step.ID]
}
