package bolt

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/usher-authz/usher/tuples"
)

// watched is a context that tells how often it was looked at, as it is between the pieces
// of a large commit.
type watched struct {
	context.Context
	looks int
	look  func(n int) error
}

func (w *watched) Err() error {
	w.looks++
	return w.look(w.looks)
}

func TestWhatIsMovedOutMakesAnEraseBeginAnew(t *testing.T) {
	_, s := newStagingTest(t, filepath.Join(t.TempDir(), "usher.db"), Options{})
	mustCommit(t, s, commitOf(t, tuples.OpCreate, inPress...))
	ctx := &watched{Context: t.Context(), look: func(n int) error {
		if n == 8 {
			mustCommit(t, s, commitOf(t, tuples.OpDelete, "media:logo#parent@folder:june"))
		}
		return nil
	}}
	got, err := s.Commit(ctx, eraseOf(press))
	if err != nil || got.Deleted != 3 || fmt.Sprint(got.Objects) != "map[folder:2 media:1]" {
		t.Errorf("got %+v, %v", got, err)
	}
	if ctx.looks < 15 {
		t.Errorf("the context was looked at %d times, want the erase to begin twice", ctx.looks)
	}
	wantTuples(t, s, tuples.At{}, "media:logo#viewer@user:bert with office_hours")
	mustVerify(t, s)
}

// What a staging has yet to read of the log is kept, however long it takes.
func TestTheLogIsKeptForAStaging(t *testing.T) {
	clock := newTestClock()
	db, s := newStagingTest(t, filepath.Join(t.TempDir(), "usher.db"), Options{Clock: clock.read, Retention: time.Hour})
	mustCommit(t, s, commitOf(t, tuples.OpCreate, append(inPress, beside)...))
	ctx := &watched{Context: t.Context(), look: func(n int) error {
		if n != 8 {
			return nil
		}
		mustCommit(t, s, commitOf(t, tuples.OpCreate, "folder:press#viewer@user:carl"))
		mustCommit(t, s, commitOf(t, tuples.OpCreate, "media:new#viewer@user:anna"))
		clock.add(2 * time.Hour)
		mustCommit(t, s, commitOf(t, tuples.OpCreate, "media:late#viewer@user:anna"))
		return db.Collect(t.Context())
	}}
	got, err := s.Commit(ctx, eraseOf(press))
	if err != nil || got.Deleted != len(inPress)+1 || ctx.looks < 9 {
		t.Errorf("got %+v, %v after %d looks", got, err, ctx.looks)
	}
	wantTuples(t, s, tuples.At{}, beside, "media:late#viewer@user:anna", "media:new#viewer@user:anna")
	mustVerify(t, s)
}

func TestALargeCommitThatIsGivenUpLeavesNothing(t *testing.T) {
	db, s := newStagingTest(t, filepath.Join(t.TempDir(), "usher.db"), Options{})
	mustCommit(t, s, commitOf(t, tuples.OpCreate, inPress...))
	given := 0
	for looks := 1; ; looks++ {
		_, err := s.Commit(&watched{Context: t.Context(), look: func(n int) error {
			if n > looks {
				return context.Canceled
			}
			return nil
		}}, eraseOf(press))
		if err == nil {
			break // it was looked at less often
		}
		given++
		if !errors.Is(err, context.Canceled) || errors.Is(err, tuples.ErrOutcomeUnknown) {
			t.Fatalf("got %v, want canceled and nothing written", err)
		}
		wantTuples(t, s, tuples.At{}, inPress...)
	}
	if given < 4 {
		t.Errorf("the commit was given up at %d places", given)
	}
	wantTuples(t, s, tuples.At{})
	mustVerify(t, s)
	if rows := rowsOf(t, db, s); rows["staged-forward"]+rows["staged-reverse"] != 0 {
		t.Errorf("staged rows are left: %v", rows)
	}
}

func TestWhatIsHalfTakenBackIsNoDisagreement(t *testing.T) {
	db, s := newStagingTest(t, filepath.Join(t.TempDir(), "usher.db"), Options{})
	mustCommit(t, s, commitOf(t, tuples.OpCreate, inPress...))
	staged := mustStage(t, s, eraseOf(press))
	for range 4 {
		staged.piece(t)
	}
	for more, steps := true, 0; more; steps++ {
		if err := db.submit(t.Context(), 1, func(g *group) (err error) {
			more, err = g.tidy(s)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if !more && steps == 0 {
			t.Error("it was taken back at once")
		}
		mustVerify(t, s)
		wantTuples(t, s, tuples.At{}, inPress...)
	}
	if n := stagedRows(t, db, s); n != 0 {
		t.Errorf("%d staged rows are left", n)
	}
}

func TestWhatFailsLateLeavesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*tuples.Commit)
		write  string // behind the first piece
		want   func(error) bool
	}{
		"a precondition": {
			func(c *tuples.Commit) {
				c.Preconditions = []tuples.Precondition{{Field: "preconditions[0]", Filter: tuples.Filter{ObjectType: "film"}}}
			},
			"film:x#viewer@user:anna",
			func(err error) bool { var failed *tuples.PreconditionError; return errors.As(err, &failed) },
		},
		"the read set": {
			func(c *tuples.Commit) {
				c.ReadSet = &tuples.ReadSet{Revision: 1, Lists: []tuples.Userset{{Object: press, Relation: "owner"}}}
			},
			"folder:press#owner@user:carl",
			func(err error) bool { return errors.Is(err, tuples.ErrConflict) },
		},
		"a create of what is there by now": {
			func(c *tuples.Commit) {
				*c = commitOf(t, tuples.OpCreate, "media:a#viewer@user:anna", "media:b#viewer@user:anna", "media:c#viewer@user:anna")
			},
			"media:a#viewer@user:anna",
			func(err error) bool {
				var exists *tuples.ExistsError
				return errors.As(err, &exists) && exists.Index == 0
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, s := newStagingTest(t, filepath.Join(t.TempDir(), "usher.db"), Options{})
			mustCommit(t, s, commitOf(t, tuples.OpCreate, inPress...))
			commit := eraseOf(press)
			c.change(&commit)
			staged := mustStage(t, s, commit)
			staged.piece(t)
			mustCommit(t, s, commitOf(t, tuples.OpTouch, c.write))
			var err error
			for done := false; !done; {
				_, done, err = staged.Next()
			}
			if !c.want(err) {
				t.Errorf("got %v", err)
			}
			wantTuples(t, s, tuples.At{}, append(inPress, c.write)...)
			mustVerify(t, s)
		})
	}
}

// A job that spoils the transaction of a piece undoes the piece; the staging begins anew.
func TestAPieceThatIsRolledBackBeginsAnew(t *testing.T) {
	db, s := newStagingTest(t, filepath.Join(t.TempDir(), "usher.db"), Options{})
	mustCommit(t, s, commitOf(t, tuples.OpCreate, inPress...))
	staged := mustStage(t, s, eraseOf(press))
	staged.piece(t)
	release := hold(t, db)
	var done sync.WaitGroup
	done.Add(2)
	queue(db, 1, func() {
		defer done.Done()
		if _, err := staged.next(s); !errors.Is(err, errMoved) {
			t.Errorf("got %v, want to begin anew", err)
		}
	})
	queue(db, 2, func() {
		defer done.Done()
		_ = db.submit(context.Background(), 1, func(*group) error { panic("spoilt") })
	})
	release()
	done.Wait()
	staged.staging = newStaging(staged.write)
	if err := s.tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := staged.appear(t); got.Deleted != len(inPress) {
		t.Errorf("got %+v", got)
	}
	wantTuples(t, s, tuples.At{})
	mustVerify(t, s)
}

func TestLargeCommitsWaitForEachOther(t *testing.T) {
	db, s := newStagingTest(t, filepath.Join(t.TempDir(), "usher.db"), Options{})
	mustCommit(t, s, commitOf(t, tuples.OpCreate, inPress...))
	if err := s.reserve(t.Context()); err != nil { // as a large commit under way does
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := s.Commit(ctx, eraseOf(press)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline exceeded", err)
	}
	waiting := make(chan error)
	go func() {
		_, err := s.Commit(context.Background(), eraseOf(press))
		waiting <- err
	}()
	mustCommit(t, s, commitOf(t, tuples.OpCreate, beside)) // small ones do not wait
	s.release()
	if err := <-waiting; err != nil {
		t.Error(err)
	}
	wantTuples(t, s, tuples.At{}, beside)
	if err := s.reserve(t.Context()); err != nil {
		t.Fatal(err)
	}
	go func() {
		_, err := s.Commit(context.Background(), eraseOf(press))
		waiting <- err
	}()
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if err := <-waiting; !errors.Is(err, tuples.ErrClosed) {
		t.Errorf("got %v, want %v", err, tuples.ErrClosed)
	}
}
