package index

import "github.com/usher-authz/usher/tuples"

// Stats says what an index holds.
type Stats struct {
	// Head and Floor are the latest and the oldest revision that can be read from memory.
	// Loaded is false while there is none.
	Head, Floor tuples.Revision
	Loaded      bool

	Names int // ids held
	// NameBytes, ListBytes, MaskBytes and UndoBytes are estimates of memory. Undo is what
	// only revisions before the head need, and is part of the lists.
	NameBytes, ListBytes, MaskBytes, UndoBytes int64
	// Covered of Partitions are held; reads of the others go to the store.
	Covered, Partitions int
	// Fallbacks counts the reads that went to the store, since the index was made.
	Fallbacks int64
}

// MemoryStats says what all indexes of a [Memory] hold, with their closures.
type MemoryStats struct {
	// Loaded of Indexes can be read.
	Loaded, Indexes int
	// NameBytes, ListBytes, MaskBytes, UndoBytes and ClosureBytes are estimates of memory. They
	// do not overlap.
	NameBytes, ListBytes, MaskBytes, UndoBytes, ClosureBytes int64
	// Covered of Partitions are held, of the indexes that can be read.
	Covered, Partitions int
	// Fallbacks counts the reads that went to a store.
	Fallbacks int64
	// ClosuresBuilt and ClosuresDropped count the closures that were worked out, and those
	// that made room for others.
	ClosuresBuilt, ClosuresDropped int64
}

// Stats returns what the indexes hold together.
func (m *Memory) Stats() MemoryStats {
	m.sharing.Lock()
	defer m.sharing.Unlock()
	all := MemoryStats{
		Indexes: len(m.indexes), Fallbacks: m.gone, ClosureBytes: m.closures.bytes.Load(),
		ClosuresBuilt: m.closures.built.Load(), ClosuresDropped: m.closures.dropped.Load(),
	}
	for _, x := range m.indexes {
		s := x.Stats()
		all.NameBytes += s.NameBytes
		all.ListBytes += s.ListBytes - s.UndoBytes
		all.MaskBytes += s.MaskBytes
		all.UndoBytes += s.UndoBytes
		all.Fallbacks += s.Fallbacks
		if s.Loaded {
			all.Loaded++
			all.Covered += s.Covered
			all.Partitions += s.Partitions
		}
	}
	return all
}

// Stats returns what the index holds. It waits for a commit that is being applied.
func (x *Index) Stats() Stats {
	x.writing.Lock()
	defer x.writing.Unlock()
	s := Stats{
		Names: int(x.names.count.Load()), NameBytes: x.names.bytes.Load(),
		ListBytes: x.lists.Load(), MaskBytes: x.masked.Load(), UndoBytes: x.undo.bytes,
		Covered: int(x.covered.Load()), Partitions: partitions,
		Fallbacks: x.fallbacks.Load(),
	}
	if floor := x.floor.Load(); floor != notLoaded {
		s.Head, s.Floor, s.Loaded = tuples.Revision(x.head.Load()), tuples.Revision(floor), true
	}
	return s
}
