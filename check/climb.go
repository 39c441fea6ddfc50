package check

import (
	"context"
	"math/bits"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// climb walks from the subject upwards, along the reverse of the edges that the model
// allows, to the objects in one step. What it goes by are unions; the steps that combine
// operands are worked out before, by themselves, or are gates on its way where they
// lead back to themselves.
//
// What is reached is not denied as far as the walk can tell: everything that may be a member
// is, and so are some objects behind a gate that only a Check can tell about. What is sure
// was reached along tuples without open conditions and through gates that are known to be
// open.
type climb struct {
	*ascents
	links   *model.Uplinks
	sets    []*nodeSet // by Step.ID
	done    []bool     // by Step.ID: the set was known before
	queue   []spot
	arrived []*arrivals

	// What is open is put off until all that is sure is known: behind what turns out to be
	// sure, less is open.
	unsure bool
	putOff []putOff
}

// putOff is objects of one word that are not sure: all of them for the same reason.
type putOff struct {
	step *model.Step
	key  uint32
	some uint64
	why  *causes // nil where only a Check knows
}

// spot is a word of a step's set that the walk has to come back to.
type spot struct {
	step *model.Step
	at   int
}

// climb returns the objects in a step.
func (a *ascents) climb(ctx context.Context, target *model.Step) (*nodeSet, error) {
	c := &climb{
		ascents: a,
		links:   a.solver.graph.program.Uplinks(target),
		sets:    make([]*nodeSet, len(a.solver.graph.program.Steps)),
		done:    make([]bool, len(a.solver.graph.program.Steps)),
	}
	if err := c.start(ctx); err != nil {
		return nil, err
	}
	if err := c.finish(ctx); err != nil {
		return nil, err
	}
	c.unsure = true
	if err := c.resume(ctx); err != nil {
		return nil, err
	}
	if err := c.finish(ctx); err != nil {
		return nil, err
	}
	for _, step := range c.links.Steps {
		c.known[step.ID] = c.set(step) // all that it depends on was passed
	}
	return c.set(target), nil
}

// start reaches what tuples that name the subject lead to, a userset's own step, and what
// is worked out before.
func (c *climb) start(ctx context.Context) error {
	if err := c.recall(ctx); err != nil {
		return err
	}
	subject := &c.solver.subject
	if subject.kind.Relation != 0 {
		program := c.solver.graph.program
		for _, step := range program.Steps {
			if place := c.links.Place(step); place != nil && step.Type == subject.kind.Type && subject.is(subject.node, step) {
				c.reachNode(place, subject.node)
			}
		}
	}
	for i := range c.links.Entries {
		entry := &c.links.Entries[i]
		node, applies := subject.matches(entry.Via)
		if !applies || c.done[entry.Step.ID] {
			continue
		}
		if err := c.reachAll(ctx, node, value{truth: yes}, entry); err != nil {
			return err
		}
	}
	for _, gate := range c.links.Gates {
		members, err := c.members(ctx, gate)
		if err != nil {
			return err
		}
		c.reachSet(c.links.Place(gate), members)
	}
	return nil
}

// finish walks until nothing is left, not at the gates either.
func (c *climb) finish(ctx context.Context) error {
	for len(c.queue) > 0 || c.waits() {
		if err := c.walk(ctx); err != nil {
			return err
		}
		if err := c.openGates(ctx); err != nil {
			return err
		}
	}
	return nil
}

// resume goes on with what is not sure.
func (c *climb) resume(ctx context.Context) error {
	if err := c.recall(ctx); err != nil {
		return err
	}
	for _, p := range c.putOff {
		if p.why == nil {
			c.reach(p.step, p.key, p.some, 0)
			continue
		}
		w := word{key: p.key}
		c.reachOpen(p.step, w.ordinal(bits.TrailingZeros64(p.some)), p.why)
	}
	return nil
}

// recall goes up from what other walks have found.
func (c *climb) recall(ctx context.Context) error {
	for _, step := range c.links.Steps {
		if known := c.known[step.ID]; known != nil {
			c.sets[step.ID], c.done[step.ID] = known, true
		}
	}
	for _, step := range c.links.Steps {
		if !c.done[step.ID] {
			continue
		}
		for _, w := range c.sets[step.ID].words {
			if w.todo = w.sure; c.unsure {
				w.todo = w.reached &^ w.sure
			}
			if err := c.ascend(ctx, step, &w); err != nil {
				return err
			}
		}
	}
	return nil
}

// walk goes on until nothing is left but what waits at gates.
func (c *climb) walk(ctx context.Context) error {
	for len(c.queue) > 0 {
		next := c.queue[len(c.queue)-1]
		c.queue = c.queue[:len(c.queue)-1]
		w := &c.sets[next.step.ID].words[next.at]
		now := *w
		w.todo, w.queued = 0, false
		if err := c.spend(ctx, 1); err != nil {
			return err
		}
		if err := c.ascend(ctx, next.step, &now); err != nil {
			return err
		}
	}
	return nil
}

// ascend goes up from the objects of a word that are news.
func (c *climb) ascend(ctx context.Context, step *model.Step, from *word) error {
	set := c.sets[step.ID]
	open := set.known(from, from.todo&^from.sure)
	uses := c.links.Uses(step)
	for i := range uses {
		use := &uses[i]
		switch {
		case c.done[use.Step.ID]:
		case use.Via != nil:
			err := from.nodes(step.Type, c.named(step, from, use), func(node tuples.Node, bit uint64) error {
				return c.reachAll(ctx, node, set.value(node, from.sure&bit != 0, open&bit != 0), use)
			})
			if err != nil {
				return err
			}
		default:
			c.pass(use.Step, from, open, set)
		}
	}
	return nil
}

// value returns what is known of an object: open without a cause where only a Check knows.
func (s *nodeSet) value(node tuples.Node, sure, known bool) value {
	switch {
	case sure:
		return value{truth: yes}
	case known:
		return value{truth: open, causes: s.open[node.Ordinal()]}
	}
	return value{truth: open}
}

// pass goes on to another step of the same objects, or to the gate before it.
func (c *climb) pass(to *model.Step, from *word, open uint64, set *nodeSet) {
	news := from.todo &^ open
	if to.Op != model.OpUnion {
		waiting := &c.gate(to).waiting
		waiting.add(from.key, news, news&from.sure)
		for ; open != 0; open &= open - 1 {
			ordinal := from.ordinal(bits.TrailingZeros64(open))
			waiting.addOpen(ordinal, set.open[ordinal])
		}
		return
	}
	c.reach(to, from.key, news, news&from.sure)
	for ; open != 0; open &= open - 1 {
		ordinal := from.ordinal(bits.TrailingZeros64(open))
		c.reachOpen(to, ordinal, set.open[ordinal])
	}
}
