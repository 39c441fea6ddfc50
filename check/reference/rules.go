package reference

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// World is everything that answers follow from.
type World struct {
	Model      *model.Model
	Stored     []tuples.Tuple // no two of one key
	Contextual []tuples.Tuple // each counts instead of the stored tuple of its key
	Context    tuples.Context // values for the parameters of conditions
	Now        time.Time      // the clock reading that expiry is judged at
}

// Spec gives the answers that are right in one world.
type Spec struct {
	model   *model.Model
	lists   map[tuples.Userset][]edge
	objects map[tuples.Object]bool // all that a visible tuple names, on either side
	solved  map[tuples.Subject]solution
	ways    map[tuples.Subject]map[tuples.Userset][]restrictions
}

// edge is a visible tuple with what its condition comes to.
type edge struct {
	tuples.Tuple
	condition formula
}

// New works out which tuples are visible and what their conditions come to.
func New(w World) *Spec {
	spec := &Spec{
		model: w.Model, lists: map[tuples.Userset][]edge{},
		objects: map[tuples.Object]bool{}, solved: map[tuples.Subject]solution{},
		ways: map[tuples.Subject]map[tuples.Userset][]restrictions{},
	}
	live := map[tuples.Key]tuples.Grant{}
	for _, t := range slices.Concat(w.Stored, w.Contextual) {
		live[t.Key] = t.Grant
	}
	for key, grant := range live {
		if !visible(w, key, grant) {
			continue
		}
		list := tuples.Userset{Object: key.Object, Relation: key.Relation}
		spec.lists[list] = append(spec.lists[list], edge{tuples.Tuple{Key: key, Grant: grant}, judge(w, key, grant.Condition)})
		spec.objects[key.Object] = true
		if !key.Subject.IsWildcard() {
			spec.objects[key.Subject.Object()] = true
		}
	}
	return spec
}

// visible reports whether a tuple counts: it has not expired, and the model in
// force permits it, whatever the model it was written under did.
func visible(w World, key tuples.Key, grant tuples.Grant) bool {
	condition := ""
	if grant.Condition != nil {
		condition = grant.Condition.Name
	}
	return !grant.ExpiredAt(w.Now) && w.Model.Permits(key, condition)
}

// judge evaluates the condition of a tuple. What cannot be told is open: it may
// turn out either way.
func judge(w World, key tuples.Key, c *tuples.Condition) formula {
	if c == nil {
		return always
	}
	verdict, err := w.Model.Condition(c.Name).Evaluate(context.Background(), c.Context, w.Context)
	switch {
	case err != nil:
		return open{failed: []tuples.Key{key}}
	case len(verdict.Missing) > 0:
		return open{missing: verdict.Missing}
	case verdict.Met:
		return always
	}
	return never
}

// formula says when a subject belongs to a userset. It is a closed sum: [and],
// [or], [member], [not], [open], [restrictions].
type formula any

type (
	and    []formula                // all of them; true if there are none
	or     []formula                // one of them; false if there are none
	member struct{ tuples.Userset } // the subject is in this userset
	not    struct{ tuples.Userset } // the subject is not in this userset
)

// open is a condition that cannot be told, and why.
type open struct {
	missing []string     // the parameters that nobody gave
	failed  []tuples.Key // the tuple whose condition failed to evaluate
}

var always, never formula = and{}, or{}

// rules are the formulas of "the subject is in it", by userset.
type rules map[tuples.Userset]formula

// ground gives the rules for one subject: those of all relations of the objects
// that a tuple names, and of the subject's own. All other usersets are empty.
func (spec *Spec) ground(s tuples.Subject) rules {
	all := rules{}
	objects := maps.Clone(spec.objects)
	objects[s.Object()] = true
	for object := range objects {
		typ := spec.model.Type(object.Type)
		if typ == nil {
			continue
		}
		for _, relation := range typ.Relations {
			on := tuples.Userset{Object: object, Relation: relation.Name}
			all[on] = spec.rule(all, on, relation.Rewrite, s)
			if s == on.Subject() {
				all[on] = always // a userset is a member of itself
			}
		}
	}
	return all
}

// rule gives the formula of one rewrite (Zanzibar paper, section 2.3.1). The right
// side of "but not" becomes a userset of its own among all, as if the model gave it
// a name: naming a part of a rewrite never changes an answer.
func (spec *Spec) rule(all rules, on tuples.Userset, rewrite model.Rewrite, s tuples.Subject) formula {
	each := func(operands []model.Rewrite) (parts []formula) {
		for _, operand := range operands {
			parts = append(parts, spec.rule(all, on, operand, s))
		}
		return parts
	}
	switch r := rewrite.(type) {
	case model.This:
		var named or
		for _, e := range spec.lists[on] {
			named = append(named, and{e.condition, restrictionsOf(e.Tuple), match(e.Subject, s)})
		}
		return named
	case model.ComputedUserset:
		return member{tuples.Userset{Object: on.Object, Relation: r.Relation}}
	case model.TupleToUserset:
		var named or
		for _, e := range spec.lists[tuples.Userset{Object: on.Object, Relation: r.Tupleset}] {
			if !e.Subject.IsUserset() && !e.Subject.IsWildcard() {
				from := tuples.Userset{Object: e.Subject.Object(), Relation: r.Computed}
				named = append(named, and{e.condition, restrictionsOf(e.Tuple), member{from}})
			}
		}
		return named
	case model.Union:
		return or(each(r.Operands))
	case model.Intersection:
		return and(each(r.Operands))
	case model.Exclusion:
		base, subtract := spec.rule(all, on, r.Base, s), spec.rule(all, on, r.Subtract, s)
		name := fmt.Sprintf("right side %d of %s", len(all), on.Relation) // all grows: no name comes twice
		right := tuples.Userset{Object: on.Object, Relation: tuples.Relation(name)}
		all[right] = subtract
		return and{base, not{right}}
	}
	panic(fmt.Sprintf("reference: unknown rewrite %T", rewrite))
}

// match says when the subject that a tuple names takes in s: it is s; it is the
// wildcard of s's type and s is one object; or it is a userset that s is in.
func match(named, s tuples.Subject) formula {
	switch {
	case named == s:
		return always
	case named.IsUserset():
		return member{tuples.Userset{Object: named.Object(), Relation: named.Relation}}
	case named.IsWildcard() && named.Type == s.Type && !s.IsUserset():
		return always
	}
	return never
}
