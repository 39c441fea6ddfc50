package index

import (
	"hash/maphash"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/usher-authz/usher/tuples"
)

// Index holds one store's names and tuples, as far as its memory reaches. Its readers are
// safe for concurrent use with each other and with the writer; see [Index.Over].
//
// Until a load is finished the index knows nothing and every read goes to the store. What
// is fed meanwhile is kept, and applied behind the load.
type Index struct {
	seed  seed
	names names
	kinds kinds
	parts [partitions]partition

	// head is the latest revision that can be read, and floor the oldest. floor is
	// notLoaded until there is something to read.
	head, floor atomic.Uint64
	covered     atomic.Int32 // parts[covered:] are dropped
	lists       atomic.Int64 // bytes of all partitions
	fallbacks   atomic.Int64

	writing  sync.Mutex // guards what follows, against a load that ends
	limit    int64      // of memory, in bytes
	undo     undo
	ops      []op // of the commit being applied; kept for its room
	waiting  []commit
	applied  tuples.Revision // the last that was fed
	closures []*Closures
}

// commit is what was fed while the index was not loaded.
type commit struct {
	revision tuples.Revision
	changes  []Change
}

const notLoaded = math.MaxUint64

// nameShare is the part of its memory that an index gives to names at most.
const nameShare = 2

// New returns an index that takes about so many bytes of memory at most, and 8 KiB in any
// case. It knows nothing before the first [Index.Load].
func New(memory int64) *Index { return newIndex(memory, seed(rand.Uint64())) }

func newIndex(memory int64, seed seed) *Index {
	x := &Index{seed: seed, limit: memory}
	x.names.seed, x.names.limit = maphash.MakeSeed(), memory/nameShare
	x.names.types.Store(&nameTypes{
		byName:   make(map[tuples.ObjectType]*typeNames),
		bySymbol: make(map[tuples.Symbol]*typeNames),
	})
	x.kinds.seed = x.seed
	x.kinds.numbers.Store(&slots{})
	empty := &table{} // it is always full, and so never written to
	for i := range x.parts {
		x.parts[i].seed = x.seed
		x.parts[i].table.Store(empty)
	}
	x.covered.Store(partitions)
	x.floor.Store(notLoaded)
	return x
}

// part returns the partition of a list by the hash of its key.
func (x *Index) part(hash uint64) *partition { return &x.parts[hash>>(64-partitionBits)] }

// Stats says what an index holds.
type Stats struct {
	// Head and Floor are the latest and the oldest revision that can be read from memory.
	// Loaded is false while there is none.
	Head, Floor tuples.Revision
	Loaded      bool

	Names int // ids held
	// NameBytes, ListBytes and UndoBytes are estimates of memory. Undo is what only
	// revisions before the head need, and is part of the lists.
	NameBytes, ListBytes, UndoBytes int64
	// Covered of Partitions are held; reads of the others go to the store.
	Covered, Partitions int
	// Fallbacks counts the reads that went to the store, since the index was made.
	Fallbacks int64
}

// Stats returns what the index holds. It waits for a commit that is being applied.
func (x *Index) Stats() Stats {
	x.writing.Lock()
	defer x.writing.Unlock()
	s := Stats{
		Names: int(x.names.count.Load()), NameBytes: x.names.bytes.Load(),
		ListBytes: x.lists.Load(), UndoBytes: x.undo.bytes,
		Covered: int(x.covered.Load()), Partitions: partitions,
		Fallbacks: x.fallbacks.Load(),
	}
	if floor := x.floor.Load(); floor != notLoaded {
		s.Head, s.Floor, s.Loaded = tuples.Revision(x.head.Load()), tuples.Revision(floor), true
	}
	return s
}

// shrink drops partitions until the rest fits.
func (x *Index) shrink() {
	for x.names.bytes.Load()+x.lists.Load() > x.limit && x.covered.Load() > 0 {
		p := &x.parts[x.covered.Add(-1)]
		p.table.Store(nil)
		x.lists.Add(-int64(p.bytes))
		p.bytes = 0
		x.undo.purge(x)
	}
}
