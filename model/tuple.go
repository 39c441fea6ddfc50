package model

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/usher-authz/usher/tuples"
)

// ValidateTuple reports what in the tuple the model does not allow, as a
// [*tuples.InvalidError]. What a tuple is apart from any model is
// [tuples.Tuple.Validate]'s part.
func (m *Model) ValidateTuple(t tuples.Tuple) error {
	relation, err := m.assignable(t.Key)
	if err != nil {
		return err
	}
	if err := m.validateSubject(t.Key, relation); err != nil {
		return err
	}
	if t.Condition == nil {
		return unconditioned(t.Key, relation)
	}
	return m.validateCondition(t, relation)
}

// Permits reports whether a tuple of this key that carries the named condition, ""
// for none, is one that the model allows. Others are invisible to evaluation.
func (m *Model) Permits(k tuples.Key, condition string) bool {
	relation := m.Relation(k.Object.Type, k.Relation)
	if relation == nil {
		return false
	}
	for i := range relation.Direct {
		if r := &relation.Direct[i]; r.Condition == condition && r.takes(k.Subject) {
			return true
		}
	}
	return false
}

// takes reports whether the subject is of the kind that the restriction names.
func (r *Restriction) takes(s tuples.Subject) bool {
	return r.Type == s.Type && r.Relation == s.Relation && r.Wildcard == s.IsWildcard()
}

// assignable returns the relation that a tuple of this key would belong to.
func (m *Model) assignable(k tuples.Key) (*Relation, error) {
	typ := m.Type(k.Object.Type)
	if typ == nil {
		return nil, tuples.Invalid("object.type", string(k.Object.Type), "is not a type of the model",
			"define it in the model"+alternatives(m.Types))
	}
	relation := typ.Relation(k.Relation)
	if relation == nil {
		return nil, tuples.Invalid("relation", string(k.Relation), "is not a relation of "+string(typ.Name),
			"define it in the model"+alternatives(typ.Relations))
	}
	if len(relation.Direct) == 0 {
		return nil, tuples.Invalid("relation", string(k.Relation), "follows from other relations and takes no tuples",
			fmt.Sprintf("write to a relation that it follows from: %s", Format(relation.Rewrite, nil)))
	}
	return relation, nil
}

// validateSubject asks for a restriction of the subject's kind, whatever its condition.
func (m *Model) validateSubject(k tuples.Key, relation *Relation) error {
	s := k.Subject
	typ := m.Type(s.Type)
	switch {
	case typ == nil:
		return tuples.Invalid("subject.type", string(s.Type), "is not a type of the model",
			"define it in the model"+alternatives(m.Types))
	case s.IsUserset() && typ.Relation(s.Relation) == nil:
		return tuples.Invalid("subject.relation", string(s.Relation), "is not a relation of "+string(typ.Name),
			"define it in the model"+alternatives(typ.Relations))
	case s == (tuples.Userset{Object: k.Object, Relation: k.Relation}).Subject():
		return tuples.Invalid("subject", s.String(), "is a member of itself without a tuple", "leave the tuple out")
	}
	if !slices.ContainsFunc(relation.Direct, func(r Restriction) bool { return r.takes(s) }) {
		return tuples.Invalid("subject", s.String(), "is of a kind that the relation does not take", takenBy(k, relation))
	}
	return nil
}

// unconditioned asks for a restriction without a condition.
func unconditioned(k tuples.Key, relation *Relation) error {
	if slices.ContainsFunc(relation.Direct, func(r Restriction) bool { return r.Condition == "" && r.takes(k.Subject) }) {
		return nil
	}
	return tuples.Invalid("condition", "", "is required for "+k.Subject.String(), takenBy(k, relation))
}

func (m *Model) validateCondition(t tuples.Tuple, relation *Relation) error {
	condition := m.Condition(t.Condition.Name)
	if condition == nil {
		return tuples.Invalid("condition.name", t.Condition.Name, "is not a condition of the model",
			"define it in the model"+alternatives(m.Conditions))
	}
	if !m.Permits(t.Key, condition.Name) {
		return tuples.Invalid("condition.name", condition.Name, "is not allowed for "+t.Subject.String(), takenBy(t.Key, relation))
	}
	return condition.validateContext(t.Condition.Context)
}

// validateContext reports all keys that are no parameters and all values of another type.
func (c *Condition) validateContext(values tuples.Context) error {
	var invalid tuples.InvalidError
	for _, key := range slices.Sorted(maps.Keys(values)) {
		field := "condition.context." + key
		i := slices.IndexFunc(c.Parameters, func(p Parameter) bool { return p.Name == key })
		if i < 0 {
			invalid.Violations = append(invalid.Violations, tuples.Violation{
				Field: field, Value: key, Reason: "is not a parameter of " + c.Name, Remedy: "its parameters are " + c.signature(),
			})
			continue
		}
		if _, err := c.Parameters[i].kind.convert(values[key]); err != nil {
			invalid.Violations = append(invalid.Violations, tuples.Violation{
				Field: field, Value: fmt.Sprint(values[key]), Reason: err.Error(), Remedy: "give a value of the parameter's type",
			})
		}
	}
	if len(invalid.Violations) > 0 {
		return &invalid
	}
	return nil
}

// takenBy says what a relation takes, such as "media#viewer takes user, user:*, group#member".
func takenBy(k tuples.Key, relation *Relation) string {
	return fmt.Sprintf("%s#%s takes %s", k.Object.Type, k.Relation, kinds(relation.Direct))
}

// maxAlternatives is how many names a remedy lists.
const maxAlternatives = 30

// alternatives ends a remedy with the names there are, ", or use one of a, b". It
// looks at no more names than it lists: a hostile model has thousands of mistakes, and
// thousands of names that each could have been.
func alternatives[E interface{ text() string }](there []E) string {
	if len(there) == 0 {
		return ""
	}
	names := make([]string, 0, maxAlternatives)
	for _, e := range there[:min(len(there), maxAlternatives)] {
		names = append(names, e.text())
	}
	text := ", or use one of " + strings.Join(names, ", ")
	if more := len(there) - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func (t *Type) text() string      { return string(t.Name) }
func (r *Relation) text() string  { return string(r.Name) }
func (c *Condition) text() string { return c.Name }
