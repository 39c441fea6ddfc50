package bolt

import (
	"bytes"
	"context"
	"fmt"

	"github.com/usher-authz/usher/tuples"
)

// ChangeAt implements [tuples.Store].
func (s *store) ChangeAt(ctx context.Context, revision tuples.Revision) (tuples.Change, error) {
	if err := ctx.Err(); err != nil {
		return tuples.Change{}, context.Cause(ctx)
	}
	if head := s.Head(); revision > head {
		return tuples.Change{}, aheadOf("revision", revision, head)
	}
	if s.gone.Load() {
		return tuples.Change{}, tuples.ErrStoreNotFound
	}
	tx, err := s.db.beginRead()
	if err != nil {
		return tuples.Change{}, err
	}
	defer func() { _ = tx.Rollback() }()
	v, err := openView(tx, s.info.ID, s.symbols)
	if err != nil {
		return tuples.Change{}, err
	}
	key, value := v.part(partLog).Cursor().Seek(number(revision))
	if !bytes.HasPrefix(key, number(revision)) {
		return tuples.Change{}, unavailable(revision, v.state.oldest)
	}
	in := input{rest: value}
	c := in.changeHead()
	if in.failed {
		return tuples.Change{}, fmt.Errorf("change of revision %d: %w", revision, errDamaged)
	}
	return tuples.Change{Revision: revision, Time: millis(c.time), Origin: c.origin, Cause: c.cause, Model: c.model}, nil
}

// LastChange implements [tuples.Snapshot]. The rows that are visible tell when they were
// made and whether they have expired; those of the history, when they ended.
func (s *snapshot) LastChange(ctx context.Context, filters []tuples.Filter) (tuples.LastChange, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var t tracer
	for _, f := range filters {
		if err := f.Validate(); err != nil {
			return tuples.LastChange{}, err
		}
		v, err := s.open(ctx)
		if err != nil {
			return tuples.LastChange{}, err
		}
		if t.selection, err = v.choose(f); err != nil {
			return tuples.LastChange{}, err
		}
		if t.selection.empty {
			continue
		}
		if err := s.scan(ctx, t.selection.order, t.selection.prefix, t.selection.prefix, t.visit); err != nil {
			return tuples.LastChange{}, err
		}
		if err := s.scanHistory(ctx, t.selection.order, t.selection.prefix, t.visitEnded); err != nil {
			return tuples.LastChange{}, err
		}
	}
	return t.found, nil
}

// tracer looks for the last change of the tuples of one selection after the other.
type tracer struct {
	selection selection
	found     tuples.LastChange
}

// visit looks at a key and the row that is visible there, if any.
func (t *tracer) visit(v *view, key, row []byte) (bool, error) {
	t.found.Rows++
	edge := t.selection.order.edge(key)
	if !t.selection.matches(edge) {
		return true, nil
	}
	if row == nil {
		if v.overlaid() && v.staged(t.selection.order).Get(key) != nil {
			t.found.Revision = max(t.found.Revision, v.state.merging) // removed, not in the history yet
		}
		return true, nil
	}
	created, _, err := splitRow(row)
	if err != nil {
		return false, err
	}
	t.found.Revision = max(t.found.Revision, created)
	g, expired, err := v.grantOf(t.selection.order, key, row)
	if err != nil || !expired {
		return true, err
	}
	if last := t.found.Expired; last != nil && g.expires() <= last.Expires.UnixMilli() {
		return true, nil
	}
	tuple, err := v.tuple(edge, g)
	t.found.Expired = &tuple
	return true, err
}

// visitEnded looks at the key of a row of the history.
func (t *tracer) visitEnded(v *view, key []byte) {
	t.found.Rows++
	if ended := deletedAt(key); ended <= v.at && t.selection.matches(t.selection.order.edge(key)) {
		t.found.Revision = max(t.found.Revision, ended)
	}
}

// scanHistory visits the keys of the history of one order that have prefix. It runs in
// slices, as scan does.
func (s *snapshot) scanHistory(ctx context.Context, o order, prefix []byte, visit func(v *view, key []byte)) error {
	for from := prefix; ; {
		v, err := s.open(ctx)
		if err != nil {
			return err
		}
		c := v.history(o).Cursor()
		key, _ := c.Seek(from)
		rows := 0
		for ; key != nil && bytes.HasPrefix(key, prefix); key, _ = c.Next() {
			if rows++; rows%rowsBetweenChecks == 0 && (s.due.Load() || ctx.Err() != nil) {
				break
			}
			visit(v, key)
		}
		if key == nil || !bytes.HasPrefix(key, prefix) {
			return nil
		}
		from = bytes.Clone(key)
	}
}
