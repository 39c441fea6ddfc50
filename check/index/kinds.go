package index

import (
	"sync/atomic"

	"github.com/usher-authz/usher/tuples"
)

// kind is what all tuples of a pair of lists have in common: the type and relation on the
// left and the type and relation on the right. 0 is no kind.
type kind uint32

// listKey is a list's identity: its kind in the upper half; in the lower half the ordinal of
// the node whose list it is and, above it, the direction. No stored ordinal needs that bit.
type listKey uint64

const reverseBit listKey = listKey(tuples.FirstTransient)

func (k listKey) kind() kind { return kind(k >> 32) }

// ordinal is that of the node whose list it is.
func (k listKey) ordinal() uint32 { return uint32(k &^ reverseBit) }

func forwardKey(k kind, object tuples.Node) listKey {
	return listKey(k)<<32 | listKey(object.Ordinal())
}

func reverseKey(k kind, subject tuples.Node) listKey {
	return listKey(k)<<32 | reverseBit | listKey(subject.Ordinal())
}

// kinds numbers the kinds of tuples that a store has had. It only grows. One writer, and
// readers that take no lock.
type kinds struct {
	seed    seed
	numbers atomic.Pointer[slots]  // from packed symbols
	ends    atomic.Pointer[[]ends] // by number; 0 is none

	// objects and subjects are the masks of every type, as the type of objects and as that of
	// subjects. They are the writer's.
	objects, subjects map[tuples.Symbol]*masks
}

// ends is where the masks of both ends say whether there can be lists of a kind, and the columns
// of such lists.
type ends struct{ object, subject end }

type end struct {
	masks  *masks
	bit    uint64
	column *column
}

// packKind packs the four symbols of a kind.
func packKind(object, relation, subject, subjectRelation tuples.Symbol) uint64 {
	return uint64(object)<<48 | uint64(relation)<<32 | uint64(subject)<<16 | uint64(subjectRelation)
}

func packKindOf(k tuples.EdgeKey) uint64 {
	return packKind(k.Object.Type(), k.Relation, k.Subject.Type(), k.SubjectRelation)
}

// number returns the number of a kind, 0 if there has been no tuple of it.
func (k *kinds) number(packed uint64) kind {
	if packed == 0 {
		return 0
	}
	if found := k.numbers.Load().find(k.seed.hash(packed), packed); found != nil {
		return kind(found.load())
	}
	return 0
}

// of returns where it says whether there can be a list.
func (k *kinds) of(key listKey) *end {
	e := &(*k.ends.Load())[key.kind()]
	if key&reverseBit == 0 {
		return &e.object
	}
	return &e.subject
}

// hash is that of a list, which selects its partition and its place there. It is the same for
// all lists of one node in one direction: they lie side by side, mostly in one line of the
// processor's cache, and are held or dropped together.
func (k *kinds) hash(key listKey) uint64 {
	return k.seed.hash(uint64(k.of(key).masks.of)<<32 | uint64(uint32(key)))
}

// intern returns the number of a kind and gives it one if it has none.
func (k *kinds) intern(packed uint64) kind {
	if number := k.number(packed); number != 0 {
		return number
	}
	numbers := k.numbers.Load()
	if numbers.full() {
		grown := newSlots(2*numbers.used + 8)
		for _, p := range numbers.places {
			if p.key != 0 {
				grown.build(k.seed.hash(p.key), p.key, p.value)
			}
		}
		numbers = &grown
		k.numbers.Store(numbers)
	}
	all := append(*k.ends.Load(), ends{ // behind what readers of the old slice see
		object:  newEnd(k.objects, tuples.Symbol(packed>>48)),
		subject: newEnd(k.subjects, tuples.Symbol(packed>>16)),
	})
	k.ends.Store(&all)
	number := kind(len(all) - 1)
	numbers.add(k.seed.hash(packed), packed, uint64(number))
	return number
}

// drop lets go of all masks.
func (k *kinds) drop() {
	for _, types := range []map[tuples.Symbol]*masks{k.objects, k.subjects} {
		for _, m := range types {
			m.drop()
		}
	}
}

// newEnd gives a kind a bit in the masks of a type.
func newEnd(types map[tuples.Symbol]*masks, t tuples.Symbol) end {
	m := types[t]
	if m == nil {
		m = &masks{of: t}
		types[t] = m
	}
	m.kinds++
	return end{masks: m, bit: 1 << ((m.kinds - 1) % 64), column: &column{}}
}
