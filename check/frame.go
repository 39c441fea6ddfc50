package check

import (
	"context"
	"math/bits"

	"github.com/usher-authz/usher/check/index"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// frame is the work on one atom: where it stands in the atom's rule, and what the
// rule has come to so far.
type frame struct {
	atom  int32
	base  int // length of solver.open before this atom
	node  tuples.Node
	rule  *model.Rule
	part  int    // of the rule, to look at next
	parts uint64 // of the first 64, those that can find anything
	value value
	// waiting are the parts that depend on pending atoms.
	waiting []branch
	child   child // that is being worked out
	list    list  // that is being read
}

// child is an atom that a rule depends on.
type child struct {
	node    tuples.Node
	step    *model.Step
	guard   value
	negated bool
}

// list is where a frame stands in a list of tuples.
type list struct {
	tuples.SubjectsOf
	part    *model.Part    // nil while no list is being read
	closure *index.Closure // of the subject, where it decides the part; else nil
	page    []tuples.Edge  // read last
	at      int            // the edge of it to look at next
	after   tuples.Node    // its last
	more    bool           // the list may go on behind the page
	read    int            // how many edges were read
}

// pageSize is how many edges one read of a list returns: enough to spread the cost
// of a seek, few enough that a match early in a long list stays cheap.
const pageSize = 64

// firstPage is how many edges the first read of a frame returns: most lists are short,
// and a page of 64 for each would be a third of what a Check allocates.
const firstPage = 8

// push puts a frame on top, where another may have been: its buffer stays, and so does what
// is set anew before it is read.
func (s *solver) push(atom int32, node tuples.Node, rule *model.Rule, parts uint64) {
	top := len(s.frames)
	if top < cap(s.frames) {
		s.frames = s.frames[:top+1]
	} else {
		s.frames = append(s.frames, frame{})
	}
	f := &s.frames[top]
	f.atom, f.base, f.node = atom, len(s.open), node
	f.rule, f.part, f.parts = rule, 0, parts
	f.value, f.waiting = value{truth: yes}, nil
	if rule.Op == model.OpUnion {
		f.value.truth = no
	}
	f.list.part = nil
	if cap(f.list.page) > pageSize {
		f.list.page = nil
	}
}

// combine takes one decided part into the value of the rule.
func (f *frame) combine(v value, negated bool, guard value) {
	if negated {
		v = v.not()
	}
	v = guard.and(v)
	if f.rule.Op == model.OpUnion {
		f.value = f.value.or(v)
	} else {
		f.value = f.value.and(v)
	}
}

// isDecided reports whether no further part can change the value.
func (f *frame) isDecided() bool {
	if f.rule.Op == model.OpUnion {
		return f.value.truth == yes
	}
	return f.value.truth == no
}

// next finds the next child that the frame's rule depends on; false when there is none or
// the value is decided. What needs no child goes into the value on the way.
func (s *solver) next(ctx context.Context, f *frame) (bool, error) {
	for !f.isDecided() {
		if f.list.part != nil {
			if found, err := s.nextEdge(ctx, f); found || err != nil {
				return found, err
			}
			continue
		}
		p := f.nextPart()
		if p == nil {
			break
		}
		switch p.Kind {
		case model.Lookup:
			if err := s.lookup(ctx, f, p); err != nil {
				return false, err
			}
		case model.List:
			f.list.open(f.node, p)
		case model.Ask:
			f.child = child{node: f.node, step: p.Step, guard: value{truth: yes}, negated: p.Negated}
			return true, nil
		}
	}
	return false, nil
}

// nextPart returns the next part of the rule that can find anything, nil at the end.
func (f *frame) nextPart() *model.Part {
	if f.part < 64 {
		f.part += bits.TrailingZeros64(f.parts >> f.part) // 64 of 0
	}
	if f.part >= len(f.rule.Parts) {
		return nil
	}
	f.part++
	return &f.rule.Parts[f.part-1]
}

// lookup takes the tuple into the value that names the subject, or the wildcard it falls
// under.
func (s *solver) lookup(ctx context.Context, f *frame, p *model.Part) error {
	node, applies := s.subject.matches(p.Accept)
	if !applies {
		return nil
	}
	return s.take(ctx, f, p, tuples.EdgeKey{
		Object: f.node, Relation: p.Relation, Subject: node, SubjectRelation: p.Accept.Relation,
	})
}

// take takes a tuple into the value, if there is one, as what it grants by itself.
func (s *solver) take(ctx context.Context, f *frame, p *model.Part, key tuples.EdgeKey) error {
	edge, ok, err := s.graph.edge(ctx, key)
	if err != nil || !ok {
		return err
	}
	guard, err := s.guard(ctx, p.Accept, edge.Grant, key)
	if err != nil {
		return err
	}
	f.combine(guard, false, value{truth: yes})
	return nil
}

// open begins with a list.
func (l *list) open(object tuples.Node, p *model.Part) {
	l.SubjectsOf = tuples.SubjectsOf{
		Object: object, Relation: p.Relation, Type: p.Accept.Type, SubjectRelation: p.Accept.Relation,
	}
	l.part, l.closure = p, nil
	l.page, l.at, l.after, l.more, l.read = l.page[:0], 0, 0, true, 0
}

// nextEdge finds the next child that the open list leads to, and closes the list at its
// end.
func (s *solver) nextEdge(ctx context.Context, f *frame) (bool, error) {
	l := &f.list
	for !f.isDecided() {
		if l.at == len(l.page) {
			if !l.more {
				break
			}
			if err := s.readPage(ctx, f); err != nil {
				return false, err
			}
			continue
		}
		edge := l.page[l.at]
		l.at++
		if edge.Node.IsWildcard() {
			continue // stands for nobody here: wildcards have no relations
		}
		known := l.membership(edge.Node)
		if known == index.Out {
			continue
		}
		guard, err := s.guard(ctx, l.part.Accept, edge.Grant, l.key(edge.Node))
		if err != nil {
			return false, err
		}
		switch {
		case guard.truth == no:
		case known == index.In:
			f.combine(guard, false, value{truth: yes})
		default:
			f.child = child{node: edge.Node, step: l.part.Step, guard: guard}
			return true, nil
		}
	}
	l.part = nil
	return false, nil
}

// key returns the key of the list's tuple with a subject.
func (l *list) key(subject tuples.Node) tuples.EdgeKey {
	return tuples.EdgeKey{Object: l.Object, Relation: l.Relation, Subject: subject, SubjectRelation: l.SubjectRelation}
}

// readPage reads the list on.
func (s *solver) readPage(ctx context.Context, f *frame) error {
	l := &f.list
	switch {
	case cap(l.page) == 0:
		l.page = make([]tuples.Edge, 0, firstPage)
	case l.after != 0 && cap(l.page) < pageSize:
		l.page = make([]tuples.Edge, 0, pageSize)
	}
	page, err := s.graph.edgesFrom(ctx, l.SubjectsOf, l.after, l.page[:0])
	if err != nil {
		return err
	}
	l.page, l.at = page, 0
	l.read += len(page)
	l.more = len(page) == cap(page)
	if len(page) == 0 {
		return nil
	}
	l.after = page[len(page)-1].Node
	return s.meet(ctx, f)
}
