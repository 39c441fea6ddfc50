package server

import (
	"context"
	"iter"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/usher-authz/usher/check"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/tuples"
)

// listing is a list that is being answered: its state and what all its messages say.
type listing struct {
	*asked
	token, cursor string
	after         string                 // Resume.after, then the last item
	names         []name                 // of the question
	text          func(tuples.ID) string // form of an item
}

// openList opens the state, model and place of a list. It must be closed.
func (s *Server) openList(ctx context.Context, r interface {
	pageRequest
	GetModelId() string
	GetContextualTuples() []*usherv1.Tuple
	GetContext() *structpb.Struct
}) (*listing, error) {
	h, p, err := s.resume(ctx, r)
	if err != nil {
		return nil, err
	}
	a, err := s.askPage(ctx, h, p, r, r.GetContext())
	if err != nil {
		return nil, err
	}
	return &listing{asked: a, token: a.newToken(), cursor: s.nextCursor(a.view, a.id(), p.query), after: p.after}, nil
}

// messages turns the engine's items into messages. At an error, or at an item that
// failed, it ends and tells the caller how to go on.
func messages[T any](l *listing, items iter.Seq2[check.Item, error], message func(check.Item) T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		for item, err := range items {
			switch {
			case err != nil:
				yield(none, stopped(locate(l.program.Model, err, l.names...), l.cursor, l.after))
				return
			case item.Err != nil:
				yield(none, stopped(item.Err, l.cursor, l.text(item.ID)))
				return
			}
			if !yield(message(item), nil) {
				return
			}
			l.after = l.text(item.ID)
		}
	}
}
