package check

import (
	"context"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// frame is the work on one atom: where it stands in the atom's rule, and what the
// rule has come to so far.
type frame struct {
	atom  int32
	step  *model.Step
	base  int // length of solver.open before this atom
	value value
	// waiting are the parts that depend on pending atoms.
	waiting []branch
	// guard and negated belong to the child that is being worked out.
	guard   value
	negated bool

	part   int // the alternative or operand to look at next
	kind   int // the kind of subject to read next, of that alternative
	list   tuples.SubjectsOf
	edges  []tuples.Edge // the page read last
	unread []tuples.Edge // the rest of it
	after  tuples.Node   // the last of it
	more   bool          // the list may go on behind the page
	accept *model.Accept // of the list
}

// child is an atom that a rule depends on.
type child struct {
	node    tuples.Node
	step    *model.Step
	guard   value
	negated bool
}

// pageSize is how many edges one read of a list returns: enough to spread the cost
// of a seek, few enough that a match early in a long list stays cheap.
const pageSize = 64

// firstPage is how many edges the first read of a frame returns: most lists are short,
// and a page of 64 for each would be a third of what a Check allocates.
const firstPage = 8

func newFrame(atom int32, step *model.Step, base int) frame {
	f := frame{atom: atom, step: step, base: base, value: value{truth: yes}}
	if step.Op == model.OpUnion {
		f.value.truth = no
	}
	return f
}

// combine takes one decided part into the value of the rule.
func (f *frame) combine(v value, negated bool, guard value) {
	if negated {
		v = v.not()
	}
	v = guard.and(v)
	if f.step.Op == model.OpUnion {
		f.value = f.value.or(v)
	} else {
		f.value = f.value.and(v)
	}
}

// isDecided reports whether no further part can change the value.
func (f *frame) isDecided() bool {
	if f.step.Op == model.OpUnion {
		return f.value.truth == yes
	}
	return f.value.truth == no
}

// release keeps the frame's buffer for another one.
func (s *solver) release(f *frame) {
	if f.edges != nil {
		s.spare = append(s.spare, f.edges[:0])
	}
}

// next returns the next atom that the frame's rule depends on; false when there is
// none or the value is decided. Tuples that name the subject itself go into the
// value on the way.
func (s *solver) next(ctx context.Context, f *frame) (child, bool, error) {
	if f.step.Op != model.OpUnion {
		next, ok := s.nextOperand(f)
		return next, ok, nil
	}
	for !f.isDecided() {
		if f.accept != nil {
			next, ok, err := s.nextEdge(ctx, f)
			if ok || err != nil {
				return next, ok, err
			}
			continue
		}
		if f.part == len(f.step.Alternatives) {
			break
		}
		switch a := f.step.Alternatives[f.part].(type) {
		case *model.Same:
			f.part++
			return child{node: s.atoms[f.atom].node, step: a.Target, guard: value{truth: yes}}, true, nil
		case *model.Direct:
			if f.kind == 0 {
				if err := s.lookup(ctx, f, a); err != nil {
					return child{}, false, err
				}
			}
			s.openList(f, a.Usersets, f.step.Relation)
		case *model.FromTupleset:
			s.openList(f, a.Objects, a.Tupleset)
		}
	}
	return child{}, false, nil
}

func (s *solver) nextOperand(f *frame) (child, bool) {
	if f.isDecided() || f.part == len(f.step.Operands) {
		return child{}, false
	}
	next := child{
		node:    s.atoms[f.atom].node,
		step:    f.step.Operands[f.part],
		guard:   value{truth: yes},
		negated: f.step.Op == model.OpExclusion && f.part == 1,
	}
	f.part++
	return next, true
}

// lookup takes the tuples into the value that name the subject, or the wildcard it
// falls under.
func (s *solver) lookup(ctx context.Context, f *frame, direct *model.Direct) error {
	accepts := direct.Plain
	if s.subject.kind.Relation != 0 {
		accepts = direct.Usersets
	}
	for i := range accepts {
		a := &accepts[i]
		node, applies := s.subject.matches(a)
		if !applies || f.isDecided() {
			continue
		}
		key := tuples.EdgeKey{
			Object: s.atoms[f.atom].node, Relation: f.step.Relation,
			Subject: node, SubjectRelation: a.Relation,
		}
		edge, ok, err := s.graph.edge(ctx, key)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		guard, err := s.guard(ctx, a, edge.Grant, key)
		if err != nil {
			return err
		}
		f.combine(guard, false, value{truth: yes})
	}
	return nil
}

// openList goes to the alternative's next kind that can lead to the subject, or to the
// next alternative.
func (s *solver) openList(f *frame, accepts []model.Accept, relation tuples.Symbol) {
	for ; f.kind < len(accepts); f.kind++ {
		a := &accepts[f.kind]
		if !a.Target.Reaches(s.subject.kind) {
			continue
		}
		f.kind++
		f.accept, f.more, f.after, f.unread = a, true, 0, nil
		f.list = tuples.SubjectsOf{
			Object: s.atoms[f.atom].node, Relation: relation,
			Type: a.Type, SubjectRelation: a.Relation,
		}
		return
	}
	f.part++
	f.kind = 0
}

// nextEdge returns the next atom that the open list leads to, and closes the list
// at its end.
func (s *solver) nextEdge(ctx context.Context, f *frame) (child, bool, error) {
	for {
		if len(f.unread) == 0 {
			if !f.more {
				f.accept = nil
				return child{}, false, nil
			}
			if err := s.readPage(ctx, f); err != nil {
				return child{}, false, err
			}
			continue
		}
		edge := f.unread[0]
		f.unread = f.unread[1:]
		if edge.Node.IsWildcard() {
			continue // stands for nobody here: wildcards have no relations
		}
		key := tuples.EdgeKey{
			Object: f.list.Object, Relation: f.list.Relation,
			Subject: edge.Node, SubjectRelation: f.list.SubjectRelation,
		}
		guard, err := s.guard(ctx, f.accept, edge.Grant, key)
		if err != nil {
			return child{}, false, err
		}
		if guard.truth == no {
			continue
		}
		return child{node: edge.Node, step: f.accept.Target, guard: guard}, true, nil
	}
}

func (s *solver) readPage(ctx context.Context, f *frame) error {
	switch {
	case f.edges == nil:
		f.edges = s.buffer()
	case f.after != 0 && cap(f.edges) < pageSize:
		f.edges = make([]tuples.Edge, 0, pageSize)
	}
	page, err := s.graph.edgesFrom(ctx, f.list, f.after, f.edges[:0])
	if err != nil {
		return err
	}
	f.edges, f.unread = page, page
	if len(page) > 0 {
		f.after = page[len(page)-1].Node
	}
	f.more = len(page) == cap(page)
	return nil
}

func (s *solver) buffer() []tuples.Edge {
	if n := len(s.spare); n > 0 {
		buffer := s.spare[n-1]
		s.spare = s.spare[:n-1]
		return buffer
	}
	return make([]tuples.Edge, 0, firstPage)
}
