package index

import (
	"sync/atomic"

	"github.com/usher-authz/usher/tuples"
)

// newTable returns an empty table for so many lists, so many words of packed ones, and so
// many listed ones.
func newTable(keys, words, lists int) *table {
	return &table{
		slots: newSlots(keys),
		arena: roomFor[uint32](words),
		lists: roomFor[atomic.Pointer[version]](lists),
	}
}

// room returns the table, renewed if it has no room for another list.
func (p *partition) room(floor tuples.Revision) *table {
	t := p.table.Load()
	if t.slots.full() || len(t.free) == 0 && t.taken == len(t.lists) {
		p.renew(floor)
	}
	return p.table.Load()
}

// renew replaces the table by one that holds what the old one does, without the places of
// empty lists and the gaps in the arena, and that has room for half as many more, so that a
// change moves few lists on average. Lists that no longer have older versions are packed.
func (p *partition) renew(floor tuples.Revision) {
	old := p.table.Load()
	keys, words, lists := 0, 0, 0
	old.each(func(_ listKey, ordinals []uint32, v *version) {
		keys++
		switch {
		case v != nil && v.stays(floor):
			lists++
		case len(ordinals) > 1:
			words += len(ordinals)
		}
	})
	t := newTable(keys+keys/2+2, words+words/2+smallList, lists+max(lists, keys/4)/4+1)
	p.bytes += t.size() - old.size()
	old.each(func(key listKey, ordinals []uint32, v *version) {
		var f form
		if v != nil && v.stays(floor) {
			f = t.list(v)
		} else {
			f, _ = t.pack(ordinals) // there is room
			if v != nil {
				p.bytes -= v.size()
			}
		}
		if f != 0 {
			t.slots.build(p.kinds.hash(key), uint64(key), uint64(f))
		}
	})
	p.table.Store(t)
}

// each visits the lists of the table that are not settled as empty: the ordinals of a short
// one, and the newest version of one that is listed.
func (t *table) each(visit func(key listKey, ordinals []uint32, v *version)) {
	var one [1]uint32
	for _, place := range t.slots.places {
		key, f := listKey(place.key), form(place.value)
		switch {
		case key == 0 || f == 0:
		case f.isListed():
			v := t.lists[f.low()].Load()
			visit(key, v.members.ordinals, v)
		default:
			visit(key, t.settled(f, &one).ordinals, nil)
		}
	}
}
