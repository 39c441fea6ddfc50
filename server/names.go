package server

import (
	"cmp"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/tuples"
)

// Tuples of types and relations that the model in force lacks can still be read and
// deleted, so a filter is not held to it. But a name that no model of the store ever
// had is a slip of the pen: it selects nothing, and a precondition that nothing may
// match it would hold for ever.

// knownNames refuses names in a filter that no model of the store ever had.
func knownNames(symbols *tuples.Symbols, f tuples.Filter) error {
	var subjectRelation tuples.Relation
	if f.SubjectRelation != nil {
		subjectRelation = *f.SubjectRelation
	}
	return cmp.Or(
		knownType(symbols, "object_type", f.ObjectType), knownRelation(symbols, "relation", f.Relation),
		knownType(symbols, "subject_type", f.SubjectType), knownRelation(symbols, "subject_relation", subjectRelation),
	)
}

const correctTheName = "correct the name; ModelService.ReadModel returns those there are"

func knownType(symbols *tuples.Symbols, field string, t tuples.ObjectType) error {
	if t == "" || symbols.Lookup(string(t)) != 0 {
		return nil
	}
	return refuse(usherv1.ErrorReason_ERROR_REASON_UNKNOWN_TYPE, field, string(t),
		"is not a type of any model of this store", correctTheName)
}

func knownRelation(symbols *tuples.Symbols, field string, r tuples.Relation) error {
	if r == "" || symbols.Lookup(string(r)) != 0 {
		return nil
	}
	return refuse(usherv1.ErrorReason_ERROR_REASON_UNKNOWN_RELATION, field, string(r),
		"is not a relation of any model of this store", correctTheName)
}

// addUnknownNames notes names in the filters of a write that no model of the store
// ever had. What is wrong with a filter in itself is noted already.
func (p *problems) addUnknownNames(symbols *tuples.Symbols, c *tuples.Commit) {
	if c.Delete != nil && c.Delete.Filter.Validate() == nil {
		p.add("filter", knownNames(symbols, c.Delete.Filter))
	}
	for _, precondition := range c.Preconditions {
		if precondition.Filter.Validate() == nil {
			p.add(precondition.Field, knownNames(symbols, precondition.Filter))
		}
	}
}
