package bolt

import (
	"fmt"
	"testing"

	"github.com/usher-authz/usher/tuples"
)

// A scan of a long history goes on in the next slice where the last one ended.
func TestHistoryIsScannedInSlices(t *testing.T) {
	_, s := newTest(t)
	var texts []string
	for i := range 3*rowsBetweenChecks + 1 {
		texts = append(texts, fmt.Sprintf("media:logo#viewer@user:u%d", i))
	}
	mustCommit(t, s, commitOf(t, tuples.OpCreate, texts...))
	mustCommit(t, s, commitOf(t, tuples.OpDelete, texts...))
	opened, err := s.Snapshot(t.Context(), tuples.At{})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	snapshot := opened.(*snapshot)
	snapshot.mu.Lock()
	defer snapshot.mu.Unlock()
	visited := map[string]int{}
	views := map[int]bool{}
	err = snapshot.scanHistory(t.Context(), forward, nil, func(v *view, key []byte) {
		visited[string(key)]++
		views[snapshot.slice.tx.ID()] = true
		snapshot.due.Store(true) // the slice is over at the next look
		if len(visited)%rowsBetweenChecks == 0 {
			mustCommit(t, s, commitOf(t, tuples.OpTouch, fmt.Sprintf("media:note#viewer@user:u%d", len(visited))))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(visited) != len(texts) || len(views) < 3 {
		t.Errorf("visited %d rows in %d slices, want %d in 3 at least", len(visited), len(views), len(texts))
	}
	for key, times := range visited {
		if times != 1 {
			t.Errorf("row %x was visited %d times", key, times)
		}
	}
}
