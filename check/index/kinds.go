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
	numbers atomic.Pointer[slots] // from packed symbols
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
	number := kind(numbers.used + 1)
	numbers.add(k.seed.hash(packed), packed, uint64(number))
	return number
}
