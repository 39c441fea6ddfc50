package server

import (
	"context"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// ListRelations implements usher.v1.PermissionService.
func (s *permissionService) ListRelations(ctx context.Context, r *usherv1.ListRelationsRequest) (*usherv1.ListRelationsResponse, error) {
	if n := len(r.GetRelations()); n > maxRelations {
		return nil, tooMany("relations", n, maxRelations)
	}
	object, subject := wire.ToObject(r.GetObject()), wire.ToSubject(r.GetSubject())
	var p problems
	p.add("object", object.Validate())
	p.add("subject", subject.Validate())
	if err := p.err(); err != nil {
		return nil, err
	}
	a, err := s.ask(ctx, r, r.GetContext())
	if err != nil {
		return nil, err
	}
	defer a.close()
	m := a.program.Model
	if err := known(m, append(subjectNames(subject), name{"object.type", object.Type, ""})...); err != nil {
		return nil, err
	}
	response := &usherv1.ListRelationsResponse{Token: a.newToken(), Revision: a.revision()}
	for _, relation := range orAll(r.GetRelations(), m.Type(object.Type)) {
		result, err := a.relation(ctx, object, relation, subject)
		if err != nil {
			return nil, err
		}
		response.Results = append(response.Results, result)
	}
	return response, nil
}

// orAll returns the relations of the request, or else all of the type.
func orAll(named []string, t *model.Type) []string {
	if len(named) > 0 {
		return named
	}
	all := make([]string, len(t.Relations))
	for i, relation := range t.Relations {
		all[i] = string(relation.Name)
	}
	return all
}

// relation answers for one relation.
func (a *asked) relation(ctx context.Context, object tuples.Object, relation string, subject tuples.Subject) (*usherv1.RelationResult, error) {
	q := question{on: tuples.Userset{Object: object, Relation: tuples.Relation(relation)}, subject: subject}
	result := &usherv1.RelationResult{Relation: relation}
	if invalid := tuples.ValidateRelation(q.on.Relation); invalid != nil {
		var err error
		result.Error, err = itemError(invalid.Within("relation"))
		return result, err
	}
	decision, failed, err := a.checkOne(ctx, q)
	if result.Error = failed; failed == nil {
		result.Outcome, result.MissingContext = fromOutcome(decision.Outcome), decision.Missing
	}
	return result, err
}
