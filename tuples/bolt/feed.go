package bolt

import (
	"bytes"
	"context"

	"github.com/usher-authz/usher/tuples"
)

// feed is what a store's follower is told. It is the committer's own: a draft works on a copy,
// which takes the place of the store's when the group is durable. So a group that is rolled
// back has told nothing.
type feed struct {
	follower  tuples.Follower // nil for none
	published tuples.Revision // the last that it was told to publish, or that it began behind

	// behind is a large commit's revision that is being told in pieces, 0 for none. Its
	// staged rows from next on are not told yet, unless read says that none are left.
	behind tuples.Revision
	next   edgeKey
	read   bool
	// queue is what later revisions did meanwhile.
	queue []told
}

// told is what a revision does to tuples, or a part of that.
type told struct {
	revision tuples.Revision
	changes  []tuples.EdgeChange
}

// interned is a new name, as the follower is told it.
type interned struct {
	node   tuples.Node
	object tuples.Object
}

// Follow implements [tuples.Store]. It is a job, so that there is no doubt which commits are
// behind the snapshot. Of a large commit that is not merged yet nothing is told: the snapshot
// shows what is staged.
func (s *store) Follow(ctx context.Context, follower tuples.Follower) (tuples.Snapshot, error) {
	var from tuples.Revision // not to be touched after an error: the job may still run
	err := s.db.submit(ctx, 1, func(g *group) error {
		d, err := g.draft(s)
		if err != nil {
			return err
		}
		from = d.state.head
		d.feed = feed{follower: follower, published: from}
		d.interned, d.told = nil, nil
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &snapshot{store: s, revision: from, now: s.db.clock.now()}, nil
}

// tell notes what a revision does, for the follower.
func (d *draft) tell(revision tuples.Revision, effects []effect) error {
	f := &d.feed
	if f.follower == nil || len(effects) == 0 {
		return nil
	}
	t := told{revision, make([]tuples.EdgeChange, len(effects))}
	for i := range effects {
		var err error
		if t.changes[i], err = effects[i].change(); err != nil {
			return err
		}
	}
	if f.behind == 0 {
		d.told = append(d.told, t)
	} else {
		f.queue = append(f.queue, t)
	}
	return nil
}

// change returns a mutation as the follower is told it.
func (m *mutation) change() (c tuples.EdgeChange, err error) {
	c.Key, c.Op = forward.edge(m.key[:]), m.op
	if m.op != tuples.OpDelete {
		c.Grant, err = m.grant.decode()
	}
	return c, err
}

// tellStaged has a revision told in pieces whose rows are all staged.
func (d *draft) tellStaged(revision tuples.Revision) {
	if d.feed.follower != nil {
		d.feed.behind = revision
	}
}

// tellMerged tells what a staged revision did to tuples that a later commit is about to write
// to, as far as it is not told yet: their rows are not staged any more when catchUp gets
// there.
func (d *draft) tellMerged(effects []effect) error {
	f := &d.feed
	if f.behind == 0 || f.read {
		return nil
	}
	t := told{revision: f.behind}
	for i := range effects {
		if bytes.Compare(effects[i].key[:], f.next[:]) < 0 {
			continue
		}
		c, err := effects[i].change()
		if err != nil {
			return err
		}
		t.changes = append(t.changes, c)
	}
	if len(t.changes) > 0 {
		d.told = append(d.told, t)
	}
	return nil
}

// catchUp tells the next piece of a staged revision, or of the queue behind it. With the last
// piece the follower has caught up with the head.
func (d *draft) catchUp() error {
	f, most := &d.feed, d.group.db.limits.piece
	if !f.read {
		return d.tellRows(most)
	}
	n := 0
	for rows := 0; n < len(f.queue) && rows < most; n++ {
		rows += len(f.queue[n].changes)
	}
	d.told = append(d.told, f.queue[:n]...)
	if f.queue = f.queue[n:]; len(f.queue) == 0 {
		*f = feed{follower: f.follower, published: f.published}
	}
	return nil
}

// tellRows tells the next staged rows. It takes less than merging them, which is why they are
// not told with that: the follower has caught up the sooner.
func (d *draft) tellRows(most int) error {
	f := &d.feed
	t := told{f.behind, make([]tuples.EdgeChange, 0, most)}
	c := d.staged(forward).Cursor()
	key, value := c.Seek(f.next[:])
	for ; key != nil && len(t.changes) < most; key, value = c.Next() {
		m, err := decodeStaged(value)
		if err != nil {
			return err
		}
		copy(m.key[:], key)
		change, err := m.change()
		if err != nil {
			return err
		}
		t.changes = append(t.changes, change)
	}
	if len(t.changes) > 0 {
		d.told = append(d.told, t)
	}
	f.read = key == nil
	copy(f.next[:], key)
	return nil
}

// inform tells the follower what the draft has noted. What it tells is durable; the draft's
// head is not readable yet.
func (d *draft) inform() {
	f := &d.feed
	if f.follower != nil {
		for _, name := range d.interned {
			f.follower.Intern(name.node, name.object)
		}
		for _, t := range d.told {
			f.follower.Apply(t.revision, t.changes)
		}
		if head := d.state.head; f.behind == 0 && f.published != head {
			f.follower.Publish(head)
			f.published = head
		}
	}
	d.store.feed = *f
}
