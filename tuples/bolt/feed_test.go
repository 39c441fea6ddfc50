package bolt

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/usher-authz/usher/tuples"
	"github.com/usher-authz/usher/tuples/storetest"
)

func follow(t testing.TB, s *store) *storetest.Copy {
	t.Helper()
	c, err := storetest.Follow(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// wantCopied compares a copy with the revision that it must have published.
func wantCopied(t testing.TB, s *store, c *storetest.Copy, want tuples.Revision) {
	t.Helper()
	if got, err := c.Compare(context.Background(), s); err != nil || got != want {
		t.Fatalf("the copy is at %d, want %d: %v", got, want, err)
	}
}

// early is a follower that finds the head where it was before all that it is told.
type early struct {
	t         *testing.T
	store     *store
	published int
}

func (*early) Intern(tuples.Node, tuples.Object) {}

func (e *early) Apply(revision tuples.Revision, _ []tuples.EdgeChange) { e.before(revision) }

func (e *early) Publish(revision tuples.Revision) {
	e.before(revision)
	e.published++
}

func (e *early) before(revision tuples.Revision) {
	if head := e.store.Head(); head >= revision {
		e.t.Errorf("revision %d is told when the head is %d", revision, head)
	}
}

// Whoever opens a snapshot at the head finds that the follower knows it.
func TestAFollowerKnowsTheHeadBefore(t *testing.T) {
	const writers, writes = 4, 50
	_, s := newTest(t)
	follower := &early{t: t, store: s}
	snapshot, err := s.Follow(t.Context(), follower)
	if err != nil {
		t.Fatal(err)
	}
	snapshot.Close()
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for i := range writes {
				op := tuples.OpTouch
				if i%3 == 2 {
					op = tuples.OpDelete
				}
				mustCommit(t, s, commitOf(t, op, fmt.Sprintf("media:m%d#viewer@user:u%d", i%20, w), fmt.Sprintf("media:m%d#viewer@user:shared", i%20)))
			}
		})
	}
	writing.Wait()
	c := follow(t, s) // the end of the other one
	if follower.published == 0 {
		t.Error("nothing was published")
	}
	wantCopied(t, s, c, s.Head())
}

// A group that is rolled back for the sake of one of its jobs has told nothing of the others,
// which are told when the group without that job is durable.
func TestARolledBackGroupTellsNothing(t *testing.T) {
	db, s := newTest(t)
	mustCommit(t, s, commitOf(t, tuples.OpCreate, anna))
	c := follow(t, s)
	release := hold(t, db)
	var done sync.WaitGroup
	for i, run := range []func(){
		func() { mustCommit(t, s, commitOf(t, tuples.OpCreate, bert)) },
		func() {
			err := db.submit(context.Background(), 1, func(g *group) error {
				g.write()
				return errors.New("spoilt")
			})
			if err == nil {
				t.Error("the spoilt job has no error")
			}
		},
		func() { mustCommit(t, s, commitOf(t, tuples.OpDelete, anna)) },
	} {
		done.Add(1)
		queue(db, i+1, func() { defer done.Done(); run() })
	}
	release()
	done.Wait()
	wantCopied(t, s, c, 3)
}

// In one group with other commits, what comes before the follower is in its snapshot, and
// what comes behind it is told.
func TestAFollowerBeginsInTheMiddleOfAGroup(t *testing.T) {
	db, s := newTest(t)
	mustCommit(t, s, commitOf(t, tuples.OpCreate, anna))
	first := follow(t, s)
	release := hold(t, db)
	var done sync.WaitGroup
	var c *storetest.Copy
	for i, run := range []func(){
		func() { mustCommit(t, s, commitOf(t, tuples.OpCreate, "film:new#viewer@user:new")) },
		func() { c = follow(t, s) },
		func() { mustCommit(t, s, commitOf(t, tuples.OpDelete, anna)) },
	} {
		done.Add(1)
		queue(db, i+1, func() { defer done.Done(); run() })
	}
	release()
	done.Wait()
	wantCopied(t, s, c, 3)
	wantCopied(t, s, first, 1)
}

// newlyErased stages an erase of n tuples of one object, in pieces of so many rows, and makes
// it visible; a copy follows.
func newlyErased(t *testing.T, n, piece int) (*store, *storetest.Copy, tuples.Revision) {
	t.Helper()
	l := defaultLimits
	l.whole, l.piece = 0, piece
	_, s := openTest(t, filepath.Join(t.TempDir(), "usher.db"), Options{NoSync: true, limits: &l})
	c := follow(t, s)
	many(t, s, n)
	staged := mustStage(t, s, eraseOf(tuples.Object{Type: "media", ID: "logo"}))
	erased := staged.appear(t).Revision
	wantCopied(t, s, c, erased-1)
	return s, c, erased
}

// What a large commit does is told once, at its revision, whatever others write to its tuples
// before, while and after it is told; they wait for a piece of it at most.
func TestALargeCommitIsToldInPieces(t *testing.T) {
	const n, piece = 20_000, 500
	s, c, erased := newlyErased(t, n, piece)
	viewer := func(i int) string { return fmt.Sprintf("media:logo#viewer@user:u%04d", i) }
	step := &stagedTest{store: s}
	steps, writes, told := 0, 0, 0
	for ; s.merging.Load() != 0; steps++ {
		if steps%7 == 0 { // in front of what is told by now, and behind it
			for _, i := range []int{steps * 11 % n, (steps*piece + 7) % n, n - 1 - steps} {
				write := commitOf(t, tuples.OpTouch, viewer(i), fmt.Sprintf("media:new%d#viewer@user:new%d", steps, i))
				if before := s.Head(); mustCommit(t, s, write).Revision != before+1 {
					t.Fatalf("write %d did not become the head", i)
				}
				writes++
			}
		}
		published, err := c.Published()
		if err != nil {
			t.Fatal(err)
		}
		if told == 0 && published >= erased {
			told = steps
		}
		step.merge(t)
	}
	if least := n/piece - 1; told < least || told > least+5 || steps < told+least || writes < 30 {
		t.Errorf("told in %d pieces and merged in %d beside %d writes, want about %d", told, steps-told, writes, least)
	}
	wantCopied(t, s, c, s.Head())
	mustVerify(t, s)
}

// What is queued behind a large commit is told in pieces too. A write that meets what is told,
// but not merged yet, does not have it told again.
func TestAQueueIsToldInPieces(t *testing.T) {
	const n, piece = 50, 10
	s, c, erased := newlyErased(t, n, piece)
	for i := range n {
		mustCommit(t, s, commitOf(t, tuples.OpTouch, fmt.Sprintf("media:m%d#viewer@user:anna", i)))
	}
	step := &stagedTest{store: s}
	steps := 0
	for published := tuples.Revision(0); published < erased; steps++ {
		if step.merge(t); steps == n/piece {
			mustCommit(t, s, commitOf(t, tuples.OpTouch, fmt.Sprintf("media:logo#viewer@user:u%04d", n-1)))
		}
		var err error
		if published, err = c.Published(); err != nil {
			t.Fatal(err)
		}
	}
	if want := n/piece + n/piece + 1; steps != want {
		t.Errorf("told in %d pieces, want %d", steps, want)
	}
	wantCopied(t, s, c, erased+n+1)
}

// A follower that begins while a large commit is told or merged sees it in its snapshot; a
// database that is opened again goes on with the merge.
func TestAFollowerBeginsInTheMiddleOfALargeCommit(t *testing.T) {
	for name, steps := range map[string]int{"nothing is told": 0, "some is told": 2, "all is told": 8, "some is merged": 10} {
		for _, reopened := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, reopened %t", name, reopened), func(t *testing.T) {
				s, first, erased := newlyErased(t, 50, 10)
				step := &stagedTest{store: s}
				for range steps {
					step.merge(t)
				}
				mustCommit(t, s, commitOf(t, tuples.OpTouch, "media:logo#viewer@user:u0003", anna))
				if reopened {
					path := s.db.bolt.Path()
					if err := s.db.Close(); err != nil {
						t.Fatal(err)
					}
					_, s = openTest(t, path, Options{NoSync: true})
				}
				second := follow(t, s)
				mustCommit(t, s, commitOf(t, tuples.OpTouch, "media:logo#viewer@user:u0004", bert))
				wantCopied(t, s, second, erased+2)
				mustVerify(t, s)
				mustCommit(t, s, commitOf(t, tuples.OpDelete, "media:logo#viewer@user:u0004"))
				wantCopied(t, s, second, erased+3)
				if published, err := first.Published(); err != nil || published > erased+1 {
					t.Errorf("the first follower is at %d: %v", published, err)
				}
			})
		}
	}
}

// After a failed sync nothing is told that may not be on the disk.
func TestAFailedSyncTellsNothing(t *testing.T) {
	db, s := newTest(t)
	c := follow(t, s)
	mustCommit(t, s, commitOf(t, tuples.OpCreate, anna))
	db.failure = errors.New("no disk") // the committer is idle
	if _, err := s.Commit(t.Context(), commitOf(t, tuples.OpCreate, bert)); !errors.Is(err, tuples.ErrReadOnly) {
		t.Errorf("got %v", err)
	}
	if _, err := storetest.Follow(t.Context(), s); !errors.Is(err, tuples.ErrReadOnly) {
		t.Errorf("got %v", err)
	}
	wantCopied(t, s, c, 1)
}
