package server

import (
	"context"
	"iter"

	"google.golang.org/grpc"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// Read implements usher.v1.TupleService.
func (s *tupleService) Read(r *usherv1.ReadRequest, stream grpc.ServerStreamingServer[usherv1.ReadResponse]) error {
	ctx := stream.Context()
	filter, err := wire.ToFilter(r.GetFilter())
	if err != nil {
		return within("filter", err)
	}
	h, p, err := s.resume(ctx, r)
	if err != nil {
		return err
	}
	if err := knownNames(h.store.Symbols(), filter); err != nil {
		return within("filter", err)
	}
	after, err := afterTuple(filter, p.after)
	if err != nil {
		return err
	}
	v, err := s.openPlace(ctx, h, p, r.GetConsistency())
	if err != nil {
		return err
	}
	defer v.close()
	token, next := v.newToken(), s.nextCursor(v, "", p.query)
	return batches[*usherv1.Tuple]{
		limit: int(r.GetPageSize()),
		send: func(page []*usherv1.Tuple, more bool) error {
			return stream.Send(&usherv1.ReadResponse{
				Tuples: page, Cursor: next, More: more, Token: token, Revision: v.revision(),
			})
		},
	}.run(fromRead(v.read(ctx, filter, after), next, p.after))
}

// afterTuple reads the place where a read goes on, nil for the beginning.
func afterTuple(filter tuples.Filter, text string) (*tuples.Key, error) {
	if text == "" {
		return nil, nil
	}
	key, err := tuples.ParseKey(text)
	if err != nil || !filter.Matches(key) {
		return nil, tuples.Invalid("resume.after", text, "is no tuple of this list", "send one as in media:logo#viewer@user:anna")
	}
	return &key, nil
}

// readPage is how many tuples are asked of the store at once.
const readPage = 256

// read yields the tuples that a filter selects, behind after.
func (v view) read(ctx context.Context, filter tuples.Filter, after *tuples.Key) iter.Seq2[tuples.Tuple, error] {
	return func(yield func(tuples.Tuple, error) bool) {
		buffer := make([]tuples.Tuple, 0, readPage)
		for more := true; more; {
			var page []tuples.Tuple
			var err error
			if page, after, more, err = v.snapshot.Read(ctx, filter, after, buffer); err != nil {
				yield(tuples.Tuple{}, err)
				return
			}
			for _, tuple := range page {
				if !yield(tuple, nil) {
					return
				}
			}
		}
	}
}

// fromRead turns tuples into messages. If the read breaks off it tells the caller how
// to go on.
func fromRead(read iter.Seq2[tuples.Tuple, error], cursor, after string) iter.Seq2[*usherv1.Tuple, error] {
	return func(yield func(*usherv1.Tuple, error) bool) {
		for tuple, err := range read {
			if err != nil {
				yield(nil, stopped(prefixed("resume", err), cursor, after))
				return
			}
			if !yield(wire.FromTuple(tuple), nil) {
				return
			}
			after = tuple.Key.String()
		}
	}
}
