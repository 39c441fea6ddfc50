package index

import (
	"testing"
	"time"
)

// TestAListThatMovesWhileItIsReadIsFound lets a reader come between the two halves of what a
// writer does: the list is settled, and its index has been given to another list.
func TestAListThatMovesWhileItIsReadIsFound(t *testing.T) {
	const key, other listKey = 1<<32 | 1, 1<<32 | 2
	hash := seed(7).hash
	table := newTable(2, 0, 1)
	f := table.list(&version{key: other, members: newMembers([]uint32{5}, nil)})
	table.slots.add(hash(uint64(key)), uint64(key), uint64(f))
	read := make(chan members)
	go func() { read <- table.read(hash(uint64(key)), key, 1, new([1]uint32)) }()
	time.Sleep(time.Millisecond) // most often the reader has looked by now; it is right to come later too
	settled, _ := table.pack([]uint32{9})
	table.slots.find(hash(uint64(key)), uint64(key)).store(uint64(settled))
	if got := <-read; len(got.ordinals) != 1 || got.ordinals[0] != 9 {
		t.Errorf("got %d, want 9", got.ordinals)
	}
}
