package server

import (
	"iter"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

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
	l.text = func(id tuples.ID) string { return tuples.Object{Type: q.objectType, ID: id}.String() }
	items := a.evaluator.ListObjects(ctx, q.objectType, q.relation, q.subject, after)
	return batches[*usherv1.ListedObject]{
		limit: int(r.GetPageSize()),
		send: func(objects []*usherv1.ListedObject, more bool) error {
			return stream.Send(&usherv1.ListObjectsResponse{
				Objects: objects, Cursor: l.cursor, More: more, Token: l.token, Revision: a.revision(),
			})
		},
	}.run(convert(l, items, p.after, q.names(), func(item check.Item) *usherv1.ListedObject {
		return &usherv1.ListedObject{
			Id: string(item.ID), Outcome: fromOutcome(item.Decision.Outcome), MissingContext: item.Decision.Missing,
		}
	}))
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

// validateStreamPage refuses a page size that is negative.
func validateStreamPage(size int32) error {
	if size < 0 {
		return tuples.Invalid("page_size", "", "is negative", "send 0 for the whole list")
	}
	return nil
}

// listing is what all messages of one list have in common.
type listing struct {
	*asked
	token, cursor string
	text          func(tuples.ID) string // of an item
}

// convert turns items into messages and ends at the first that failed, telling the
// caller how to go on.
func convert[T any](
	l *listing, items iter.Seq2[check.Item, error], after string, names []name, message func(check.Item) T,
) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		for item, err := range items {
			switch {
			case err != nil:
				yield(none, stopped(locate(l.program.Model, err, names...), l.cursor, after))
				return
			case item.Err != nil:
				yield(none, stopped(item.Err, l.cursor, l.text(item.ID)))
				return
			}
			if !yield(message(item), nil) {
				return
			}
			after = l.text(item.ID)
		}
	}
}
