package check

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-authz/usher/tuples"
)

// Candidates are in the order of their ids' bytes, whatever these have in common.
func TestSortByID(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		begin := rapid.StringMatching(`[a-c]{0,12}`).Draw(t, "begin")
		ids := rapid.SliceOfN(rapid.StringMatching(`[a-cä]{0,12}`), 0, 2*fewKeys).Draw(t, "ids")
		var candidates []candidate
		for i := range ids {
			ids[i] = begin + ids[i]
			candidates = append(candidates, candidate{id: tuples.ID(ids[i])})
		}
		slices.Sort(ids)
		var s sorter
		s.byID(make([]candidate, len(ids)), candidates[:rapid.IntRange(0, len(ids)).Draw(t, "before")]) // room is used again
		sorted := make([]candidate, len(ids))
		s.byID(sorted, candidates)
		for i, c := range sorted {
			if string(c.id) != ids[i] {
				t.Fatalf("place %d: got %q, want %q", i, c.id, ids[i])
			}
		}
	})
}
