package bolt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/usher-authz/usher/tuples"
)

// stagedRows counts the staged rows of a store.
func stagedRows(t testing.TB, db *DB, s *store) int {
	t.Helper()
	rows := rowsOf(t, db, s)
	return rows["staged-forward"] + rows["staged-reverse"]
}

func TestARestartEndsWhatWasUnderWay(t *testing.T) {
	for name, c := range map[string]struct {
		drive func(*testing.T, *stagedTest)
		left  []string
	}{
		"before it was visible": {func(t *testing.T, staged *stagedTest) { staged.piece(t); staged.piece(t) }, inPress},
		"when it was visible":   {func(t *testing.T, staged *stagedTest) { staged.appear(t) }, nil},
		"while it was merged":   {func(t *testing.T, staged *stagedTest) { staged.appear(t); staged.merge(t) }, nil},
		"while a write met it": {func(t *testing.T, staged *stagedTest) {
			staged.appear(t)
			mustCommit(t, staged.store, commitOf(t, tuples.OpTouch, inPress[1]))
		}, inPress[1:2]},
		"and nothing else to do": {func(*testing.T, *stagedTest) {}, inPress},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "usher.db")
			db, s := newStagingTest(t, path, Options{})
			mustCommit(t, s, commitOf(t, tuples.OpCreate, inPress...))
			c.drive(t, mustStage(t, s, eraseOf(press)))
			wantTuples(t, s, tuples.At{}, c.left...)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			db, s = newStagingTest(t, path, Options{})
			wantTuples(t, s, tuples.At{}, c.left...)
			for stagedRows(t, db, s) > 0 || s.merging.Load() != 0 {
				runtime.Gosched() // the database goes on by itself
			}
			wantTuples(t, s, tuples.At{}, c.left...)
			mustVerify(t, s)
			mustCommit(t, s, eraseOf(press))
			wantTuples(t, s, tuples.At{})
		})
	}
}

// The history of a large change is collected part by part. What is half collected is
// readable no more, and no disagreement.
func TestALargeChangeIsCollectedInParts(t *testing.T) {
	const n = 3 * rowsPerStep
	clock := newTestClock()
	db, s := openTest(t, filepath.Join(t.TempDir(), "usher.db"), Options{
		NoSync: true, Clock: clock.read, Retention: time.Hour, limits: stagingLimits(defaultLimits.listed, rowsPerStep/2),
	})
	many(t, s, n)
	erased := mustCommit(t, s, eraseOf(tuples.Object{Type: "media", ID: "logo"})).Revision
	if err := s.merged(t.Context()); err != nil {
		t.Fatal(err)
	}
	clock.add(2 * time.Hour)
	mustCommit(t, s, commitOf(t, tuples.OpCreate, beside))
	steps := 0
	for more := true; more; steps++ {
		if err := db.submit(t.Context(), 1, func(g *group) error {
			d, err := g.draft(s)
			if err == nil {
				more, err = d.collectHistory()
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		mustVerify(t, s)
	}
	if steps < 6 {
		t.Errorf("%d versions were collected in %d steps", n, steps)
	}
	if rows := rowsOf(t, db, s); rows["forward-history"] != 0 || rows["reverse-history"] != 0 || rows["log"] != 2 {
		t.Errorf("after the collection there are %v", rows)
	}
	if _, err := s.Changes(t.Context(), tuples.LogPosition{Revision: erased, Parts: 1}, 1); !errors.Is(err, tuples.ErrRevisionUnavailable) {
		t.Errorf("got %v from between two parts that were collected", err)
	}
	if page := changesBehind(t, s, tuples.LogPosition{Revision: erased}); len(page) != 1 {
		t.Errorf("got %+v behind the oldest revision", page)
	}
}

// Neither an expired tuple nor the history is collected by rows that are not merged yet.
func TestWhatIsNotMergedIsNotCollected(t *testing.T) {
	clock := newTestClock()
	db, s := newStagingTest(t, filepath.Join(t.TempDir(), "usher.db"), Options{Clock: clock.read, Retention: time.Hour})
	expiring := "folder:press#viewer@user:anna expires 2026-03-14T09:30:00Z"
	mustCommit(t, s, commitOf(t, tuples.OpCreate, append(inPress, expiring)...))
	staged := mustStage(t, s, eraseOf(press))
	staged.appear(t)
	clock.add(2 * time.Hour)
	mustCommit(t, s, commitOf(t, tuples.OpCreate, beside))
	head := s.Head()
	for _, step := range []func(*draft) (bool, error){(*draft).collectExpired, (*draft).collectHistory} {
		if err := db.submit(t.Context(), 1, func(g *group) error {
			d, err := g.draft(s)
			if err == nil {
				_, err = step(d)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	if s.Head() != head {
		t.Errorf("what was erased expired at revision %d", s.Head())
	}
	mustVerify(t, s)
	if err := db.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantTuples(t, s, tuples.At{}, beside)
	mustVerify(t, s)
}

func TestAStoreThatTakesNoWritesShowsWhatIsStaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "usher.db")
	var file *os.File
	db, s := openTest(t, path, Options{limits: stagingLimits(defaultLimits.listed, 2), openFile: func(path string, flag int, mode os.FileMode) (f *os.File, err error) {
		file, err = os.OpenFile(path, flag, mode)
		return file, err
	}})
	mustCommit(t, s, commitOf(t, tuples.OpCreate, append(inPress, beside)...))
	staged := mustStage(t, s, eraseOf(press))
	staged.appear(t)
	if err := file.Close(); err != nil { // from now on nothing reaches the disk
		t.Fatal(err)
	}
	if err := staged.Merge(); !errors.Is(err, tuples.ErrOutcomeUnknown) {
		t.Errorf("got %v, want an unknown outcome", err)
	}
	wantTuples(t, s, tuples.At{}, beside)
	if _, err := s.Verify(t.Context()); !errors.Is(err, tuples.ErrReadOnly) {
		t.Errorf("verify: got %v, want %v", err, tuples.ErrReadOnly)
	}
	_ = db.Close() // the file is closed already, which bbolt reports

	_, s = openTest(t, path, Options{NoSync: true})
	wantTuples(t, s, tuples.At{}, beside)
	mustVerify(t, s)
}

func TestADeletedStoreEndsWhatWasUnderWay(t *testing.T) {
	db, s := newStagingTest(t, filepath.Join(t.TempDir(), "usher.db"), Options{})
	mustCommit(t, s, commitOf(t, tuples.OpCreate, inPress...))
	staged := mustStage(t, s, eraseOf(press))
	staged.piece(t)
	if err := db.DeleteStore(t.Context(), s.info.ID); err != nil {
		t.Fatal(err)
	}
	if _, _, err := staged.Next(); !errors.Is(err, tuples.ErrStoreNotFound) {
		t.Errorf("got %v, want %v", err, tuples.ErrStoreNotFound)
	}
	if err := db.Collect(t.Context()); err != nil {
		t.Error(err)
	}
}

// A dry run looks at what is there in slices, and counts the same.
func TestALargeDryRunCounts(t *testing.T) {
	db, s := openTest(t, filepath.Join(t.TempDir(), "usher.db"), Options{NoSync: true, limits: stagingLimits(1, 100)})
	many(t, s, 2*rowsPerSlice+5)
	if err := s.merged(t.Context()); err != nil {
		t.Fatal(err)
	}
	head, first := s.Head(), lastTransaction(t, db)
	list := tuples.Commit{}
	for i := range rowsPerSlice + 10 {
		list.Mutations = append(list.Mutations, commitOf(t, tuples.OpTouch, fmt.Sprintf("film:x%d#viewer@user:anna", i)).Mutations...)
	}
	list.Mutations = append(list.Mutations, commitOf(t, tuples.OpDelete, "media:logo#viewer@user:u0001", "media:logo#viewer@user:nobody").Mutations...)
	for name, c := range map[string]struct {
		commit                 tuples.Commit
		created, deleted, same int
	}{
		"erase":     {eraseOf(tuples.Object{Type: "media", ID: "logo"}), 0, 2*rowsPerSlice + 5, 0},
		"mutations": {list, rowsPerSlice + 10, 1, 1},
		"undo":      {tuples.Commit{Undo: &tuples.Undo{Revision: head}}, 0, 0, 0},
	} {
		c.commit.DryRun = true
		got := mustCommit(t, s, c.commit)
		if got.Created != c.created || got.Deleted != c.deleted || got.Same != c.same || got.Revision != head {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	if n := lastTransaction(t, db); n != first || s.Head() != head {
		t.Errorf("dry runs wrote: transaction %d after %d, head %d after %d", n, first, s.Head(), head)
	}
	list.DryRun = true
	list.Mutations = append(list.Mutations, list.Mutations[3])
	wantRefusal(t, s, list, "is the tuple of updates[3] too")
}

func TestAListTooLongForOneTransactionStandsAlone(t *testing.T) {
	_, s := newTest(t)
	c := tuples.Commit{NewModel: &tuples.NewModel{ID: "m1"}, Mutations: make([]tuples.Mutation, defaultLimits.listed+1)}
	for i := range c.Mutations {
		c.Mutations[i] = tuples.Mutation{Op: tuples.OpTouch, Tuple: benchTuple(i)}
	}
	wantRefusal(t, s, c, "more than the 10000")
	c.NewModel = nil
	if got := mustCommit(t, s, c); got.Created != defaultLimits.listed+1 || got.Revision != 1 {
		t.Errorf("got %+v", got)
	}
	if got := mustVerify(t, s); got.Live != defaultLimits.listed+1 || got.Changes != 1 {
		t.Errorf("got %+v", got)
	}
}
