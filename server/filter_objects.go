package server

import (
	"context"
	"fmt"

	"github.com/usher-authz/usher/check"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// FilterObjects implements usher.v1.PermissionService.
func (s *permissionService) FilterObjects(ctx context.Context, r *usherv1.FilterObjectsRequest) (*usherv1.FilterObjectsResponse, error) {
	if err := validateCount("object_ids", len(r.GetObjectIds())); err != nil {
		return nil, err
	}
	q := objectsQuestion(r)
	if err := q.validate(); err != nil {
		return nil, err
	}
	a, err := s.ask(ctx, r, r.GetContext())
	if err != nil {
		return nil, err
	}
	defer a.close()
	if err := known(a.program.Model, q.names()...); err != nil {
		return nil, err
	}
	response := &usherv1.FilterObjectsResponse{
		AllowedIds: make([]string, 0, len(r.GetObjectIds())), // most candidates of a search are allowed
		Token:      a.newToken(),
		Revision:   a.revision(),
	}
	for i := range r.GetObjectIds() {
		if err := a.filter(ctx, q, r, i, response); err != nil {
			return nil, err
		}
	}
	return response, nil
}

// filter asks about candidate i and adds what it comes to.
func (a *asked) filter(
	ctx context.Context, q objectsOf, r *usherv1.FilterObjectsRequest, i int, response *usherv1.FilterObjectsResponse,
) error {
	id := r.GetObjectIds()[i]
	on := tuples.Userset{Object: tuples.Object{Type: q.objectType, ID: tuples.ID(id)}, Relation: q.relation}
	var decision check.Decision
	var failed *usherv1.ItemError
	err := on.Object.Validate()
	if err == nil {
		decision, failed, err = a.checkOne(ctx, question{on: on, subject: q.subject})
	} else {
		failed, err = itemError(within(fmt.Sprintf("object_ids[%d]", i), err))
	}
	switch {
	case err != nil:
		return err
	case failed != nil:
		response.Failed = append(response.Failed, &usherv1.FailedObject{Id: id, Error: failed})
	case decision.Outcome == check.Allowed:
		response.AllowedIds = append(response.AllowedIds, id)
	case decision.Outcome == check.Conditional:
		response.Conditional = append(response.Conditional,
			&usherv1.ConditionalObject{Id: id, MissingContext: decision.Missing})
	}
	return nil
}

// objectsOf is "which objects of a type does subject have relation to?".
type objectsOf struct {
	objectType tuples.ObjectType
	relation   tuples.Relation
	subject    tuples.Subject
}

func objectsQuestion(r interface {
	GetObjectType() string
	GetRelation() string
	GetSubject() *usherv1.Subject
}) objectsOf {
	return objectsOf{
		objectType: tuples.ObjectType(r.GetObjectType()),
		relation:   tuples.Relation(r.GetRelation()),
		subject:    wire.ToSubject(r.GetSubject()),
	}
}

func (q objectsOf) validate() error {
	var p problems
	p.addType("object_type", q.objectType)
	p.addRelation("relation", q.relation)
	p.add("subject", q.subject.Validate())
	return p.err()
}

// names returns what the question names, for [locate].
func (q objectsOf) names() []name {
	return append([]name{{"object_type", q.objectType, ""}, {"relation", q.objectType, q.relation}}, subjectNames(q.subject)...)
}
