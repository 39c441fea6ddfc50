package server

import (
	"context"

	"github.com/usher-authz/usher/check"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// ListRelations implements usher.v1.PermissionService.
func (s *permissionService) ListRelations(ctx context.Context, r *usherv1.ListRelationsRequest) (*usherv1.ListRelationsResponse, error) {
	if n := len(r.GetRelations()); n > maxRelations {
		return nil, tooMany("relations", n, maxRelations)
	}
	object, subject := toObject(r.GetObject()), toSubject(r.GetSubject())
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
	relations, err := relationsAsked(a.program.Model, object.Type, r.GetRelations())
	if err != nil {
		return nil, err
	}
	response := &usherv1.ListRelationsResponse{Token: a.newToken(), Revision: a.revision()}
	for _, relation := range relations {
		result, err := a.relation(ctx, object, relation, subject)
		if err != nil {
			return nil, err
		}
		response.Results = append(response.Results, result)
	}
	return response, nil
}

// relationsAsked returns the relations of the request, or all of the type.
func relationsAsked(m *model.Model, t tuples.ObjectType, named []string) ([]string, error) {
	typ := m.Type(t)
	if typ == nil {
		return nil, locate(m, &check.UnknownError{Type: t}, name{"object.type", t, ""})
	}
	if len(named) > 0 {
		return named, nil
	}
	all := make([]string, len(typ.Relations))
	for i, relation := range typ.Relations {
		all[i] = string(relation.Name)
	}
	return all, nil
}

// relation answers for one relation.
func (a *asked) relation(ctx context.Context, object tuples.Object, relation string, subject tuples.Subject) (*usherv1.RelationResult, error) {
	q := question{on: tuples.Userset{Object: object, Relation: tuples.Relation(relation)}, subject: subject}
	result := &usherv1.RelationResult{Relation: relation}
	var p problems
	p.addRelation("relation", q.on.Relation)
	err := p.err()
	if err != nil {
		result.Error, err = itemError(err)
		return result, err
	}
	decision, failed, err := a.checkOne(ctx, q)
	if result.Error = failed; failed == nil {
		result.Outcome, result.MissingContext = fromOutcome(decision.Outcome), decision.Missing
	}
	return result, err
}
