package index

import (
	"slices"

	"github.com/usher-authz/usher/tuples"
)

// undo is the versions above the floor, in the order of their revisions.
type undo struct {
	versions []*version
	bytes    int64 // what letting go of all of them would free, about
}

const (
	// maxVersions is how many versions an index keeps above its floor. Each commit of
	// one tuple makes two: at 10,000 commits a second, 13 seconds of them.
	maxVersions = 1 << 18
	// undoShare is the part of its memory that an index gives to older versions at most.
	undoShare = 8
)

// cost is what a version takes for being one: itself, and what it keeps of the older one.
func (v *version) cost() int64 { return int64(v.frees + sizeOfVersion) }

func (u *undo) push(v *version) {
	u.versions = append(u.versions, v)
	u.bytes += v.cost()
}

// purge forgets versions of dropped partitions.
func (u *undo) purge(x *Index) {
	u.versions = slices.DeleteFunc(u.versions, func(v *version) bool {
		if x.part(x.kinds.hash(v.key)).table.Load() != nil {
			return false
		}
		u.bytes -= v.cost()
		return true
	})
}

// trim lets go of the oldest versions, up to a revision, while there are too many or they take
// more than a number of bytes.
func (x *Index) trim(bytes int64, to tuples.Revision) {
	u := &x.undo
	for len(u.versions) > 0 && u.versions[0].revision <= to && (len(u.versions) > maxVersions || u.bytes > bytes) {
		x.raise(u.versions[0].revision)
	}
}

// bulk is how many changes one revision has at most that can be undone. A larger one is applied
// in place, for a third of the time (BenchmarkApply) and without the memory.
const bulk = 1 << 13

// bound trims before more changes of a revision are applied. If it alone is too large to be
// undone, readers of the revisions before it ask the store from now on: those of the head
// until it is published.
func (x *Index) bound(revision tuples.Revision, changes int) {
	if revision != x.applied {
		x.applied, x.size = revision, 0
	}
	x.size += changes
	x.trim(x.undoRoom(), tuples.Revision(x.head.Load()))
	if x.size > x.bulk && uint64(revision) > x.floor.Load() {
		x.raise(revision)
	}
	x.trim(x.undoRoom(), revision)
}

// undoRoom is how many bytes older versions may take. What other indexes need of them is
// asked for; see [Index.fit].
func (x *Index) undoRoom() int64 { return x.memory.limit / undoShare }

// raise makes a revision the oldest that can be read, and lets go of what only older ones
// need.
func (x *Index) raise(floor tuples.Revision) {
	x.floor.Store(uint64(floor)) // first, see the package comment
	u := &x.undo
	n := 0
	for ; n < len(u.versions) && u.versions[n].revision <= floor; n++ {
		v := u.versions[n]
		u.versions[n] = nil
		u.bytes -= v.cost()
		hash := x.kinds.hash(v.key)
		p := x.part(hash)
		before := p.bytes
		p.let(hash, v)
		x.lists.Add(int64(p.bytes - before))
	}
	if u.versions = u.versions[n:]; len(u.versions) == 0 {
		u.versions = nil
	}
}
