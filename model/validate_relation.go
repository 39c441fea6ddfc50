package model

import (
	"slices"

	"github.com/usher-authz/usher/tuples"
)

// relationValidator looks at one relation: that what it names is defined, and that
// tuplesets are direct.
type relationValidator struct {
	model    *Model
	typ      *Type
	relation *Relation
	report   *report
}

func (v relationValidator) name() string { return string(v.typ.Name) + "#" + string(v.relation.Name) }

// rewrite checks the references of the relation's expression.
func (v relationValidator) rewrite() {
	walk(v.relation.Rewrite, func(rewrite Rewrite) {
		switch rw := rewrite.(type) {
		case ComputedUserset:
			v.computed(rw)
		case TupleToUserset:
			v.tupleset(rw)
		}
	})
}

func (v relationValidator) computed(rw ComputedUserset) {
	switch {
	case rw.Relation == v.relation.Name:
		v.report.errorf(rw.Pos, "name another relation, or direct types as in [user]", "%s is defined by itself", v.name())
	case v.typ.Relation(rw.Relation) == nil:
		v.undefined(rw.Pos, v.typ, rw.Relation)
	}
}

// tupleset checks "computed from tupleset": the tupleset is made of direct types
// alone, and one of them at least has the computed relation.
func (v relationValidator) tupleset(rw TupleToUserset) {
	tupleset := v.typ.Relation(rw.Tupleset)
	if tupleset == nil {
		v.undefined(rw.Pos, v.typ, rw.Tupleset)
		return
	}
	if _, direct := tupleset.Rewrite.(This); !direct {
		v.report.errorf(rw.Pos, "define "+string(rw.Tupleset)+" by direct types alone, as in [folder]",
			"%s looks through %s, which follows from other relations", v.name(), rw.Tupleset)
		return
	}
	for _, restriction := range tupleset.Direct {
		if restriction.Wildcard || restriction.Relation != "" {
			restriction.Condition = ""
			v.report.errorf(rw.Pos, "let "+string(rw.Tupleset)+" take plain types only",
				"%s looks through %s, which takes %s", v.name(), rw.Tupleset, restriction)
		}
	}
	for _, restriction := range tupleset.Direct {
		if v.model.Relation(restriction.Type, rw.Computed) != nil {
			return
		}
	}
	v.report.errorf(rw.Pos, "define it in "+kinds(tupleset.Direct),
		"%s asks for %s from %s, and no type there has a relation %s", v.name(), rw.Computed, rw.Tupleset, rw.Computed)
}

func (v relationValidator) undefined(pos Pos, t *Type, name tuples.Relation) {
	v.report.errorf(pos, "define it"+alternatives(t.Relations), "%s names %s, which is not a relation of %s", v.name(), name, t.Name)
}

// direct checks the list of direct types.
func (v relationValidator) direct() {
	assignable := containsThis(v.relation.Rewrite)
	if assignable && len(v.relation.Direct) == 0 {
		v.report.errorf(v.relation.Pos, "list who can be related, as in [user]", "%s takes tuples but lists no types", v.name())
	}
	if !assignable && len(v.relation.Direct) > 0 {
		v.report.errorf(v.relation.Pos, "drop directly_related_user_types, or add \"this\"", "%s lists types but takes no tuples", v.name())
	}
	for i, restriction := range v.relation.Direct {
		v.restriction(restriction)
		same := func(other Restriction) bool { other.Pos = restriction.Pos; return other == restriction }
		if slices.ContainsFunc(v.relation.Direct[:i], same) {
			v.report.errorf(restriction.Pos, "list it once", "%s lists %s twice", v.name(), restriction)
		}
	}
}

func (v relationValidator) restriction(r Restriction) {
	typ := v.model.Type(r.Type)
	switch {
	case typ == nil:
		v.report.errorf(r.Pos, "define the type"+alternatives(v.model.Types), "%s lists %s, and %s is not a type", v.name(), r, r.Type)
	case r.Relation != "" && typ.Relation(r.Relation) == nil:
		v.report.errorf(r.Pos, "define it"+alternatives(typ.Relations), "%s lists %s, and %s is not a relation of %s", v.name(), r, r.Relation, r.Type)
	}
	if r.Condition != "" && v.model.Condition(r.Condition) == nil {
		v.report.errorf(r.Pos, "define the condition at the end of the model", "%s lists %s, and %s is not a condition", v.name(), r, r.Condition)
	}
}

// containsThis reports whether tuples of the relation itself count in an expression.
func containsThis(rewrite Rewrite) bool {
	found := false
	walk(rewrite, func(leaf Rewrite) {
		if _, this := leaf.(This); this {
			found = true
		}
	})
	return found
}
