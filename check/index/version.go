package index

import (
	"sync/atomic"

	"github.com/usher-authz/usher/tuples"
)

// version is a list from a revision on, until the next newer version.
type version struct {
	key      listKey
	revision tuples.Revision
	older    atomic.Pointer[version] // nil for the empty list, or where the floor cut it off
	// jump is further back than older, so that a reader that is thousands of versions behind
	// takes few steps: a skew-binary jump pointer (Myers, 1983). Where jumps cross the
	// floor they keep a few versions alive that are not counted any more, at most two for
	// each time that the chain doubles.
	jump    atomic.Pointer[version]
	depth   uint32 // of the chain, when it was whole
	members members
	frees   int // bytes that go with older
}

const sizeOfVersion = 128

func (v *version) size() int { return sizeOfVersion + v.members.size() }

// follow puts the version in front of another one.
func (v *version) follow(older *version) {
	v.older.Store(older)
	v.jump.Store(older)
	v.depth = older.depth + 1
	if near := older.jump.Load(); near != nil {
		if far := near.jump.Load(); far != nil && older.depth-near.depth == near.depth-far.depth {
			v.jump.Store(far)
		}
	}
}

// replace puts the version in the place of another one of the same revision.
func (v *version) replace(other *version) {
	v.older.Store(other.older.Load())
	v.jump.Store(other.jump.Load())
	v.depth = other.depth
}

// cut lets go of all older versions.
func (v *version) cut() {
	v.older.Store(nil)
	v.jump.Store(nil)
}

// at returns the version that a revision shows, nil for the empty list.
func (v *version) at(revision tuples.Revision) *version {
	for v != nil && v.revision > revision {
		if far := v.jump.Load(); far != nil && far.revision > revision {
			v = far
		} else {
			v = v.older.Load()
		}
	}
	return v
}

// settles reports whether a list of which nobody needs an older version can be packed.
func (v *version) settles() bool {
	return len(v.members.chunks) == 0 && v.members.grants == nil && len(v.members.ordinals) <= maxPacked
}

// stays reports whether a list's newest version cannot be packed: it is not short and bare,
// or somebody may need what was before it.
func (v *version) stays(floor tuples.Revision) bool { return v.revision > floor || !v.settles() }
