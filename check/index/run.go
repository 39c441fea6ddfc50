package index

import (
	"slices"

	"github.com/usher-authz/usher/tuples"
)

// run is members of a list, and what their tuples grant. It is immutable.
type run struct {
	ordinals []uint32        // ascending
	grants   []*tuples.Grant // one for each ordinal; nil when all are the zero Grant
	bytes    int             // of memory
}

// op is what a commit does to one member of a list.
type op struct {
	key     listKey
	ordinal uint32
	there   bool          // the member is there from now on
	grant   *tuples.Grant // of a member that is there; nil for the zero Grant
}

// newRun returns a run of copies; grants may be nil.
func newRun(ordinals []uint32, grants []*tuples.Grant) run {
	r := run{ordinals: slices.Clone(ordinals)}
	if slices.ContainsFunc(grants, isGranted) {
		r.grants = slices.Clone(grants)
	}
	r.measure()
	return r
}

func isGranted(g *tuples.Grant) bool { return g != nil }

// measure works out how much memory the run takes.
func (r *run) measure() {
	r.bytes = 4*cap(r.ordinals) + 8*cap(r.grants)
	for i, g := range r.grants {
		if i == 0 || g != r.grants[i-1] { // neighbours often share one
			r.bytes += grantBytes(g)
		}
	}
}

// Sizes for what Go's allocator takes, in bytes. Contexts and attributes are maps of few
// entries, and are taken for more than they are rather than less.
const (
	sizeOfGrant     = 48
	sizeOfCondition = 96
	sizeOfMap       = 320
	sizeOfEntry     = 64
)

// grantBytes estimates the memory of a grant. Both directions count it.
func grantBytes(g *tuples.Grant) int {
	if g == nil {
		return 0
	}
	n := sizeOfGrant
	if g.Condition != nil {
		n += sizeOfCondition + mapBytes(len(g.Condition.Context))
	}
	return n + mapBytes(len(g.Attributes))
}

func mapBytes(entries int) int {
	if entries == 0 {
		return 0
	}
	return sizeOfMap + sizeOfEntry*entries
}

// find returns a member's place, or the place it would have.
func (r *run) find(ordinal uint32) (int, bool) { return slices.BinarySearch(r.ordinals, ordinal) }

// grant returns what the member at a place grants.
func (r *run) grant(i int) *tuples.Grant {
	if r.grants == nil {
		return nil
	}
	return r.grants[i]
}

// with returns the run as ops leave it, and whether they change it at all. Ops ascend by
// ordinal, with no two of the same.
func (r *run) with(ops []op) (run, bool) {
	n, changed := r.effect(ops)
	if !changed {
		return *r, false
	}
	next := run{ordinals: make([]uint32, 0, n)}
	if r.grants != nil || slices.ContainsFunc(ops, func(o op) bool { return o.there && o.grant != nil }) {
		next.grants = make([]*tuples.Grant, 0, n)
	}
	from := 0
	for _, o := range ops {
		i, found := r.find(o.ordinal)
		next.append(r, from, i)
		from = i
		if found {
			from++
		}
		if o.there {
			next.ordinals = append(next.ordinals, o.ordinal)
			if next.grants != nil {
				next.grants = append(next.grants, o.grant)
			}
		}
	}
	next.append(r, from, len(r.ordinals))
	if !slices.ContainsFunc(next.grants, isGranted) {
		next.grants = nil
	}
	next.measure()
	return next, true
}

// effect returns how many members ops leave, and whether they change anything.
func (r *run) effect(ops []op) (n int, changed bool) {
	n = len(r.ordinals)
	for _, o := range ops {
		i, found := r.find(o.ordinal)
		switch {
		case o.there && !found:
			n, changed = n+1, true
		case !o.there && found:
			n, changed = n-1, true
		case found && r.grant(i) != o.grant:
			changed = true
		}
	}
	return n, changed
}

// append takes over the members of another run from place i to j.
func (r *run) append(other *run, i, j int) {
	r.ordinals = append(r.ordinals, other.ordinals[i:j]...)
	switch {
	case r.grants == nil:
	case other.grants == nil:
		r.grants = append(r.grants, make([]*tuples.Grant, j-i)...)
	default:
		r.grants = append(r.grants, other.grants[i:j]...)
	}
}
