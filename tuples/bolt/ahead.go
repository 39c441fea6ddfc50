package bolt

import (
	"bytes"

	bbolt "go.etcd.io/bbolt"
)

// stepsAhead is how many keys ahead steps over before it searches: a search from the root of
// the tree takes as long as some ten steps.
const stepsAhead = 8

// ahead finds keys of a bucket in ascending order, close ones by steps.
type ahead struct {
	cursor     *bbolt.Cursor
	key, value []byte // the first that is not less than the key asked for last
	moves      int    // how often the cursor had to move for a key
}

// find returns the value of a key, nil if there is none.
func (a *ahead) find(key []byte) []byte {
	if a.moves == 0 || a.key != nil && bytes.Compare(a.key, key) < 0 {
		a.move(key)
	}
	if !bytes.Equal(a.key, key) {
		return nil
	}
	return a.value
}

func (a *ahead) move(key []byte) {
	if a.moves++; a.moves > 1 {
		for range stepsAhead {
			if a.key, a.value = a.cursor.Next(); a.key == nil || bytes.Compare(a.key, key) >= 0 {
				return
			}
		}
	}
	a.key, a.value = a.cursor.Seek(key)
}

// rowsAhead finds live rows by forward keys, in ascending order.
type rowsAhead struct {
	draft *draft
	ahead
	asked int
}

func (d *draft) rowsAhead() *rowsAhead {
	return &rowsAhead{draft: d, ahead: ahead{cursor: d.live(forward).Cursor()}}
}

// row returns the row of a key, nil if there is none.
func (r *rowsAhead) row(key *edgeKey) ([]byte, error) {
	r.asked++
	if r.draft.overlaid() {
		r.moves++
		return r.draft.row(forward, key[:])
	}
	return r.find(key[:]), nil
}

// What comes in runs of inRuns rows without another one between them has its pages packed. A
// page that other rows overflow is split into halves, which leaves room for more of them:
// packing those too would leave pages of a few rows between full ones. Commits of less than
// manyRows rows are not looked at.
const (
	inRuns   = 8
	manyRows = 1000
)

// pack has the rows packed that were asked for, in the order in which they come in runs.
// In the reverse order that is so for the first rows of a store alone.
func (r *rowsAhead) pack() {
	if r.asked < manyRows {
		return
	}
	if r.moves*inRuns <= r.asked {
		r.draft.dense(partForward)
	}
	if first, _ := r.draft.live(reverse).Cursor().First(); first == nil {
		r.draft.dense(partReverse)
	}
}
