package bolt

import (
	"context"

	"github.com/usher-authz/usher/tuples"
)

// tryLarge counts what a large commit would do, at the head and in slices of time.
func (s *store) tryLarge(ctx context.Context, w *write) (tuples.Committed, error) {
	var outcome tuples.Committed
	known := false
	slice := &snapshot{store: s}
	defer slice.Close()
	err := s.db.submit(ctx, 1, func(g *group) error {
		d, err := g.draft(s)
		if err != nil {
			return err
		}
		slice.revision, slice.now = d.store.Head(), d.now
		outcome, known, err = d.check(w)
		return err
	})
	if err != nil {
		return tuples.Committed{}, err // outcome and known are still the job's
	}
	if known {
		return outcome, nil
	}
	var counts stagedCounts
	src := newSource(w)
	for done := false; !done; {
		if done, err = slice.try(ctx, src, &counts, &outcome); err != nil {
			return tuples.Committed{}, err
		}
	}
	outcome.Revision, outcome.Time = slice.revision, slice.Time()
	return outcome, nil
}

// try counts what one piece would do, and behind the last one the outcome.
func (s *snapshot) try(ctx context.Context, src source, counts *stagedCounts, outcome *tuples.Committed) (done bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.open(ctx)
	if err != nil {
		return false, err
	}
	done, err = src.scan(&piece{view: v, rows: rowsPerSlice, found: func(m mutation) { counts[m.op]++ }})
	if err != nil || !done {
		return false, err
	}
	outcome.Created, outcome.Updated, outcome.Deleted = counts[tuples.OpCreate], counts[tuples.OpTouch], counts[tuples.OpDelete]
	return true, src.count(v, outcome)
}
