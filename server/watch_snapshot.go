package server

import (
	"context"
	"iter"
	"slices"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// sendSnapshot sends all tuples of the head that the filters select. The log goes on
// behind that head, so nothing between the two is left out and nothing comes twice.
func (w *watch) sendSnapshot(ctx context.Context) error {
	v, err := w.open(ctx, tuples.At{})
	if err != nil {
		return err
	}
	defer v.close()
	w.after, w.token, w.pending = tuples.LogPosition{Revision: v.snapshot.Revision()}, "", nil
	first := true
	return batches[*usherv1.Tuple]{
		send: func(page []*usherv1.Tuple, more bool) error {
			if !more {
				w.token = v.newToken()
			}
			part := &usherv1.TupleSnapshot{First: first, Last: !more, Tuples: page}
			first = false
			return w.send(&usherv1.WatchResponse{Snapshot: part, Token: w.token, Revision: v.revision()})
		},
	}.run(w.tuples(ctx, v))
}

// tuples yields the tuples of a view that the filters select, each once.
func (w *watch) tuples(ctx context.Context, v view) iter.Seq2[*usherv1.Tuple, error] {
	filters := w.filters
	if len(filters) == 0 {
		filters = []tuples.Filter{{}}
	}
	return func(yield func(*usherv1.Tuple, error) bool) {
		for i, filter := range filters {
			for page, err := range w.pages(ctx, v, filter) {
				if err != nil {
					yield(nil, err)
					return
				}
				for _, tuple := range page {
					if !selects(filters[:i], tuple) && !yield(wire.FromTuple(tuple), nil) {
						return
					}
				}
			}
		}
	}
}

// pages yields what one filter selects, in pages. Between them it gives signs of life: a
// page can be long in coming and have nothing.
func (w *watch) pages(ctx context.Context, v view, filter tuples.Filter) iter.Seq2[[]tuples.Tuple, error] {
	return func(yield func([]tuples.Tuple, error) bool) {
		buffer := make([]tuples.Tuple, 0, readPage)
		var after *tuples.Key
		for more := true; more; {
			var page []tuples.Tuple
			var err error
			if page, after, more, err = v.snapshot.Read(ctx, filter, after, buffer); err == nil {
				err = w.beatIfDue()
			}
			if !yield(page, err) || err != nil {
				return
			}
		}
	}
}

// selects reports whether one of the filters selects a tuple.
func selects(filters []tuples.Filter, t tuples.Tuple) bool {
	return slices.ContainsFunc(filters, func(f tuples.Filter) bool { return f.Matches(t.Key) })
}
