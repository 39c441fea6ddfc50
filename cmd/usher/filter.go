package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/tuples"
)

// selection is the flags that select tuples.
type selection struct {
	object, objectType, relation, subject, subjectType, expiresBefore string
}

func (s *selection) addTo(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&s.object, "object", "", "tuples of this `OBJECT`, such as media:logo")
	flags.StringVar(&s.objectType, "object-type", "", "tuples of objects of this `TYPE`")
	flags.StringVar(&s.relation, "relation", "", "tuples of this `RELATION`")
	flags.StringVar(&s.subject, "subject", "", "tuples that name this `SUBJECT`; group:design finds its usersets too")
	flags.StringVar(&s.subjectType, "subject-type", "", "tuples that name subjects of this `TYPE`")
	cmd.MarkFlagsMutuallyExclusive("object", "object-type")
	cmd.MarkFlagsMutuallyExclusive("subject", "subject-type")
}

// addExpiryTo adds the flag of commands that select among the tuples there are.
func (s *selection) addExpiryTo(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.expiresBefore, "expires-before", "", "tuples that expire before this `TIME`, such as 2026-03-01")
}

func (s *selection) isZero() bool { return *s == selection{} }

// filter returns what the flags select.
func (s *selection) filter() (*usherv1.TupleFilter, error) {
	f := &usherv1.TupleFilter{ObjectType: s.objectType, Relation: s.relation, SubjectType: s.subjectType}
	if s.object != "" {
		o, err := tuples.ParseObject(s.object)
		if err != nil {
			return nil, fmt.Errorf("--object: %w; --object-type takes a type", err)
		}
		f.ObjectType, f.ObjectId = string(o.Type), string(o.ID)
	}
	if s.subject != "" {
		subject, err := tuples.ParseSubject(s.subject)
		if err != nil {
			return nil, fmt.Errorf("--subject: %w; --subject-type takes a type", err)
		}
		f.SubjectType, f.SubjectId = string(subject.Type), string(subject.ID)
		if relation := string(subject.Relation); relation != "" {
			f.SubjectRelation = &relation
		}
	}
	if s.expiresBefore != "" {
		var err error
		if f.ExpiresBefore, err = parseTime("--expires-before", s.expiresBefore); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// parseFilter reads a tuple in which "?" stands for whatever: "media:logo#viewer@?"
// or "media:?#owner@user:anna". What follows the object may be left out:
// "media:logo" is every tuple of it. A subject without "#" is no userset;
// "group:design#?" is the group and every userset of it.
func parseFilter(text string) (*usherv1.TupleFilter, error) {
	f := &usherv1.TupleFilter{}
	object, rest, _ := strings.Cut(text, "#")
	relation, subject, _ := strings.Cut(rest, "@")
	f.ObjectType, f.ObjectId = parsePattern(object)
	f.Relation = known(relation)
	if name, userset, hasRelation := strings.Cut(subject, "#"); known(subject) != "" {
		f.SubjectType, f.SubjectId = parsePattern(name)
		if userset != "?" && (hasRelation || f.SubjectId != "") {
			f.SubjectRelation = &userset
		}
	}
	if f.ObjectType == "" && f.Relation == "" && f.SubjectType == "" {
		return nil, fmt.Errorf(`%q selects every tuple; write for example "media:logo#viewer@?"`, text)
	}
	if f.ObjectType == "" && f.ObjectId != "" || f.SubjectType == "" && f.SubjectId != "" {
		return nil, errors.New(`an id needs its type; write for example "media:logo#viewer@?"`)
	}
	return f, nil
}

// parsePattern reads "media:logo", "media:?" or "?".
func parsePattern(text string) (kind, id string) {
	kind, id, _ = strings.Cut(text, ":")
	return known(kind), known(id)
}

func known(text string) string {
	if text == "?" {
		return ""
	}
	return text
}
