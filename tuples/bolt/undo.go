package bolt

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/usher-authz/usher/tuples"
)

// undoer is the [source] of an undo: the deletes that the log has of a revision.
type undoer struct {
	revision tuples.Revision
	key      []byte // of the log: the entry or part to go on with
	index    int    // in its mutations
	deletes  int    // seen
}

func newUndoer(undo *tuples.Undo) *undoer {
	return &undoer{revision: undo.Revision, key: number(undo.Revision)}
}

// errMerging says that a revision is not in the log yet as a whole.
var errMerging = errors.New("the revision is still being merged")

// scan implements [source].
func (u *undoer) scan(p *piece) (done bool, err error) {
	switch {
	case u.revision > p.state.head:
		return false, aheadOf("the undoing of revision", u.revision, p.state.head)
	case u.revision <= p.state.oldest:
		return false, unavailable(u.revision, p.state.oldest)
	case u.revision == p.state.merging:
		return false, errMerging
	}
	c := p.part(partLog).Cursor()
	key, value := c.Seek(u.key)
	if !bytes.Equal(key, u.key) {
		return false, fmt.Errorf("entry %x is not in the log: %w", u.key, errDamaged)
	}
	for ; bytes.HasPrefix(key, u.key[:revisionLen]); key, value = c.Next() {
		if u.key = bytes.Clone(key); p.rows <= 0 {
			return false, nil
		}
		_, change, err := decodeLog(key, value)
		if err != nil {
			return false, err
		}
		if done, err := u.entry(p, change.mutations); err != nil || !done {
			return false, err
		}
		p.rows--
	}
	return true, nil
}

// entry goes on with an entry of the log, or a part of one.
func (u *undoer) entry(p *piece, mutations []mutation) (done bool, err error) {
	for ; u.index < len(mutations); u.index++ {
		if p.rows--; p.rows < 0 {
			return false, nil
		}
		m := &mutations[u.index]
		if m.op != tuples.OpDelete {
			continue
		}
		u.deletes++
		if err := u.want(p, m.key, m.grant); err != nil {
			return false, err
		}
	}
	u.index = 0
	return true, nil
}

// want finds whether a tuple that was removed is to come back.
func (u *undoer) want(p *piece, key edgeKey, removed grant) error {
	had, err := p.current(key[:])
	if err != nil {
		return err
	}
	m := mutation{key: key, grant: removed}
	if had == nil && !removed.expiredAt(p.now) {
		m.op = tuples.OpCreate
	}
	p.found(m)
	return nil
}

// follow implements [source]. What the revision removed is in the history.
func (u *undoer) follow(p *piece, mutations []mutation) error {
	for i := range mutations {
		key := mutations[i].key
		row := p.history(forward).Get(historyKey(key[:], u.revision))
		if row == nil || p.begun(key[:], u.revision) != nil {
			continue
		}
		_, removed, err := splitRow(row)
		if err == nil {
			err = u.want(p, key, removed)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// count implements [source].
func (u *undoer) count(_ *view, outcome *tuples.Committed) error {
	outcome.Skipped = u.deletes - outcome.Created
	return nil
}
