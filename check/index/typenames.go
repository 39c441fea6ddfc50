package index

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"sync/atomic"
	"unsafe"

	"github.com/usher-authz/usher/tuples"
)

// typeNames is the ids of the objects of one type, both ways: an append-only text, where in
// it the id of each ordinal is, and a hash table of ordinals. One writer, and readers that
// take no lock. It takes 9 to 13 bytes an id beside the id itself.
type typeNames struct {
	name   tuples.ObjectType
	symbol tuples.Symbol

	pages  atomic.Pointer[[][]byte] // ids, each behind its length (uvarint)
	spots  atomic.Pointer[[]uint32] // by ordinal: page and offset of its id, 0 for none
	hashed atomic.Pointer[nameTable]
	gaps   atomic.Bool // some ids of the type are not held

	// The writer's:
	used    int    // bytes of the last page
	count   int    // ids
	highest uint32 // ordinal
}

const (
	pageBits  = 16
	pageSize  = 1 << pageBits
	firstPage = 256 // a store can be small
)

// nameTable finds ordinals by the hash of their id: open addressing, 4 bytes a place.
type nameTable struct {
	// places hold an ordinal in their low bits, as many as ordinalBits, and bits of the
	// id's hash above, so that a search seldom reads an id in vain; 0 is a free place.
	places      []uint32
	ordinalBits int
}

func newTypeNames(name tuples.ObjectType, symbol tuples.Symbol) *typeNames {
	t := &typeNames{name: name, symbol: symbol, used: 1} // spot 0 is no id
	t.pages.Store(&[][]byte{make([]byte, firstPage)})
	t.spots.Store(new([]uint32))
	t.hashed.Store(&nameTable{places: make([]uint32, 4), ordinalBits: 2})
	return t
}

// id returns the id of an ordinal, and whether it is held.
func (t *typeNames) id(ordinal uint32) (tuples.ID, bool) {
	spots := *t.spots.Load()
	if int64(ordinal) >= int64(len(spots)) {
		return "", false
	}
	spot := atomic.LoadUint32(&spots[ordinal])
	if spot == 0 {
		return "", false
	}
	return t.at(spot), true
}

// at returns the id at a spot. It shares the page's memory, where nothing that was written
// once is written again.
func (t *typeNames) at(spot uint32) tuples.ID {
	text := (*t.pages.Load())[spot>>pageBits][spot&(pageSize-1):]
	n, size := binary.Uvarint(text)
	return tuples.ID(unsafe.String(&text[size], int(n)))
}

// ordinal returns the ordinal of an id, 0 if it is not held.
func (t *typeNames) ordinal(hash uint64, id tuples.ID) uint32 {
	h := t.hashed.Load()
	low := uint32(1)<<h.ordinalBits - 1
	n := len(h.places)
	for i := start(hash, n); ; i++ {
		if i == n {
			i = 0
		}
		place := atomic.LoadUint32(&h.places[i])
		if place == 0 {
			return 0
		}
		if (place^uint32(hash))&^low == 0 {
			if held, _ := t.id(place & low); held == id {
				return place & low
			}
		}
	}
}

func start(hash uint64, n int) int {
	high, _ := bits.Mul64(hash, uint64(n))
	return int(high)
}

// add holds an id that is not held yet, unless there is no room for it in 4 GiB, and
// returns how many bytes of memory it took.
func (t *typeNames) add(seed maphash.Seed, ordinal uint32, id tuples.ID) int {
	before := t.size()
	spot, ok := t.write(id)
	if !ok {
		t.gaps.Store(true)
		return t.size() - before
	}
	t.highest = max(t.highest, ordinal)
	t.place(ordinal, spot)
	t.count++
	h := t.hashed.Load()
	if (t.count+1)*fullDenominator > len(h.places)*fullNumerator || bits.Len32(ordinal) > h.ordinalBits {
		t.rehash(seed, t.count+t.count/2+4)
	} else {
		place, value := h.free(maphash.String(seed, string(id)), ordinal)
		atomic.StoreUint32(place, value)
	}
	return t.size() - before
}

// write appends an id to the text and returns where it is; false if there is no room.
func (t *typeNames) write(id tuples.ID) (uint32, bool) {
	pages := *t.pages.Load()
	last := len(pages) - 1
	need := len(id) + binary.MaxVarintLen16
	if need > pageSize {
		return 0, false
	}
	switch size := len(pages[last]); {
	case t.used+need <= size:
	case last == 0 && t.used+need <= pageSize:
		page := make([]byte, min(max(2*size, t.used+need), pageSize))
		copy(page, pages[0][:t.used])
		pages = [][]byte{page}
		t.pages.Store(&pages)
		return t.write(id)
	case len(pages) == 1<<(32-pageBits):
		return 0, false
	default:
		pages = append(pages, make([]byte, pageSize)) // behind what readers of the old slice see
		t.pages.Store(&pages)
		t.used = 0
		last++
	}
	spot := uint32(last<<pageBits | t.used)
	page := pages[last]
	t.used += binary.PutUvarint(page[t.used:], uint64(len(id)))
	t.used += copy(page[t.used:], id)
	return spot, true
}

// place notes where the id of an ordinal is.
func (t *typeNames) place(ordinal, spot uint32) {
	spots := *t.spots.Load()
	if int(ordinal) >= len(spots) {
		n := int(ordinal) + 1
		grown := make([]uint32, n+n/8+4)
		copy(grown, spots)
		spots = grown
		t.spots.Store(&spots)
	}
	atomic.StoreUint32(&spots[ordinal], spot)
}

// rehash replaces the table by one for a number of ids.
func (t *typeNames) rehash(seed maphash.Seed, ids int) {
	h := &nameTable{
		places:      make([]uint32, ids*fullDenominator/fullNumerator+2),
		ordinalBits: bits.Len32(t.highest) + 1,
	}
	for ordinal := range *t.spots.Load() {
		if id, held := t.id(uint32(ordinal)); held {
			place, value := h.free(maphash.String(seed, string(id)), uint32(ordinal))
			*place = value
		}
	}
	t.hashed.Store(h)
}

// free returns the place for an ordinal that is not there, and what to store in it.
func (h *nameTable) free(hash uint64, ordinal uint32) (place *uint32, value uint32) {
	n := len(h.places)
	i := start(hash, n)
	for h.places[i] != 0 {
		if i++; i == n {
			i = 0
		}
	}
	low := uint32(1)<<h.ordinalBits - 1
	return &h.places[i], uint32(hash)&^low | ordinal
}

// size is the memory that the names take, in bytes.
func (t *typeNames) size() int {
	pages := *t.pages.Load()
	n := 4*len(*t.spots.Load()) + 4*len(t.hashed.Load().places) + 24*cap(pages)
	return n + len(pages[0]) + (len(pages)-1)*pageSize
}
