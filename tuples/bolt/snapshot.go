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

// snapshot is a revision and a clock reading, and the transaction of the slice
// under way, if any.
type snapshot struct {
	store    *store
	revision tuples.Revision
	now      int64

	due atomic.Bool // the transaction's slice is over

	mu     sync.Mutex // between the caller and the timer
	tx     *bbolt.Tx
	view   view
	timer  *time.Timer
	closed bool
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
	if s.tx != nil && !s.due.Load() {
		return &s.view, nil
	}
	s.rollback()
	return &s.view, s.begin()
}

// begin starts a transaction and a slice.
func (s *snapshot) begin() error {
	if s.store.gone.Load() {
		return tuples.ErrStoreNotFound
	}
	tx, err := s.store.db.beginRead()
	if err != nil {
		return err
	}
	s.view, err = openView(tx, s.store.info.ID, s.store.symbols)
	if err == nil {
		err = s.view.show(s.revision)
	}
	if err != nil {
		_ = tx.Rollback()
		return err
	}
	s.view.now = s.now
	s.tx = tx
	s.due.Store(false)
	if s.timer == nil {
		s.timer = time.AfterFunc(transactionSlice, s.endSlice)
	} else {
		s.timer.Reset(transactionSlice)
	}
	return nil
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
	if s.tx == nil {
		return
	}
	s.timer.Stop()
	_ = s.tx.Rollback() // of a read transaction: it fails only when there is none
	s.tx, s.view = nil, view{}
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
