package index

import (
	"encoding/binary"
	"sync/atomic"
	"unsafe"

	"github.com/usher-authz/usher/tuples"
)

// typeNames is the ids of the objects of one type, both ways: an append-only text of ordinals
// and ids, where in it each ordinal is, and where each id is by its hash. So an id is found with
// two reads of memory, one of the hash table and one of the text. One writer, and readers that
// take no lock. It takes 20 to 26 bytes an id beside the id itself.
type typeNames struct {
	name   tuples.ObjectType
	symbol tuples.Symbol

	pages  atomic.Pointer[[][]byte] // ids, each behind its ordinal (4 bytes) and its length (uvarint)
	spots  atomic.Pointer[[]uint32] // by ordinal: page and offset, 0 for none
	hashed atomic.Pointer[nameTable]
	gaps   atomic.Bool // some ids of the type are not held

	// The writer's:
	used  int // bytes of the last page
	count int // ids
}

const (
	pageBits  = 16
	pageSize  = 1 << pageBits
	firstPage = 256 // a store can be small
)

// nameTable finds ids by their hash: open addressing. A place holds the upper half of the hash,
// so that a search seldom reads an id in vain, above the spot; 0 is a free place.
type nameTable struct{ places []uint64 }

const (
	placeOfName  = 8 // bytes
	ordinalBytes = 4
	mostIDBytes  = pageSize - ordinalBytes - binary.MaxVarintLen16
)

func newTypeNames(name tuples.ObjectType, symbol tuples.Symbol) *typeNames {
	t := &typeNames{name: name, symbol: symbol, used: 1} // spot 0 is no id
	t.pages.Store(&[][]byte{make([]byte, firstPage)})
	t.spots.Store(new([]uint32))
	t.hashed.Store(&nameTable{places: make([]uint64, 4)})
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
	_, id := t.at(spot)
	return id, true
}

// idsAtOnce is how many ids one call reads. Their lines stay in the processor's first cache.
const idsAtOnce = 64

// objects fills in the objects of nodes of the type, idsAtOnce at most, as [names.objects] does.
// It finds all texts before it reads any, so that the processor waits for many of them at once:
// one by one, that is what a long list takes most of its time for.
func (t *typeNames) objects(nodes []tuples.Node, objects []tuples.Object) bool {
	var found [idsAtOnce]uint32
	spots := *t.spots.Load()
	for i, node := range nodes {
		if ordinal := node.Ordinal(); int64(ordinal) < int64(len(spots)) {
			found[i] = atomic.LoadUint32(&spots[ordinal])
		}
	}
	pages, whole := *t.pages.Load(), true // behind the spots, which can be in a page that is new
	for i, spot := range found[:len(nodes)] {
		switch {
		case spot != 0:
			objects[i] = tuples.Object{Type: t.name, ID: idAt(pages[spot>>pageBits][spot&(pageSize-1)+ordinalBytes:])}
		case nodes[i].IsWildcard():
			objects[i] = tuples.Object{Type: t.name, ID: tuples.Wildcard}
		default:
			objects[i], whole = tuples.Object{}, false
		}
	}
	return whole
}

// idAt returns the id whose length and text begin a slice. It shares the slice's memory.
func idAt(text []byte) tuples.ID {
	n, size := uint64(text[0]), 1
	if n >= 0x80 {
		n, size = binary.Uvarint(text)
	}
	return tuples.ID(unsafe.String(&text[size], int(n)))
}

// at returns what is at a spot. The id shares the page's memory, where nothing that was
// written once is written again.
func (t *typeNames) at(spot uint32) (ordinal uint32, id tuples.ID) {
	text := (*t.pages.Load())[spot>>pageBits][spot&(pageSize-1):]
	return binary.LittleEndian.Uint32(text), idAt(text[ordinalBytes:])
}

// ordinal returns the ordinal of an id, 0 if it is not held.
func (t *typeNames) ordinal(hash uint64, id tuples.ID) uint32 {
	places := t.hashed.Load().places
	n := len(places)
	for i := start(hash, n); ; i++ {
		if i == n {
			i = 0
		}
		place := atomic.LoadUint64(&places[i])
		if place == 0 {
			return 0
		}
		if place>>32 == hash>>32 {
			if ordinal, held := t.at(uint32(place)); held == id {
				return ordinal
			}
		}
	}
}

// start is where the search for a hash begins. It needs the upper half of it only.
func start(hash uint64, n int) int { return int(hash >> 32 * uint64(n) >> 32) }

// add holds an id that is not held yet, unless there is no room for it in 4 GiB, and
// returns how many bytes of memory it took.
func (t *typeNames) add(hash uint64, ordinal uint32, id tuples.ID) int {
	before := t.size()
	spot, ok := t.write(ordinal, id)
	if !ok {
		t.gaps.Store(true)
		return t.size() - before
	}
	t.place(ordinal, spot)
	t.count++
	if (t.count+1)*fullDenominator > len(t.hashed.Load().places)*fullNumerator {
		t.rehash(t.count + t.count/2 + 4)
	}
	place := hash>>32<<32 | uint64(spot)
	atomic.StoreUint64(t.hashed.Load().free(place), place)
	return t.size() - before
}

// write appends an id to the text and returns where it is; false if there is no room.
func (t *typeNames) write(ordinal uint32, id tuples.ID) (uint32, bool) {
	pages := *t.pages.Load()
	last := len(pages) - 1
	need := ordinalBytes + binary.MaxVarintLen16 + len(id)
	if len(id) > mostIDBytes {
		return 0, false
	}
	switch size := len(pages[last]); {
	case t.used+need <= size:
	case last == 0 && t.used+need <= pageSize:
		page := make([]byte, min(max(2*size, t.used+need), pageSize))
		copy(page, pages[0][:t.used])
		pages = [][]byte{page}
		t.pages.Store(&pages)
		return t.write(ordinal, id)
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
	binary.LittleEndian.PutUint32(page[t.used:], ordinal)
	t.used += ordinalBytes
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
func (t *typeNames) rehash(ids int) {
	h := &nameTable{places: make([]uint64, ids*fullDenominator/fullNumerator+2)}
	for _, place := range t.hashed.Load().places {
		if place != 0 {
			*h.free(place) = place
		}
	}
	t.hashed.Store(h)
}

// free returns where what is to be a place can be put.
func (h *nameTable) free(place uint64) *uint64 {
	n := len(h.places)
	i := start(place, n)
	for h.places[i] != 0 {
		if i++; i == n {
			i = 0
		}
	}
	return &h.places[i]
}

// size is the memory that the names take, in bytes.
func (t *typeNames) size() int {
	pages := *t.pages.Load()
	n := 4*len(*t.spots.Load()) + placeOfName*len(t.hashed.Load().places) + 24*cap(pages)
	return n + len(pages[0]) + (len(pages)-1)*pageSize
}
