package bolt

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/usher-authz/usher/tuples"
)

func aheadOf[T any](what string, asked, have T) error {
	return fmt.Errorf("%w: %s %v was asked for, the store is at %v; ask for an earlier state, or for the head", tuples.ErrRevisionAhead, what, asked, have)
}

// revisionAt returns the revision in force at a time that is not ahead of the
// clock: the last one that was written by then.
func (s *store) revisionAt(ctx context.Context, ms int64) (tuples.Revision, error) {
	if err := s.db.clock.settle(ctx, ms); err != nil {
		return 0, err
	}
	head := s.Head()
	tx, err := s.db.beginRead()
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback() }()
	v, err := openView(tx, s.info.ID, s.symbols)
	if err != nil {
		return 0, err
	}
	return v.lastBefore(ms, head)
}

// lastBefore searches the log for the last revision up to head whose time is
// not after ms. Times ascend with revisions, so halving does it.
func (v *view) lastBefore(ms int64, head tuples.Revision) (tuples.Revision, error) {
	log := v.part(partLog).Cursor()
	low, high := v.state.oldest, head // the answer is in [low, high]
	if low > 0 {
		if key, value := log.Seek(number(low)); key == nil || changeTime(value) > ms {
			return 0, fmt.Errorf("%w: time %s lies before it; ask for a later time, or for the head", tuples.ErrRevisionUnavailable, millis(ms))
		}
	}
	for low < high {
		middle := low + (high-low+1)/2
		key, value := log.Seek(number(middle))
		if key == nil {
			high = middle - 1
			continue
		}
		found := tuples.Revision(binary.BigEndian.Uint64(key))
		if found <= high && changeTime(value) <= ms {
			low = found
		} else {
			high = middle - 1
		}
	}
	return low, nil
}
