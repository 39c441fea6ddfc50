package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/usher-authz/usher/tuples"
)

// tidy merges what is staged and visible, and removes what is staged and is not. The
// caller has the store's staging to itself.
func (s *store) tidy(ctx context.Context) error {
	return s.db.repeat(ctx, func(g *group) (more bool, err error) { return g.tidy(s) })
}

// tidy does the next piece of it.
func (g *group) tidy(s *store) (more bool, err error) {
	d, err := g.draft(s)
	if err != nil {
		return false, err
	}
	switch {
	case d.feed.behind != 0:
		return true, d.catchUp()
	case d.state.merging != 0:
		return d.merge()
	}
	return d.takeBack()
}

// finish is tidy for the background, where there is nobody to return an error to.
func (s *store) finish() {
	if err := s.tidy(context.Background()); err != nil && !errors.Is(err, tuples.ErrStoreNotFound) {
		s.db.complain("cannot finish a large commit", err)
	}
}

// merged returns when no revision of the store is being merged. Most often there is a
// goroutine that merges it; if that failed, this call goes on with it.
func (s *store) merged(ctx context.Context) error {
	for s.merging.Load() != 0 {
		if err := s.reserve(ctx); err != nil {
			return err
		}
		err := s.tidy(ctx)
		s.release()
		if err != nil {
			return err
		}
	}
	return nil
}

// takeBack removes the first rows of what a commit staged that was given up, each from
// both orders at once, so that the orders agree after every piece.
func (d *draft) takeBack() (more bool, err error) {
	most := d.group.db.limits.piece
	unwanted := make([]mutation, 0, most)
	c := d.staged(forward).Cursor()
	key, _ := c.First()
	for ; key != nil && len(unwanted) < most; key, _ = c.Next() {
		unwanted = append(unwanted, mutation{key: edgeKey(key)})
	}
	return key != nil, d.stage(unwanted, &stagedCounts{})
}

// merge moves the first staged rows to where they belong.
func (d *draft) merge() (more bool, err error) {
	most := d.group.db.limits.piece
	effects := make([]effect, 0, most)
	c := d.staged(forward).Cursor()
	key, value := c.First()
	for ; key != nil && len(effects) < most; key, value = c.Next() {
		e, err := d.stagedEffect(key, value)
		if err != nil {
			return false, err
		}
		effects = append(effects, e)
	}
	d.group.write()
	if len(effects) > 0 {
		if err := d.mergeEffects(effects); err != nil {
			return false, err
		}
	}
	if key == nil {
		d.state.merging = 0
	}
	return key != nil, nil
}

// settle merges the staged rows of keys that a commit is about to write to.
func (d *draft) settle(effects []effect) error {
	if d.state.merging == 0 {
		return nil
	}
	var met []effect
	for i := range effects {
		key := effects[i].key[:]
		value := d.staged(forward).Get(key)
		if value == nil {
			continue
		}
		e, err := d.stagedEffect(key, value)
		if err != nil {
			return err
		}
		met = append(met, e)
	}
	if len(met) == 0 {
		return nil
	}
	return d.mergeEffects(met)
}

// stagedEffect returns what a staged row does to the live row of its key.
func (d *draft) stagedEffect(key, value []byte) (effect, error) {
	m, err := decodeStaged(value)
	e := effect{mutation: m, old: d.live(forward).Get(key)}
	copy(e.key[:], key)
	if err != nil {
		return e, err
	}
	if (e.old == nil) != (m.op == tuples.OpCreate) {
		return e, fmt.Errorf("staged %s of tuple %x with live row %x: %w", m.op, key, e.old, errDamaged)
	}
	if m.op == tuples.OpDelete {
		_, e.grant, err = splitRow(e.old)
	}
	return e, err
}

// mergeEffects carries out effects of the revision being merged, in the order of forward
// keys, and writes them to the log as its next part.
func (d *draft) mergeEffects(effects []effect) error {
	revision := d.state.merging
	if err := d.tellMerged(effects); err != nil {
		return err
	}
	if err := d.putForward(effects, revision); err != nil {
		return err
	}
	if err := d.putReverse(effects, revision); err != nil {
		return err
	}
	mutations := make([]mutation, len(effects))
	for i := range effects {
		mutations[i] = effects[i].mutation
	}
	key := partKey(revision, d.nextPart(revision))
	if err := d.part(partLog).Put(key, appendMutations(nil, mutations)); err != nil {
		return err
	}
	for i := range mutations {
		mutations[i].op = 0
	}
	return d.stage(mutations, &stagedCounts{})
}

// nextPart returns the number of the part that the log of a revision gets next.
func (d *draft) nextPart(revision tuples.Revision) int {
	c := d.part(partLog).Cursor()
	key, _ := c.Seek(number(revision + 1))
	if key == nil {
		key, _ = c.Last()
	} else {
		key, _ = c.Prev()
	}
	if len(key) != partLen || !bytes.HasPrefix(key, number(revision)) {
		return 0
	}
	return int(binary.BigEndian.Uint32(key[revisionLen:])) + 1
}
