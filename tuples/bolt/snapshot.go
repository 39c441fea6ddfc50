package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/usher-authz/usher/tuples"
	bbolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

const (
	// transactionSlice is how long a bbolt read transaction may stay open.
	transactionSlice = 50 * time.Millisecond
	// rowsBetweenChecks is after how many rows a scan looks whether its slice is
	// over: some 10 µs of rows.
	rowsBetweenChecks = 256
)

// snapshot is a revision and a clock reading, and what it takes to read them. Every question
// opens one, and most read nothing, for the index answers them; so it is small.
type snapshot struct {
	store    *store
	revision tuples.Revision
	now      int64

	mu     sync.Mutex  // between the caller and the timer
	slice  *slice      // nil before the first read
	due    atomic.Bool // the slice is over
	closed bool
}

// slice is a bbolt transaction of a snapshot, one after the other.
type slice struct {
	tx    *bbolt.Tx // nil between two
	view  view
	timer *time.Timer
}

// Revision implements [tuples.Snapshot].
func (s *snapshot) Revision() tuples.Revision { return s.revision }

// Time implements [tuples.Snapshot].
func (s *snapshot) Time() time.Time { return millis(s.now) }

// Close implements [tuples.Snapshot].
func (s *snapshot) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.rollback()
}

// open returns the view to read from. The caller holds mu, and holds it until it
// is done with what the view returned.
func (s *snapshot) open(ctx context.Context) (*view, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	if s.closed {
		return nil, errors.New("snapshot is closed")
	}
	if s.slice != nil && s.slice.tx != nil && !s.due.Load() {
		return &s.slice.view, nil
	}
	s.rollback()
	return s.begin()
}

// begin starts a transaction and a slice.
func (s *snapshot) begin() (*view, error) {
	if s.store.gone.Load() {
		return nil, tuples.ErrStoreNotFound
	}
	tx, err := s.store.db.beginRead()
	if err != nil {
		return nil, err
	}
	v, err := openView(tx, s.store.info.ID, s.store.symbols)
	if err == nil {
		err = v.show(s.revision)
	}
	if err != nil {
		_ = tx.Rollback()
		return nil, err
	}
	v.now = s.now
	s.due.Store(false)
	if s.slice == nil {
		s.slice = &slice{timer: time.AfterFunc(transactionSlice, s.endSlice)}
	} else {
		s.slice.timer.Reset(transactionSlice)
	}
	s.slice.tx, s.slice.view = tx, v
	return &s.slice.view, nil
}

// show moves the view to a revision that its transaction still has.
func (v *view) show(revision tuples.Revision) error {
	if revision < v.state.oldest {
		return unavailable(revision, v.state.oldest)
	}
	if revision > v.state.head {
		return fmt.Errorf("revision %d is published but the file ends at %d: %w", revision, v.state.head, errDamaged)
	}
	v.at = revision
	return nil
}

func unavailable(revision, oldest tuples.Revision) error {
	return fmt.Errorf("%w: revision %d was asked for, %d is the oldest kept; ask for a later state, or begin anew at the head", tuples.ErrRevisionUnavailable, revision, oldest)
}

// endSlice runs when the slice is over. It ends the transaction of an idle snapshot; a
// call under way sees due and does it itself.
func (s *snapshot) endSlice() {
	s.due.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.due.Load() {
		s.rollback()
	}
}

func (s *snapshot) rollback() {
	if s.slice == nil || s.slice.tx == nil {
		return
	}
	s.slice.timer.Stop()
	_ = s.slice.tx.Rollback() // of a read transaction: it fails only when there is none
	s.slice.tx, s.slice.view = nil, view{}
}

// beginRead starts a read transaction.
func (db *DB) beginRead() (*bbolt.Tx, error) {
	tx, err := db.bolt.Begin(false)
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return nil, tuples.ErrClosed
	}
	if err != nil {
		return nil, fmt.Errorf("begin a read transaction: %w", err)
	}
	return tx, nil
}

// scan visits the keys of one order that have prefix, from the first that is not less
// than from, until visit returns false. The row is nil for a key that is not visible. A
// scan of many rows runs in several slices; visit gets the view of its slice.
func (s *snapshot) scan(ctx context.Context, o order, prefix, from []byte, visit func(v *view, key, row []byte) (bool, error)) error {
	for {
		v, err := s.open(ctx)
		if err != nil {
			return err
		}
		w := v.walk(o, from)
		rows := 0
		for ; w.key != nil && bytes.HasPrefix(w.key, prefix); w.next() {
			if rows++; rows%rowsBetweenChecks == 0 && (s.due.Load() || ctx.Err() != nil) {
				from = bytes.Clone(w.key)
				break
			}
			if more, err := visit(v, w.key, w.row); err != nil || !more {
				return err
			}
		}
		if w.err != nil {
			return w.err
		}
		if w.key == nil || !bytes.HasPrefix(w.key, prefix) {
			return nil
		}
	}
}
