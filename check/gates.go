package check

import (
	"context"
	"errors"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// gates works out which subjects of a kind are members of steps that combine operands, each
// of one object: from the sets of their operands, as [ascents] does for objects.
//
// A wildcard among the members of an operand stands for everybody whom it does not name.
type gates struct {
	evaluator *Evaluator
	kind      model.Kind
	solver    solver // for one subject after the other
	known     map[atomKey]*nodeSet
	tried     map[atomKey]int  // with how many units working it out was given up
	busy      map[atomKey]bool // being worked out: they lead back to themselves
	below     int              // what gates below other steps may still cost, in units
	floor     int              // a walk gives up when the budget falls below
}

func newGates(e *Evaluator, kind model.Kind) *gates {
	return &gates{
		evaluator: e, kind: kind, below: worth.below,
		known: make(map[atomKey]*nodeSet), tried: make(map[atomKey]int), busy: make(map[atomKey]bool),
	}
}

// spend takes units from the budget. It fails with errTooMuch below the floor.
func (g *gates) spend(ctx context.Context, units int) error {
	if err := g.evaluator.graph.spend(ctx, units); err != nil {
		return err
	}
	if g.evaluator.graph.budget < g.floor {
		return errTooMuch
	}
	return nil
}

// descend returns the subjects of an atom of a union.
func (g *gates) descend(ctx context.Context, a atomKey) (*nodeSet, error) {
	d := newDescent(g.evaluator, g.kind)
	d.gates = g
	err := d.run(ctx, a.node, g.step(a))
	return &d.found, err
}

func (g *gates) step(a atomKey) *model.Step { return g.evaluator.request.Program.Steps[a.step] }

// within returns the subjects of a gate below other steps, or errTooMuch if that takes
// more than what is left for all such gates, or leads back to the gate. One that was given up is
// tried again when there is twice as much: gates that lead to each other would else be
// tried as often as there are ways between them.
func (g *gates) within(ctx context.Context, a atomKey) (*nodeSet, error) {
	if set := g.known[a]; set != nil {
		return set, nil
	}
	budget := g.evaluator.graph.budget
	units := min(g.below, budget-g.floor)
	if g.busy[a] || units < 2*g.tried[a] {
		return nil, errTooMuch
	}
	set, err := g.limited(g.below, func() (*nodeSet, error) {
		set, rest, err := g.pass(ctx, a)
		if err == nil && len(rest) > 0 {
			err = g.solveRest(ctx, a, set, rest)
		}
		return set, err
	})
	g.below -= budget - g.evaluator.graph.budget
	switch {
	case err == nil:
		g.known[a] = set
	case errors.Is(err, errTooMuch):
		g.tried[a] = max(units, 1)
	}
	return set, err
}

// limited calls walk, which gives up after so many units.
func (g *gates) limited(units int, walk func() (*nodeSet, error)) (*nodeSet, error) {
	floor := g.floor
	defer func() { g.floor = floor }()
	g.floor = max(floor, g.evaluator.graph.budget-units)
	return walk()
}

// operand returns the subjects of an operand.
func (g *gates) operand(ctx context.Context, a atomKey, i int) (*nodeSet, error) {
	operand := g.step(a).Operands[i]
	if !operand.Reaches(g.kind) {
		return &nodeSet{}, nil
	}
	return g.descend(ctx, atomKey{a.node, operand.ID})
}

// pass returns the candidates for a gate, and the operands that are still to be asked
// about: a sure candidate is a member if they say so.
func (g *gates) pass(ctx context.Context, a atomKey) (set *nodeSet, rest []int, err error) {
	g.busy[a] = true
	defer delete(g.busy, a)
	step := g.step(a)
	set, driver, err := g.drive(ctx, a)
	if err != nil {
		return nil, nil, err
	}
	public := set.get(0).reached&1 != 0
	for i := range step.Operands {
		if i == driver {
			continue
		}
		if public {
			err = g.join(ctx, a, i, set)
		} else if rest, err = g.sift(ctx, a, i, set, rest); err != nil {
			return nil, nil, err
		}
		if err != nil {
			return nil, nil, err
		}
	}
	if g.kind.Relation != 0 && step.Root && step.Type == g.kind.Type && step.Relation == g.kind.Relation {
		set.addSelf(a.node, rest)
	}
	return set, rest, nil
}

// drive returns the subjects of one operand: of an "and", of one that has few.
func (g *gates) drive(ctx context.Context, a atomKey) (*nodeSet, int, error) {
	step := g.step(a)
	if step.Op == model.OpExclusion {
		set, err := g.operand(ctx, a, 0)
		return set, 0, err
	}
	for units := worth.first; ; units *= 4 {
		for i := range step.Operands {
			set, err := g.limited(units, func() (*nodeSet, error) { return g.operand(ctx, a, i) })
			if !errors.Is(err, errTooMuch) {
				return set, i, err
			}
		}
		if g.evaluator.graph.budget < g.floor {
			return nil, 0, errTooMuch
		}
	}
}

// join adds whom another operand names to candidates of which everybody is one: all of them
// have to be asked about.
func (g *gates) join(ctx context.Context, a atomKey, i int, candidates *nodeSet) error {
	others, err := g.operand(ctx, a, i)
	if err != nil {
		return err
	}
	for j := range candidates.words {
		candidates.words[j].sure = 0
	}
	for _, w := range others.words {
		candidates.add(w.key, w.reached, 0)
	}
	return nil
}

// sift takes those out of the candidates that another operand keeps out. If its subjects are
// not quickly found it is appended to the rest.
func (g *gates) sift(ctx context.Context, a atomKey, i int, candidates *nodeSet, rest []int) ([]int, error) {
	n := candidates.count()
	others, err := g.limited(max(n*worth.perObject, worth.first), func() (*nodeSet, error) { return g.operand(ctx, a, i) })
	if errors.Is(err, errTooMuch) {
		return append(rest, i), g.spend(ctx, 0)
	}
	if err != nil {
		return nil, err
	}
	everybody := others.get(0)
	for j := range candidates.words {
		w := &candidates.words[j]
		other := others.get(w.key)
		if everybody.reached&1 != 0 {
			other.reached = ^uint64(0)
		}
		if everybody.sure&1 != 0 {
			other.sure = ^uint64(0)
		}
		if g.step(a).Op == model.OpExclusion {
			other.reached, other.sure = ^other.sure, ^other.reached
		}
		w.reached &= other.reached
		w.sure &= other.sure
	}
	return rest, nil
}

// solveRest asks about sure candidates, one by one, what the other operands say.
func (g *gates) solveRest(ctx context.Context, a atomKey, candidates *nodeSet, rest []int) error {
	for i := range candidates.words {
		w := &candidates.words[i]
		err := w.nodes(g.kind.Type, w.sure, func(node tuples.Node, bit uint64) error {
			g.solver.begin(g.evaluator, solverKey{node: node, relation: g.kind.Relation})
			v, err := g.solver.operands(ctx, a.node, g.step(a), rest)
			if v.truth != yes {
				w.sure &^= bit
			}
			if v.truth == no {
				w.reached &^= bit
			}
			return err
		})
		if err != nil {
			return err
		}
		if err := g.spend(ctx, 0); err != nil {
			return err
		}
	}
	return nil
}
