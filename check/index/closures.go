package index

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// Closures remembers the closures of one compiled model. It is safe for concurrent use; no
// reader waits. See [Index.Closures].
//
// Nothing is dropped when a commit changes a membership. The commit's revision is noted
// instead, for the subject that the tuple names or, where others can be concerned, for all; and
// what was worked out at an earlier revision counts no more. So a user who joins a group
// costs one closure, and a group that joins a group costs all of them, one by one, when they
// are next asked for.
type Closures struct {
	index  *Index
	ladder *ladder
	limit  int64 // of memory, in bytes

	all      atomic.Uint64                 // the last revision that may concern every subject
	subjects [subjectBuckets]atomic.Uint64 // the same of single subjects, by hash
	places   []atomic.Pointer[Closure]     // by the subject's hash; the later one stays
	bytes    atomic.Int64                  // of the closures in places
	hand     atomic.Uint32                 // the place to be emptied next
}

const (
	// subjectBuckets is over how many numbers subjects are spread: a commit that concerns one
	// of a million costs a thousandth of all closures.
	subjectBuckets = 1 << 10
	// usualClosure is how many bytes a closure takes with its place: a user in ten groups.
	usualClosure = 256
)

// Closures makes room for the closures of a model, in so many bytes of memory beside the
// index's own and about 10 KiB in any case. They follow the commits that the index is fed
// until they are closed.
func (x *Index) Closures(p *model.Program, memory int64) *Closures {
	c := &Closures{
		index: x, ladder: newLadder(p), limit: memory,
		places: make([]atomic.Pointer[Closure], 1+memory/usualClosure),
	}
	x.writing.Lock()
	defer x.writing.Unlock()
	c.all.Store(uint64(x.applied))
	x.closures = append(x.closures, c)
	return c
}

// Close ends the following of commits. What is asked for afterwards is not remembered.
func (c *Closures) Close() {
	c.index.writing.Lock()
	defer c.index.writing.Unlock()
	c.index.closures = slices.DeleteFunc(c.index.closures, func(other *Closures) bool { return other == c })
	c.all.Store(notLoaded)
}

// Bytes estimates the memory that the closures take.
func (c *Closures) Bytes() int64 { return c.bytes.Load() + int64(8*len(c.places)) }

// Holds reports whether closures decide memberships of a step.
func (c *Closures) Holds(step *model.Step) bool { return c.ladder.holds(step) }

// Of returns the closure of a subject at the revision and time of a snapshot, which shows no
// contextual tuples; relation is 0 for a plain subject. It is nil for one that is in more than
// 65,536 usersets. What is not remembered is worked out from the snapshot: visited is how many
// usersets that took, and an error is the snapshot's.
func (c *Closures) Of(
	ctx context.Context, s tuples.Snapshot, subject tuples.Node, relation tuples.Symbol,
) (closure *Closure, visited int, err error) {
	hash := c.index.seed.hash(uint64(subject) ^ uint64(relation)<<48)
	place := &c.places[hash%uint64(len(c.places))]
	if known := place.Load(); known != nil && known.subject == subject && known.relation == relation && c.counts(known, s) {
		return known.orNil(), 0, nil
	}
	climb := climb{snapshot: s, ladder: c.ladder, subject: subject, relation: relation}
	found, err := climb.run(ctx)
	if err != nil {
		return nil, 0, err
	}
	if c.counts(found, s) && subject.Ordinal() < tuples.FirstTransient {
		c.remember(place, found)
	}
	return found.orNil(), len(climb.seen), nil
}

// counts reports whether a closure is true of a snapshot: no commit between its revision and
// the snapshot's concerns it, nor one behind both, for which there is one number only; and
// no tuple that was not expired yet at the snapshot's time was left out of it.
func (c *Closures) counts(known *Closure, s tuples.Snapshot) bool {
	changed := max(c.all.Load(), c.bucket(known.subject).Load())
	return changed <= uint64(known.revision) && changed <= uint64(s.Revision()) && !s.Time().Before(known.now)
}

func (c *Closures) bucket(subject tuples.Node) *atomic.Uint64 {
	return &c.subjects[c.index.seed.hash(uint64(subject))%subjectBuckets]
}

// remember puts a closure in its place, and empties others while there are too many bytes.
func (c *Closures) remember(place *atomic.Pointer[Closure], found *Closure) {
	c.count(place.Swap(found), found)
	for range c.places {
		if c.bytes.Load() <= c.limit {
			return
		}
		c.count(c.places[int(c.hand.Add(1))%len(c.places)].Swap(nil), nil)
	}
}

func (c *Closures) count(out, in *Closure) {
	if out != nil {
		c.bytes.Add(-out.bytes)
	}
	if in != nil {
		c.bytes.Add(in.bytes)
	}
}

// changed notes what a commit does to closures, before it is published.
func (c *Closures) changed(revision tuples.Revision, changes []Change) {
	for i := range changes {
		key := &changes[i].Key
		switch c.ladder.rests[packKindOf(*key)] {
		case ofAll:
			c.all.Store(uint64(revision))
		case ofSubject:
			if key.Subject.IsWildcard() {
				c.all.Store(uint64(revision))
			} else {
				c.bucket(key.Subject).Store(uint64(revision))
			}
		}
	}
}
