package server

import (
	"context"
	"fmt"

	"github.com/usher-authz/usher/check"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// guards are the preconditions of a write: filters, which the store judges, and Checks,
// which the server judges and the store holds to what they have read.
type guards struct {
	filters []tuples.Precondition
	checks  []guard
}

// guard is a Check that must be allowed.
type guard struct {
	field string // path in the request
	parts guardParts
	question
}

// guardParts are the paths of what a guard asks about.
type guardParts struct{ object, relation, subject string }

// names returns what the guard names, for [locate].
func (g guard) names() []name {
	return []name{
		{g.parts.object + ".type", g.on.Object.Type, ""}, {g.parts.relation, g.on.Object.Type, g.on.Relation},
		{g.parts.subject + ".type", g.subject.Type, ""}, {g.parts.subject + ".relation", g.subject.Type, g.subject.Relation},
	}
}

func (g *guards) count() int { return len(g.filters) + len(g.checks) }

// addGuards reads preconditions; field is the path of their list.
func (p *problems) addGuards(g *guards, field string, list []*usherv1.Precondition) {
	for i, precondition := range list {
		if g.count() == maxPreconditions {
			p.add(field, tooMany("", maxPreconditions+1, maxPreconditions))
			return
		}
		at := fmt.Sprintf("%s[%d]", field, i)
		switch kind := precondition.GetCondition().(type) {
		case *usherv1.Precondition_MustMatch:
			p.addFilter(g, at+".must_match", kind.MustMatch, true)
		case *usherv1.Precondition_MustNotMatch:
			p.addFilter(g, at+".must_not_match", kind.MustNotMatch, false)
		case *usherv1.Precondition_MustBeAllowed:
			at += ".must_be_allowed"
			c := kind.MustBeAllowed
			q, err := toQuestion(c.GetObject(), c.GetRelation(), c.GetSubject())
			p.add(at, err)
			parts := guardParts{object: at + ".object", relation: at + ".relation", subject: at + ".subject"}
			g.checks = append(g.checks, guard{field: at, parts: parts, question: q})
		default:
			p.add(at, tuples.Invalid("", "", "has no condition", "set must_match, must_not_match or must_be_allowed"))
		}
	}
}

func (p *problems) addFilter(g *guards, field string, f *usherv1.TupleFilter, mustMatch bool) {
	filter, err := wire.ToFilter(f)
	p.add(field, err)
	g.filters = append(g.filters, tuples.Precondition{Field: field, Filter: filter, MustMatch: mustMatch})
}

// judge asks the Checks at the head. The commit then gets what they rest on: it fails
// with a conflict if a list that was read, or the model, has changed since.
func (s *Server) judge(ctx context.Context, h *handle, checks []guard, commit *tuples.Commit) error {
	commit.ReadSet = nil
	if len(checks) == 0 {
		return nil
	}
	v, err := h.open(ctx, tuples.At{})
	if err != nil {
		return err
	}
	defer v.close()
	c, err := v.modelAt(ctx, v.snapshot.Revision())
	if err != nil {
		return err
	}
	if commit.InForce != "" && commit.InForce != c.id() {
		return fmt.Errorf("%w: model %s came in force while the write was validated", tuples.ErrConflict, c.id())
	}
	evaluator := check.New(check.Request{Program: c.program, Snapshot: v.snapshot, Budget: s.options.WorkBudget})
	evaluator.TrackReads()
	for _, g := range checks {
		decision, err := evaluator.Check(ctx, g.on, g.subject)
		if err != nil {
			return locate(c.program.Model, err, g.names()...)
		}
		if decision.Outcome != check.Allowed {
			return notAllowed(g, decision)
		}
	}
	commit.InForce = c.id()
	commit.ReadSet, err = evaluator.ReadSet(ctx)
	return err
}

func notAllowed(g guard, decision check.Decision) error {
	reason := fmt.Sprintf("%s is %s %s of %s", g.subject, decision.Outcome, g.on.Relation, g.on.Object)
	if decision.Outcome == check.Conditional {
		reason += fmt.Sprintf(", for want of context %v", decision.Missing)
	}
	f := preconditionFailed(&tuples.PreconditionError{Field: g.field, Reason: reason})
	f.metadata["object"], f.metadata["subject"] = g.on.Object.String(), g.subject.String()
	return f
}
