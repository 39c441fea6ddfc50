package model

import (
	"cmp"
	"errors"
	"slices"

	"github.com/usher-authz/usher/tuples"
)

// validate reports what OpenFGA's server refuses in a model: first names and
// conditions, then what relations say of each other, and, once all of it is
// defined, whether every relation can be reached by a tuple.
func validate(m *Model, r *report) {
	validateSize(m, r)
	switch m.Schema {
	case "1.1", "1.2":
	default:
		r.errorf(m.Pos, "write schema 1.1 or 1.2", "schema %q is not supported", m.Schema)
	}
	for _, t := range m.Types {
		validateType(m, t, r)
	}
	for _, c := range m.Conditions {
		validateCondition(m, c, r)
	}
	before := len(r.errors)
	for _, t := range m.Types {
		for _, relation := range t.Relations {
			v := relationValidator{model: m, typ: t, relation: relation, report: r}
			v.rewrite()
			v.direct()
		}
	}
	if len(r.errors) == before {
		validateEntrypoints(m, r)
	}
}

func validateSize(m *Model, r *report) {
	if len(m.Types) == 0 {
		r.errorf(m.Pos, "define at least one, as in \"type user\"", "model has no types")
	}
	if len(m.Types) > MaxTypes {
		r.errorf(m.Types[MaxTypes].Pos, "share relations between types, or use several stores", "model has %d types, more than the %d allowed", len(m.Types), MaxTypes)
	}
	if len(m.Conditions) > MaxConditions {
		r.errorf(m.Conditions[MaxConditions].Pos, "let conditions take parameters", "model has %d conditions, more than the %d allowed", len(m.Conditions), MaxConditions)
	}
}

// validateType looks at the names of a type and of its relations.
func validateType(m *Model, t *Type, r *report) {
	if err := tuples.ValidateType(t.Name); err != nil {
		refuseName(t.Pos, "type", string(t.Name), err, r)
	}
	if reserved(string(t.Name)) {
		r.errorf(t.Pos, "choose another name", "type is called %s, which is reserved", t.Name)
	}
	if first := m.Type(t.Name); first != t {
		r.errorf(t.Pos, "give it another name, or join the two", "type %s is defined twice%s", t.Name, firstAt(first.Pos))
	}
	for _, relation := range t.Relations {
		where := string(t.Name) + "#" + string(relation.Name)
		if err := tuples.ValidateRelation(relation.Name); err != nil {
			refuseName(relation.Pos, "relation", where, err, r)
		}
		if reserved(string(relation.Name)) {
			r.errorf(relation.Pos, "choose another name", "relation %s has a reserved name", where)
		}
		if first := t.Relation(relation.Name); first != relation {
			r.errorf(relation.Pos, "give it another name, or join the two", "relation %s is defined twice%s", where, firstAt(first.Pos))
		}
	}
}

func reserved(name string) bool { return name == "self" || name == "this" }

// firstAt says where the first of two definitions is, if that is known.
func firstAt(pos Pos) string {
	if pos == (Pos{}) {
		return ""
	}
	return ", first at " + pos.String()
}

// refuseName reports a name that the vocabulary refuses.
func refuseName(pos Pos, what, name string, err error, r *report) {
	var invalid *tuples.InvalidError
	if errors.As(err, &invalid) {
		r.errorf(pos, invalid.Violations[0].Remedy, "name of %s %q %s", what, tuples.Shorten(name), invalid.Violations[0].Reason)
	}
}

// validateCondition looks at a condition's names and sizes, and compiles it.
func validateCondition(m *Model, c *Condition, r *report) {
	before := len(r.errors)
	name := tuples.Grant{Condition: &tuples.Condition{Name: c.Name}}
	if err := name.Validate(); err != nil {
		refuseName(c.Pos, "condition", c.Name, err, r)
	}
	if first := m.Condition(c.Name); first != c {
		r.errorf(c.Pos, "give it another name, or join the two", "condition %s is defined twice%s", c.Name, firstAt(first.Pos))
	}
	if len(c.Parameters) > MaxParameters {
		r.errorf(c.Pos, "pass some of them as one map", "condition %s has %d parameters, more than the %d allowed", c.Name, len(c.Parameters), MaxParameters)
	}
	if len(c.Expression) > MaxExpressionBytes {
		r.errorf(c.Pos, "split it into several conditions", "condition %s has %d bytes of CEL, more than the %d allowed", c.Name, len(c.Expression), MaxExpressionBytes)
	}
	slices.SortStableFunc(c.Parameters, func(p, q Parameter) int { return cmp.Compare(p.Name, q.Name) })
	for i := 1; i < len(c.Parameters); i++ {
		if p := c.Parameters[i]; p.Name == c.Parameters[i-1].Name {
			r.errorf(p.Pos, "give it another name", "parameter %s of condition %s is declared twice", p.Name, c.Name)
		}
	}
	if len(r.errors) == before {
		c.compile(r)
	}
}
