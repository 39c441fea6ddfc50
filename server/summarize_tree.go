package server

import (
	"errors"
	"fmt"

	"google.golang.org/grpc"

	"github.com/usher-authz/usher/check"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// SummarizeTree implements usher.v1.PermissionService.
func (s *permissionService) SummarizeTree(
	r *usherv1.SummarizeTreeRequest, stream grpc.ServerStreamingServer[usherv1.SummarizeTreeResponse],
) error {
	ctx := stream.Context()
	q, err := treeQuestion(r)
	if err != nil {
		return err
	}
	l, err := s.openList(ctx, r)
	if err != nil {
		return err
	}
	defer l.close()
	if err := q.validateNames(l.program.Model); err != nil {
		return err
	}
	after, err := q.after(l.after)
	if err != nil {
		return err
	}
	items := l.evaluator.SummarizeTree(ctx, q.TreeQuery, after)
	err = batches[*usherv1.TreeObject]{
		limit: int(r.GetPageSize()),
		send: func(objects []*usherv1.TreeObject, more bool) error {
			return stream.Send(&usherv1.SummarizeTreeResponse{
				Objects: objects, Cursor: l.cursor, More: more, Token: l.token, Revision: l.revision(),
			})
		},
	}.run(messages(l, items, func(object check.TreeObject) listed[*usherv1.TreeObject] {
		return listed[*usherv1.TreeObject]{message: treeMessage(object), text: object.Object.String(), failed: object.Err}
	}))
	if errors.Is(err, check.ErrNotInTree) {
		return noPlaceInTree(l.after)
	}
	return err
}

// treeOf is "how open is each object of a tree?".
type treeOf struct{ check.TreeQuery }

func treeQuestion(r *usherv1.SummarizeTreeRequest) (treeOf, error) {
	var q treeOf
	var p problems
	p.addCount("roots", len(r.GetRoots()), maxRoots)
	p.addCount("contained_by", len(r.GetContainedBy()), maxContainments)
	p.addCount("relations", len(r.GetRelations()), check.MaxRights)
	if err := p.err(); err != nil {
		return q, err
	}
	q.Roots = p.toObjects("roots[%d]", r.GetRoots())
	for i, m := range r.GetContainedBy() {
		c := tuples.Containment{Type: tuples.ObjectType(m.GetObjectType()), Relation: tuples.Relation(m.GetRelation())}
		q.ContainedBy = append(q.ContainedBy, c)
		if c.Type != "" {
			p.addType(fmt.Sprintf("contained_by[%d].object_type", i), c.Type)
		}
		p.addRelation(fmt.Sprintf("contained_by[%d].relation", i), c.Relation)
	}
	for i, m := range r.GetRelations() {
		setting := check.TreeSetting{Relation: tuples.Relation(m.GetRelation()), Inherits: tuples.Relation(m.GetInherits())}
		q.Settings = append(q.Settings, setting)
		p.addRelation(fmt.Sprintf("relations[%d].relation", i), setting.Relation)
		if setting.Inherits != "" {
			p.addRelation(fmt.Sprintf("relations[%d].inherits", i), setting.Inherits)
		}
	}
	return q, p.err()
}

// validateNames refuses names that the model lacks. The objects of a tree have many types,
// so a relation is known if one type has it.
func (q treeOf) validateNames(m *model.Model) error {
	for i, root := range q.Roots {
		if err := known(m, name{fmt.Sprintf("roots[%d].type", i), root.Type, ""}); err != nil {
			return err
		}
	}
	for i, c := range q.ContainedBy {
		at := fmt.Sprintf("contained_by[%d]", i)
		err := knownAnywhere(m, at+".relation", c.Relation)
		if c.Type != "" {
			err = known(m, name{at + ".object_type", c.Type, ""}, name{at + ".relation", c.Type, c.Relation})
		}
		if err != nil {
			return err
		}
	}
	for i, setting := range q.Settings {
		at := fmt.Sprintf("relations[%d]", i)
		if err := knownAnywhere(m, at+".relation", setting.Relation); err != nil {
			return err
		}
		if setting.Inherits == "" {
			continue
		}
		if err := knownAnywhere(m, at+".inherits", setting.Inherits); err != nil {
			return err
		}
	}
	return nil
}

// knownAnywhere refuses a relation that no type of the model has.
func knownAnywhere(m *model.Model, field string, r tuples.Relation) error {
	for _, t := range m.Types {
		if t.Relation(r) != nil {
			return nil
		}
	}
	return refuse(usherv1.ErrorReason_ERROR_REASON_UNKNOWN_RELATION, field, string(r),
		"is not a relation of any type in the authorization model", correctTheName)
}

// after reads the place where the tree goes on.
func (q treeOf) after(text string) (tuples.Object, error) {
	if text == "" {
		return tuples.Object{}, nil
	}
	object, err := tuples.ParseObject(text)
	if err != nil {
		return object, noPlaceInTree(text)
	}
	return object, nil
}

func noPlaceInTree(text string) error {
	return tuples.Invalid("resume.after", text, "is no object of this tree", "send one that came with the tree, as in folder:press")
}

// treeMessage turns an object of a tree into a message.
func treeMessage(object check.TreeObject) *usherv1.TreeObject {
	m := &usherv1.TreeObject{Object: wire.FromObject(object.Object), Depth: int32(object.Depth)}
	if object.Depth > 0 {
		m.Parent = wire.FromObject(object.Parent)
	}
	for _, state := range object.States {
		s := &usherv1.ShareState{Openness: fromOpenness(state.Openness), Inherited: state.Inherited}
		for _, origin := range state.Origins {
			s.Origins = append(s.Origins, wire.FromObject(origin))
		}
		m.States = append(m.States, s)
	}
	return m
}

func fromOpenness(o check.Openness) usherv1.Openness {
	switch o {
	case check.Private:
		return usherv1.Openness_OPENNESS_PRIVATE
	case check.Invited:
		return usherv1.Openness_OPENNESS_INVITED
	case check.Public:
		return usherv1.Openness_OPENNESS_PUBLIC
	}
	return usherv1.Openness_OPENNESS_UNSPECIFIED
}
