package bolt

import (
	"bytes"

	"github.com/usher-authz/usher/tuples"
)

// A source finds the tuples that a commit of unknown size means: an [eraser] those
// that name objects, an [undoer] those that a change removed. It looks at a view piece by
// piece and remembers where it stopped.
type source interface {
	// scan looks at some rows of the view, and tells found what it wants of their tuples:
	// each tuple once, as long as the view stays the same. It reports whether it is done.
	scan(v *view, rows int, found func(mutation)) (done bool, err error)
	// count completes the outcome when scan is done: what there is beside the mutations.
	count(v *view, outcome *tuples.Committed) error
}

// newSource returns the source of a commit, nil for one whose mutations are listed.
func newSource(c *tuples.Commit) source {
	switch {
	case c.Erase != nil:
		return newEraser(c.Erase)
	case c.Undo != nil:
		return newUndoer(c.Undo)
	}
	return nil
}

// over returns the operation that a mutation comes to for a tuple that grants had, nil if
// there is none; 0 if it changes nothing. A create takes for granted that there is none.
func (m *mutation) over(had grant) tuples.Op {
	switch {
	case m.op == tuples.OpDelete && had == nil, m.op == tuples.OpTouch && had != nil && bytes.Equal(had, m.grant):
		return 0
	case m.op == tuples.OpDelete:
		return tuples.OpDelete
	case had == nil:
		return tuples.OpCreate
	}
	return tuples.OpTouch
}
