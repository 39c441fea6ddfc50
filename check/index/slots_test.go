package index

import (
	"testing"

	"pgregory.net/rapid"
)

func TestSlotsFindWhatWasAdded(t *testing.T) {
	hashes := map[string]func(uint64) uint64{
		"spread":           seed(42).hash,
		"all collide":      func(uint64) uint64 { return 1 << 63 },
		"collide in pairs": func(key uint64) uint64 { return seed(42).hash(key / 2) },
		"at the end":       func(uint64) uint64 { return ^uint64(0) }, // the search goes round
	}
	for name, hash := range hashes {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				s := newSlots(rapid.IntRange(1, 50).Draw(t, "size"))
				want := make(map[uint64]uint64)
				for !s.full() {
					key := rapid.Uint64Range(1, 100).Draw(t, "key")
					if p := s.find(hash(key), key); p != nil {
						p.store(p.load() + 1)
					} else if rapid.Bool().Draw(t, "build") {
						s.build(hash(key), key, 1)
					} else {
						s.add(hash(key), key, 1)
					}
					want[key]++
				}
				for key := uint64(1); key <= 101; key++ {
					p := s.find(hash(key), key)
					if (p != nil) != (want[key] > 0) || p != nil && p.load() != want[key] {
						t.Fatalf("key %d: got %+v, want %d", key, p, want[key])
					}
				}
			})
		})
	}
}

func TestNothingIsInSlotsOfNoSize(t *testing.T) {
	s := newSlots(0)
	if s.find(1, 1) != nil || !s.full() {
		t.Errorf("got %+v", s)
	}
}

func TestListsSpreadOverPartitions(t *testing.T) {
	x := newSeeded(0, 7)
	counts := make(map[*partition]int)
	const each = 100
	for ordinal := range uint64(partitions * each) { // as a store gives them out
		counts[x.part(x.seed.hash(1<<32|ordinal))]++
	}
	for _, n := range counts {
		if n < each/2 || n > 2*each {
			t.Fatalf("partitions have %v of %d lists, want about %d each", counts, partitions*each, each)
		}
	}
}
