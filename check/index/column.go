package index

import "sync/atomic"

// column is lists of one kind and direction that have one bare member each, by the ordinal of
// the node whose list it is: such as the folder that a media is in. Where most nodes of a type
// have such a list it takes 4 bytes in place of some 20, and a chain of folders is followed
// within the processor's cache.
//
// A load fills columns. A list that changes afterwards leaves its column for the table of its
// partition, for good: what a column says holds at every revision from the floor on, like what
// is settled in a table. One writer, and readers that take no lock.
type column struct {
	members atomic.Pointer[[]uint32] // 0 where the partition says what the list is
}

// columnPart is which part of the nodes have to have a list for a column at least: with a fourth
// it takes 16 bytes a list.
const columnPart = 4

// get returns the only member of a node's list, 0 if the partition says what the list is. Who
// has read that there is none reads the table of the partition afterwards.
func (c *column) get(ordinal uint32) uint32 {
	members := c.members.Load()
	if members == nil || int64(ordinal) >= int64(len(*members)) {
		return 0
	}
	return atomic.LoadUint32(&(*members)[ordinal])
}

// leave takes a node's list out. Unless nobody is to know it, it is in the table already.
func (c *column) leave(ordinal uint32) {
	if c.get(ordinal) != 0 {
		atomic.StoreUint32(&(*c.members.Load())[ordinal], 0)
	}
}

// build puts a list in if it is one for the column, and reports whether it is. Nobody can read
// the column yet. A member of ordinal 0, a wildcard, stays in the table.
func (c *column) build(ordinal uint32, list []uint32) bool {
	members := c.members.Load()
	if members == nil || len(list) != 1 || list[0] == 0 {
		return false
	}
	(*members)[ordinal] = list[0]
	return true
}

// singles counts the lists of one kind and direction that a column can hold.
type singles struct {
	lists   int
	highest uint32 // ordinal of the nodes whose lists they are
}

func (s *singles) add(ordinal uint32) {
	s.lists++
	s.highest = max(s.highest, ordinal)
}

// make gives a column room if enough nodes have lists for it, and returns how many bytes it
// took.
func (s *singles) make(c *column) int64 {
	if n := int64(s.highest) + 1; s.lists > 0 && n <= columnPart*int64(s.lists) {
		members := roomFor[uint32](int(n))
		c.members.Store(&members)
		return 4 * int64(len(members))
	}
	return 0
}

// eachColumn visits the columns of all kinds; key is that of the list of ordinal 0.
func (k *kinds) eachColumn(visit func(key listKey, c *column)) {
	ends := *k.ends.Load()
	for i := 1; i < len(ends); i++ {
		visit(listKey(i)<<32, ends[i].object.column)
		visit(listKey(i)<<32|reverseBit, ends[i].subject.column)
	}
}

// dropColumns lets go of all columns. Nobody reads a table any more, or no partition has one.
func (x *Index) dropColumns() {
	x.kinds.eachColumn(func(_ listKey, c *column) { c.members.Store(nil) })
	x.lists.Add(-x.columns)
	x.columns = 0
}

// inColumns counts the lists in columns, by the partitions where they would be else.
func (x *Index) inColumns() (counts [partitions]int) {
	x.kinds.eachColumn(func(first listKey, c *column) {
		if members := c.members.Load(); members != nil {
			for ordinal := range uint32(len(*members)) {
				if c.get(ordinal) != 0 {
					counts[x.kinds.hash(first|listKey(ordinal))>>(64-partitionBits)]++
				}
			}
		}
	})
	return counts
}
