package adversarial

import (
	"fmt"
	"iter"

	"github.com/usher-authz/usher/tuples"
)

// World is a store that is made to hurt, of any size.
type World struct {
	Name  string
	Model string // OpenFGA's language
	// Full is the size that the world is known by, Small one that answers what it does in a
	// fraction of the time.
	Full, Small int
	Tuples      func(size int) iter.Seq[tuples.Tuple]
	Questions   func(size int) []Question
}

// Question is something to ask in a world.
type Question struct {
	Name string
	Kind Kind
	// Object is "media:7", and of [ListObjects] and [FilterObjects] a type; Subject is
	// "user:anna", and of [ListSubjects] a type.
	Object, Relation, Subject string
	Candidates                []string // ids, of [FilterObjects]
	Page                      int      // end a list after so many; 0 for all of it
	After                     string   // begin a list behind this id, by a cursor; "" for the beginning
	// Want is what is right: for a Check "allowed" or "denied", else the ids in their order.
	Want []string
}

// Kind is an RPC.
type Kind int

// The RPCs that are asked.
const (
	Check Kind = iota
	FilterObjects
	ListObjects
	ListSubjects
)

// Worlds are all of them.
func Worlds() []World {
	return []World{
		largeGroup, manyGroups, manyShares, groupChain, fullFolder,
		butNotBySubject, andBySubject, butNotByObject, andByObject,
	}
}

// id returns the id of a number. Ids are sorted as the numbers are.
func id(number int) string { return fmt.Sprintf("%08d", number) }

// ids returns those of the numbers from one up to another, the latter left out.
func ids(from, to int) []string {
	var all []string
	for number := from; number < to; number++ {
		all = append(all, id(number))
	}
	return all
}

// listing collects tuples, until whoever takes them has enough.
type listing struct {
	yield func(tuples.Tuple) bool
	ended bool
}

// add adds a tuple in text form, and reports whether more are wanted.
func (l *listing) add(format string, args ...any) bool {
	t, err := tuples.ParseTuple(fmt.Sprintf(format, args...))
	if err != nil {
		panic(err) // the formats are this package's own
	}
	l.ended = l.ended || !l.yield(t)
	return !l.ended
}

// each adds a tuple for every number below size.
func (l *listing) each(size int, add func(number int) bool) {
	for number := 0; number < size && !l.ended; number++ {
		add(number)
	}
}

// tuplesOf makes the function of a world out of one that adds them.
func tuplesOf(list func(l *listing, size int)) func(int) iter.Seq[tuples.Tuple] {
	return func(size int) iter.Seq[tuples.Tuple] {
		return func(yield func(tuples.Tuple) bool) { list(&listing{yield: yield}, size) }
	}
}
