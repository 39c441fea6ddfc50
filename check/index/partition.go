package index

import (
	"slices"
	"sync/atomic"

	"github.com/usher-authz/usher/tuples"
)

const (
	partitionBits = 8
	partitions    = 1 << partitionBits
)

// partition is the lists whose keys have the same first bits of their hash. All but table
// is the writer's.
type partition struct {
	table atomic.Pointer[table] // nil when the partition is dropped
	kinds *kinds
	bytes int // of memory: the table's, and what its lists have beside it
}

// smallList is how many members a list has at most that goes back into the arena as soon as
// its older versions are let go. Longer ones wait until the table is renewed, so that a list
// that changes often does not fill the arena with its past.
const smallList = 16

// change makes a version of a list and returns it; nil if ops change nothing. Ops are those
// of one list, ascending by ordinal, with no two of the same.
func (p *partition) change(hash uint64, ops []op, revision, floor tuples.Revision) *version {
	t := p.room(floor)
	key := ops[0].key
	place := t.slots.find(hash, uint64(key))
	f, before := t.newest(place)
	column := p.kinds.of(key).column
	if only := column.get(key.ordinal()); only != 0 { // and there is no place
		before = &version{key: key, members: members{run: newRun([]uint32{only}, nil)}}
	}
	unsettled := before != nil && !f.isListed()
	if before == nil {
		before = &version{}
	}
	next, shared, changed := before.members.with(ops)
	if !changed {
		return nil
	}
	v := &version{key: key, revision: revision, members: next}
	switch {
	case before.key == 0: // the list was empty
		p.bytes += v.size()
	case before.revision == revision:
		v.replace(before) // what is older goes together with before, which frees it
		p.bytes += v.size() - before.size()
	default:
		v.follow(before)
		v.frees = before.size() - shared
		p.bytes += v.size() - shared
		if unsettled {
			p.bytes += before.size()
		}
	}
	switch {
	case place == nil:
		t.slots.add(hash, uint64(key), uint64(t.list(v)))
	case f.isListed():
		t.lists[f.low()].Store(v)
	default:
		place.store(uint64(t.list(v)))
	}
	column.leave(key.ordinal())
	return v
}

// settle applies ops, as change does, to a list that is short and bare before and behind them,
// and makes no version: nobody may read what was before. It reports whether the list is such.
func (p *partition) settle(hash uint64, ops []op, floor tuples.Revision) bool {
	if len(ops) > smallList || slices.ContainsFunc(ops, func(o op) bool { return o.grant != nil }) {
		return false
	}
	for range 2 {
		t, key := p.table.Load(), uint64(ops[0].key)
		var one [1]uint32
		var before []uint32
		place, column := t.slots.find(hash, key), p.kinds.of(ops[0].key).column
		if one[0] = column.get(ops[0].key.ordinal()); one[0] != 0 { // and there is no place
			before = one[:]
		}
		if place != nil {
			f := form(place.value)
			if f.isListed() {
				return false
			}
			before = t.settled(f, &one).ordinals
		}
		if len(before)+len(ops) > smallList {
			return false
		}
		var room [smallList]uint32
		f, ok := t.pack(merge(room[:0], before, ops))
		switch {
		case !ok || place == nil && t.slots.full():
			p.renew(floor)
			continue
		case place != nil:
			place.store(uint64(f))
		case f != 0:
			t.slots.add(hash, key, uint64(f))
		}
		column.leave(ops[0].key.ordinal())
		return true
	}
	return false
}

// merge appends the ordinals that ops leave. Both ascend.
func merge(to, from []uint32, ops []op) []uint32 {
	for _, o := range ops {
		for len(from) > 0 && from[0] < o.ordinal {
			to, from = append(to, from[0]), from[1:]
		}
		if len(from) > 0 && from[0] == o.ordinal {
			from = from[1:]
		}
		if o.there {
			to = append(to, o.ordinal)
		}
	}
	return append(to, from...)
}

// let lets go of what only revisions before the version's own can see, and of the version
// too if the list can be settled. The floor has reached it.
func (p *partition) let(hash uint64, v *version) {
	p.bytes -= v.frees
	v.frees = 0
	v.cut()
	t := p.table.Load()
	place := t.slots.find(hash, uint64(v.key))
	f := form(place.value)
	if !f.isListed() || t.lists[f.low()].Load() != v || len(v.members.ordinals) > smallList || !v.settles() {
		return
	}
	settled, ok := t.pack(v.members.ordinals)
	if !ok {
		return
	}
	place.store(uint64(settled)) // before the index is free, see table.read
	t.lists[f.low()].Store(nil)
	t.free = append(t.free, f.low())
	p.bytes -= v.size()
}
