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
