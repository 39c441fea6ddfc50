package bolt

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/usher-authz/usher/tuples"
)

// A large commit is staged: piece by piece it puts what it will make of each tuple into
// buckets of its own, which nobody reads. One small transaction then makes them a part of the
// state, by naming its revision in the state's record: from there on a staged row
// stands for the live row of its key, at that revision and later ones. Behind that the
// staged rows are merged, piece by piece, into live rows, history and log.
//
//	staged row = op(1) grant, of a tuple that is created or replaced at the revision
//	           | op(1), of one that is deleted
//
// A staged row of the reverse order has the flags of the grant alone.

// stagedRow returns the row that a staged one stands for, nil for a delete.
func stagedRow(value []byte, revision tuples.Revision) ([]byte, error) {
	m, err := decodeStaged(value)
	if err != nil || m.op == tuples.OpDelete {
		return nil, err
	}
	return appendRow(nil, revision, m.grant), nil
}

// decodeStaged returns operation and grant; the grant points into value.
func decodeStaged(value []byte) (m mutation, err error) {
	if len(value) > 0 {
		m.op, m.grant = tuples.Op(value[0]), grant(value[1:])
	}
	if m.op < tuples.OpCreate || m.op > tuples.OpDelete || (m.op == tuples.OpDelete) != (len(m.grant) == 0) {
		return m, fmt.Errorf("staged row %x: %w", value, errDamaged)
	}
	return m, nil
}

func encodeStaged(o order, m *mutation) []byte {
	b := []byte{byte(m.op)}
	switch {
	case m.op == tuples.OpDelete:
		return b
	case o == reverse:
		return append(b, m.grant[0])
	}
	return append(b, m.grant...)
}

// stagedCounts counts staged rows by their operation.
type stagedCounts [tuples.OpDelete + 1]int

// stage puts what a large commit wants of some tuples, and counts it; a mutation without
// operation takes back what was staged before. Of several for one key the last counts.
func (d *draft) stage(wanted []mutation, counts *stagedCounts) error {
	if len(wanted) == 0 {
		return nil
	}
	slices.SortStableFunc(wanted, func(a, b mutation) int { return bytes.Compare(a.key[:], b.key[:]) })
	d.group.write()
	turned := make([]target, 0, len(wanted))
	for i := range wanted {
		m := &wanted[i]
		if i+1 < len(wanted) && wanted[i+1].key == m.key {
			continue
		}
		if old := d.staged(forward).Get(m.key[:]); old != nil {
			had, err := decodeStaged(old)
			if err != nil {
				return err
			}
			counts[had.op]--
		} else if m.op == 0 {
			continue
		}
		if m.op != 0 {
			counts[m.op]++
		}
		if err := d.putStaged(forward, m.key[:], m); err != nil {
			return err
		}
		turned = append(turned, target{key: forward.turn(m.key[:]), index: i})
	}
	slices.SortFunc(turned, compareTargets)
	for i := range turned {
		if err := d.putStaged(reverse, turned[i].key[:], &wanted[turned[i].index]); err != nil {
			return err
		}
	}
	return nil
}

func (d *draft) putStaged(o order, key []byte, m *mutation) error {
	if m.op == 0 {
		return d.staged(o).Delete(key)
	}
	return d.staged(o).Put(key, encodeStaged(o, m))
}
