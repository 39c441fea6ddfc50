package check

import (
	"context"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// solver works out atoms for one subject. An atom asks: is the subject in this step
// of this object? Its rule combines other atoms, and the rules may form cycles.
//
// The atoms are visited depth first, with a stack of its own instead of Go's, so that
// no chain is too deep. Most atoms are decided when their frame ends. Those that wait
// for an atom further up the stack stay pending until their strongly connected
// component is complete (Tarjan's algorithm), and are then settled together, see
// [component]. Visited sets alone would be wrong here: under "and" and "but not" an
// atom that is assumed false for being in progress makes others true.
type solver struct {
	evaluator *Evaluator
	graph     *graph
	subject   subject

	index  map[atomKey]int32
	atoms  []atom
	frames []frame
	open   []int32 // visited atoms of incomplete components, in the order of visit
	proofs int32   // how many atoms came to yes
	// free makes tuples that restrict what they grant count as open: there or not. What
	// is sure then is granted without restriction, see [Evaluator.Attributes].
	free bool

	spare [][]tuples.Edge // buffers of finished frames
}

// subject is who the solver's questions are about.
type subject struct {
	node tuples.Node
	kind model.Kind
}

// is reports whether an atom is the subject, a userset, itself.
func (s *subject) is(node tuples.Node, step *model.Step) bool {
	return step.Root && node == s.node && step.Relation == s.kind.Relation
}

// matches returns the node that a tuple of a kind names if it names the subject: the
// subject's own, or the wildcard it falls under. The anonymous public, itself a
// wildcard, is no concrete object.
func (s *subject) matches(a *model.Accept) (tuples.Node, bool) {
	if a.Kind != s.kind {
		return 0, false
	}
	if a.Wildcard {
		return tuples.WildcardNode(a.Type), true
	}
	return s.node, !s.node.IsWildcard()
}

type atomKey struct {
	node tuples.Node
	step uint32
}

// atom is one question and what is known of its answer.
type atom struct {
	node  tuples.Node
	step  *model.Step
	value value
	// low is the earliest visited atom that this one's component reaches.
	low int32
	// proof numbers the atoms that came to yes, each after those it rests on; 0 for
	// others. It keeps explanations from going in circles.
	proof int32
	// While pending: what the decided part of the rule came to, and the rest of it.
	decided value
	waiting []branch
}

// branch is one undecided part of a rule: guard and child, or guard and not child.
type branch struct {
	child   int32
	guard   value
	negated bool
}

// usualAtoms and usualFrames are room for what a Check usually visits: 4 to 11 atoms in
// BenchmarkCheck.
const (
	usualAtoms  = 16
	usualFrames = 8
)

func newSolver(e *Evaluator, key solverKey) *solver {
	return &solver{
		evaluator: e,
		graph:     &e.graph,
		subject:   subject{node: key.node, kind: model.Kind{Type: key.node.Type(), Relation: key.relation}},
		free:      key.free,
		index:     make(map[atomKey]int32, usualAtoms),
		atoms:     make([]atom, 0, usualAtoms),
		frames:    make([]frame, 0, usualFrames),
		open:      make([]int32, 0, usualAtoms),
	}
}

// solve returns the value of an atom; it is never pending.
func (s *solver) solve(ctx context.Context, node tuples.Node, step *model.Step) (value, error) {
	i, visited := s.index[atomKey{node, step.ID}]
	if !visited {
		var err error
		if i, err = s.visit(ctx, node, step); err != nil {
			return value{}, err
		}
	}
	for len(s.frames) > 0 {
		if err := s.advance(ctx); err != nil {
			s.abandon()
			return value{}, err
		}
	}
	return s.atoms[i].value, nil
}

// abandon forgets everything after a failure: pending atoms would be wrong to keep.
func (s *solver) abandon() {
	clear(s.index)
	s.atoms, s.frames, s.open = nil, nil, nil
}

// visit adds an atom and, unless it is plain to see, a frame to work it out.
func (s *solver) visit(ctx context.Context, node tuples.Node, step *model.Step) (int32, error) {
	if err := s.graph.spend(ctx, 1); err != nil {
		s.abandon()
		return 0, err
	}
	i := int32(len(s.atoms))
	s.index[atomKey{node, step.ID}] = i
	s.atoms = append(s.atoms, atom{node: node, step: step, low: i})
	switch {
	case s.subject.is(node, step):
		s.settle(i, value{truth: yes}) // a userset is a member of itself
	case !step.Reaches(s.subject.kind):
		s.settle(i, value{truth: no})
	default:
		s.frames = append(s.frames, newFrame(i, step, len(s.open)))
		s.open = append(s.open, i)
	}
	return i, nil
}

// settle gives an atom its final value.
func (s *solver) settle(i int32, v value) {
	a := &s.atoms[i]
	a.value, a.waiting = v, nil
	if v.truth == yes {
		s.proofs++
		a.proof = s.proofs
	}
}

// advance takes the frame on top one step on: to its next child, or to its end.
func (s *solver) advance(ctx context.Context) error {
	top := len(s.frames) - 1
	next, ok, err := s.next(ctx, &s.frames[top])
	if err != nil {
		return err
	}
	if !ok {
		return s.finish(ctx)
	}
	f := &s.frames[top]
	f.guard, f.negated = next.guard, next.negated
	child, visited := s.index[atomKey{next.node, next.step.ID}]
	if !visited {
		if child, err = s.visit(ctx, next.node, next.step); err != nil {
			return err
		}
		if len(s.frames)-1 > top {
			return nil // its frame reports to this one when it ends
		}
	}
	s.report(child)
	return nil
}

// report hands what is known of a child to the frame on top.
func (s *solver) report(child int32) {
	f := &s.frames[len(s.frames)-1]
	c := &s.atoms[child]
	if c.value.truth == pending {
		f.waiting = append(f.waiting, branch{child: child, guard: f.guard, negated: f.negated})
		return
	}
	f.combine(c.value, f.negated, f.guard)
}

// finish ends the frame on top, and its component if it is the last of it.
func (s *solver) finish(ctx context.Context) error {
	top := len(s.frames) - 1
	f := &s.frames[top]
	i, base := f.atom, f.base
	a := &s.atoms[i]
	for _, w := range f.waiting {
		a.low = min(a.low, s.atoms[w.child].low)
	}
	if f.isDecided() || len(f.waiting) == 0 {
		s.settle(i, f.value)
	} else {
		a.decided, a.waiting = f.value, f.waiting
	}
	s.release(f)
	s.frames = s.frames[:top]
	if a.low == i {
		if err := s.complete(ctx, s.open[base:]); err != nil {
			return err
		}
		s.open = s.open[:base]
	}
	if top == 0 {
		return nil
	}
	parent := &s.atoms[s.frames[top-1].atom]
	parent.low = min(parent.low, s.atoms[i].low)
	s.report(i)
	return nil
}

// complete settles the atoms of a component that are still pending.
func (s *solver) complete(ctx context.Context, members []int32) error {
	var waiting []int32
	for _, i := range members {
		if s.atoms[i].value.truth == pending {
			waiting = append(waiting, i)
		}
	}
	if len(waiting) == 0 {
		return nil
	}
	return newComponent(s, waiting).settle(ctx)
}
