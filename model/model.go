package model

import (
	"github.com/usher-authz/usher/tuples"
)

// Model is one authorization model: the types of a library, their relations, and
// how each relation follows from tuples and from other relations. It is immutable.
type Model struct {
	// Schema is the version of the modelling language, "1.1" or "1.2".
	Schema string
	// Types are in the order of the source.
	Types []*Type
	// Conditions are in the order of the source.
	Conditions []*Condition
	Pos        Pos // of the schema version

	types map[tuples.ObjectType]*Type
	conds map[string]*Condition
}

// Type is an object type with its relations.
type Type struct {
	Name tuples.ObjectType
	// Relations are in the order of the source.
	Relations []*Relation
	Module    string // of a modular model, else ""
	Pos       Pos

	relations map[tuples.Relation]*Relation
}

// Relation is one relation of a type.
type Relation struct {
	Name    tuples.Relation
	Rewrite Rewrite
	// Direct are the subjects that tuples of this relation may name: the list in
	// square brackets. It is empty unless the rewrite contains [This].
	Direct []Restriction
	Module string // of a modular model, else ""
	Pos    Pos
}

// Restriction is one entry of a direct type restriction: "user", "user:*",
// "group#member", each possibly "with condition".
type Restriction struct {
	Type      tuples.ObjectType
	Relation  tuples.Relation // of a userset, else ""
	Wildcard  bool
	Condition string // "" for tuples without a condition
	Pos       Pos
}

// Rewrite says who has a relation. It is a closed sum: [This],
// [ComputedUserset], [TupleToUserset], [Union], [Intersection], [Exclusion]
// (Zanzibar paper, section 2.3.1).
type Rewrite interface{ rewrite() }

// This is the subjects of the relation's own tuples: "[user, group#member]".
type This struct{}

// ComputedUserset is all who have another relation to the same object: "editor".
type ComputedUserset struct {
	Relation tuples.Relation
	Pos      Pos
}

// TupleToUserset is all who have Computed to an object that the Tupleset relation
// names: "viewer from parent".
type TupleToUserset struct {
	Tupleset tuples.Relation
	Computed tuples.Relation
	Pos      Pos
}

// Union is all who are in one of the operands: "a or b".
type Union struct{ Operands []Rewrite }

// Intersection is all who are in every operand: "a and b".
type Intersection struct{ Operands []Rewrite }

// Exclusion is all who are in Base and not in Subtract: "a but not b".
type Exclusion struct{ Base, Subtract Rewrite }

func (This) rewrite()            {}
func (ComputedUserset) rewrite() {}
func (TupleToUserset) rewrite()  {}
func (Union) rewrite()           {}
func (Intersection) rewrite()    {}
func (Exclusion) rewrite()       {}

// Pos is a place in a model's source. The zero Pos is an unknown place, as in
// models that were written as JSON.
type Pos struct {
	File   string // of a modular model, else ""
	Line   int    // from 1
	Column int    // from 1, in characters
}

// Type returns the type of that name, nil if the model has none.
func (m *Model) Type(name tuples.ObjectType) *Type { return m.types[name] }

// Condition returns the condition of that name, nil if the model has none.
func (m *Model) Condition(name string) *Condition { return m.conds[name] }

// Relation returns the relation of that name, nil if the type has none.
func (t *Type) Relation(name tuples.Relation) *Relation { return t.relations[name] }

// Relation returns a relation by type and name, nil if the model has none.
func (m *Model) Relation(t tuples.ObjectType, r tuples.Relation) *Relation {
	if typ := m.types[t]; typ != nil {
		return typ.relations[r]
	}
	return nil
}

// index fills the maps that the accessors read. Of duplicates, which validation
// reports, the first counts.
func (m *Model) index() {
	m.types = make(map[tuples.ObjectType]*Type, len(m.Types))
	for _, t := range m.Types {
		if m.types[t.Name] == nil {
			m.types[t.Name] = t
		}
		t.relations = make(map[tuples.Relation]*Relation, len(t.Relations))
		for _, r := range t.Relations {
			if t.relations[r.Name] == nil {
				t.relations[r.Name] = r
			}
		}
	}
	m.conds = make(map[string]*Condition, len(m.Conditions))
	for _, c := range m.Conditions {
		if m.conds[c.Name] == nil {
			m.conds[c.Name] = c
		}
	}
}
