package bolt

import (
	"bytes"
	"slices"

	"github.com/usher-authz/usher/tuples"
)

// log writes a change at the next revision: rows of both orders, history, expiry
// index and log entry. Effects come in the order of forward keys.
func (d *draft) log(c *change, effects []effect) error {
	if err := d.settle(effects); err != nil {
		return err
	}
	revision := d.state.head + 1
	if err := d.putForward(effects, revision); err != nil {
		return err
	}
	if err := d.putReverse(effects, revision); err != nil {
		return err
	}
	if err := d.tell(revision, effects); err != nil {
		return err
	}
	c.time = d.now
	mutations := make([]mutation, len(effects))
	for i := range effects {
		mutations[i] = effects[i].mutation
	}
	if err := d.putChange(revision, c, mutations); err != nil {
		return err
	}
	d.advance(revision)
	return nil
}

// maxEntry is how many mutations one value of the log has at most. A larger change has them
// in parts, so that whoever reads it needs little memory and time for each.
const maxEntry = 10_000

// putChange writes a change to the log.
func (d *draft) putChange(revision tuples.Revision, c *change, mutations []mutation) error {
	log := d.dense(partLog)
	if len(mutations) <= maxEntry {
		c.mutations = mutations
		return log.Put(number(revision), c.encode())
	}
	if err := log.Put(number(revision), c.encode()); err != nil {
		return err
	}
	part := 0
	for some := range slices.Chunk(mutations, maxEntry) {
		if err := log.Put(partKey(revision, part), appendMutations(nil, some)); err != nil {
			return err
		}
		part++
	}
	return nil
}

func (d *draft) putForward(effects []effect, revision tuples.Revision) error {
	rows := newRows(revision)
	for i := range effects {
		e := &effects[i]
		if e.old != nil {
			if err := d.supersede(forward, e.key[:], e.old, revision); err != nil {
				return err
			}
			if err := d.forgetExpiry(e); err != nil {
				return err
			}
		}
		if e.op == tuples.OpDelete {
			if err := d.live(forward).Delete(e.key[:]); err != nil {
				return err
			}
			continue
		}
		if err := d.live(forward).Put(e.key[:], rows.of(e.grant)); err != nil {
			return err
		}
		if expires := e.grant.expires(); expires != 0 {
			if err := d.part(partExpiries).Put(expiryKey(expires, e.key[:]), nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// supersede copies a live row to the history.
func (d *draft) supersede(o order, key, row []byte, revision tuples.Revision) error {
	return d.history(o).Put(historyKey(key, revision), bytes.Clone(row))
}

func (d *draft) forgetExpiry(e *effect) error {
	_, had, err := splitRow(e.old)
	if err != nil || had.expires() == 0 {
		return err
	}
	return d.part(partExpiries).Delete(expiryKey(had.expires(), e.key[:]))
}

// putReverse is putForward for the other order, sorted by its keys: bbolt is
// quadratic in unsorted inserts of one transaction.
func (d *draft) putReverse(effects []effect, revision tuples.Revision) error {
	turned := make([]target, len(effects))
	for i := range effects {
		turned[i] = target{key: forward.turn(effects[i].key[:]), index: i}
	}
	slices.SortFunc(turned, compareTargets)
	rows := newRows(revision)
	for i := range turned {
		e, key := &effects[turned[i].index], turned[i].key[:]
		if e.old != nil {
			created, had, err := splitRow(e.old)
			if err != nil {
				return err
			}
			if err := d.supersede(reverse, key, appendRow(nil, created, had[:1]), revision); err != nil {
				return err
			}
		}
		var err error
		if e.op == tuples.OpDelete {
			err = d.live(reverse).Delete(key)
		} else {
			err = d.live(reverse).Put(key, rows.of(e.grant[:1]))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
