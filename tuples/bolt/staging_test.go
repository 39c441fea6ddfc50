package bolt

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/usher-authz/usher/tuples"
)

// newStagingTest opens a database that stages every commit but single mutations, in pieces
// of two rows.
func newStagingTest(t testing.TB, path string, options Options) (*DB, *store) {
	t.Helper()
	options.NoSync = true
	options.limits = stagingLimits(1, 2)
	return openTest(t, path, options)
}

// stagingLimits have every erase and undo staged, and every commit of more than listed
// mutations, in pieces of so many rows.
func stagingLimits(listed, piece int) *limits {
	return &limits{scanned: defaultLimits.scanned, listed: listed, piece: piece}
}

// eraseOf is the erasing of objects with all that lies in them along "parent".
func eraseOf(objects ...tuples.Object) tuples.Commit {
	return tuples.Commit{Erase: &tuples.Erase{Objects: objects, Along: []tuples.Containment{{Relation: "parent"}}}}
}

var press = tuples.Object{Type: "folder", ID: "press"}

// inPress are the tuples of a folder, of what lies in it, and of one thing beside it.
var (
	inPress = []string{
		"folder:june#parent@folder:press",
		"folder:press#owner@user:anna",
		"media:logo#parent@folder:june",
		"media:logo#viewer@user:bert with office_hours",
		"media:note#parent@folder:press",
	}
	beside = "media:other#viewer@user:anna"
)

// mustStage begins a large commit that the test drives.
func mustStage(t testing.TB, s *store, c tuples.Commit) *stagedTest {
	t.Helper()
	staged, err := stageTest(s, c)
	if err != nil {
		t.Fatal(err)
	}
	return staged
}

// piece does the next piece, which must not be the last.
func (t *stagedTest) piece(tb testing.TB) {
	tb.Helper()
	if _, done, err := t.Next(); done || err != nil {
		tb.Fatalf("got done %v, %v, want more pieces", done, err)
	}
}

// appear does pieces until the commit is visible.
func (t *stagedTest) appear(tb testing.TB) tuples.Committed {
	tb.Helper()
	for {
		outcome, done, err := t.Next()
		if err != nil {
			tb.Fatal(err)
		}
		if done {
			return outcome
		}
	}
}

func (t *stagedTest) merge(tb testing.TB) {
	tb.Helper()
	if err := t.Merge(); err != nil {
		tb.Fatal(err)
	}
}

func TestALargeCommitAppearsAtOnce(t *testing.T) {
	_, s := newStagingTest(t, filepath.Join(t.TempDir(), "usher.db"), Options{})
	mustCommit(t, s, commitOf(t, tuples.OpCreate, append(inPress, beside)...))
	before := s.Head()
	all := append(inPress, beside)
	staged := mustStage(t, s, eraseOf(press))
	for range 3 {
		staged.piece(t)
		wantTuples(t, s, tuples.At{}, all...)
		if s.Head() != before {
			t.Fatalf("the head moved to %d while the commit is staged", s.Head())
		}
	}
	got := staged.appear(t)
	if got.Revision != before+1 || got.Deleted != len(inPress) || fmt.Sprint(got.Objects) != "map[folder:2 media:2]" {
		t.Fatalf("got %+v", got)
	}
	for merged := false; !merged; merged = s.merging.Load() == 0 {
		wantTuples(t, s, tuples.At{}, beside)
		wantTuples(t, s, tuples.At{Revision: before}, all...)
		staged.merge(t)
	}
	wantTuples(t, s, tuples.At{}, beside)
	wantTuples(t, s, tuples.At{Revision: before}, all...)
	mustVerify(t, s)
}

func TestALargeChangeIsReadInParts(t *testing.T) {
	_, s := newStagingTest(t, filepath.Join(t.TempDir(), "usher.db"), Options{})
	mustCommit(t, s, commitOf(t, tuples.OpCreate, inPress...))
	if err := s.merged(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := eraseOf(press)
	c.Origin = tuples.Origin{Caller: "portal"}
	staged := mustStage(t, s, c)
	large := staged.appear(t)
	after := mustCommit(t, s, commitOf(t, tuples.OpCreate, beside)).Revision
	for s.merging.Load() != 0 {
		if page := changesBehind(t, s, tuples.LogPosition{Revision: 1}); len(page) != 0 {
			t.Fatalf("got %+v before all parts are written", page)
		}
		if page := changesBehind(t, s, tuples.LogPosition{Revision: large.Revision}); len(page) != 1 || page[0].Revision != after {
			t.Fatalf("got %+v behind the large change, want revision %d", page, after)
		}
		staged.merge(t)
	}
	all := changesBehind(t, s, tuples.LogPosition{Revision: 1})
	if len(all) != 4 {
		t.Fatalf("got %d changes, want 3 parts of one, and one", len(all))
	}
	var removed []string
	for i, c := range all[:3] {
		if c.Revision != large.Revision || c.Part != i || c.More != (i < 2) || c.Cause != tuples.CauseErase || c.Origin.Caller != "portal" || !c.Time.Equal(large.Time) {
			t.Errorf("part %d: got %+v", i, c)
		}
		for _, m := range c.Mutations {
			removed = append(removed, m.Tuple.String())
		}
		// From every position between two parts the rest follows.
		if rest := changesBehind(t, s, c.Position()); len(rest) != 3-i || rest[0].Revision != all[i+1].Revision || rest[0].Part != all[i+1].Part {
			t.Errorf("behind part %d: got %+v", i, rest)
		}
	}
	slices.Sort(removed)
	if !slices.Equal(removed, inPress) {
		t.Errorf("got %q", removed)
	}
}

func changesBehind(t testing.TB, s *store, position tuples.LogPosition) []tuples.Change {
	t.Helper()
	page, err := s.Changes(t.Context(), position, 100)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// Between the pieces of an erase, and while it is merged, others write to the same tuples.
func TestOthersWriteMeanwhile(t *testing.T) {
	touch, remove := tuples.OpTouch, tuples.OpDelete
	for name, c := range map[string]struct {
		pieces  int // done before the write; 0 for one more than there are: behind the erase
		op      tuples.Op
		tuple   string
		deleted int
		left    []string
	}{
		"a tuple is added to what was looked at": {4, touch, "media:logo#viewer@user:carl", 6, nil},
		"a tuple is added to what was not":       {1, touch, "media:logo#viewer@user:carl", 6, nil},
		"a tuple is removed that was found":      {4, remove, "media:logo#viewer@user:bert", 4, nil},
		"a grant is replaced":                    {4, touch, "media:logo#viewer@user:bert", 5, nil},
		"something is put inside":                {4, touch, "media:new#parent@folder:june", 6, nil},
		"something is moved out":                 {4, remove, "media:logo#parent@folder:june", 3, []string{"media:logo#viewer@user:bert with office_hours"}},
		"a tuple is added behind it":             {0, touch, "media:logo#viewer@user:carl", 5, []string{"media:logo#viewer@user:carl"}},
		"a tuple is added again behind it":       {0, touch, "folder:press#owner@user:anna", 5, []string{"folder:press#owner@user:anna"}},
		"a tuple is removed behind it":           {0, remove, "folder:press#owner@user:anna", 5, nil},
		"something is put inside behind it":      {0, touch, "media:new#parent@folder:june", 5, []string{"media:new#parent@folder:june"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, s := newStagingTest(t, filepath.Join(t.TempDir(), "usher.db"), Options{})
			mustCommit(t, s, commitOf(t, tuples.OpCreate, append(inPress, beside)...))
			staged := mustStage(t, s, eraseOf(press))
			var got tuples.Committed
			if c.pieces == 0 {
				got = staged.appear(t)
			}
			for range c.pieces {
				staged.piece(t)
			}
			write := commitOf(t, c.op, c.tuple)
			written := mustCommit(t, s, write).Revision
			if c.pieces > 0 {
				got = staged.appear(t)
			}
			if got.Deleted != c.deleted {
				t.Errorf("%d tuples were deleted, want %d", got.Deleted, c.deleted)
			}
			wantTuples(t, s, tuples.At{}, append(c.left, beside)...)
			mustVerify(t, s)
			wantTuples(t, s, tuples.At{}, append(c.left, beside)...)
			if c.pieces == 0 && c.op == remove && written != got.Revision {
				t.Errorf("the removal of what is not there took revision %d", written)
			}
		})
	}
}

// countdown is a context that is canceled when it was looked at some times.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

func TestALargeCommitThatIsGivenUpLeavesNothing(t *testing.T) {
	db, s := newStagingTest(t, filepath.Join(t.TempDir(), "usher.db"), Options{})
	mustCommit(t, s, commitOf(t, tuples.OpCreate, inPress...))
	given := 0
	for looks := 1; ; looks++ {
		_, err := s.Commit(&countdown{t.Context(), looks}, eraseOf(press))
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
