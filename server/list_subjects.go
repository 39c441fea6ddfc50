package server

import (
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/usher-authz/usher/check"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/tuples"
)

// ListSubjects implements usher.v1.PermissionService.
func (s *permissionService) ListSubjects(r *usherv1.ListSubjectsRequest, stream grpc.ServerStreamingServer[usherv1.ListSubjectsResponse]) error {
	ctx := stream.Context()
	q, err := subjectsQuestion(r)
	if err != nil {
		return err
	}
	if err := validateStreamPage(r.GetPageSize()); err != nil {
		return err
	}
	h, err := s.handle(ctx, r.GetStore())
	if err != nil {
		return err
	}
	question := proto.CloneOf(r)
	question.Store, question.Consistency, question.PageSize, question.Resume = "", nil, 0, nil
	p, err := s.resume(h, r.GetResume(), r.GetConsistency(), question)
	if err != nil {
		return err
	}
	after, err := q.after(p.after)
	if err != nil {
		return err
	}
	a, err := s.askPage(ctx, h, p, r, r.GetContext())
	if err != nil {
		return err
	}
	defer a.close()
	l := &listing{asked: a, token: a.newToken(), cursor: s.sealCursor(cursor{stamp: a.stamped(), model: a.id(), query: p.query})}
	l.text = func(id tuples.ID) string {
		return tuples.Subject{Type: q.kind.Type, ID: id, Relation: q.kind.Relation}.String()
	}
	items := a.evaluator.ListSubjects(ctx, q.on, q.kind, after)
	return batches[*usherv1.ListedSubject]{
		limit: int(r.GetPageSize()),
		send: func(subjects []*usherv1.ListedSubject, more bool) error {
			return stream.Send(&usherv1.ListSubjectsResponse{
				Subjects: subjects, Cursor: l.cursor, More: more, Token: l.token, Revision: a.revision(),
			})
		},
	}.run(convert(l, items, p.after, q.names(), func(item check.Item) *usherv1.ListedSubject {
		return &usherv1.ListedSubject{
			Id: string(item.ID), Outcome: fromOutcome(item.Decision.Outcome), MissingContext: item.Decision.Missing,
		}
	}))
}

// subjectsOf is "which subjects of a kind have a relation to an object?".
type subjectsOf struct {
	on   tuples.Userset
	kind check.SubjectKind
}

func subjectsQuestion(r *usherv1.ListSubjectsRequest) (subjectsOf, error) {
	q := subjectsOf{
		on: tuples.Userset{Object: toObject(r.GetObject()), Relation: tuples.Relation(r.GetRelation())},
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
