package bolt

import (
	"context"
	"fmt"
	"testing"

	"github.com/usher-authz/usher/tuples"
)

// All tuples and names are visited once, however many slices that takes, while others write.
func TestAScanOfEverythingRunsInSlices(t *testing.T) {
	const n = 3000
	_, s := newTest(t)
	many(t, s, n)
	opened, err := s.Snapshot(t.Context(), tuples.At{})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	snapshot := opened.(*snapshot)
	visits, written, transactions := 0, 0, map[int]bool{}
	visit := func() {
		transactions[snapshot.slice.tx.ID()] = true
		if visits++; visits%1000 == 0 {
			snapshot.due.Store(true) // the slice is over
			written++
			mustCommit(t, s, commitOf(t, tuples.OpTouch, fmt.Sprintf("media:logo#viewer@user:u%04d with office_hours", n-written)))
			mustCommit(t, s, commitOf(t, tuples.OpDelete, fmt.Sprintf("media:logo#viewer@user:u%04d", n-100-written)))
			mustCommit(t, s, commitOf(t, tuples.OpTouch, fmt.Sprintf("media:new%d#viewer@user:anna", written)))
		}
	}
	var last tuples.EdgeKey
	if err := snapshot.EachEdge(t.Context(), func(k tuples.EdgeKey, g *tuples.Grant) error {
		if k.Subject <= last.Subject || g != nil {
			t.Fatalf("tuple %+v with %v follows %+v", k, g, last)
		}
		last = k
		visit()
		return nil
	}); err != nil || visits != n || len(transactions) < 3 {
		t.Errorf("%d tuples in %d slices, want %d in 3 at least: %v", visits, len(transactions), n, err)
	}
	visits = 0
	clear(transactions)
	names := map[tuples.Object]bool{}
	if err := snapshot.EachName(t.Context(), func(_ tuples.Node, o tuples.Object) error {
		if names[o] {
			t.Fatalf("%s is visited twice", o)
		}
		names[o] = true
		visit()
		return nil
	}); err != nil || visits < n+1 || len(transactions) < 3 {
		t.Errorf("%d names in %d slices, want %d in 3 at least: %v", visits, len(transactions), n+1, err)
	}
}

// BenchmarkScan visits a million tuples, and 150,000 names: what an index is loaded from.
func BenchmarkScan(b *testing.B) {
	_, s := benchStore(b, 1_000_000, Options{NoSync: true})
	snapshot, err := s.Snapshot(context.Background(), tuples.At{})
	if err != nil {
		b.Fatal(err)
	}
	defer snapshot.Close()
	for what, scan := range map[string]func(n *int) error{
		"tuples": func(n *int) error {
			return snapshot.EachEdge(context.Background(), func(tuples.EdgeKey, *tuples.Grant) error { *n++; return nil })
		},
		"names": func(n *int) error {
			return snapshot.EachName(context.Background(), func(tuples.Node, tuples.Object) error { *n++; return nil })
		},
	} {
		b.Run(what, func(b *testing.B) {
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				if err := scan(&n); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/visit")
		})
	}
}
