package server

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/tuples"
)

// place is where a list begins: a state, a model, and the last item taken.
type place struct {
	query  queryHash
	cursor *cursor // nil for a new list
	after  string  // Resume.after
}

// pageRequest is what all lists with a Resume have.
type pageRequest interface {
	proto.Message
	GetStore() string
	GetConsistency() *usherv1.Consistency
	GetPageSize() int32
	GetResume() *usherv1.Resume
}

// resume finds the store of a list and reads where the list begins.
func (s *Server) resume(ctx context.Context, r pageRequest) (*handle, place, error) {
	if size := r.GetPageSize(); size < 0 {
		return nil, place{}, tuples.Invalid("page_size", fmt.Sprint(size), "is negative", "send 0 for the whole list")
	}
	h, err := s.handle(ctx, r.GetStore())
	if err != nil {
		return nil, place{}, err
	}
	if r.GetResume().GetCursor() == "" && r.GetResume().GetAfter() != "" {
		return nil, place{}, tuples.Invalid("resume.cursor", "", "is not set beside resume.after", "send the cursor that came with the list")
	}
	p, err := s.place(h, "resume.cursor", r.GetResume().GetCursor(), r)
	p.after = r.GetResume().GetAfter()
	return h, p, err
}

// place reads the cursor of a request, which may be empty.
func (s *Server) place(h *handle, field, text string, r interface {
	proto.Message
	GetConsistency() *usherv1.Consistency
}) (p place, err error) {
	if p.query, err = hashQuery(r); err != nil || text == "" {
		return p, err
	}
	if r.GetConsistency().GetRequirement() != nil {
		return p, tuples.Invalid("consistency", "", "is set beside a cursor, which has a state of its own", "leave it out")
	}
	found, err := s.readCursor(h.info, field, text, p.query)
	p.cursor = &found
	return p, err
}

// openPlace opens the state of a list.
func (s *Server) openPlace(ctx context.Context, h *handle, p place, c *usherv1.Consistency) (view, error) {
	if p.cursor == nil {
		return s.openAt(ctx, h, c)
	}
	return h.open(ctx, p.cursor.at())
}

// nextCursor returns the cursor of all items of a list.
func (s *Server) nextCursor(v view, id tuples.ModelID, query queryHash) string {
	return s.sealCursor(cursor{stamp: v.stamped(), model: id, query: query})
}

// askPage opens the state and the model of a list. It must be closed.
func (s *Server) askPage(ctx context.Context, h *handle, p place, r scope, values *structpb.Struct) (*asked, error) {
	v, err := s.openPlace(ctx, h, p, r.GetConsistency())
	if err != nil {
		return nil, err
	}
	id := tuples.ModelID(r.GetModelId())
	if p.cursor != nil {
		id = p.cursor.model
	}
	return s.askIn(ctx, v, id, r, values)
}

// validatePage refuses a size that is out of range.
func validatePage(size int32, limit int) error {
	if size < 0 || int(size) > limit {
		return tuples.Invalid("page_size", fmt.Sprint(size), "is out of range",
			fmt.Sprintf("send 1 to %d, or 0 for the default", limit))
	}
	return nil
}

// batches cuts a stream of items into messages.
type batches[T proto.Message] struct {
	limit int         // items of the whole page; 0 for no limit
	items int         // of one message; 0 for messageItems
	size  func(T) int // of an item, in about so many bytes; nil for proto.Size
	send  func(items []T, more bool) error
}

// run sends the items of a list. A message goes out only when the next item is known or
// the list is at its end, so "more" is exact.
func (b batches[T]) run(items iter.Seq2[T, error]) error {
	var (
		batch        []T
		bytes, taken int
		most         = cmp.Or(b.items, messageItems)
		sizeOf       = b.size
	)
	if sizeOf == nil {
		sizeOf = func(item T) int { return proto.Size(item) }
	}
	for item, err := range items {
		size := 0
		if err == nil {
			size = sizeOf(item)
		}
		full := b.limit > 0 && taken == b.limit
		if len(batch) > 0 && (err != nil || full || len(batch) == most || bytes+size > messageBytes) {
			if err := b.send(batch, true); err != nil {
				return err
			}
			batch, bytes = make([]T, 0, len(batch)), 0
		}
		if err != nil {
			return err
		}
		if full {
			return nil
		}
		batch = append(batch, item)
		bytes += size
		taken++
	}
	return b.send(batch, false)
}

// stopped tells the caller of a list that ends in an error where to go on: behind the
// last item it was sent, or behind the one that failed. From a request that is at fault
// itself there is no going on.
func stopped(err error, cursor, after string) error {
	f := *failureOf(err)
	if len(f.violations) > 0 {
		return &f
	}
	metadata := map[string]string{"cursor": cursor}
	if after != "" {
		metadata["resume_after"] = after
	}
	maps.Copy(metadata, f.metadata)
	f.metadata = metadata
	return &f
}

// concerning says in the metadata of an error what it is about.
func concerning(err error, name, value string) error {
	f := *failureOf(err)
	metadata := map[string]string{name: value}
	maps.Copy(metadata, f.metadata)
	f.metadata = metadata
	return &f
}
