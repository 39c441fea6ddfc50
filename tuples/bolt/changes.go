package bolt

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/usher-authz/usher/tuples"
)

// Changes implements [tuples.Store].
func (s *store) Changes(ctx context.Context, position tuples.LogPosition, limit int) ([]tuples.Change, error) {
	after, head := position.Revision, s.Head()
	if after > head {
		return nil, aheadOf("revision", after, head)
	}
	var page []tuples.Change
	for len(page) < limit && after < head {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		var err error
		if page, after, err = s.changesSlice(after, head, limit, page); err != nil {
			return nil, err
		}
	}
	return page, nil
}

// changesSlice appends changes behind after and up to head for one slice of time, and
// returns how far it came.
func (s *store) changesSlice(after, head tuples.Revision, limit int, page []tuples.Change) ([]tuples.Change, tuples.Revision, error) {
	if s.gone.Load() {
		return nil, 0, tuples.ErrStoreNotFound
	}
	tx, err := s.db.beginRead()
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = tx.Rollback() }()
	v, err := openView(tx, s.info.ID, s.symbols)
	if err != nil {
		return nil, 0, err
	}
	if after < v.state.oldest {
		return nil, 0, unavailable(after, v.state.oldest)
	}
	end := time.Now().Add(transactionSlice)
	log := v.part(partLog).Cursor()
	for key, value := log.Seek(number(after + 1)); key != nil && len(page) < limit; key, value = log.Next() {
		revision := tuples.Revision(binary.BigEndian.Uint64(key))
		if revision > head {
			break
		}
		change, err := v.change(revision, value)
		if err != nil {
			return nil, 0, err
		}
		page, after = append(page, change), revision
		if time.Now().After(end) {
			return page, after, nil
		}
	}
	if len(page) < limit {
		after = head
	}
	return page, after, nil
}

// change returns an entry of the log with names.
func (v *view) change(revision tuples.Revision, value []byte) (tuples.Change, error) {
	c, err := decodeChange(value)
	if err != nil {
		return tuples.Change{}, err
	}
	out := tuples.Change{
		Revision: revision, Time: millis(c.time), Origin: c.origin, Cause: c.cause, Model: c.model,
		Mutations: make([]tuples.Mutation, len(c.mutations)),
	}
	for i := range c.mutations {
		m := &c.mutations[i]
		tuple, err := v.tuple(forward.edge(m.key[:]), m.grant)
		if err != nil {
			return tuples.Change{}, err
		}
		out.Mutations[i] = tuples.Mutation{Op: m.op, Tuple: tuple}
	}
	return out, nil
}
