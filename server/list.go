package server

import (
	"context"
	"iter"

	"google.golang.org/protobuf/types/known/structpb"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// listing is a list that is being answered: its state and what all its messages say.
type listing struct {
	*asked
	token, cursor string
	after         string // Resume.after, then the last item
	names         []name // of the question
	place         stretchKey
	resumed       bool // by a cursor
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
	return &listing{
		asked: a, token: a.newToken(), cursor: s.nextCursor(a.view, a.id(), p.query), after: p.after,
		place: stretchKey{stamp: a.stamped(), model: a.id(), query: p.query}, resumed: p.cursor != nil,
	}, nil
}

// listed is one item of a list.
type listed[T any] struct {
	message T
	text    string // its text form, as Resume.after takes it
	failed  error  // why it has no answer; nil if it has one
}

// messages turns the engine's items into messages. At an error, or at an item that
// failed, it ends and tells the caller how to go on.
func messages[I, T any](l *listing, items iter.Seq2[I, error], list func(I) listed[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		for item, err := range items {
			if err != nil {
				yield(none, stopped(locate(l.program.Model, err, l.names...), l.cursor, l.after))
				return
			}
			next := list(item)
			if next.failed != nil {
				yield(none, stopped(next.failed, l.cursor, next.text))
				return
			}
			if !yield(next.message, nil) {
				return
			}
			l.after = next.text
		}
	}
}
