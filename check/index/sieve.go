package index

import (
	"math/bits"
	"sync/atomic"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// Sieve tells which parts of a plan's rules can find tuples at all: the object must have
// tuples of the kind that a part reads, and the subject too where a part asks for the tuple
// that names it. Of some twenty-five parts by which a folder is viewed it lets two or three
// through, at the cost of reading a word.
type Sieve struct {
	kinds  *kinds
	plan   *model.Plan
	meshes []atomic.Pointer[mesh] // by step ID
}

// mesh is what a sieve knows of one rule. Sets of parts are words: bit i stands for part i.
type mesh struct {
	kinds   int    // that there were when it was made
	always  uint64 // the parts that read no tuples
	lookups uint64 // the parts that ask for one tuple
	// Which parts read tuples of the kinds that the object has, and for which of the lookups
	// the subject has some, or the wildcard that it falls under.
	object, subject, wildcard side
}

// side is the parts that read tuples of the kinds that one end has.
type side struct {
	masks *masks   // nil if there are no such tuples
	used  uint64   // the bits of the masks that stand for their kinds
	parts []uint64 // by bit
}

const (
	sievesKept = 32 // of so many plans the sieves are kept
	allParts   = ^uint64(0)
	mostParts  = 64 // of a rule that a sieve knows anything of
)

// Sieve returns the sieve for a plan of the program and for what a snapshot shows, nil if the
// snapshot is none of the index.
func (c *Closures) Sieve(s tuples.Snapshot, p *model.Plan) *Sieve {
	if over, ok := s.(*snapshot); !ok || over.index != c.index {
		return nil
	}
	kind := p.Kind()
	place := &c.sieves[(uint(kind.Type)+31*uint(kind.Relation))%sievesKept]
	v := place.Load()
	if v == nil || v.plan != p {
		v = &Sieve{kinds: &c.index.kinds, plan: p, meshes: make([]atomic.Pointer[mesh], len(c.ladder.program.Steps))}
		place.Store(v)
	}
	return v
}

// Parts returns the parts of a step's rule that can find something of an object for a subject:
// bit i stands for part i. Of a rule of more than 64 parts all can.
func (v *Sieve) Parts(object, subject tuples.Node, step *model.Step) uint64 {
	m := v.meshes[step.ID].Load()
	if m == nil || m.kinds != len(*v.kinds.ends.Load()) {
		m = v.mesh(step)
	}
	parts := m.always | m.object.through(object)
	if asked := parts & m.lookups; asked != 0 {
		parts &^= asked &^ (m.subject.through(subject) | m.wildcard.through(tuples.WildcardNode(subject.Type())))
	}
	return parts
}

// through returns the parts for which a node may have tuples.
func (s *side) through(n tuples.Node) uint64 {
	if s.masks == nil {
		return 0
	}
	word := s.masks.word(n.Ordinal())
	if word == nil {
		if s.masks.short.Load() {
			return allParts
		}
		return 0
	}
	parts := uint64(0)
	for set := atomic.LoadUint64(word) & s.used; set != 0; set &= set - 1 {
		parts |= s.parts[bits.TrailingZeros64(set)]
	}
	return parts
}

// mesh makes what is known of a rule, with the kinds of tuples that there are now. No tuple of
// a kind that comes later is of a revision that the caller reads.
func (v *Sieve) mesh(step *model.Step) *mesh {
	ends := *v.kinds.ends.Load()
	m := &mesh{kinds: len(ends)}
	rule := v.plan.Rule(step)
	for i := range rule.Parts {
		v.add(m, ends, step, &rule.Parts[i], 1<<i)
	}
	if len(rule.Parts) > mostParts {
		m.always, m.lookups = allParts, 0
	}
	v.meshes[step.ID].Store(m)
	return m
}

func (v *Sieve) add(m *mesh, ends []ends, step *model.Step, p *model.Part, bit uint64) {
	if p.Kind == model.Ask {
		m.always |= bit
		return
	}
	number := v.kinds.number(packKind(step.Type, p.Relation, p.Accept.Type, p.Accept.Relation))
	if number == 0 || int(number) >= len(ends) {
		return
	}
	e := &ends[number]
	m.object.add(&e.object, bit)
	if p.Kind != model.Lookup {
		return
	}
	m.lookups |= bit
	if p.Accept.Wildcard {
		m.wildcard.add(&e.subject, bit)
	} else {
		m.subject.add(&e.subject, bit)
	}
}

// add notes a part that reads tuples of a kind.
func (s *side) add(kind *end, part uint64) {
	s.masks = kind.masks // the same for all kinds of one type
	s.used |= kind.bit
	bit := bits.TrailingZeros64(kind.bit)
	for len(s.parts) <= bit {
		s.parts = append(s.parts, 0)
	}
	s.parts[bit] |= part
}
