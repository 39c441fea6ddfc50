package bolt

import (
	"context"
	"fmt"
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
