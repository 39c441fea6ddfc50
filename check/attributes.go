package check

import (
	"context"
	"slices"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// Attributes returns the restrictions under which Check allows (requirement D9): one set
// for each way in which it is granted, sorted, without those that another set betters by
// being less strict. Whoever acts on the answer keeps to all of one set. One empty set
// says that nothing is restricted; nil that the answer is not allowed.
//
// A way joins the sets of all its tuples. A union offers the ways of each alternative, an
// intersection joins one way into each operand, an exclusion has those of its first
// operand, and a userset is itself without restriction. In a cycle the least fixpoint
// counts. A tuple whose condition waits for context adds nothing. Errors are those of
// [Evaluator.Check].
func (e *Evaluator) Attributes(ctx context.Context, on tuples.Userset, subject tuples.Subject) ([]AttributeSet, error) {
	decision, err := e.Check(ctx, on, subject)
	if err != nil || decision.Outcome != Allowed {
		return nil, err
	}
	s, step, node, err := e.written(ctx, on, subject)
	if err != nil {
		return nil, err
	}
	free := e.solverOf(solverKey{node: s.key.node, relation: s.key.relation, written: true, free: true})
	w := &weighing{solver: s, free: free, index: make(map[atomKey]int32)}
	root, _, err := w.visit(ctx, node, step)
	if err != nil {
		return nil, err
	}
	if err := w.run(ctx); err != nil {
		return nil, err
	}
	sets := w.atoms[root].sets
	slices.SortFunc(sets, AttributeSet.compare)
	return sets, nil
}

// weighing works out the attribute sets of atoms that hold. Where the free solver says
// that an atom holds without restriction, nothing below it is looked at: the empty set
// betters all others. What is left is read once, and then each set that an atom gains is
// handed on to the atoms that rest on it, until none gains any more: the least fixpoint,
// for joins and unions only ever add to what is known.
type weighing struct {
	solver *solver
	free   *solver

	index  map[atomKey]int32
	atoms  []weighed
	unread []int32 // atoms whose rules have not been read
	gains  []gain  // not handed on yet
}

// weighed is an atom that holds, and what is known of its sets.
type weighed struct {
	node     tuples.Node
	step     *model.Step
	sets     antichain
	rests    []rest  // the atoms that rest on this one
	operands []int32 // of an intersection
}

// rest says that an atom rests on another one, by a tuple that adds to its sets.
type rest struct {
	atom int32
	adds AttributeSet
}

// gain is a set that an atom has come to.
type gain struct {
	atom int32
	set  AttributeSet
}

// visit adds an atom if it holds. What does not hold grants nothing.
func (w *weighing) visit(ctx context.Context, node tuples.Node, step *model.Step) (i int32, holds bool, err error) {
	key := atomKey{node, step.ID}
	if i, visited := w.index[key]; visited {
		return i, true, nil
	}
	v, err := w.solver.solve(ctx, node, step)
	if err != nil || v.truth != yes {
		return 0, false, err
	}
	free, err := w.free.solve(ctx, node, step)
	if err != nil {
		return 0, false, err
	}
	i = int32(len(w.atoms))
	w.index[key] = i
	w.atoms = append(w.atoms, weighed{node: node, step: step})
	if free.truth == yes {
		return i, true, w.learn(ctx, i, nil)
	}
	w.unread = append(w.unread, i)
	return i, true, nil
}

// run reads the rules of all atoms, and then hands sets on until none is gained.
func (w *weighing) run(ctx context.Context) error {
	for len(w.unread) > 0 {
		i := w.unread[len(w.unread)-1]
		w.unread = w.unread[:len(w.unread)-1]
		if err := w.read(ctx, i); err != nil {
			return err
		}
	}
	for len(w.gains) > 0 {
		g := w.gains[0]
		w.gains = w.gains[1:]
		for _, r := range w.atoms[g.atom].rests {
			if err := w.handOn(ctx, g, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// read finds out on which atoms and tuples an atom rests.
func (w *weighing) read(ctx context.Context, i int32) error {
	a := w.atoms[i]
	switch a.step.Op {
	case model.OpUnion:
		return w.readUnion(ctx, i)
	case model.OpExclusion:
		return w.restOn(ctx, i, a.node, a.step.Operands[0], nil)
	case model.OpIntersection:
		for _, operand := range a.step.Operands {
			if err := w.restOn(ctx, i, a.node, operand, nil); err != nil {
				return err
			}
			w.atoms[i].operands = append(w.atoms[i].operands, w.index[atomKey{a.node, operand.ID}])
		}
	}
	return nil
}

// readUnion takes the sets of tuples that name the subject, and notes the other ways.
func (w *weighing) readUnion(ctx context.Context, i int32) error {
	var failed error
	err := w.solver.eachWay(ctx, w.atoms[i].node, w.atoms[i].step, func(found way) bool {
		switch {
		case found.guard.truth != yes:
		case found.step == nil:
			failed = w.learn(ctx, i, attributeSet(found.grant))
		default:
			failed = w.restOn(ctx, i, found.node, found.step, attributeSet(found.grant))
		}
		return failed == nil
	})
	if err != nil {
		return err
	}
	return failed
}

// restOn notes that an atom rests on another one, if that holds.
func (w *weighing) restOn(ctx context.Context, i int32, node tuples.Node, step *model.Step, adds AttributeSet) error {
	child, holds, err := w.visit(ctx, node, step)
	if err != nil || !holds {
		return err
	}
	w.atoms[child].rests = append(w.atoms[child].rests, rest{atom: i, adds: adds})
	return nil
}

// handOn gives what an atom gained to one that rests on it.
func (w *weighing) handOn(ctx context.Context, g gain, r rest) error {
	if err := w.solver.graph.spend(ctx, 1); err != nil {
		return err
	}
	gained := antichain{g.set.join(r.adds)}
	for _, operand := range w.atoms[r.atom].operands {
		if operand == g.atom {
			continue
		}
		var joined antichain
		for _, s := range gained {
			for _, t := range w.atoms[operand].sets {
				if _, err := w.add(ctx, &joined, s.join(t)); err != nil {
					return err
				}
			}
		}
		gained = joined
	}
	for _, set := range gained {
		if err := w.learn(ctx, r.atom, set); err != nil {
			return err
		}
	}
	return nil
}

// learn adds a set to those of an atom.
func (w *weighing) learn(ctx context.Context, i int32, set AttributeSet) error {
	gained, err := w.add(ctx, &w.atoms[i].sets, set)
	if gained {
		w.gains = append(w.gains, gain{atom: i, set: set})
	}
	return err
}

// attributesPerUnit is how many attributes are compared for one unit of work.
const attributesPerUnit = 16

// add adds a set to an antichain, against the budget: it costs what it is compared with
// and, if it stays, a unit for each attribute. A long path has a set at each of its steps,
// which would else fill the memory long before the budget ends.
func (w *weighing) add(ctx context.Context, sets *antichain, set AttributeSet) (bool, error) {
	units := (1 + len(*sets)) * (1 + len(set)/attributesPerUnit)
	if err := w.solver.graph.spend(ctx, units); err != nil {
		return false, err
	}
	if !sets.add(set) {
		return false, nil
	}
	return true, w.solver.graph.spend(ctx, len(set))
}

// antichain is sets of which none betters another.
type antichain []AttributeSet

// add adds a set, unless one of those there are is at most as strict, and drops those
// that it betters. It reports whether it did.
func (a *antichain) add(set AttributeSet) bool {
	for _, s := range *a {
		if s.within(set) {
			return false
		}
	}
	*a = append(slices.DeleteFunc(*a, set.within), set)
	return true
}
