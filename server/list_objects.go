package server

import (
	"google.golang.org/grpc"

	"github.com/usher-authz/usher/check"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/tuples"
)

// ListObjects implements usher.v1.PermissionService.
func (s *permissionService) ListObjects(r *usherv1.ListObjectsRequest, stream grpc.ServerStreamingServer[usherv1.ListObjectsResponse]) error {
	ctx := stream.Context()
	q := objectsQuestion(r)
	if err := q.validate(); err != nil {
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
	list := l.evaluator.Objects(q.objectType, q.relation, q.subject)
	return sendItems(ctx, s.Server, l, list, itemPage[usherv1.ListedObject, *usherv1.ListedObject]{
		size:  int(r.GetPageSize()),
		after: after,
		text:  func(id tuples.ID) string { return tuples.Object{Type: q.objectType, ID: id}.String() },
		fill: func(m *usherv1.ListedObject, item check.Item) {
			m.Id, m.Outcome, m.MissingContext = string(item.ID), fromOutcome(item.Decision.Outcome), item.Decision.Missing
		},
		send: func(objects []*usherv1.ListedObject, more bool) error {
			return stream.Send(&usherv1.ListObjectsResponse{
				Objects: objects, Cursor: l.cursor, More: more, Token: l.token, Revision: l.revision(),
			})
		},
	})
}

// after reads the place where a list of objects goes on.
func (q objectsOf) after(text string) (tuples.ID, error) {
	if text == "" {
		return "", nil
	}
	object, err := tuples.ParseObject(text)
	if err != nil || object.Type != q.objectType {
		return "", tuples.Invalid("resume.after", text, "is no object of this list", "send one as in "+string(q.objectType)+":logo")
	}
	return object.ID, nil
}
