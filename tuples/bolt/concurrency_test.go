package bolt

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/usher-authz/usher/tuples"
)

// Readers and writers together: a snapshot has every write that was acknowledged before
// it was opened, whole, and revisions increase in the order of acknowledgement.
func TestReadersSeeEveryAcknowledgedWrite(t *testing.T) {
	const writers, readers, writes = 4, 3, 60
	_, s := newTest(t)
	var mu sync.Mutex
	acknowledged := make([]int, writers) // writes per writer
	latest := tuples.Revision(0)
	var writing, reading sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			last := tuples.Revision(0)
			for i := 1; i <= writes; i++ {
				// Both tuples are replaced together; a reader must not see one without the other.
				grant := fmt.Sprintf(` attributes {"n":%d}`, i)
				got := mustCommit(t, s, commitOf(t, tuples.OpTouch,
					fmt.Sprintf("media:m%d#viewer@user:anna", w)+grant, fmt.Sprintf("media:m%d#owner@user:bert", w)+grant))
				if got.Revision <= last {
					t.Errorf("revision %d follows %d", got.Revision, last)
				}
				last = got.Revision
				mu.Lock()
				acknowledged[w] = i
				latest = max(latest, got.Revision)
				mu.Unlock()
			}
		})
	}
	stop := make(chan struct{})
	for range readers {
		reading.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				mu.Lock()
				least, revision := append([]int{}, acknowledged...), latest
				mu.Unlock()
				if err := compareState(s, least, revision); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	writing.Wait()
	close(stop)
	reading.Wait()
	mustVerify(t, s)
}

// compareState reads the head and compares it with what was acknowledged before.
func compareState(s *store, least []int, revision tuples.Revision) error {
	ctx := context.Background()
	snapshot, err := s.Snapshot(ctx, tuples.At{})
	if err != nil {
		return err
	}
	defer snapshot.Close()
	if snapshot.Revision() < revision {
		return fmt.Errorf("snapshot at %d after %d was acknowledged", snapshot.Revision(), revision)
	}
	page, _, _, err := snapshot.Read(ctx, tuples.Filter{ObjectType: "media"}, nil, make([]tuples.Tuple, 0, 100))
	if err != nil {
		return err
	}
	seen := map[tuples.ID][]int64{}
	for _, tuple := range page {
		seen[tuple.Object.ID] = append(seen[tuple.Object.ID], tuple.Attributes["n"].Int())
	}
	for w, n := range least {
		got := seen[tuples.ID(fmt.Sprintf("m%d", w))]
		if n == 0 && len(got) == 0 {
			continue
		}
		if len(got) != 2 || got[0] != got[1] || got[0] < int64(n) {
			return fmt.Errorf("writer %d: got %v at revision %d, want two of one write, at least %d", w, got, snapshot.Revision(), n)
		}
	}
	return nil
}

// While an object is erased and brought back in many pieces, readers see all of it or
// nothing, and others write beside it and to it.
func TestReadersSeeLargeCommitsWhole(t *testing.T) {
	const viewers, rounds = 40, 5
	_, s := newStagingTest(t, filepath.Join(t.TempDir(), "usher.db"), Options{})
	var texts []string
	for i := range viewers {
		texts = append(texts, fmt.Sprintf("media:big#viewer@user:v%d", i))
	}
	mustCommit(t, s, commitOf(t, tuples.OpCreate, texts...))
	stop := make(chan struct{})
	var others sync.WaitGroup
	repeat := func(f func(n int) error) {
		others.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				if err := f(n); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 2 {
		repeat(func(int) error { return compareBig(s, viewers) })
	}
	repeat(func(n int) error { // a writer that meets what is staged
		text := fmt.Sprintf(`media:big#viewer@user:v%d attributes {"n":%d}`, n%viewers, n)
		_, err := s.Commit(context.Background(), tuples.Commit{
			Mutations:     commitOf(t, tuples.OpTouch, text).Mutations,
			Preconditions: []tuples.Precondition{{Filter: tuples.Filter{ObjectType: "media", ObjectID: "big"}, MustMatch: true}},
		})
		var gone *tuples.PreconditionError
		if errors.As(err, &gone) {
			return nil
		}
		return err
	})
	repeat(func(n int) error {
		_, err := s.Commit(context.Background(), commitOf(t, tuples.OpTouch, fmt.Sprintf(`media:m%d#viewer@user:v0 attributes {"n":%d}`, n%50, n)))
		return err
	})
	for range rounds {
		erased := mustCommit(t, s, eraseOf(tuples.Object{Type: "media", ID: "big"}))
		undone := mustCommit(t, s, tuples.Commit{Undo: &tuples.Undo{Revision: erased.Revision}})
		if erased.Deleted != viewers || undone.Created != viewers {
			t.Errorf("erased %+v, undone %+v", erased, undone)
		}
	}
	close(stop)
	others.Wait()
	mustVerify(t, s)
}

// compareBig counts the object's tuples, by object and by subject, at one revision.
func compareBig(s *store, viewers int) error {
	ctx := context.Background()
	snapshot, err := s.Snapshot(ctx, tuples.At{})
	if err != nil {
		return err
	}
	defer snapshot.Close()
	count := func(filter tuples.Filter) (n int, err error) {
		for after, more := (*tuples.Key)(nil), true; more && err == nil; {
			var page []tuples.Tuple
			page, after, more, err = snapshot.Read(ctx, filter, after, make([]tuples.Tuple, 0, 100))
			for _, tuple := range page {
				if tuple.Object.ID == "big" {
					n++
				}
			}
		}
		return n, err
	}
	byObject, err := count(tuples.Filter{ObjectType: "media", ObjectID: "big"})
	if err != nil {
		return err
	}
	bySubject, err := count(tuples.Filter{SubjectType: "user"})
	if err == nil && (byObject != bySubject || byObject != 0 && byObject != viewers) {
		err = fmt.Errorf("at revision %d there are %d tuples by object and %d by subject, want 0 or %d", snapshot.Revision(), byObject, bySubject, viewers)
	}
	return err
}
