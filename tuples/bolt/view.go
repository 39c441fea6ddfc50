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
	partStagedForward
	partStagedReverse
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
	"forward", "reverse", "forward-history", "reverse-history", "staged-forward", "staged-reverse",
	"symbols", "ids", "nodes", "expiries", "log", "models", "model-ids", "requests", "request-times",
}

var stateKey = []byte("state")

// state is the head record of a store.
type state struct {
	head   tuples.Revision
	time   int64           // of the head
	oldest tuples.Revision // the first revision that can be read
	// merging is the revision whose staged rows are a part of the state, 0 for none.
	merging tuples.Revision
}

func (s state) encode() []byte {
	b := number(s.head)
	b = binary.BigEndian.AppendUint64(b, uint64(s.time))
	b = binary.BigEndian.AppendUint64(b, uint64(s.oldest))
	return binary.BigEndian.AppendUint64(b, uint64(s.merging))
}

func decodeState(b []byte) (state, error) {
	in := input{rest: b}
	s := state{
		head: tuples.Revision(in.uint64()), time: int64(in.uint64()),
		oldest: tuples.Revision(in.uint64()), merging: tuples.Revision(in.uint64()),
	}
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

	lastObject, lastSubject lastName // of the tuples that key named
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
func (v *view) staged(o order) *bbolt.Bucket  { return v.part(partStagedForward + part(o)) }

// exact reports whether no history is needed for the state at v.at.
func (v *view) exact() bool { return v.at == v.state.head }

// overlaid reports whether the staged rows are a part of the state at v.at. They take the
// place of the live rows of their keys.
func (v *view) overlaid() bool { return v.state.merging != 0 && v.at >= v.state.merging }

// cursor returns the kept cursor over the live rows of one order.
func (v *view) cursor(kept *[2]*bbolt.Cursor, o order) *bbolt.Cursor {
	if kept[o] == nil {
		kept[o] = v.live(o).Cursor()
	}
	return kept[o]
}

// row returns the row of a key at v.at, nil if there is none.
func (v *view) row(o order, key []byte) ([]byte, error) {
	if v.overlaid() {
		if staged := v.staged(o).Get(key); staged != nil {
			return stagedRow(staged, v.state.merging)
		}
	}
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
