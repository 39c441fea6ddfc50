package server

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/usher-authz/usher/check"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// problems gathers what is wrong with one request, so that the caller learns it all
// at once. The reason is that of the first.
type problems struct {
	reason usherv1.ErrorReason
	found  []tuples.Violation
}

// add notes an error about the field at path prefix; nil is none.
func (p *problems) add(prefix string, err error) {
	if err == nil || p.full() {
		return
	}
	f := failureOf(err)
	if len(p.found) == 0 {
		p.reason = f.reason
	}
	if len(f.violations) == 0 {
		f = refuse(f.reason, "", "", f.Error(), "")
	}
	p.found = append(p.found, (&tuples.InvalidError{Violations: f.violations}).Within(prefix).Violations...)
}

// addRelation notes what is wrong with a relation's name.
func (p *problems) addRelation(prefix string, r tuples.Relation) {
	if err := tuples.ValidateRelation(r); err != nil {
		p.add(prefix, err)
	}
}

// addType notes what is wrong with a type's name.
func (p *problems) addType(prefix string, t tuples.ObjectType) {
	if err := tuples.ValidateType(t); err != nil {
		p.add(prefix, err)
	}
}

// full reports whether more problems would not be told.
func (p *problems) full() bool { return len(p.found) >= maxViolations }

func (p *problems) err() error {
	if len(p.found) == 0 {
		return nil
	}
	return &failure{reason: p.reason, violations: p.found}
}

// within puts the field paths of an error below prefix.
func within(prefix string, err error) error {
	if err == nil {
		return nil
	}
	f := *failureOf(err)
	f.violations = (&tuples.InvalidError{Violations: f.violations}).Within(prefix).Violations
	return &f
}

// prefixed puts the field paths of an error below prefix, if it has any.
func prefixed(prefix string, err error) error {
	if f := failureOf(err); len(f.violations) > 0 {
		return within(prefix, f)
	}
	return err
}

// name is a place of a request that names a type, or a relation of a type.
type name struct {
	field    string
	typ      tuples.ObjectType
	relation tuples.Relation // "" for a type
}

// known refuses the first name that the model lacks.
func known(m *model.Model, names ...name) error {
	for _, n := range names {
		t := m.Type(n.typ)
		switch {
		case t == nil:
			return refuse(usherv1.ErrorReason_ERROR_REASON_UNKNOWN_TYPE, n.field, string(n.typ),
				"is not a type of the authorization model", useOneOf(typesOf(m)))
		case n.relation != "" && t.Relation(n.relation) == nil:
			return refuse(usherv1.ErrorReason_ERROR_REASON_UNKNOWN_RELATION, n.field, string(n.relation),
				fmt.Sprintf("is not a relation of type %q in the authorization model", n.typ), useOneOf(relationsOf(t)))
		}
	}
	return nil
}

// locate tells in which field of the request the name stands that the engine does not
// know. Other errors it returns as they are.
func locate(m *model.Model, err error, names ...name) error {
	if unknown := (*check.UnknownError)(nil); errors.As(err, &unknown) {
		return cmp.Or(known(m, names...), err)
	}
	return err
}

// maxNames is how many names a remedy lists.
const maxNames = 30

func typesOf(m *model.Model) (names []string) {
	for _, t := range m.Types {
		names = append(names, string(t.Name))
	}
	return names
}

func relationsOf(t *model.Type) (names []string) {
	for _, r := range t.Relations {
		names = append(names, string(r.Name))
	}
	return names
}

// useOneOf is the remedy for a name that is not among these.
func useOneOf(names []string) string {
	switch n := len(names); {
	case n == 0:
		return "it has none, so name another type"
	case n > maxNames:
		return fmt.Sprintf("use one of %s and %d more", strings.Join(names[:maxNames], ", "), n-maxNames)
	}
	return "use one of " + strings.Join(names, ", ")
}
