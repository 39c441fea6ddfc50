package index

import (
	"math/bits"
	"slices"
	"sync/atomic"

	"github.com/usher-authz/usher/tuples"
)

// masks says for each node of a type of which kinds it may have lists in one direction: a bit
// each. Most reads of a Check are of lists that are empty, and most of those end here, at the
// cost of an array access in place of a search.
//
// Bits are set before the revision is published that needs them, and never cleared: a mask is
// right for every revision that can be read, and tells nothing of a list that became empty. More
// than 64 kinds of a type share bits. One writer, and readers that take no lock.
type masks struct {
	pages atomic.Pointer[[][]uint64] // words by ordinal; the last page can be short
	// short says that there was no memory for more: nodes without a word may have any list.
	short atomic.Bool
	of    tuples.Symbol // the type
	kinds int           // of the type; the writer's
}

const (
	maskPageBits  = 12
	maskPage      = 1 << maskPageBits // words, of 8 bytes
	firstMaskPage = 8                 // a store can be small
	sizeOfSlice   = 24
)

// have reports whether a node may have lists of a kind.
func (m *masks) have(ordinal uint32, bit uint64) bool {
	if word := m.word(ordinal); word != nil {
		return atomic.LoadUint64(word)&bit != 0
	}
	return m.short.Load()
}

// among returns those of some neighbours that may have lists of a kind: bit i stands for the
// ordinal from + i, and from is a multiple of 64. Reading many at once is quicker than asking
// [masks.have] of each: the processor waits for all of their words together.
func (m *masks) among(from uint32, some, bit uint64) uint64 {
	var words []uint64
	if pages := m.pages.Load(); pages != nil && int(from>>maskPageBits) < len(*pages) {
		page := (*pages)[from>>maskPageBits]
		words = page[min(int(from&(maskPage-1)), len(page)):]
	}
	shift := bits.TrailingZeros64(bit)
	have := uint64(0)
	for ; some != 0; some &= some - 1 {
		i := bits.TrailingZeros64(some)
		if i >= len(words) {
			if m.short.Load() {
				have |= some
			}
			break
		}
		have |= atomic.LoadUint64(&words[i]) >> shift & 1 << i
	}
	return have
}

// word returns the word of a node, nil if there is none.
func (m *masks) word(ordinal uint32) *uint64 {
	pages := m.pages.Load()
	if pages == nil || int(ordinal>>maskPageBits) >= len(*pages) {
		return nil
	}
	page := (*pages)[ordinal>>maskPageBits]
	if i := ordinal & (maskPage - 1); int(i) < len(page) {
		return &page[i]
	}
	return nil
}

// add notes that a node has a list, and returns how many bytes of memory that took; room is
// how many there are.
func (m *masks) add(ordinal uint32, bit uint64, room int64) int64 {
	took := m.grow(ordinal, room)
	if word := m.word(ordinal); word != nil {
		if before := *word; before&bit == 0 {
			atomic.StoreUint64(word, before|bit)
		}
	}
	return took
}

// build is add for masks that no reader can see yet.
func (m *masks) build(ordinal uint32, bit uint64, room int64) int64 {
	took := m.grow(ordinal, room)
	if word := m.word(ordinal); word != nil {
		*word |= bit
	}
	return took
}

// grow makes a word for an ordinal, and for all below it: a store gives them out in order.
func (m *masks) grow(ordinal uint32, room int64) int64 {
	if m.word(ordinal) != nil || m.short.Load() {
		return 0
	}
	var pages [][]uint64
	if held := m.pages.Load(); held != nil {
		pages = slices.Clone(*held) // readers are at it
	}
	count, last := int(ordinal>>maskPageBits)+1, int(ordinal&(maskPage-1))+1
	if last = max(last+last/2, firstMaskPage); count > 1 {
		last = maskPage
	}
	took := int64(count-len(pages))*sizeOfSlice + 8*int64((count-1)*maskPage+min(last, maskPage)-maskWords(pages))
	if took > room {
		m.short.Store(true)
		return 0
	}
	for len(pages) < count {
		pages = append(pages, nil)
	}
	for i, page := range pages {
		size := maskPage
		if i == count-1 {
			size = min(last, maskPage)
		}
		if len(page) < size {
			pages[i] = make([]uint64, size)
			copy(pages[i], page)
		}
	}
	m.pages.Store(&pages)
	return took
}

// maskWords returns how many words pages have: all but the last are full.
func maskWords(pages [][]uint64) int {
	n := len(pages)
	if n == 0 {
		return 0
	}
	return (n-1)*maskPage + len(pages[n-1])
}

// maskShare is the part of the memory of all indexes that one of them gives to masks at most.
const maskShare = 8

// maskRoom is how many bytes masks may take yet.
func (x *Index) maskRoom() int64 { return x.memory.limit/maskShare - x.masked.Load() }

// drop lets go of the words: nodes may have any list.
func (m *masks) drop() {
	m.short.Store(true) // first: a reader that finds no word looks at it
	m.pages.Store(nil)
}
