package model

import (
	"cmp"
	"maps"
	"slices"

	"github.com/usher-authz/usher/tuples"
)

// Change says what became of a part of a model.
type Change byte

// The changes, as a diff writes them.
const (
	Added   Change = '+'
	Removed Change = '-'
	Changed Change = '~'
)

// Difference is one difference between two models: of the schema if it names nothing,
// else of a type, of a relation of a type, or of a condition.
type Difference struct {
	Change    Change
	Type      tuples.ObjectType
	Relation  tuples.Relation
	Condition string
	// Old and New are the definitions as the modelling language writes them, "" on
	// the side that has none, and for types.
	Old, New string
	// Forbidden are the kinds of tuple of a relation that were allowed and are no
	// longer. Stored tuples of these kinds become invisible to evaluation.
	Forbidden []Restriction
}

// String returns the difference as one line, such as
// "~ media#viewer: [user, user:*] → [user]; no longer allowed: user:*".
func (d Difference) String() string {
	text := string(rune(d.Change)) + " " + d.Subject()
	switch {
	case d.Old != "" && d.New != "":
		text += ": " + d.Old + " → " + d.New
	case d.Old != "" || d.New != "":
		text += ": " + d.Old + d.New
	}
	if len(d.Forbidden) > 0 {
		text += "; no longer allowed: " + kinds(d.Forbidden)
	}
	return text
}

// Subject says what the difference is about: "type media", "media#viewer", "condition
// office_hours" or "schema".
func (d Difference) Subject() string {
	switch {
	case d.Condition != "":
		return "condition " + d.Condition
	case d.Relation != "":
		return string(d.Type) + "#" + string(d.Relation)
	case d.Type != "":
		return "type " + string(d.Type)
	}
	return "schema"
}

// Diff returns what differs between two models: the schema, then types and below them
// relations, then conditions, each sorted by name. The order of definitions, of direct
// types, and their places and modules make no difference.
func Diff(old, new *Model) []Difference {
	var all []Difference
	if old.Schema != new.Schema {
		all = append(all, Difference{Change: Changed, Old: old.Schema, New: new.Schema})
	}
	for _, name := range unionOfKeys(old.types, new.types) {
		all = append(all, diffType(name, old.types[name], new.types[name])...)
	}
	for _, name := range unionOfKeys(old.conds, new.conds) {
		d := Difference{Condition: name, Old: conditionText(old.conds[name]), New: conditionText(new.conds[name])}
		if d.Change = changeOf(d.Old, d.New); d.Change != 0 {
			all = append(all, d)
		}
	}
	return all
}

// diffType compares a type that one of the models may not have.
func diffType(name tuples.ObjectType, old, new *Type) []Difference {
	var all []Difference
	var before, after map[tuples.Relation]*Relation
	switch {
	case old == nil:
		all, after = append(all, Difference{Change: Added, Type: name}), new.relations
	case new == nil:
		all, before = append(all, Difference{Change: Removed, Type: name}), old.relations
	default:
		before, after = old.relations, new.relations
	}
	for _, relation := range unionOfKeys(before, after) {
		o, n := before[relation], after[relation]
		d := Difference{Type: name, Relation: relation, Old: relationText(o), New: relationText(n), Forbidden: forbidden(o, n)}
		if d.Change = changeOf(d.Old, d.New); d.Change != 0 {
			all = append(all, d)
		}
	}
	return all
}

// changeOf compares two definitions, "" for none; 0 means that they are the same.
func changeOf(old, new string) Change {
	switch {
	case old == new:
		return 0
	case old == "":
		return Added
	case new == "":
		return Removed
	}
	return Changed
}

// forbidden returns the restrictions of old that new does not have, sorted.
func forbidden(old, new *Relation) []Restriction {
	allowed := make(map[string]bool)
	for _, r := range directOf(new) {
		allowed[r.String()] = true
	}
	return slices.DeleteFunc(directOf(old), func(r Restriction) bool { return allowed[r.String()] })
}

// directOf returns a relation's restrictions, sorted by their text.
func directOf(relation *Relation) []Restriction {
	if relation == nil {
		return nil
	}
	return slices.SortedFunc(slices.Values(relation.Direct), func(r, s Restriction) int {
		return cmp.Compare(r.String(), s.String())
	})
}

func relationText(relation *Relation) string {
	if relation == nil {
		return ""
	}
	return Format(relation.Rewrite, directOf(relation))
}

func conditionText(c *Condition) string {
	if c == nil {
		return ""
	}
	return "(" + c.signature() + ") { " + c.Expression + " }"
}

// unionOfKeys returns the keys of both maps, sorted.
func unionOfKeys[K cmp.Ordered, V any](a, b map[K]V) []K {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
}
