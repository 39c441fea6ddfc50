package index

import "github.com/usher-authz/usher/model"

// NewSeeded is [New] with a hash that is the same in every run.
func NewSeeded(memory int64) *Index { return newSeeded(memory, 1) }

func newSeeded(memory int64, seed seed) *Index {
	m := NewMemory(memory)
	x := newIndex(m, seed)
	m.join(x)
	return x
}

// ClosuresIn is [Index.Closures] with so many bytes of memory for all closures.
func (x *Index) ClosuresIn(bytes int64, p *model.Program) *Closures {
	x.memory.closures.limit = bytes
	return x.Closures(p)
}

// DropMasks has the index do without masks, as if there were no memory for them.
func (x *Index) DropMasks() { x.kinds.drop() }
