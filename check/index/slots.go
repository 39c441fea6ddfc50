package index

import (
	"math/bits"
	"slices"
	"sync/atomic"
)

// seed makes the hash of one index differ from that of any other, so that nobody can
// prepare keys that collide.
type seed uint64

// hash spreads a key over 64 bits. Of a list (see [kinds.hash]) the first 8 select the
// partition, see [Index.part], and those behind them the place in its table.
func (s seed) hash(key uint64) uint64 {
	high, low := bits.Mul64(key^uint64(s), 0x9e37_79b9_7f4a_7c15)
	return high ^ low
}

// slots is a hash map of fixed size from 64 bits to 64 bits, for one writer and any
// number of readers that take no lock: open addressing, and no key is ever removed. Key 0 stands for none.
type slots struct {
	places []place
	used   int // the writer's
}

// place is one key with its value. Readers load both atomically; a writer stores them so
// where readers can be.
type place struct {
	key   uint64 // 0 while the place is free
	value uint64
}

func (p *place) load() uint64 { return atomic.LoadUint64(&p.value) }

func (p *place) store(value uint64) { atomic.StoreUint64(&p.value, value) }

const placeBytes = 16

// fullNumerator/fullDenominator of the places are taken at most. Four of them share a line of
// the processor's cache. Behind the load of a library of a million tuples all lists of a node,
// one and a half, take 1.28 lines; spread by their own hashes they took 1.70.
const fullNumerator, fullDenominator = 3, 4

// newSlots returns a map for a number of keys.
func newSlots(keys int) slots {
	if keys == 0 {
		return slots{}
	}
	return slots{places: roomFor[place](keys*fullDenominator/fullNumerator + 2)}
}

// roomFor returns a slice of n elements at least: as many as the memory has room for that
// Go's allocator takes for n.
func roomFor[T any](n int) []T {
	s := slices.Grow([]T(nil), n)
	return s[:cap(s)]
}

// full reports whether there is no room for another key.
func (s *slots) full() bool {
	return (s.used+1)*fullDenominator > len(s.places)*fullNumerator
}

// find returns the place of a key, nil if it is not there.
func (s *slots) find(hash, key uint64) *place {
	n := len(s.places)
	if n == 0 {
		return nil
	}
	for i := reduce(hash, n); ; i++ {
		if i == n {
			i = 0
		}
		switch atomic.LoadUint64(&s.places[i].key) {
		case key:
			return &s.places[i]
		case 0:
			return nil
		}
	}
}

// add puts a key that is not there. The map must not be full.
func (s *slots) add(hash, key, value uint64) {
	p := s.free(hash)
	p.store(value)
	atomic.StoreUint64(&p.key, key) // last: a reader that sees the key sees the value
}

// build is add for a map that no reader can see yet. It is quicker: an atomic store waits for
// the memory, and that is what a load takes most of its time for.
func (s *slots) build(hash, key, value uint64) { *s.free(hash) = place{key, value} }

// free returns the place for a key that is not there.
func (s *slots) free(hash uint64) *place {
	n := len(s.places)
	i := reduce(hash, n)
	for s.places[i].key != 0 {
		if i++; i == n {
			i = 0
		}
	}
	s.used++
	return &s.places[i]
}

// reduce maps a hash, without the bits that select the partition, to a number below n.
func reduce(hash uint64, n int) int {
	high, _ := bits.Mul64(hash<<partitionBits, uint64(n))
	return int(high)
}
