package model

import (
	"slices"

	"github.com/usher-authz/usher/tuples"
)

// warn reports what is legal but probably not meant.
func warn(m *Model, r *report) {
	used := make(map[string]bool)
	subjects := make(map[tuples.ObjectType]bool)
	for _, t := range m.Types {
		for _, relation := range t.Relations {
			for _, restriction := range relation.Direct {
				used[restriction.Condition] = true
				subjects[restriction.Type] = true
			}
			warnOptionalCondition(t, relation, r)
		}
	}
	for _, c := range m.Conditions {
		if !used[c.Name] {
			r.warnf(c.Pos, "use it, as in [user with "+c.Name+"], or drop it", "condition %s is never used", c.Name)
		}
	}
	for _, t := range m.Types {
		if len(t.Relations) == 0 && !subjects[t.Name] {
			r.warnf(t.Pos, "let a relation take it, as in ["+string(t.Name)+"], or drop it",
				"type %s has no relations and is never a subject", t.Name)
		}
	}
	warnRecursion(m, r)
}

// warnOptionalCondition speaks of a condition that a writer can leave out.
func warnOptionalCondition(t *Type, relation *Relation, r *report) {
	plain := make(map[Restriction]bool)
	for _, restriction := range relation.Direct {
		if restriction.Condition == "" {
			plain[kindOf(restriction)] = true
		}
	}
	for _, restriction := range relation.Direct {
		if restriction.Condition != "" && plain[kindOf(restriction)] {
			r.warnf(restriction.Pos, "drop the entry without a condition, unless both are meant",
				"%s#%s takes %s with and without condition %s", t.Name, relation.Name, kindOf(restriction), restriction.Condition)
		}
	}
}

// kindOf returns the restriction as a kind of subject, without condition and place.
func kindOf(r Restriction) Restriction {
	return Restriction{Type: r.Type, Relation: r.Relation, Wildcard: r.Wildcard}
}

// warnRecursion speaks of relations that subtract what may follow from themselves.
// They are legal and have well-founded semantics, in which a paradox is denied.
func warnRecursion(m *Model, r *report) {
	component := components(m.nodes(), func(n node) []node { return m.references(n, n.relation.Rewrite) })
	for _, n := range m.nodes() {
		recursive := false
		walk(n.relation.Rewrite, func(rewrite Rewrite) {
			if exclusion, ok := rewrite.(Exclusion); ok {
				recursive = recursive || slices.ContainsFunc(m.references(n, exclusion.Subtract), func(reference node) bool {
					return component[reference] == component[n]
				})
			}
		})
		if recursive {
			r.warnf(n.relation.Pos, "subtract a relation that does not depend on it, unless this is meant",
				"%s#%s subtracts what can depend on itself; where tuples make a paradox of it, it is denied", n.typ.Name, n.relation.Name)
		}
	}
}
