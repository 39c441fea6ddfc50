package index

import (
	"cmp"
	"slices"

	"github.com/usher-authz/usher/tuples"
)

// Intern tells the index the name of a node that the store has made, before the commit that
// first uses it is published.
func (x *Index) Intern(node tuples.Node, object tuples.Object) {
	if x.names.full() {
		x.memory.share()
	}
	x.names.intern(node, object)
}

// Apply takes in changes of a revision that is not published yet, each of another tuple. The
// changes of one revision may come in several calls, and several revisions before they are
// published. It costs what the changed tuples cost, whatever the index holds.
func (x *Index) Apply(revision tuples.Revision, changes []tuples.EdgeChange) {
	x.writing.Lock()
	defer x.writing.Unlock()
	for _, c := range x.closures {
		c.changed(revision, changes)
	}
	defer func() { x.applied = revision }()
	switch {
	case x.floor.Load() == notLoaded:
		x.keep(commit{revision, changes})
	case revision > x.loaded:
		x.bound(revision, len(changes))
		x.apply(revision, changes, tuples.Revision(x.floor.Load()))
	}
}

// Publish makes everything up to a revision readable. Snapshots of that revision may be
// opened from then on.
func (x *Index) Publish(revision tuples.Revision) {
	x.publish(revision)
	x.over()
}

func (x *Index) publish(revision tuples.Revision) {
	x.writing.Lock()
	defer x.writing.Unlock()
	x.head.Store(max(x.head.Load(), uint64(revision)))
	if x.floor.Load() != notLoaded {
		x.trim(x.undoRoom(), revision)
	}
}

// apply makes versions of all lists that changes touch; floor is the oldest revision that
// readers can have.
func (x *Index) apply(revision tuples.Revision, changes []tuples.EdgeChange, floor tuples.Revision) {
	ops := slices.Grow(x.ops[:0], 2*len(changes))
	for i := range changes {
		c := &changes[i]
		k := x.kinds.intern(packKindOf(c.Key))
		o := op{there: c.Op != tuples.OpDelete}
		if o.there {
			o.grant = x.given.shared(c.Grant)
		}
		o.key, o.ordinal = forwardKey(k, c.Key.Object), c.Key.Subject.Ordinal()
		ops = append(ops, o)
		o.key, o.ordinal = reverseKey(k, c.Key.Subject), c.Key.Object.Ordinal()
		ops = append(ops, o)
	}
	slices.SortFunc(ops, compareOps)
	x.ops = ops
	for len(ops) > 0 {
		n := 1
		for n < len(ops) && ops[n].key == ops[0].key {
			n++
		}
		x.change(ops[:n], revision, floor)
		ops = ops[n:]
	}
	clear(x.ops) // of grants
	if cap(x.ops) > usualOps {
		x.ops = nil
	}
}

// compareOps sorts by list, and within one by ordinal.
func compareOps(a, b op) int {
	switch {
	case a.key != b.key:
		return cmp.Compare(a.key, b.key)
	default:
		return cmp.Compare(a.ordinal, b.ordinal)
	}
}

// usualOps is how many ops of a commit are kept room for, in 160 KiB.
const usualOps = 1 << 12

// change applies the ops on one list.
func (x *Index) change(ops []op, revision, floor tuples.Revision) {
	key := ops[0].key
	e := x.kinds.of(key)
	if slices.ContainsFunc(ops, func(o op) bool { return o.there }) {
		x.masked.Add(e.masks.add(key.ordinal(), e.bit, x.maskRoom()))
	}
	hash := x.kinds.hash(key)
	p := x.part(hash)
	if p.table.Load() == nil {
		e.column.leave(key.ordinal())
		return
	}
	before := p.bytes
	if revision > floor {
		if v := p.change(hash, ops, revision, floor); v != nil {
			x.undo.push(v)
		}
	} else if !p.settle(hash, ops, floor) { // see bound: nobody may read what was before
		if v := p.change(hash, ops, revision, floor); v != nil {
			p.let(hash, v)
		}
	}
	x.lists.Add(int64(p.bytes - before))
}
