package bolt

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

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

// However many tuples a commit means, no transaction of it writes more than a piece: that
// is what other writers wait for.
func TestALargeCommitIsWrittenInBoundedPieces(t *testing.T) {
	const n = 5000
	db, s := newTest(t)
	many(t, s, n)
	first := lastTransaction(t, db)
	mustCommit(t, s, eraseOf(tuples.Object{Type: "media", ID: "logo"}))
	if err := s.merged(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, least := lastTransaction(t, db)-first, 2*n/defaultLimits.piece; got < least {
		t.Errorf("%d tuples were staged and merged in %d transactions, want %d at least", n, got, least)
	}
	for _, c := range changesBehind(t, s, tuples.LogPosition{Revision: 1}) {
		if len(c.Mutations) > defaultLimits.piece {
			t.Errorf("part %d has %d mutations", c.Part, len(c.Mutations))
		}
	}
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

// Every piece takes in what was written since the one before.
func TestOthersWriteBetweenAllPieces(t *testing.T) {
	_, s := newStagingTest(t, filepath.Join(t.TempDir(), "usher.db"), Options{})
	mustCommit(t, s, commitOf(t, tuples.OpCreate, append(inPress, beside)...))
	staged := mustStage(t, s, eraseOf(press))
	for i := range 5 {
		staged.piece(t)
		mustCommit(t, s, commitOf(t, tuples.OpCreate, fmt.Sprintf("folder:press#viewer@user:u%d", i)))
		mustCommit(t, s, commitOf(t, tuples.OpCreate, fmt.Sprintf("media:m%d#parent@folder:press", i)))
	}
	if got := staged.appear(t); got.Deleted != len(inPress)+10 {
		t.Errorf("got %+v", got)
	}
	wantTuples(t, s, tuples.At{}, beside)
	mustVerify(t, s)
}

// An undo takes in what others removed meanwhile, but not for what its revision replaced.
func TestOthersRemoveWhatAnUndoLooksAt(t *testing.T) {
	_, s := newStagingTest(t, filepath.Join(t.TempDir(), "usher.db"), Options{})
	mustCommit(t, s, commitOf(t, tuples.OpCreate, anna+" with office_hours", bert, carl, beside))
	c := commitOf(t, tuples.OpDelete, bert, carl, beside)
	c.Mutations = append(c.Mutations, commitOf(t, tuples.OpTouch, anna).Mutations...)
	changed := mustCommit(t, s, c).Revision
	mustCommit(t, s, commitOf(t, tuples.OpCreate, carl+" with office_hours"))
	if err := s.merged(t.Context()); err != nil {
		t.Fatal(err)
	}
	staged := mustStage(t, s, tuples.Commit{Undo: &tuples.Undo{Revision: changed}})
	staged.piece(t)
	staged.piece(t)
	mustCommit(t, s, commitOf(t, tuples.OpDelete, anna))
	mustCommit(t, s, commitOf(t, tuples.OpDelete, carl))
	mustCommit(t, s, commitOf(t, tuples.OpCreate, bert+" with office_hours"))
	if got := staged.appear(t); got.Created != 2 || got.Skipped != 1 {
		t.Errorf("got %+v", got)
	}
	wantTuples(t, s, tuples.At{}, bert+" with office_hours", carl, beside)
	mustVerify(t, s)
}

// Names that only deletes have are new names too: what a later piece adds gets others.
func TestALongListOfNewNames(t *testing.T) {
	_, s := newStagingTest(t, filepath.Join(t.TempDir(), "usher.db"), Options{})
	c := commitOf(t, tuples.OpDelete, "film:a#viewer@user:a", "film:b#viewer@user:b")
	c.Mutations = append(c.Mutations, commitOf(t, tuples.OpCreate, "film:c#viewer@user:c", "film:d#viewer@user:d").Mutations...)
	if got := mustCommit(t, s, c); got.Created != 2 || got.Same != 2 {
		t.Errorf("got %+v", got)
	}
	wantTuples(t, s, tuples.At{}, "film:c#viewer@user:c", "film:d#viewer@user:d")
	mustVerify(t, s)
}

// A decision rests on lists, some of which a change touches that is not in the log as a
// whole yet.
func TestADecisionIsHeldAgainstWhatIsNotMerged(t *testing.T) {
	_, s := newStagingTest(t, filepath.Join(t.TempDir(), "usher.db"), Options{})
	mustCommit(t, s, commitOf(t, tuples.OpCreate, append(inPress, beside)...))
	before := s.Head()
	staged := mustStage(t, s, eraseOf(press))
	staged.appear(t)
	list := func(object tuples.Object, relation tuples.Relation) *tuples.ReadSet {
		return &tuples.ReadSet{Revision: before, Lists: []tuples.Userset{{Object: object, Relation: relation}}}
	}
	for merged := false; !merged; merged = s.merging.Load() == 0 {
		c := commitOf(t, tuples.OpTouch, beside)
		for _, touched := range []*tuples.ReadSet{list(press, "owner"), list(tuples.Object{Type: "media", ID: "note"}, "parent")} {
			c.ReadSet = touched
			if _, err := s.Commit(t.Context(), c); !errors.Is(err, tuples.ErrConflict) {
				t.Errorf("a decision on %v: got %v, want a conflict", touched.Lists, err)
			}
		}
		c.ReadSet = list(press, "viewer")
		mustCommit(t, s, c)
		staged.merge(t)
	}
}
