package server

import (
	"context"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/tuples"
)

// permissionService implements usher.v1.PermissionService.
type permissionService struct {
	usherv1.UnsafePermissionServiceServer
	*Server
}

// Check implements usher.v1.PermissionService.
func (s *permissionService) Check(ctx context.Context, r *usherv1.CheckRequest) (*usherv1.CheckResponse, error) {
	q, err := toQuestion(r.GetObject(), r.GetRelation(), r.GetSubject())
	if err != nil {
		return nil, err
	}
	if err := validateGivenBy(r); err != nil {
		return nil, err
	}
	recording, err := s.recording(r)
	if err != nil {
		return nil, err
	}
	a, err := s.ask(ctx, r, r.GetContext())
	if err != nil {
		return nil, err
	}
	defer a.close()
	response, err := a.check(ctx, q, r)
	if err != nil {
		return nil, err
	}
	if r.GetWithAttributes() {
		if response.Attributes, err = a.attributes(ctx, q); err != nil {
			return nil, err
		}
	}
	if err := recording.add(ctx, a, q, response.GetOutcome()); err != nil {
		return nil, err
	}
	if err := recording.keep(ctx); err != nil {
		return nil, err
	}
	return response, nil
}

func (a *asked) check(ctx context.Context, q question, r *usherv1.CheckRequest) (*usherv1.CheckResponse, error) {
	if r.GetExplain() {
		return a.explain(ctx, q, tuples.Relation(r.GetGivenBy()))
	}
	decision, err := a.evaluator.Check(ctx, q.on, q.subject)
	if err != nil {
		return nil, locate(a.program.Model, err, q.names()...)
	}
	return &usherv1.CheckResponse{
		Outcome:        fromOutcome(decision.Outcome),
		MissingContext: decision.Missing,
		Token:          a.newToken(),
		Revision:       a.revision(),
	}, nil
}

// explain answers with the reasons and, if a relation of givers is named, with those who
// have it.
func (a *asked) explain(ctx context.Context, q question, givenBy tuples.Relation) (*usherv1.CheckResponse, error) {
	explanation, err := a.evaluator.Explain(ctx, q.on, q.subject)
	if err != nil {
		return nil, locate(a.program.Model, err, q.names()...)
	}
	told := fromExplanation(explanation, a.version.ID)
	if givenBy != "" {
		if err := a.addGivers(ctx, told, givenBy); err != nil {
			return nil, err
		}
	}
	return &usherv1.CheckResponse{
		Outcome:        fromOutcome(explanation.Decision.Outcome),
		MissingContext: explanation.Decision.Missing,
		Token:          a.newToken(),
		Revision:       a.revision(),
		Explanation:    told,
	}, nil
}
