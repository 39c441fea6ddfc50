package index

import (
	"math"
	"slices"
	"sync"
)

// Memory is a number of bytes that the indexes of all stores share, with their closures.
//
// Closures have an eighth of it together. The rest is allotted to the indexes, which each keep
// to their quota: an index that needs more asks, and gets what nobody else uses. Where that is
// not enough, all get the same, but for those that need less. So a small store is held whole
// beside a large one, which gives up lists for it.
type Memory struct {
	limit    int64 // of indexes
	closures closureMemory

	sharing sync.Mutex // comes before writing of any index
	indexes []*Index
	gone    int64 // reads of indexes that were closed which went to a store
}

// closureShare is the part of a memory that is for closures.
const closureShare = 8

// NewMemory returns a memory of so many bytes. An index takes 8 KiB beyond it.
func NewMemory(bytes int64) *Memory {
	m := &Memory{limit: bytes - bytes/closureShare}
	m.closures.limit = bytes / closureShare
	return m
}

// spare is what an index is allotted beyond what it uses, and a quarter of that: so that it
// does not ask for every tuple.
const spare = 64 << 10

// share allots the memory anew. An index that is over its quota then lets go of the rest, but
// for one that is being loaded: its [Loader] sees to that.
func (m *Memory) share() {
	m.sharing.Lock()
	defer m.sharing.Unlock()
	wants := make([]int64, len(m.indexes))
	for i, x := range m.indexes {
		used := max(x.used(), nameShare*x.names.bytes.Load())
		wants[i] = used + used/4 + spare
	}
	level := levelOf(wants, m.limit)
	for i, x := range m.indexes {
		x.allot(min(wants[i], level))
	}
	for _, x := range m.indexes {
		if x.used() > x.quota.Load() {
			x.squeeze()
		}
	}
}

// levelOf returns how much each can have at most, for all together to have no more than a total.
func levelOf(wants []int64, total int64) int64 {
	wants = slices.Sorted(slices.Values(wants))
	for i, want := range wants {
		each := total / int64(len(wants)-i)
		if want > each {
			return each
		}
		total -= want
	}
	return math.MaxInt64
}

// join and leave are for an index that is new, and for one that is closed.
func (m *Memory) join(x *Index) {
	m.sharing.Lock()
	m.indexes = append(m.indexes, x)
	m.sharing.Unlock()
	m.share()
}

func (m *Memory) leave(x *Index) {
	m.sharing.Lock()
	defer m.sharing.Unlock()
	if i := slices.Index(m.indexes, x); i >= 0 {
		m.indexes = slices.Delete(m.indexes, i, i+1)
		m.gone += x.fallbacks.Load()
	}
}

// used is what the index takes, in bytes, closures apart.
func (x *Index) used() int64 {
	return x.names.bytes.Load() + x.lists.Load() + x.masked.Load() + x.queued.Load()
}

func (x *Index) allot(bytes int64) {
	x.quota.Store(bytes)
	x.names.limit.Store(bytes / nameShare)
}

// over reports whether the index takes more than its quota, even after it has asked.
func (x *Index) over() bool {
	if x.used() <= x.quota.Load() {
		return false
	}
	x.memory.share()
	return x.used() > x.quota.Load()
}

// squeeze is fit for an index that can be read.
func (x *Index) squeeze() {
	x.writing.Lock()
	defer x.writing.Unlock()
	if x.floor.Load() != notLoaded {
		x.fit()
	}
}

// fit lets go of what is beyond the quota: of older versions, then of lists, a partition at a
// time, and if that is not enough of columns, names and masks.
func (x *Index) fit() {
	if x.floor.Load() != notLoaded && x.used() > x.quota.Load() { // a load has none, and does not hold writing
		x.trim(x.quota.Load()/undoShare, x.applied)
	}
	for x.used() > x.quota.Load() && x.covered.Load() > 0 {
		p := &x.parts[x.covered.Add(-1)]
		p.table.Store(nil)
		x.lists.Add(-int64(p.bytes))
		p.bytes = 0
		x.undo.purge(x)
	}
	if x.used() > x.quota.Load() { // then no partition is left
		x.dropColumns()
	}
	if x.used() > x.quota.Load() {
		x.names.drop()
	}
	if x.used() > x.quota.Load() {
		x.kinds.drop()
		x.masked.Store(0)
	}
}
