package model

import (
	"sync/atomic"

	"github.com/bits-and-blooms/bitset"

	"github.com/usher-authz/usher/tuples"
)

// Program is a model compiled for the symbols of one store. It does not change and is
// safe for concurrent use.
type Program struct {
	Model *Model
	// Steps are all steps, by [Step.ID].
	Steps []*Step

	types     map[tuples.ObjectType]tuples.Symbol
	relations map[relationKey]*Step
	accepts   map[relationKey][]Accept
	names     map[tuples.Symbol]string

	kinds         map[Kind]uint // numbers the kinds of subject
	flat, written plans
	uplinks       []atomic.Pointer[Uplinks] // by Step.ID of the target
}

type relationKey struct {
	object   tuples.ObjectType
	relation tuples.Relation
}

// Type returns the symbol of a type, 0 if the model has none of that name.
func (p *Program) Type(t tuples.ObjectType) tuples.Symbol { return p.types[t] }

// Relation returns the step of a relation, nil if the model has none of that name.
func (p *Program) Relation(t tuples.ObjectType, r tuples.Relation) *Step {
	return p.relations[relationKey{t, r}]
}

// Accepts returns the kinds of subject that tuples of a relation may name.
func (p *Program) Accepts(t tuples.ObjectType, r tuples.Relation) []Accept {
	return p.accepts[relationKey{t, r}]
}

// Name returns the type or relation name of a symbol, "" if the model has none.
func (p *Program) Name(symbol tuples.Symbol) string { return p.names[symbol] }

// Op is how a step combines what is below it.
type Op uint8

const (
	// OpUnion holds where one of the alternatives does.
	OpUnion Op = iota
	// OpIntersection holds where every operand does.
	OpIntersection
	// OpExclusion holds where the first operand does and the second does not.
	OpExclusion
)

// Step is one step of an evaluation: a relation's whole rewrite, or an operand of
// it that needs a value of its own. Together with an object it is an atom: "is the
// subject in this step of this object?".
type Step struct {
	ID           uint32
	Type         tuples.Symbol // of the objects it is asked of
	Relation     tuples.Symbol // whose rewrite it belongs to
	Root         bool          // it is the relation's whole rewrite
	Op           Op
	Alternatives []Alternative // of a union
	Operands     []*Step       // of an intersection or exclusion, asked of the same object
	Uses         []Use         // the steps that a member of this one may be a member of
	Gate         *Gate         // of an intersection or exclusion
	Rewrite      Rewrite       // what it was compiled from
	Text         string        // the same in the modelling language

	reaches *bitset.BitSet // by the number that kinds gives
	kinds   map[Kind]uint  // shared by all steps of the program
}

// Kind is a kind of subject: plain subjects of a type, or usersets.
type Kind struct {
	Type     tuples.Symbol
	Relation tuples.Symbol // 0 for plain subjects
}

// Reaches reports whether a subject of that kind can be a member at all.
func (s *Step) Reaches(k Kind) bool {
	number, known := s.kinds[k]
	return known && s.reaches.Test(number)
}

// Alternative is one way to be in a union step. It is a closed sum: [*Direct],
// [*Same], [*FromTupleset].
type Alternative interface{ alternative() }

// Direct is the subjects that the tuples of a relation name.
type Direct struct {
	Plain    []Accept // concrete subjects and wildcards
	Usersets []Accept
}

// Accept is one kind of subject that tuples of a relation may name.
type Accept struct {
	Kind
	Wildcard   bool
	Conditions []*Condition // a nil element allows tuples without a condition
	// Target is who the subject stands for: of a userset its relation's step, of a
	// tupleset's object the computed relation's step; nil for plain subjects.
	Target *Step
}

// Same is another step of the same object.
type Same struct{ Target *Step }

// FromTupleset is a step of the objects that the tuples of a tupleset relation name.
type FromTupleset struct {
	Tupleset tuples.Symbol
	Objects  []Accept // by type; each with its Target
}

func (*Direct) alternative()       {}
func (*Same) alternative()         {}
func (*FromTupleset) alternative() {}

// Allows returns the condition that a tuple's condition name stands for, nil for
// none, and whether the kind accepts tuples that carry it.
func (a *Accept) Allows(g *tuples.Grant) (*Condition, bool) {
	name := ""
	if g != nil && g.Condition != nil {
		name = g.Condition.Name
	}
	for _, c := range a.Conditions {
		if c == nil && name == "" {
			return nil, true
		}
		if c != nil && c.Name == name {
			return c, true
		}
	}
	return nil, false
}

// Use is one way up from a step: whoever is in the step may be in Step too.
type Use struct {
	Step *Step
	// Via is nil if Step is asked of the same object. Else it is the kind of
	// tuple that leads from that object to this one, and Tupleset its relation.
	Via      *Accept
	Relation tuples.Symbol
}
