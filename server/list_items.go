package server

import (
	"context"
	"iter"

	"google.golang.org/protobuf/proto"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/tuples"
)

// itemPage is a page of ListObjects or ListSubjects. Their items come by the ten thousand:
// each costs little more than its bytes.
type itemPage[T any, M itemMessage[T]] struct {
	size  int       // in items; 0 for the whole list
	after tuples.ID // where it begins
	text  func(id tuples.ID) string
	fill  func(message M, item check.Item)
	send  func(messages []M, more bool) error
}

// itemMessage is the message of an item.
type itemMessage[T any] interface {
	*T
	proto.Message
	GetId() string
	GetMissingContext() []string
}

// sendItems sends a page of a list, and keeps what it leaves behind for the next one.
func sendItems[T any, M itemMessage[T]](ctx context.Context, s *Server, l *listing, list *check.List, page itemPage[T, M]) error {
	if page.size > 0 {
		list.Page()
	}
	if l.resumed {
		list.Resume(s.stretches.get(l.place))
	}
	left := false
	err := batches[M]{
		limit: page.size,
		items: listItems,
		size:  sizeOfItem[T, M],
		send: func(messages []M, more bool) error {
			left = more
			return page.send(messages, more)
		},
	}.run(itemMessages(l, list.Items(ctx, page.after), page))
	if err == nil && left {
		s.stretches.put(l.place, list.Stretch())
	}
	return err
}

// itemMessages turns the engine's items into messages. At an error, or at an item that
// failed, it ends and tells the caller how to go on.
func itemMessages[T any, M itemMessage[T]](l *listing, items iter.Seq2[check.Item, error], page itemPage[T, M]) iter.Seq2[M, error] {
	return func(yield func(M, error) bool) {
		var room slab[T]
		after := page.after
		for item, err := range items {
			if err != nil {
				if after != page.after {
					l.after = page.text(after)
				}
				yield(nil, stopped(locate(l.program.Model, err, l.names...), l.cursor, l.after))
				return
			}
			if item.Err != nil {
				yield(nil, stopped(item.Err, l.cursor, page.text(item.ID)))
				return
			}
			message := M(room.next())
			page.fill(message, item)
			if !yield(message, nil) {
				return
			}
			after = item.ID
		}
	}
}

// sizeOfItem is about how many bytes an item takes on the wire.
func sizeOfItem[T any, M itemMessage[T]](message M) int {
	const tagsAndOutcome = 8
	size := tagsAndOutcome + len(message.GetId())
	for _, name := range message.GetMissingContext() {
		size += 4 + len(name)
	}
	return size
}

// slab makes values many at a time: the more, the more were needed.
type slab[T any] struct {
	free []T
	made int
}

func (s *slab[T]) next() *T {
	if len(s.free) == 0 {
		s.made = min(max(2*s.made, 16), listItems)
		s.free = make([]T, s.made)
	}
	value := &s.free[0]
	s.free = s.free[1:]
	return value
}
