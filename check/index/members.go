package index

import (
	"math"
	"sort"
	"time"

	"github.com/usher-authz/usher/tuples"
)

// members is a whole list at one revision. It is immutable: a change makes another one,
// which shares with it the chunks that are the same.
type members struct {
	run            // a list that is short enough for one run
	chunks []chunk // a longer one; run is empty then
}

// chunk is a part of a long list.
type chunk struct {
	first uint32 // smallest ordinal, so that a search reads one array
	*run
}

// How many members one run has at most. What a change copies of a list is one run, of 4 bytes a
// member, and the list's directory, of 16 a run: together least where runs grow with the square
// root of the list, as runBound has it. In a list of 20,000 that is 3 KB, and 17 in one of a
// million (BenchmarkCommit). A list of up to maxFlat has but one run.
const (
	minRun, maxRun = 256, 2048
	maxFlat        = 2 * minRun
)

// runBound returns how many members each run of a list of so many runs has at most.
func runBound(runs int) int { return min(max(minRun, 16*runs/3), maxRun) }

// boundOf is runBound by the length of the list: with runs that are filled to three quarters.
func boundOf(members int) int { return runBound(int(math.Sqrt(float64(members))) / 2) }

// newMembers returns a list of copies; grants may be nil.
func newMembers(ordinals []uint32, grants []*tuples.Grant) members {
	if len(ordinals) <= maxFlat {
		return members{run: newRun(ordinals, grants)}
	}
	return members{chunks: split(nil, ordinals, grants, boundOf(len(ordinals)))}
}

// split appends chunks with room to grow in, to a bound.
func split(chunks []chunk, ordinals []uint32, grants []*tuples.Grant, bound int) []chunk {
	target := bound * 3 / 4
	pieces := (len(ordinals) + target - 1) / target
	for i := range pieces {
		low, high := i*len(ordinals)/pieces, (i+1)*len(ordinals)/pieces
		var part []*tuples.Grant
		if grants != nil {
			part = grants[low:high]
		}
		r := newRun(ordinals[low:high], part)
		chunks = append(chunks, chunk{first: r.ordinals[0], run: &r})
	}
	return chunks
}

const (
	sizeOfChunk = 16
	sizeOfRun   = 64
)

// size is the memory of the list beyond the members value itself, in bytes.
func (m *members) size() int {
	n := m.run.bytes + sizeOfChunk*cap(m.chunks)
	for _, c := range m.chunks {
		n += sizeOfRun + c.bytes
	}
	return n
}

// chunkOf returns the number of the chunk in which an ordinal is, if it is in the list.
func (m *members) chunkOf(ordinal uint32) int {
	return max(0, sort.Search(len(m.chunks), func(i int) bool { return m.chunks[i].first > ordinal })-1)
}

// find returns what a member grants, and whether it is there at a time.
func (m *members) find(ordinal uint32, now time.Time) (*tuples.Grant, bool) {
	r := &m.run
	if len(m.chunks) > 0 {
		r = m.chunks[m.chunkOf(ordinal)].run
	}
	i, found := r.find(ordinal)
	if !found {
		return nil, false
	}
	grant := r.grant(i)
	return grant, grant == nil || !grant.ExpiredAt(now)
}

// fill appends the members of a type from an ordinal on, as [tuples.Snapshot.EdgesFrom]
// does.
func (m *members) fill(t tuples.Symbol, from uint32, now time.Time, buf []tuples.Edge) []tuples.Edge {
	if len(m.chunks) == 0 {
		return m.run.fill(t, from, now, buf)
	}
	for _, c := range m.chunks[m.chunkOf(from):] {
		if buf = c.fill(t, from, now, buf); len(buf) == cap(buf) {
			break
		}
	}
	return buf
}

func (r *run) fill(t tuples.Symbol, from uint32, now time.Time, buf []tuples.Edge) []tuples.Edge {
	i := 0
	if from > 0 {
		i, _ = r.find(from)
	}
	if r.grants == nil {
		for _, ordinal := range r.ordinals[i:min(len(r.ordinals), i+cap(buf)-len(buf))] {
			buf = append(buf, tuples.Edge{Node: tuples.NewNode(t, ordinal)})
		}
		return buf
	}
	for ; i < len(r.ordinals) && len(buf) < cap(buf); i++ {
		if grant := r.grants[i]; grant == nil || !grant.ExpiredAt(now) {
			buf = append(buf, tuples.Edge{Node: tuples.NewNode(t, r.ordinals[i]), Grant: grant})
		}
	}
	return buf
}

// with returns the list as ops leave it, how many bytes of it are this one's too, and
// whether ops change anything. Ops ascend by ordinal, with no two of the same.
func (m *members) with(ops []op) (next members, shared int, changed bool) {
	if len(m.chunks) == 0 {
		r, changed := m.run.with(ops)
		if len(r.ordinals) > maxFlat {
			return members{chunks: split(nil, r.ordinals, r.grants, boundOf(len(r.ordinals)))}, 0, true
		}
		return members{run: r}, 0, changed
	}
	chunks := make([]chunk, 0, len(m.chunks)+1)
	bound := runBound(len(m.chunks))
	kept := 0 // chunks of m that are dealt with
	for len(ops) > 0 {
		i := m.chunkOf(ops[0].ordinal)
		n := len(ops)
		if i+1 < len(m.chunks) {
			n = sort.Search(len(ops), func(j int) bool { return ops[j].ordinal >= m.chunks[i+1].first })
		}
		if r, differs := m.chunks[i].with(ops[:n]); differs {
			chunks = append(chunks, m.chunks[kept:i]...)
			chunks = push(chunks, r, bound)
			kept, changed = i+1, true
		}
		ops = ops[n:]
	}
	if !changed {
		return *m, 0, false
	}
	next.chunks = append(chunks, m.chunks[kept:]...)
	shared = next.shared(m)
	if len(next.chunks) == 1 {
		next = members{run: *next.chunks[0].run}
	}
	return next, shared, true
}

// push appends a run as chunks: in two when it is longer than the bound, and together with the
// one before it when it is short.
func push(chunks []chunk, r run, bound int) []chunk {
	switch last := len(chunks) - 1; {
	case len(r.ordinals) == 0:
		return chunks
	case len(r.ordinals) > bound:
		return split(chunks, r.ordinals, r.grants, bound)
	case len(r.ordinals) < bound/8 && last >= 0 && len(chunks[last].ordinals) < bound/2:
		both := run{ordinals: make([]uint32, 0, len(chunks[last].ordinals)+len(r.ordinals))}
		if chunks[last].grants != nil || r.grants != nil {
			both.grants = make([]*tuples.Grant, 0, cap(both.ordinals))
		}
		both.append(chunks[last].run, 0, len(chunks[last].ordinals))
		both.append(&r, 0, len(r.ordinals))
		both.measure()
		chunks[last].run = &both
		return chunks
	default:
		return append(chunks, chunk{first: r.ordinals[0], run: &r})
	}
}

// shared returns how many bytes of chunks two lists have in common.
func (m *members) shared(other *members) int {
	n, j := 0, 0
	for _, c := range m.chunks {
		for j < len(other.chunks) && other.chunks[j].first < c.first {
			j++
		}
		if j < len(other.chunks) && other.chunks[j].run == c.run {
			n += sizeOfRun + c.bytes
		}
	}
	return n
}
