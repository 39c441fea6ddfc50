package bolt

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/usher-authz/usher/tuples"
	bbolt "go.etcd.io/bbolt"
)

// lastTransaction returns the id of the last bbolt transaction that was committed.
func lastTransaction(t testing.TB, db *DB) int {
	t.Helper()
	tx, err := db.bolt.Begin(false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	return tx.ID()
}

func TestOneGroupCommitsEachWriteForItself(t *testing.T) {
	db, s := newTest(t)
	mustCommit(t, s, commitOf(t, tuples.OpCreate, anna))
	first, head := lastTransaction(t, db), s.Head()
	guarded := commitOf(t, tuples.OpCreate, carl)
	guarded.Preconditions = []tuples.Precondition{{Filter: tuples.Filter{SubjectType: "user", SubjectID: "bert"}, MustMatch: true}}
	mixed := tuples.Commit{Mutations: append(commitOf(t, tuples.OpTouch, "new:x#owner@user:y").Mutations, commitOf(t, tuples.OpCreate, bert).Mutations...)}
	commits := []tuples.Commit{
		commitOf(t, tuples.OpCreate, bert), // accepted
		commitOf(t, tuples.OpCreate, anna), // refused: it exists
		guarded,                            // accepted: it sees the first one of the group
		mixed,                              // refused as a whole, with its new names
		commitOf(t, tuples.OpDelete, anna), // accepted
		commitOf(t, tuples.OpCreate, anna), // accepted: it is deleted now
		commitOf(t, tuples.OpTouch, "late:x#owner@user:z"), // accepted, with new names
	}
	want := []tuples.Revision{1, 0, 2, 0, 3, 4, 5} // behind head; 0 is refused
	outcomes, errs := make([]tuples.Committed, len(commits)), make([]error, len(commits))
	release := hold(t, db)
	var done sync.WaitGroup
	for i, c := range commits {
		done.Add(1)
		queue(db, i+1, func() {
			defer done.Done()
			outcomes[i], errs[i] = s.Commit(context.Background(), c)
		})
	}
	release()
	done.Wait()
	for i := range commits {
		var exists *tuples.ExistsError
		switch {
		case want[i] == 0 && !errors.As(errs[i], &exists):
			t.Errorf("commit %d: got %v, want an ExistsError", i, errs[i])
		case want[i] != 0 && (errs[i] != nil || outcomes[i].Revision != head+want[i]):
			t.Errorf("commit %d: got revision %d, %v, want %d", i, outcomes[i].Revision, errs[i], head+want[i])
		}
	}
	if n := lastTransaction(t, db) - first; n != 1 {
		t.Errorf("the group took %d bbolt transactions, want 1", n)
	}
	wantTuples(t, s, tuples.At{}, anna, bert, carl, "late:x#owner@user:z")
	if s.Symbols().Lookup("new") != 0 {
		t.Error("a refused write left a symbol")
	}
	mustVerify(t, s)
}

func TestAJobThatBreaksTheTransactionFailsAlone(t *testing.T) {
	for name, spoil := range map[string]func(*group) error{
		"error after a write": func(g *group) error {
			return errors.Join(g.write().Bucket(metaBucket).Put([]byte("spoilt"), nil), errors.New("spoilt"))
		},
		"panic": func(*group) error { panic("spoilt") },
	} {
		t.Run(name, func(t *testing.T) {
			db, s := newTest(t)
			release := hold(t, db)
			var before, spoilt, after error
			var done sync.WaitGroup
			done.Add(3)
			queue(db, 1, func() {
				defer done.Done()
				_, before = s.Commit(context.Background(), commitOf(t, tuples.OpCreate, anna))
			})
			queue(db, 2, func() { defer done.Done(); spoilt = db.submit(context.Background(), 1, spoil) })
			queue(db, 3, func() {
				defer done.Done()
				_, after = s.Commit(context.Background(), commitOf(t, tuples.OpCreate, bert))
			})
			release()
			done.Wait()
			if before != nil || after != nil {
				t.Errorf("the neighbours failed: %v, %v", before, after)
			}
			if spoilt == nil || !strings.Contains(spoilt.Error(), "spoilt") {
				t.Errorf("got %v, want the job's own error", spoilt)
			}
			wantTuples(t, s, tuples.At{}, anna, bert)
			if err := db.bolt.View(func(tx *bbolt.Tx) error {
				if tx.Bucket(metaBucket).Get([]byte("spoilt")) != nil {
					return errors.New("the spoilt transaction was committed")
				}
				return nil
			}); err != nil {
				t.Error(err)
			}
			mustVerify(t, s)
		})
	}
}

func TestACallerThatGivesUpKnowsWhatItCanKnow(t *testing.T) {
	db, s := newTest(t)
	release := hold(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	queued := make(chan error, 1)
	queue(db, 1, func() {
		_, err := s.Commit(ctx, commitOf(t, tuples.OpCreate, anna))
		queued <- err
	})
	cancel()
	if err := <-queued; !errors.Is(err, context.Canceled) || errors.Is(err, tuples.ErrOutcomeUnknown) {
		t.Errorf("a commit that was not taken up: got %v, want canceled and nothing written", err)
	}
	release()
	wantTuples(t, s, tuples.At{})

	ctx, cancel = context.WithCancel(t.Context())
	started, free := make(chan struct{}), make(chan struct{})
	taken := make(chan error, 1)
	go func() {
		taken <- db.submit(ctx, 1, func(*group) error {
			close(started)
			<-free
			return nil
		})
	}()
	<-started
	cancel()
	if err := <-taken; !errors.Is(err, context.Canceled) || !errors.Is(err, tuples.ErrOutcomeUnknown) {
		t.Errorf("a commit under way: got %v, want canceled with an unknown outcome", err)
	}
	close(free)
}

func TestAFullQueueLetsCallersGiveUp(t *testing.T) {
	db, s := newTest(t)
	release := hold(t, db)
	for i := range cap(db.jobs) {
		queue(db, i+1, func() { _ = db.submit(context.Background(), 1, func(*group) error { return nil }) })
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancelled := make(chan error, 1)
	go func() {
		_, err := s.Commit(ctx, commitOf(t, tuples.OpCreate, anna))
		cancelled <- err
	}()
	cancel()
	if err := <-cancelled; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want canceled", err)
	}
	release()
	mustCommit(t, s, commitOf(t, tuples.OpCreate, bert))
	wantTuples(t, s, tuples.At{}, bert)
}

func TestCloseAnswersEverybody(t *testing.T) {
	db, s := newTest(t)
	release := hold(t, db)
	errs := make(chan error, 3)
	for i := range cap(errs) {
		queue(db, i+1, func() {
			_, err := s.Commit(context.Background(), commitOf(t, tuples.OpTouch, anna))
			errs <- err
		})
	}
	closed := make(chan error, 1)
	go func() { closed <- db.Close() }()
	<-db.closing
	release()
	for range cap(errs) {
		if err := <-errs; err != nil && !errors.Is(err, tuples.ErrClosed) {
			t.Errorf("got %v, want success or %v", err, tuples.ErrClosed)
		}
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestAGroupIsBounded(t *testing.T) {
	db, s := newTest(t)
	first := lastTransaction(t, db)
	release := hold(t, db)
	var done sync.WaitGroup
	for i := range 3 {
		done.Add(1)
		queue(db, i+1, func() {
			defer done.Done()
			err := db.submit(context.Background(), maxGroupWeight*2/3, func(g *group) error { return putClock(g.write(), 1) })
			if err != nil {
				t.Error(err)
			}
		})
	}
	release()
	done.Wait()
	if n := lastTransaction(t, db) - first; n != 3 {
		t.Errorf("three heavy jobs took %d transactions, want one each", n)
	}
	mustVerify(t, s)
}

func TestAfterAFailedSyncTheStoreIsReadOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "usher.db")
	var file *os.File
	db, s := openTest(t, path, Options{openFile: func(path string, flag int, mode os.FileMode) (f *os.File, err error) {
		file, err = os.OpenFile(path, flag, mode)
		return file, err
	}})
	mustCommit(t, s, commitOf(t, tuples.OpCreate, anna))
	if err := file.Close(); err != nil { // from now on nothing reaches the disk
		t.Fatal(err)
	}
	if _, err := s.Commit(t.Context(), commitOf(t, tuples.OpCreate, bert)); !errors.Is(err, tuples.ErrOutcomeUnknown) || !errors.Is(err, os.ErrClosed) {
		t.Errorf("got %v, want an unknown outcome and its cause", err)
	}
	if _, err := s.Commit(t.Context(), commitOf(t, tuples.OpCreate, carl)); !errors.Is(err, tuples.ErrReadOnly) {
		t.Errorf("got %v, want %v", err, tuples.ErrReadOnly)
	}
	if s.Head() != 1 {
		t.Errorf("the head moved to %d", s.Head())
	}
	wantTuples(t, s, tuples.At{}, anna)
	mustVerify(t, s)
	_ = db.Close() // the file is closed already, which bbolt reports

	_, s = openTest(t, path, Options{})
	wantTuples(t, s, tuples.At{}, anna)
	mustCommit(t, s, commitOf(t, tuples.OpCreate, bert))
	mustVerify(t, s)
}
