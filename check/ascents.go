package check

import (
	"context"
	"errors"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// ascents works out of which objects the subject of a solver is a member, step by step. What
// was worked out is kept for as long as one list is.
type ascents struct {
	solver *solver
	known  map[uint32]*nodeSet // by Step.ID
	floor  int                 // a walk gives up when the budget falls below
}

// errTooMuch ends a walk that takes more than asking object by object would.
var errTooMuch = errors.New("walk costs more than it is worth")

// worth is what a walk to the members of one operand is worth, in units. Only tests change it.
var worth = struct {
	// perObject is what it may cost for each object that would else be asked about by itself:
	// asking takes some ten times as long as a tuple of a walk.
	perObject int
	// few objects are asked about by themselves.
	few int
	// first is what a walk to one operand of an "and" may cost before the others get their
	// turn; then it is four times as much.
	first int
	// below is what all gates below other steps of a list of subjects may cost together. The
	// same large group can stand behind thousands of them: then whoever is named behind the
	// rest is asked about.
	below int
}{perObject: 8, few: 16, first: 256, below: 1 << 20}

func newAscents(s *solver) *ascents {
	return &ascents{solver: s, known: make(map[uint32]*nodeSet)}
}

// spend takes units from the budget. It fails with errTooMuch below the floor.
func (a *ascents) spend(ctx context.Context, units int) error {
	if err := a.solver.graph.spend(ctx, units); err != nil {
		return err
	}
	if a.solver.graph.budget < a.floor {
		return errTooMuch
	}
	return nil
}

// members returns the objects in a step.
func (a *ascents) members(ctx context.Context, step *model.Step) (*nodeSet, error) {
	if set := a.known[step.ID]; set != nil {
		return set, nil
	}
	if !step.Reaches(a.solver.subject.kind) {
		return &nodeSet{}, nil
	}
	if step.Gate == nil || step.Gate.Circular {
		set, err := a.climb(ctx, step)
		if err == nil {
			a.known[step.ID] = set
		}
		return set, err
	}
	set, rest, err := a.pass(ctx, step)
	if err != nil {
		return nil, err
	}
	if err := a.solveRest(ctx, step, set, rest); err != nil {
		return nil, err
	}
	a.known[step.ID] = set
	return set, nil
}

// within returns the objects in a step, or errTooMuch if finding them takes more than so
// many units.
func (a *ascents) within(ctx context.Context, step *model.Step, units int) (*nodeSet, error) {
	floor := a.floor
	defer func() { a.floor = floor }()
	a.floor = max(floor, a.solver.graph.budget-units)
	return a.members(ctx, step)
}

// pass returns the candidates for a step that combines operands, and the operands that are
// still to be asked about: a sure candidate is a member if they say so.
func (a *ascents) pass(ctx context.Context, step *model.Step) (*nodeSet, []int, error) {
	candidates, driver, err := a.drive(ctx, step)
	if err != nil {
		return nil, nil, err
	}
	set := a.solver.evaluator.listRoom().set()
	set.copy(candidates)
	rest, err := a.sift(ctx, step, set, driver)
	if subject := &a.solver.subject; err == nil && step.Type == subject.node.Type() && subject.is(subject.node, step) {
		set.addSelf(subject.node, rest)
	}
	return set, rest, err
}

// drive returns the members of one operand: of an "and", of one that has few.
func (a *ascents) drive(ctx context.Context, step *model.Step) (*nodeSet, int, error) {
	if step.Op == model.OpExclusion {
		set, err := a.members(ctx, step.Operands[0])
		return set, 0, err
	}
	for units := worth.first; ; units *= 4 {
		for i, operand := range step.Operands {
			set, err := a.within(ctx, operand, units)
			if !errors.Is(err, errTooMuch) {
				return set, i, err
			}
		}
		if a.solver.graph.budget < a.floor {
			return nil, 0, errTooMuch
		}
	}
}

// sift takes those out of the candidates for a step that another operand keeps out, as far
// as the members of operands are quickly found. It returns the operands that are not.
func (a *ascents) sift(ctx context.Context, step *model.Step, candidates *nodeSet, driver int) (rest []int, err error) {
	for i, operand := range step.Operands {
		if i == driver {
			continue
		}
		others, err := a.quickly(ctx, operand, step.Gate.Apart[i], candidates)
		if err != nil {
			return nil, err
		}
		if others == nil {
			rest = append(rest, i)
			continue
		}
		negated := step.Op == model.OpExclusion
		for j := range candidates.words {
			w := &candidates.words[j]
			other := others.get(w.key)
			if negated {
				other.reached, other.sure = ^other.sure, ^other.reached
			}
			w.reached &= other.reached
			w.sure &= other.sure
			candidates.close(w, w.reached&^other.sure)
		}
	}
	return rest, nil
}

// quickly returns the members of an operand, nil if they are not known and asking for each
// candidate costs less.
func (a *ascents) quickly(ctx context.Context, operand *model.Step, apart bool, candidates *nodeSet) (*nodeSet, error) {
	if known := a.known[operand.ID]; known != nil || !operand.Reaches(a.solver.subject.kind) {
		return a.members(ctx, operand)
	}
	n := candidates.count()
	if !apart || n <= worth.few {
		return nil, nil
	}
	set, err := a.within(ctx, operand, n*worth.perObject)
	if errors.Is(err, errTooMuch) {
		return nil, a.spend(ctx, 0)
	}
	return set, err
}

// solveRest asks what the rest of the operands say about candidates, one by one. Those about
// which only a Check knows stay so.
func (a *ascents) solveRest(ctx context.Context, step *model.Step, candidates *nodeSet, rest []int) error {
	if len(rest) == 0 {
		return nil
	}
	for i := range candidates.words {
		w := &candidates.words[i]
		known := w.sure | candidates.known(w, w.reached&^w.sure)
		err := w.nodes(step.Type, known, func(node tuples.Node, bit uint64) error {
			a.solver.forgetMany()
			v, err := a.solver.operands(ctx, node, step, rest)
			if v.truth != yes {
				w.sure &^= bit
				candidates.close(w, bit)
			}
			if v.truth == no {
				w.reached &^= bit
			}
			return err
		})
		if err != nil {
			return err
		}
		if err := a.spend(ctx, 0); err != nil {
			return err
		}
	}
	return nil
}

// operands returns what some operands of a step come to.
func (s *solver) operands(ctx context.Context, node tuples.Node, step *model.Step, some []int) (value, error) {
	all := value{truth: yes}
	for _, i := range some {
		v, err := s.solve(ctx, node, step.Operands[i])
		if err != nil {
			return value{}, err
		}
		if step.Op == model.OpExclusion && i == 1 {
			v = v.not()
		}
		if all = all.and(v); all.truth == no {
			break
		}
	}
	return all, nil
}

// forgetMany keeps what a solver remembers from object to object within [maxAtoms].
func (s *solver) forgetMany() {
	if len(s.atoms.list) > maxAtoms {
		s.abandon()
	}
}
