package index

import (
	"sync/atomic"

	"github.com/usher-authz/usher/tuples"
)

// table is what readers of a partition see: its lists by key. Its arrays have fixed sizes;
// when one is full the partition gets another table, and readers that are at it go on with
// the old one, which is right for the revisions that they can have.
type table struct {
	slots slots // listKey → form
	// arena holds the ordinals of packed lists. What a form points to never changes.
	arena []uint32
	// lists are those that are not packed, by index. An index is used again.
	lists []atomic.Pointer[version]

	// The writer's:
	words int      // of the arena in use
	taken int      // indexes that were ever in use
	free  []uint32 // of these, those that are not
}

// form is where a list is:
//
//	bits 62–63    bits 32–47   bits 0–31
//	0 empty
//	1 single                   the only ordinal
//	2 packed      length       offset in the arena
//	3 listed                   index in lists
//
// The first three are settled: they hold at every revision from the floor on, and their
// tuples are bare.
type form uint64

const (
	formShift = 62
	single    = form(1) << formShift
	packed    = form(2) << formShift
	listed    = form(3) << formShift
)

func (f form) low() uint32 { return uint32(f) }

func (f form) length() int { return int(uint16(f >> 32)) }

func (f form) isListed() bool { return f >= listed }

// maxPacked is how many members a packed list has at most.
const maxPacked = maxRun

// size is the memory of the table in bytes.
func (t *table) size() int {
	return placeBytes*len(t.slots.places) + 4*len(t.arena) + 8*len(t.lists)
}

// read returns a list at a revision; one is room for a single member. What it returns
// counts only if the floor is not above the revision afterwards.
func (t *table) read(hash uint64, key listKey, at tuples.Revision, one *[1]uint32) members {
	place := t.slots.find(hash, uint64(key))
	if place == nil {
		return members{}
	}
	for {
		f := form(place.load())
		if !f.isListed() {
			return t.settled(f, one)
		}
		if newest := t.lists[f.low()].Load(); newest != nil && newest.key == key {
			if v := newest.at(at); v != nil {
				return v.members
			}
			return members{}
		}
		// The list moved in between, and its index is free or another list's: its place
		// says already where it is now.
	}
}

// settled returns a list that is not listed.
func (t *table) settled(f form, one *[1]uint32) members {
	switch f >> formShift {
	case single >> formShift:
		one[0] = f.low()
		return members{run: run{ordinals: one[:]}}
	case packed >> formShift:
		from, to := int(f.low()), int(f.low())+f.length()
		return members{run: run{ordinals: t.arena[from:to:to]}}
	}
	return members{}
}

// pack returns the settled form of bare members; false if the arena has no room.
func (t *table) pack(ordinals []uint32) (form, bool) {
	switch n := len(ordinals); {
	case n == 0:
		return 0, true
	case n == 1:
		return single | form(ordinals[0]), true
	case t.words+n > len(t.arena):
		return 0, false
	default:
		copy(t.arena[t.words:], ordinals)
		f := packed | form(n)<<32 | form(t.words)
		t.words += n
		return f, true
	}
}

// list returns the form of a version that is not in the table yet. There must be room.
func (t *table) list(v *version) form {
	var index uint32
	if n := len(t.free); n > 0 {
		index, t.free = t.free[n-1], t.free[:n-1]
	} else {
		index = uint32(t.taken)
		t.taken++
	}
	t.lists[index].Store(v)
	return listed | form(index)
}

// newest returns where a list is and its newest version, nil if it is settled as empty or
// not there. A settled list gets a version, with a copy of what is in the arena: else it would
// keep the whole arena.
func (t *table) newest(place *place) (form, *version) {
	if place == nil {
		return 0, nil
	}
	f := form(place.value)
	if f.isListed() {
		return f, t.lists[f.low()].Load()
	}
	if f == 0 {
		return 0, nil
	}
	var one [1]uint32
	settled := t.settled(f, &one)
	return f, &version{key: listKey(place.key), members: members{run: newRun(settled.ordinals, nil)}}
}
