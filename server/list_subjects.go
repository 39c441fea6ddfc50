package server

import (
	"google.golang.org/grpc"

	"github.com/usher-authz/usher/check"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// ListSubjects implements usher.v1.PermissionService.
func (s *permissionService) ListSubjects(r *usherv1.ListSubjectsRequest, stream grpc.ServerStreamingServer[usherv1.ListSubjectsResponse]) error {
	ctx := stream.Context()
	q, err := subjectsQuestion(r)
	if err != nil {
		return err
	}
	l, err := s.openList(ctx, r)
	if err != nil {
		return err
	}
	defer l.close()
	after, err := q.after(l.after)
	if err != nil {
		return err
	}
	l.names = q.names()
	return sendItems(ctx, s.Server, l, l.evaluator.Subjects(q.on, q.kind), itemPage[usherv1.ListedSubject, *usherv1.ListedSubject]{
		size:  int(r.GetPageSize()),
		after: after,
		text: func(id tuples.ID) string {
			return tuples.Subject{Type: q.kind.Type, ID: id, Relation: q.kind.Relation}.String()
		},
		fill: func(m *usherv1.ListedSubject, item check.Item) {
			m.Id, m.Outcome, m.MissingContext = string(item.ID), fromOutcome(item.Decision.Outcome), item.Decision.Missing
		},
		send: func(subjects []*usherv1.ListedSubject, more bool) error {
			return stream.Send(&usherv1.ListSubjectsResponse{
				Subjects: subjects, Cursor: l.cursor, More: more, Token: l.token, Revision: l.revision(),
			})
		},
	})
}

// subjectsOf is "which subjects of a kind have a relation to an object?".
type subjectsOf struct {
	on   tuples.Userset
	kind check.SubjectKind
}

func subjectsQuestion(r *usherv1.ListSubjectsRequest) (subjectsOf, error) {
	q := subjectsOf{
		on: tuples.Userset{Object: wire.ToObject(r.GetObject()), Relation: tuples.Relation(r.GetRelation())},
		kind: check.SubjectKind{
			Type: tuples.ObjectType(r.GetSubjectType()), Relation: tuples.Relation(r.GetSubjectRelation()),
		},
	}
	var p problems
	p.add("object", q.on.Object.Validate())
	p.addRelation("relation", q.on.Relation)
	p.addType("subject_type", q.kind.Type)
	if q.kind.Relation != "" {
		p.addRelation("subject_relation", q.kind.Relation)
	}
	return q, p.err()
}

// names returns what the question names, for [locate].
func (q subjectsOf) names() []name {
	return append(usersetNames(q.on),
		name{"subject_type", q.kind.Type, ""}, name{"subject_relation", q.kind.Type, q.kind.Relation})
}

// after reads the place where a list of subjects goes on.
func (q subjectsOf) after(text string) (tuples.ID, error) {
	if text == "" {
		return "", nil
	}
	subject, err := tuples.ParseSubject(text)
	if err != nil || subject.Type != q.kind.Type || subject.Relation != q.kind.Relation {
		return "", tuples.Invalid("resume.after", text, "is no subject of this list",
			"send one as in "+tuples.Subject{Type: q.kind.Type, ID: "anna", Relation: q.kind.Relation}.String())
	}
	return subject.ID, nil
}
