package check

import (
	"context"

	"github.com/usher-authz/usher/model"
)

// component settles atoms that depend on each other in cycles, by the well-founded
// semantics (Van Gelder, Ross and Schlipf 1991) with an alternating fixpoint:
//
//	possible  the least set that holds an atom if its rule does, where what is open
//	          counts as true and "not b" holds unless b is sure
//	sure      the least set that holds an atom if its rule does, where what is open
//	          counts as false and "not b" holds unless b is possible
//
// sure grows and possible shrinks until both stand still. An atom in sure is yes,
// one outside possible is no, and one between is open. Without "but not" inside the
// component one round is enough, and sure is the plain least fixpoint.
type component struct {
	solver     *solver
	members    []int32
	place      map[int32]int // of a member
	dependents [][]int       // by place: the members whose rules refer to it
	negative   bool          // some rule says "not" of a member
}

func newComponent(s *solver, members []int32) *component {
	c := &component{
		solver:     s,
		members:    members,
		place:      make(map[int32]int, len(members)),
		dependents: make([][]int, len(members)),
	}
	for p, i := range members {
		c.place[i] = p
	}
	for p, i := range members {
		for _, b := range s.atoms.list[i].rest.waiting {
			if q, ok := c.place[b.child]; ok {
				c.dependents[q] = append(c.dependents[q], p)
				c.negative = c.negative || b.negated
			}
		}
	}
	return c
}

// settle gives every member its final value.
func (c *component) settle(ctx context.Context) error {
	sure, possible := make([]bool, len(c.members)), []bool(nil)
	var order []int
	for {
		var err error
		if possible, _, err = c.leastFixpoint(ctx, true, sure); err != nil {
			return err
		}
		var grown []bool
		if grown, order, err = c.leastFixpoint(ctx, false, possible); err != nil {
			return err
		}
		stable := len(order) == count(sure)
		sure = grown
		if stable || !c.negative {
			break
		}
	}
	why, err := c.causes(ctx, sure, possible)
	if err != nil {
		return err
	}
	for _, p := range order { // in this order each atom comes after those it rests on
		c.solver.settle(c.members[p], value{truth: yes})
	}
	for p, i := range c.members {
		switch {
		case !possible[p]:
			c.solver.settle(i, value{truth: no})
		case !sure[p]:
			c.solver.settle(i, value{truth: open, causes: why[p]})
		}
	}
	return nil
}

func count(set []bool) int {
	n := 0
	for _, in := range set {
		if in {
			n++
		}
	}
	return n
}

// bound is one of the two readings of a rule.
type bound struct {
	*component
	openCounts bool   // possible: what is open counts as true
	in         []bool // the members found so far
	opposite   []bool // the other bound, by which "not" is read
}

// leastFixpoint returns the least set of members under one reading of the rules,
// and the order in which its members were found.
func (c *component) leastFixpoint(ctx context.Context, openCounts bool, opposite []bool) ([]bool, []int, error) {
	b := &bound{component: c, openCounts: openCounts, in: make([]bool, len(c.members)), opposite: opposite}
	var found []int
	try := func(p int) error {
		if b.in[p] {
			return nil
		}
		a := &c.solver.atoms.list[c.members[p]]
		if b.holds(a) {
			b.in[p] = true
			found = append(found, p)
		}
		return c.solver.graph.spend(ctx, 1+len(a.rest.waiting))
	}
	for p := range c.members {
		if err := try(p); err != nil {
			return nil, nil, err
		}
	}
	for done := 0; done < len(found); done++ {
		for _, p := range c.dependents[found[done]] {
			if err := try(p); err != nil {
				return nil, nil, err
			}
		}
	}
	return b.in, found, nil
}

// holds evaluates an atom's rule.
func (b *bound) holds(a *atom) bool {
	union := a.step.Op == model.OpUnion
	if b.counts(a.rest.decided) == union {
		return union
	}
	for _, w := range a.rest.waiting {
		if b.branchHolds(w) == union {
			return union
		}
	}
	return !union
}

func (b *bound) branchHolds(w branch) bool {
	if !b.counts(w.guard) {
		return false
	}
	p, member := b.place[w.child]
	switch {
	case member && w.negated:
		return !b.opposite[p]
	case member:
		return b.in[p]
	case w.negated:
		return b.counts(b.solver.atoms.list[w.child].value.not())
	}
	return b.counts(b.solver.atoms.list[w.child].value)
}

func (b *bound) counts(v value) bool { return v.truth == yes || v.truth == open && b.openCounts }

// causes collects what keeps each open member open: the least sets that hold what
// is open in the member's rule and the causes of the open members in it.
func (c *component) causes(ctx context.Context, sure, possible []bool) ([]*causes, error) {
	why := make([]*causes, len(c.members))
	current := func(w branch) value {
		v := c.solver.atoms.list[w.child].value
		if p, member := c.place[w.child]; member {
			switch {
			case sure[p]:
				v = value{truth: yes}
			case !possible[p]:
				v = value{truth: no}
			default:
				v = value{truth: open, causes: why[p]}
			}
		}
		if w.negated {
			v = v.not()
		}
		return v.and(w.guard)
	}
	collect := func(p int) (bool, error) {
		a := &c.solver.atoms.list[c.members[p]]
		all := why[p].join(a.rest.decided.causes)
		for _, w := range a.rest.waiting {
			all = all.join(current(w).causes)
		}
		changed := all != why[p]
		why[p] = all
		return changed, c.solver.graph.spend(ctx, 1+len(a.rest.waiting))
	}
	var queue []int
	for p := range c.members {
		if possible[p] && !sure[p] {
			queue = append(queue, p)
		}
	}
	for len(queue) > 0 {
		p := queue[0]
		queue = queue[1:]
		changed, err := collect(p)
		if err != nil {
			return nil, err
		}
		if !changed {
			continue
		}
		for _, q := range c.dependents[p] {
			if possible[q] && !sure[q] {
				queue = append(queue, q)
			}
		}
	}
	return why, nil
}
