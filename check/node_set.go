package check

import (
	"maps"
	"math/bits"

	"github.com/usher-authz/usher/tuples"
)

// nodeSet is the objects of one type that a walk has reached in one step, as bits: a word
// of 64 neighbours at a time, for objects that were made together are shared together. A
// million objects in a row take 0.5 MB, a million far from each other 40 MB.
type nodeSet struct {
	words  []word
	places []uint32 // hash table: index in words + 1, 0 for a free place
	// open is why those of them are not sure, by ordinal, of which that is all there is to
	// know. Of the others that are not sure, only a Check knows.
	open map[uint32]*causes
}

// word is what is known of the objects whose ordinals are 64*key and on.
type word struct {
	key     uint32
	queued  bool   // the walk has to come back to it
	reached uint64 // may be members
	sure    uint64 // are members; all of them are reached
	todo    uint64 // reached, or sure, since the walk was here last
}

// wordBits is how many low bits of an ordinal are the place in its word.
const wordBits = 6

// at returns the index of a word, a new one if there is none.
func (s *nodeSet) at(key uint32) int {
	if n := len(s.words); n > 0 && s.words[n-1].key == key {
		return n - 1
	}
	if 4*(len(s.words)+1) > 3*len(s.places) {
		s.grow()
	}
	place := s.find(key)
	if *place == 0 {
		s.words = append(s.words, word{key: key})
		*place = uint32(len(s.words))
	}
	return int(*place) - 1
}

// get returns a word, with no bits if there is none.
func (s *nodeSet) get(key uint32) word {
	if len(s.words) == 0 {
		return word{key: key}
	}
	if place := s.find(key); *place != 0 {
		return s.words[*place-1]
	}
	return word{key: key}
}

// find returns the place of a word, or the free one where it belongs. There must be a
// table.
func (s *nodeSet) find(key uint32) *uint32 {
	mask := uint32(len(s.places) - 1)
	for i := spread(key) & mask; ; i = (i + 1) & mask {
		if p := &s.places[i]; *p == 0 || s.words[*p-1].key == key {
			return p
		}
	}
}

// spread is Knuth's multiplicative hash, with its good bits below.
func spread(key uint32) uint32 { return bits.RotateLeft32(key*0x9E3779B1, 16) }

// firstPlaces is for how many words a new set has places: most are small.
const firstPlaces = 16

func (s *nodeSet) grow() {
	if s.words == nil {
		s.words = make([]word, 0, firstPlaces*3/4)
	}
	s.places = make([]uint32, max(firstPlaces, 2*len(s.places)))
	for i := range s.words {
		*s.find(s.words[i].key) = uint32(i) + 1
	}
}

// add notes objects of one word and returns its index, and whether that is news. Of those
// that are not sure, only a Check knows.
func (s *nodeSet) add(key uint32, reached, sure uint64) (int, bool) {
	i := s.at(key)
	w := &s.words[i]
	news := reached&^w.reached | sure&^w.sure
	if len(s.open) > 0 {
		news |= s.close(w, w.reached&reached&^sure&^w.sure)
	}
	w.reached |= reached
	w.sure |= sure
	w.todo |= news
	return i, news != 0
}

// close forgets why some objects of a word are not sure, and returns those of them for
// which that was known.
func (s *nodeSet) close(w *word, some uint64) uint64 {
	known := s.known(w, some)
	for left := known; left != 0; left &= left - 1 {
		delete(s.open, w.ordinal(bits.TrailingZeros64(left)))
	}
	return known
}

// known returns those of some objects of a word of which it is known why they are not sure.
func (s *nodeSet) known(w *word, some uint64) uint64 {
	if len(s.open) == 0 {
		return 0
	}
	known := uint64(0)
	for left := some; left != 0; left &= left - 1 {
		i := bits.TrailingZeros64(left)
		if s.open[w.ordinal(i)] != nil {
			known |= 1 << i
		}
	}
	return known
}

// addOpen notes an object that is a member if what keeps it open does not keep it out. It
// returns the index of its word, and whether that is news.
func (s *nodeSet) addOpen(ordinal uint32, why *causes) (int, bool) {
	i := s.at(ordinal >> wordBits)
	w := &s.words[i]
	bit := bitOf(ordinal)
	before := s.open[ordinal]
	switch {
	case w.sure&bit != 0, w.reached&bit != 0 && before == nil:
		return i, false
	case before != nil:
		if why = before.join(why); why == before {
			return i, false
		}
	case s.open == nil:
		s.open = make(map[uint32]*causes)
	}
	s.open[ordinal] = why
	w.reached |= bit
	w.todo |= bit
	return i, true
}

// addNode notes one object.
func (s *nodeSet) addNode(node tuples.Node, sure bool) {
	bit := bitOf(node.Ordinal())
	if sure {
		s.add(node.Ordinal()>>wordBits, bit, bit)
	} else {
		s.add(node.Ordinal()>>wordBits, bit, 0)
	}
}

// addSelf notes an object whose own step this is: a userset is a member of itself, whatever
// its rule comes to. Where the rest of the rule is still to be asked about, a Check says so.
func (s *nodeSet) addSelf(node tuples.Node, rest []int) {
	s.addNode(node, len(rest) == 0)
	if len(rest) > 0 {
		w := &s.words[s.at(node.Ordinal()>>wordBits)]
		w.sure &^= bitOf(node.Ordinal())
		s.close(w, bitOf(node.Ordinal()))
	}
}

// bitOf returns the bit of an ordinal in its word.
func bitOf(ordinal uint32) uint64 { return 1 << (ordinal & (1<<wordBits - 1)) }

// ordinal returns the ordinal of a bit.
func (w *word) ordinal(i int) uint32 { return w.key<<wordBits | uint32(i) }

// each visits the objects of all words by what is known of them: words of those that are
// sure or that only a Check knows about, and one by one those that are open.
func (s *nodeSet) each(add func(key uint32, reached, sure uint64), addOpen func(ordinal uint32, why *causes)) {
	for i := range s.words {
		w := &s.words[i]
		open := s.known(w, w.reached&^w.sure)
		add(w.key, w.reached&^open, w.sure)
		for ; open != 0; open &= open - 1 {
			ordinal := w.ordinal(bits.TrailingZeros64(open))
			addOpen(ordinal, s.open[ordinal])
		}
	}
}

// count returns how many objects there are.
func (s *nodeSet) count() int {
	n := 0
	for i := range s.words {
		n += bits.OnesCount64(s.words[i].reached)
	}
	return n
}

// copy gives an empty set the same objects.
func (s *nodeSet) copy(from *nodeSet) {
	s.words = append(s.words[:0], from.words...)
	s.places = append(s.places[:0], from.places...)
	s.open = maps.Clone(from.open)
}

// inOrder visits the words in the order of their objects.
func (s *nodeSet) inOrder(by *sorter, visit func(w *word) error) error {
	keys := by.begin(len(s.words))
	for i := range s.words {
		keys[i] = sortKey{uint64(s.words[i].key), uint32(i)}
	}
	for _, k := range by.sort() {
		if err := visit(&s.words[k.place]); err != nil {
			return err
		}
	}
	return nil
}

// nodes calls visit for each of some bits of a word, in ascending order, until that
// returns an error.
func (w *word) nodes(t tuples.Symbol, some uint64, visit func(node tuples.Node, bit uint64) error) error {
	for ; some != 0; some &= some - 1 {
		i := bits.TrailingZeros64(some)
		if err := visit(tuples.NewNode(t, w.ordinal(i)), 1<<i); err != nil {
			return err
		}
	}
	return nil
}
