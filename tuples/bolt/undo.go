package bolt

import (
	"fmt"

	"github.com/usher-authz/usher/tuples"
)

// undoer is the [source] of an undo: the deletes of a revision's log entry, those that
// are not there again.
type undoer struct {
	revision tuples.Revision
	index    int // of the mutation to go on with
	deletes  int // seen
	restored int
}

func newUndoer(undo *tuples.Undo) *undoer { return &undoer{revision: undo.Revision} }

// scan implements [source].
func (u *undoer) scan(v *view, rows int, found func(mutation)) (done bool, err error) {
	c, err := u.change(v)
	if err != nil {
		return false, err
	}
	for ; u.index < len(c.mutations); u.index++ {
		if rows--; rows < 0 {
			return false, nil
		}
		m := c.mutations[u.index]
		if m.op != tuples.OpDelete {
			continue
		}
		u.deletes++
		there, err := v.there(m.key[:])
		if err != nil {
			return false, err
		}
		if !there && !m.grant.expiredAt(v.now) {
			u.restored++
			found(mutation{op: tuples.OpCreate, key: m.key, grant: m.grant})
		}
	}
	return true, nil
}

// change returns the log entry to undo.
func (u *undoer) change(v *view) (*change, error) {
	switch {
	case u.revision > v.state.head:
		return nil, aheadOf("the undoing of revision", u.revision, v.state.head)
	case u.revision <= v.state.oldest:
		return nil, unavailable(u.revision, v.state.oldest)
	}
	value := v.part(partLog).Get(number(u.revision))
	if value == nil {
		return nil, fmt.Errorf("revision %d is not in the log: %w", u.revision, errDamaged)
	}
	return decodeChange(value)
}

// count implements [source].
func (u *undoer) count(_ *view, outcome *tuples.Committed) error {
	outcome.Skipped = u.deletes - u.restored
	return nil
}

// there reports whether the tuple of a forward key is there and has not expired.
func (v *view) there(key []byte) (bool, error) {
	row, err := v.row(forward, key)
	if err != nil || row == nil {
		return false, err
	}
	_, g, err := splitRow(row)
	return err == nil && !g.expiredAt(v.now), err
}
