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
		if x.part(x.seed.hash(uint64(v.key))).table.Load() != nil {
			return false
		}
		u.bytes -= v.cost()
		return true
	})
}

// trim lets go of the oldest versions while there are too many.
func (x *Index) trim() {
	for len(x.undo.versions) > 0 && (len(x.undo.versions) > maxVersions || x.undo.bytes > x.limit/undoShare) {
		x.raise(x.undo.versions[0].revision)
	}
}

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
		hash := x.seed.hash(uint64(v.key))
		p := x.part(hash)
		before := p.bytes
		p.let(hash, v)
		x.lists.Add(int64(p.bytes - before))
	}
	if u.versions = u.versions[n:]; len(u.versions) == 0 {
		u.versions = nil
	}
}
