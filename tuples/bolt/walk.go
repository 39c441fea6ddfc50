package bolt

import (
	"bytes"

	"github.com/usher-authz/usher/tuples"
	bbolt "go.etcd.io/bbolt"
)

// walk is a cursor over the keys of one order. It stops at each key that has a
// live row or history, and shows the row that is visible at the view's revision.
type walk struct {
	key []byte // nil at the end
	row []byte // nil when the key is not visible
	err error

	at, merging           tuples.Revision
	live, history, staged *bbolt.Cursor // history is nil in an exact view, staged in one that is not overlaid
	lk, lv                []byte
	hk, hv                []byte
	sk, sv                []byte
}

// walk starts at the first key that is not less than from. It ends the walk before it
// over that order.
func (v *view) walk(o order, from []byte) *walk {
	w := &walk{at: v.at, merging: v.state.merging, live: v.cursor(&v.walks, o)}
	w.lk, w.lv = w.live.Seek(from)
	if !v.exact() {
		w.history = v.history(o).Cursor()
		w.hk, w.hv = w.history.Seek(from)
	}
	if v.overlaid() {
		w.staged = v.staged(o).Cursor()
		w.sk, w.sv = w.staged.Seek(from)
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
	if w.staged != nil && bytes.Equal(w.sk, key) {
		w.sk, w.sv = w.staged.Next()
	}
	if w.history != nil && bytes.HasPrefix(w.hk, key) {
		// One version is usual; past a second one a seek beats stepping over all.
		if w.hk, w.hv = w.history.Next(); bytes.HasPrefix(w.hk, key) {
			w.hk, w.hv = w.history.Seek(historyKey(key, ^tuples.Revision(0)))
		}
	}
	w.settle()
}

// settle chooses the smallest key of the cursors and its visible row.
func (w *walk) settle() {
	w.key, w.row = w.lk, nil
	if w.hk != nil && (w.key == nil || bytes.Compare(w.hk[:edgeLen], w.key) < 0) {
		w.key = w.hk[:edgeLen:edgeLen]
	}
	if w.sk != nil && (w.key == nil || bytes.Compare(w.sk, w.key) < 0) {
		w.key = w.sk
	}
	if w.key == nil || w.err != nil {
		w.key = nil
		return
	}
	if w.sk != nil && bytes.Equal(w.sk, w.key) {
		if w.row, w.err = stagedRow(w.sv, w.merging); w.err != nil {
			w.key = nil
		}
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
