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
	lists       atomic.Int64 // bytes of all partitions and columns
	masked      atomic.Int64 // bytes of masks
	queued      atomic.Int64 // bytes of waiting
	fallbacks   atomic.Int64

	memory *Memory
	quota  atomic.Int64 // of memory, in bytes

	writing  sync.Mutex // guards what follows, against a load that ends
	undo     undo
	ops      []op // of the commit being applied; kept for its room
	given    givenGrants
	waiting  []commit
	lost     error           // why waiting is not complete
	loading  bool            // by Warm, which alone may change lists then
	deaf     bool            // what the store commits may not be fed, see hear
	loaded   tuples.Revision // what was loaded
	applied  tuples.Revision // the last that was fed
	size     int             // changes of it, so far
	bulk     int             // changes of a revision beyond which it is not undone
	closures []*Closures
	columns  int64 // bytes of them
}

// commit is what was fed while the index was not loaded.
type commit struct {
	revision tuples.Revision
	changes  []tuples.EdgeChange
}

const notLoaded = math.MaxUint64

// nameShare is the part of its memory that an index gives to names at most.
const nameShare = 2

// New returns an index with a memory of its own, in bytes. See [Memory.New].
func New(memory int64) *Index { return NewMemory(memory).New() }

// New returns an index that shares the memory until it is closed. It knows nothing before it
// is loaded, by [Index.Warm] or [Index.Load].
func (m *Memory) New() *Index {
	x := newIndex(m, seed(rand.Uint64()))
	m.join(x)
	return x
}

// Close lets go of everything. The index is not to be fed any more; snapshots that were made
// over it go on and ask the store.
func (x *Index) Close() {
	x.memory.leave(x)
	x.writing.Lock()
	defer x.writing.Unlock()
	x.floor.Store(notLoaded) // first, see the package comment
	x.forget(errClosed)
	x.allot(0)
	if !x.loading { // else the load does it, which ends with an error
		x.fit()
	}
}

func newIndex(m *Memory, seed seed) *Index {
	x := &Index{seed: seed, memory: m, bulk: bulk}
	x.names.seed = maphash.MakeSeed()
	x.names.types.Store(&nameTypes{
		byName:   make(map[tuples.ObjectType]*typeNames),
		bySymbol: make(map[tuples.Symbol]*typeNames),
	})
	x.kinds.seed = x.seed
	x.kinds.numbers.Store(&slots{})
	x.kinds.ends.Store(&[]ends{{}})
	x.kinds.objects, x.kinds.subjects = make(map[tuples.Symbol]*masks), make(map[tuples.Symbol]*masks)
	empty := &table{} // it is always full, and so never written to
	for i := range x.parts {
		x.parts[i].kinds = &x.kinds
		x.parts[i].table.Store(empty)
	}
	x.covered.Store(partitions)
	x.floor.Store(notLoaded)
	return x
}

// part returns the partition of a list by the hash of its key.
func (x *Index) part(hash uint64) *partition { return &x.parts[hash>>(64-partitionBits)] }
