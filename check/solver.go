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
	key       solverKey
	subject   subject
	plan      *model.Plan // has the rules of the atoms
	memberships

	atoms  atoms
	frames []frame
	open   []int32 // visited atoms of incomplete components, in the order of visit
	proofs int32   // how many atoms came to yes
	lent   bool    // somebody may ask it again after others have been made
}

// solverKey is whom a solver is about, and in which way.
type solverKey struct {
	node     tuples.Node
	relation tuples.Symbol
	// written makes it visit every step that the model has on the way, so that what each
	// came to can be told. Else it goes by the shortest way to the answer.
	written bool
	// free makes tuples that restrict what they grant count as open: there or not. What
	// is sure then is granted without restriction, see [Evaluator.Attributes].
	free bool
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

func newSolver(e *Evaluator, key solverKey) *solver {
	s := &solver{}
	s.begin(e, key)
	return s
}

// begin makes a solver ready for questions about a subject. What it knew of another is
// forgotten.
func (s *solver) begin(e *Evaluator, key solverKey) {
	s.abandon()
	s.evaluator, s.graph, s.key = e, &e.graph, key
	s.subject = subject{node: key.node, kind: model.Kind{Type: key.node.Type(), Relation: key.relation}}
	s.memberships = memberships{}
	s.proofs, s.lent = 0, false
	if key.written {
		s.plan = e.request.Program.Written(s.subject.kind)
		return
	}
	s.plan = e.request.Program.Plan(s.subject.kind)
	if e.request.Closures != nil && e.graph.overlay == nil && e.graph.reads == nil {
		s.closures = e.request.Closures
		s.sieve = s.closures.Sieve(e.graph.snapshot, s.plan)
	}
}

// end lets go of what the solver knows, and of room that is rarely needed.
func (s *solver) end() {
	s.abandon()
	s.key, s.plan, s.memberships = solverKey{}, nil, memberships{}
	if cap(s.frames) > keptFrames {
		s.frames, s.open = nil, nil
	}
}

// keptFrames is for how many frames a solver keeps room from one request to the next.
const keptFrames = 64

// solve returns the value of an atom; it is never pending.
func (s *solver) solve(ctx context.Context, node tuples.Node, step *model.Step) (value, error) {
	i, visited := s.atoms.find(node, step)
	if !visited {
		var err error
		if i, err = s.visit(ctx, node, step); err != nil {
			s.abandon()
			return value{}, err
		}
	}
	for len(s.frames) > 0 {
		if err := s.advance(ctx); err != nil {
			s.abandon()
			return value{}, err
		}
	}
	return s.atoms.list[i].value, nil
}

// abandon forgets all atoms, for example after a failure: those that are pending would be
// wrong to keep.
func (s *solver) abandon() {
	s.atoms.clear()
	s.frames, s.open = s.frames[:0], s.open[:0]
}

// visit adds an atom and, unless it is plain to see, a frame to work it out.
func (s *solver) visit(ctx context.Context, node tuples.Node, step *model.Step) (int32, error) {
	if err := s.graph.spend(ctx, 1); err != nil {
		return 0, err
	}
	i := s.atoms.add(node, step)
	switch rule := s.plan.Rule(step); {
	case rule == nil:
		s.settle(i, value{truth: no})
	case rule.Self && node == s.subject.node:
		s.settle(i, value{truth: yes}) // a userset is a member of itself
	default:
		parts := s.partsOf(node, step)
		if parts == 0 && rule.Op == model.OpUnion {
			s.settle(i, value{truth: no})
			break
		}
		s.push(i, node, rule, parts)
		s.open = append(s.open, i)
	}
	return i, nil
}

// settle gives an atom its final value.
func (s *solver) settle(i int32, v value) {
	a := &s.atoms.list[i]
	a.value, a.rest = v, nil
	if v.truth == yes {
		s.proofs++
		a.proof = s.proofs
	}
}

// advance takes the frame on top one step on: to its next child, or to its end.
func (s *solver) advance(ctx context.Context) error {
	top := len(s.frames) - 1
	f := &s.frames[top]
	found, err := s.next(ctx, f)
	if err != nil {
		return err
	}
	if !found {
		return s.finish(ctx)
	}
	child, visited := s.atoms.find(f.child.node, f.child.step)
	if !visited {
		if child, err = s.visit(ctx, f.child.node, f.child.step); err != nil {
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
	c := &s.atoms.list[child]
	if c.value.truth == pending {
		f.waiting = append(f.waiting, branch{child: child, guard: f.child.guard, negated: f.child.negated})
		return
	}
	f.combine(c.value, f.child.negated, f.child.guard)
}

// finish ends the frame on top, and its component if it is the last of it.
func (s *solver) finish(ctx context.Context) error {
	top := len(s.frames) - 1
	f := &s.frames[top]
	i, base := f.atom, f.base
	a := &s.atoms.list[i]
	for _, w := range f.waiting {
		a.low = min(a.low, s.atoms.list[w.child].low)
	}
	if f.isDecided() || len(f.waiting) == 0 {
		s.settle(i, f.value)
	} else {
		a.rest = &rule{decided: f.value, waiting: f.waiting}
	}
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
	parent := &s.atoms.list[s.frames[top-1].atom]
	parent.low = min(parent.low, s.atoms.list[i].low)
	s.report(i)
	return nil
}

// complete settles the atoms of a component that are still pending.
func (s *solver) complete(ctx context.Context, members []int32) error {
	var waiting []int32
	for _, i := range members {
		if s.atoms.list[i].value.truth == pending {
			waiting = append(waiting, i)
		}
	}
	if len(waiting) == 0 {
		return nil
	}
	return newComponent(s, waiting).settle(ctx)
}
