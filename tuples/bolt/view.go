package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/usher-authz/usher/tuples"
	bbolt "go.etcd.io/bbolt"
)

// part is one of the buckets of a store.
type part int

const (
	partForward part = iota // forward and reverse stand in the order of type order
	partReverse
	partForwardHistory
	partReverseHistory
	partSymbols
	partIDs
	partNodes
	partExpiries
	partLog
	partModels
	partModelIDs
	partRequests
	partRequestTimes
	parts
)

var partNames = [parts]string{
	"forward", "reverse", "forward-history", "reverse-history", "symbols", "ids", "nodes",
	"expiries", "log", "models", "model-ids", "requests", "request-times",
}

var stateKey = []byte("state")

// state is the head record of a store.
type state struct {
	head   tuples.Revision
	time   int64           // of the head
	oldest tuples.Revision // the first revision that can be read
}

func (s state) encode() []byte {
	b := number(s.head)
	b = binary.BigEndian.AppendUint64(b, uint64(s.time))
	return binary.BigEndian.AppendUint64(b, uint64(s.oldest))
}

func decodeState(b []byte) (state, error) {
	in := input{rest: b}
	s := state{head: tuples.Revision(in.uint64()), time: int64(in.uint64()), oldest: tuples.Revision(in.uint64())}
	if in.failed {
		return s, fmt.Errorf("state %x: %w", b, errDamaged)
	}
	return s, nil
}

// view reads one store in one bbolt transaction, at one revision and one clock
// reading. What it returns points into the transaction.
type view struct {
	bucket *bbolt.Bucket
	names  names
	state  state // of the transaction
	at     tuples.Revision
	now    int64
	parts  [parts]*bbolt.Bucket

	// lookups are cursors over the live rows for row, and walks those for walk. They are
	// kept for their stacks, which are half of what a Check would allocate.
	lookups, walks [2]*bbolt.Cursor
}

// openView reads the state of a store in a transaction.
func openView(tx *bbolt.Tx, id tuples.StoreID, n names) (view, error) {
	bucket := tx.Bucket([]byte(id))
	if bucket == nil {
		return view{}, tuples.ErrStoreNotFound
	}
	s, err := decodeState(bucket.Get(stateKey))
	return view{bucket: bucket, names: n, state: s, at: s.head}, err
}

func (v *view) part(p part) *bbolt.Bucket {
	if v.parts[p] == nil {
		v.parts[p] = v.bucket.Bucket([]byte(partNames[p]))
	}
	return v.parts[p]
}

func (v *view) live(o order) *bbolt.Bucket    { return v.part(partForward + part(o)) }
func (v *view) history(o order) *bbolt.Bucket { return v.part(partForwardHistory + part(o)) }

// exact reports whether the live rows alone are the state at v.at.
func (v *view) exact() bool { return v.at == v.state.head }

// cursor returns the kept cursor over the live rows of one order.
func (v *view) cursor(kept *[2]*bbolt.Cursor, o order) *bbolt.Cursor {
	if kept[o] == nil {
		kept[o] = v.live(o).Cursor()
	}
	return kept[o]
}

// row returns the row of a key at v.at, nil if there is none.
func (v *view) row(o order, key []byte) ([]byte, error) {
	if k, row := v.cursor(&v.lookups, o).Seek(key); bytes.Equal(k, key) {
		created, _, err := splitRow(row)
		if err != nil || created <= v.at {
			return row, err
		}
	}
	if v.exact() {
		return nil, nil
	}
	k, row := v.history(o).Cursor().Seek(historyKey(key, v.at+1))
	if !bytes.HasPrefix(k, key) || row == nil {
		return nil, nil
	}
	created, _, err := splitRow(row)
	if err != nil || created > v.at {
		return nil, err
	}
	return row, nil
}

// grantOf returns what the tuple of a row grants, and whether it has expired. A row
// of the reverse order leaves the grant to the forward one.
func (v *view) grantOf(o order, key, row []byte) (g grant, expired bool, err error) {
	created, g, err := splitRow(row)
	if err != nil || g.isBare() {
		return g, false, err
	}
	if o == reverse {
		turned := reverse.turn(key)
		if row, err = v.row(forward, turned[:]); err != nil {
			return nil, false, err
		}
		var same tuples.Revision
		if row != nil {
			same, g, err = splitRow(row)
		}
		if err != nil || same != created {
			return nil, false, fmt.Errorf("reverse row %x has no forward row of revision %d: %w", key, created, errDamaged)
		}
	}
	return g, g.expiredAt(v.now), nil
}

// walk is a cursor over the keys of one order. It stops at each key that has a
// live row or history, and shows the row that is visible at the view's revision.
type walk struct {
	key []byte // nil at the end
	row []byte // nil when the key is not visible
	err error

	at            tuples.Revision
	live, history *bbolt.Cursor // history is nil in an exact view
	lk, lv        []byte
	hk, hv        []byte
}

// walk starts at the first key that is not less than from. It ends the walk before it
// over that order.
func (v *view) walk(o order, from []byte) *walk {
	w := &walk{at: v.at, live: v.cursor(&v.walks, o)}
	w.lk, w.lv = w.live.Seek(from)
	if !v.exact() {
		w.history = v.history(o).Cursor()
		w.hk, w.hv = w.history.Seek(from)
	}
	w.settle()
	return w
}

// next moves to the following key.
func (w *walk) next() {
	key := w.key
	if bytes.Equal(w.lk, key) {
		w.lk, w.lv = w.live.Next()
	}
	if w.history != nil && bytes.HasPrefix(w.hk, key) {
		// One version is usual; past a second one a seek beats stepping over all.
		if w.hk, w.hv = w.history.Next(); bytes.HasPrefix(w.hk, key) {
			w.hk, w.hv = w.history.Seek(historyKey(key, ^tuples.Revision(0)))
		}
	}
	w.settle()
}

// settle chooses the smaller key of the two cursors and its visible row.
func (w *walk) settle() {
	w.key, w.row = w.lk, nil
	if w.hk != nil && (w.lk == nil || bytes.Compare(w.hk[:edgeLen], w.lk) < 0) {
		w.key = w.hk[:edgeLen:edgeLen]
	}
	if w.key == nil || w.err != nil {
		w.key = nil
		return
	}
	if w.history == nil {
		w.row = w.lv
		return
	}
	if bytes.Equal(w.lk, w.key) && w.visible(w.lv) {
		w.row = w.lv
		return
	}
	if !bytes.HasPrefix(w.hk, w.key) {
		return
	}
	if deletedAt(w.hk) <= w.at {
		w.hk, w.hv = w.history.Seek(historyKey(w.key, w.at+1))
	}
	if bytes.HasPrefix(w.hk, w.key) && w.visible(w.hv) {
		w.row = w.hv
	}
}

func (w *walk) visible(row []byte) bool {
	created, _, err := splitRow(row)
	if err != nil {
		w.err = err
	}
	return err == nil && created <= w.at
}
