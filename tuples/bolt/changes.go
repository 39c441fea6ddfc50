package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"time"

	"github.com/usher-authz/usher/tuples"
)

// Changes implements [tuples.Store].
func (s *store) Changes(ctx context.Context, after tuples.LogPosition, limit int) ([]tuples.Change, error) {
	head := s.Head()
	if after.Revision > head {
		return nil, aheadOf("revision", after.Revision, head)
	}
	r := logReader{head: head, position: after, limit: limit}
	for !r.done && len(r.page) < limit {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err := s.changesSlice(&r); err != nil {
			return nil, err
		}
	}
	return r.page, nil
}

// logReader collects one page of changes.
type logReader struct {
	head     tuples.Revision    // up to which changes are published
	position tuples.LogPosition // behind the page
	page     []tuples.Change
	limit    int
	done     bool // there is no more to read
}

// changesSlice appends to the page for one slice of time.
func (s *store) changesSlice(r *logReader) error {
	if s.gone.Load() {
		return tuples.ErrStoreNotFound
	}
	tx, err := s.db.beginRead()
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	v, err := openView(tx, s.info.ID, s.symbols)
	if err != nil {
		return err
	}
	if p := r.position; p.Revision < v.state.oldest || p.Parts > 0 && p.Revision == v.state.oldest {
		return unavailable(p.Revision, v.state.oldest)
	}
	return r.read(&v, time.Now().Add(transactionSlice))
}

// read appends to the page until it is full, the log ends, or it is time to stop.
func (r *logReader) read(v *view, end time.Time) error {
	log := v.part(partLog).Cursor()
	from := number(r.position.Revision + 1)
	if r.position.Parts > 0 {
		from = partKey(r.position.Revision, r.position.Parts)
	}
	key, value := log.Seek(from)
	for len(r.page) < r.limit && time.Now().Before(end) {
		if key == nil || r.unwritten(v, key) {
			r.done = true
			return nil
		}
		here, entry := key, value
		key, value = log.Next()
		more := bytes.HasPrefix(key, here[:revisionLen])
		if more && len(here) == revisionLen {
			continue // its mutations are in its parts
		}
		change, err := v.change(here, entry, more)
		if err != nil {
			return err
		}
		r.page, r.position = append(r.page, change), change.Position()
	}
	return nil
}

// unwritten reports whether a key of the log is of a revision that is not published, or
// whose parts are not all written.
func (r *logReader) unwritten(v *view, key []byte) bool {
	revision := tuples.Revision(binary.BigEndian.Uint64(key))
	return revision > r.head || revision == v.state.merging
}

// change returns an entry of the log, or a part, with names.
func (v *view) change(key, value []byte, more bool) (tuples.Change, error) {
	revision, c, err := decodeLog(key, value)
	if err != nil {
		return tuples.Change{}, err
	}
	out := tuples.Change{Revision: revision, Mutations: make([]tuples.Mutation, len(c.mutations))}
	for i := range c.mutations {
		m := &c.mutations[i]
		tuple, err := v.tuple(forward.edge(m.key[:]), m.grant)
		if err != nil {
			return tuples.Change{}, err
		}
		out.Mutations[i] = tuples.Mutation{Op: m.op, Tuple: tuple}
	}
	if len(key) == partLen {
		out.Part, out.More = int(binary.BigEndian.Uint32(key[revisionLen:])), more
		if c, err = decodeChange(v.part(partLog).Get(key[:revisionLen])); err != nil {
			return tuples.Change{}, err
		}
	}
	out.Time, out.Origin, out.Cause, out.Model = millis(c.time), c.origin, c.cause, c.model
	return out, nil
}
