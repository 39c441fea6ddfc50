package bolt

import (
	"bytes"

	"github.com/usher-authz/usher/tuples"
)

// A source finds the tuples that a commit means: an [eraser] those that name objects, an
// [undoer] those that a change removed, a [lister] those of its mutations. It looks at
// them piece by piece and remembers where it stopped.
type source interface {
	// scan goes on for one piece, and reports whether that was the last. As long as the
	// state stays the same it finds each tuple once.
	scan(p *piece) (done bool, err error)
	// follow takes in what another commit did between the pieces, and finds anew what is
	// wanted of its tuples. It fails with errMoved if that takes back what was found before.
	follow(p *piece, mutations []mutation) error
	// count completes the outcome when scan is done.
	count(v *view, outcome *tuples.Committed) error
}

// piece is what a source works on at a time.
type piece struct {
	*view
	names *newNames      // takes the new names of mutations; nil where nothing is written
	rows  int            // that are left to look at
	found func(mutation) // gets what is wanted of a tuple; a mutation without operation is nothing
}

// newSource returns the source of a commit.
func newSource(w *write) source {
	switch {
	case w.Erase != nil:
		return newEraser(w.Erase)
	case w.Undo != nil:
		return newUndoer(w.Undo)
	}
	return newLister(w)
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

// current returns what the tuple of a forward key grants, nil if there is none or it has
// expired.
func (v *view) current(key []byte) (grant, error) {
	row, err := v.row(forward, key)
	if err != nil || row == nil {
		return nil, err
	}
	_, g, err := splitRow(row)
	if err != nil || g.expiredAt(v.now) {
		return nil, err
	}
	return g, nil
}
