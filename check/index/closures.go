package index

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// Closures remembers the closures of one compiled model. It is safe for concurrent use; who
// finds what it looks for does not wait. See [Index.Closures].
//
// Nothing is dropped when a commit changes a membership. The commit's revision is noted
// instead, for the subject that the tuple names or, where others can be concerned, for all; and
// what was worked out at an earlier revision counts no more. So a user who joins a group
// costs one closure, and a group that joins a group costs all of them, one by one, when they
// are next asked for.
type Closures struct {
	index  *Index
	ladder *ladder

	all      atomic.Uint64                             // the last revision that may concern every subject
	subjects [subjectBuckets]atomic.Uint64             // the same of single subjects, by hash
	places   atomic.Pointer[[]atomic.Pointer[Closure]] // by the subject's hash, see ways
	bytes    atomic.Int64                              // of the closures in places
	sieves   [sievesKept]atomic.Pointer[Sieve]         // by the kind of subject of their plans

	remembering sync.Mutex // guards what follows, and who writes to places
	held        int        // closures in places
	hand        int        // the place to be emptied next
	closed      bool
}

const (
	// subjectBuckets is over how many numbers subjects are spread: a commit that concerns one
	// of a million costs a thousandth of all closures.
	subjectBuckets = 1 << 10
	// firstPlaces is how many places there are at first: a model can be in use for one
	// question only. There are twice as many again and again.
	firstPlaces = 16
	// ways is how many places, which lie side by side, a closure can be in. When all are
	// taken the later one stays. Of 10,000 Checks about 4,065 users, asked again and again,
	// 18 have to work a closure out; with one place for each it was 1,463.
	ways = 4
)

// Closures makes room for the closures of a model: about 10 KiB, and what the memory of the
// index has for closures. They follow the commits that the index is fed until they are closed.
func (x *Index) Closures(p *model.Program) *Closures {
	c := &Closures{index: x, ladder: newLadder(p)}
	places := make([]atomic.Pointer[Closure], firstPlaces)
	c.places.Store(&places)
	x.memory.closures.join(c)
	x.writing.Lock()
	defer x.writing.Unlock()
	c.all.Store(uint64(x.applied))
	if x.deaf {
		c.all.Store(notLoaded)
	}
	x.closures = append(x.closures, c)
	return c
}

// Close ends the following of commits. What is asked for afterwards is not remembered.
func (c *Closures) Close() {
	c.index.memory.closures.leave(c)
	c.index.writing.Lock()
	defer c.index.writing.Unlock()
	c.index.closures = slices.DeleteFunc(c.index.closures, func(other *Closures) bool { return other == c })
	c.all.Store(notLoaded)
}

// Bytes estimates the memory that the closures take.
func (c *Closures) Bytes() int64 { return c.bytes.Load() + int64(8*len(*c.places.Load())) }

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
	known := c.placeOf(*c.places.Load(), hash, subject, relation).Load()
	if known.isOf(subject, relation) && c.counts(known, s) {
		return known.orNil(), 0, nil
	}
	climb := climb{snapshot: s, ladder: c.ladder, subject: subject, relation: relation}
	found, err := climb.run(ctx)
	if err != nil {
		return nil, 0, err
	}
	c.index.memory.closures.built.Add(1)
	if c.counts(found, s) && subject.Ordinal() < tuples.FirstTransient {
		c.remember(hash, found)
	}
	return found.orNil(), len(climb.seen), nil
}

// placeOf returns the place of a subject's closure: where it is, or else one that is free, or
// else one that it shares with another.
func (c *Closures) placeOf(
	places []atomic.Pointer[Closure], hash uint64, subject tuples.Node, relation tuples.Symbol,
) *atomic.Pointer[Closure] {
	first := reduce(hash, len(places))
	found := &places[first]
	for i := range ways {
		place := &places[(first+i)%len(places)]
		known := place.Load()
		if known.isOf(subject, relation) {
			return place
		}
		if known == nil {
			found = place
		}
	}
	return found
}

// counts reports whether a closure is true of a snapshot: no commit between its revision and
// the snapshot's concerns it, nor one behind both, for which there is one number only; and
// no tuple that was not expired yet at the snapshot's time was left out of it. Of commits that
// the index has not been told of nothing is known.
func (c *Closures) counts(known *Closure, s tuples.Snapshot) bool {
	if uint64(s.Revision()) > c.index.head.Load() {
		return false
	}
	changed := max(c.all.Load(), c.bucket(known.subject).Load())
	return changed <= uint64(known.revision) && changed <= uint64(s.Revision()) && !s.Time().Before(known.now)
}

func (c *Closures) bucket(subject tuples.Node) *atomic.Uint64 {
	return &c.subjects[c.index.seed.hash(uint64(subject))%subjectBuckets]
}

// remember puts a closure in its place.
func (c *Closures) remember(hash uint64, found *Closure) {
	c.remembering.Lock()
	if !c.closed {
		c.roomier()
		c.put(c.placeOf(*c.places.Load(), hash, found.subject, found.relation), found)
	}
	c.remembering.Unlock()
	c.index.memory.closures.fit()
}

// roomier makes twice as many places when half of them are taken.
func (c *Closures) roomier() {
	places := *c.places.Load()
	if 2*c.held < len(places) {
		return
	}
	more := make([]atomic.Pointer[Closure], 2*len(places))
	for i := range places {
		if closure := places[i].Load(); closure != nil {
			hash := c.index.seed.hash(uint64(closure.subject) ^ uint64(closure.relation)<<48)
			if out := c.placeOf(more, hash, closure.subject, closure.relation).Swap(closure); out != nil {
				c.out(out)
			}
		}
	}
	c.places.Store(&more)
	c.index.memory.closures.bytes.Add(int64(8 * len(places)))
}

// put replaces what is in a place; in is nil to empty it.
func (c *Closures) put(place *atomic.Pointer[Closure], in *Closure) {
	out := place.Swap(in)
	bytes := int64(0)
	if in != nil {
		c.held++
		bytes += in.bytes
	}
	c.bytes.Add(bytes)
	c.index.memory.closures.bytes.Add(bytes)
	if out != nil {
		c.out(out)
	}
}

// out counts a closure that is remembered no more.
func (c *Closures) out(closure *Closure) {
	c.held--
	c.bytes.Add(-closure.bytes)
	c.index.memory.closures.bytes.Add(-closure.bytes)
	c.index.memory.closures.dropped.Add(1)
}

// drop empties places until so many bytes are let go, or all are empty.
func (c *Closures) drop(bytes int64) {
	c.remembering.Lock()
	defer c.remembering.Unlock()
	places := *c.places.Load()
	for until := c.bytes.Load() - bytes; c.held > 0 && c.bytes.Load() > until; {
		c.hand = (c.hand + 1) % len(places)
		c.put(&places[c.hand], nil)
	}
}

// changed notes what a commit does to closures, before it is published.
func (c *Closures) changed(revision tuples.Revision, changes []tuples.EdgeChange) {
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
