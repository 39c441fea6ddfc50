// Package index is the reverse-index cache: one store's tuples in memory, in both
// directions, exact at the head and at recent revisions. Start with [NewMemory], [Memory.New],
// [Index.Warm] and [Index.Over]. The store that an index follows feeds it from its one
// committer, with [Index.Intern], [Index.Apply] and [Index.Publish].
//
// # What is held
//
//	names   per type: id → ordinal and ordinal → id
//	kinds   (object type, relation, subject type, subject relation) → number
//	masks   per node and direction: a bit for each kind of which it may have a list
//	lists   (kind, object) → subjects and (kind, subject) → objects, as sorted ordinals
//
// Lists are spread over 256 partitions by the hash of their node. A partition is a hash
// table of 16 bytes a place; a list of one bare tuple, by far the most usual, is in its
// place and nowhere else, short ones lie in an array beside, and only what is long,
// carries grants or has changed lately is an object of its own (table.go).
//
// Where a fourth of a type's objects or more have one bare tuple of a kind, such as the folder
// that they are in, these lists are loaded into an array by ordinal instead (column.go), and move
// to the partitions when they change.
//
// Most lists that a Check asks for are empty. A mask says so at the cost of an array access; it
// is set before the revision that needs it can be read, and never cleared, so it is right for
// every revision and for partitions that are not held too. A [Sieve] says so of all parts of
// a rule at once, and [Named] of 64 neighbours.
//
// # Revisions
//
// A list that changes becomes a chain of versions, the newest first. A reader that is
// pinned at a revision takes the first version that is not newer, in few steps however far
// back it is. How many versions are kept is bounded; the oldest revision that can still be
// read is the floor. The writer raises the floor before it lets go of a version, and a
// reader looks at the floor after it has read: if the floor has passed its revision it
// forgets what it read and asks the store. So readers take no lock and do not register, and
// no writer waits for one.
//
// A commit of more than 8,192 tuples is not undone: the floor rises to its revision before it
// is applied, in place. Readers of the head ask the store until it is published.
//
// # Closures
//
// [Closures] remembers, for one compiled model, which groups a subject is in over any number
// of steps, so that a Check meets the subject's groups from their side (Zanzibar's Leopard,
// section 3.2.5). It holds what unions of unconditional tuples decide, and says so where it
// does not know. A commit that concerns a closure is noted by its revision; nothing is
// recomputed before it is asked for.
//
// # Memory
//
// The indexes of all stores share one [Memory], each within its quota. Names get half of that at
// most; those that do not fit are asked of the store. Where lists do not fit, whole partitions
// are dropped: a list that is missing from a partition is empty, one of a dropped partition
// is asked of the store. So an answer is right with any memory, and quick with enough of it.
// What was dropped comes back with the next load, which is at the next start of the process: a
// store that has outgrown its memory once will do so again.
//
// # Proof
//
// [Index.Verify] compares everything that an index holds with a store's own snapshot.
//
// # Lifetimes
//
// Ids that the index returns share memory with it, 64 KiB at a time, and may be kept.
// Grants are shared with whoever fed them: nobody may change one.
package index
