package check_test

import (
	"fmt"
	"testing"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/tuples"
)

// BenchmarkCheck asks one question with a snapshot and an evaluator of its own, as a
// request does: of 10,000 media in folders four deep, which are shared with groups. With
// the path it explains the answer too, as a recorded Check does.
func BenchmarkCheck(b *testing.B) {
	lines := repeat(10_000, func(i int) string { return fmt.Sprintf("media:m%d#parent@folder:f%d", i, i%1_000) })
	for i := range 1_000 {
		lines = append(lines, fmt.Sprintf("folder:f%d#viewer@group:g%d#member", i, i%100), fmt.Sprintf("group:g%d#member@user:u%d", i%100, i))
		if i >= 10 {
			lines = append(lines, fmt.Sprintf("folder:f%d#parent@folder:f%d", i, i/10))
		}
	}
	lines = append(lines, "media:m777#editor@user:anna", "folder:f7#viewer@group:staff#member", "group:staff#member@user:anna")
	w := newWorld(b, library, lines...)
	for _, bench := range []struct {
		name, question, want string
		path                 bool
	}{
		{"own tuple", "user:anna can_view media:m777", "allowed", false},
		{"own tuple, with the path", "user:anna can_view media:m777", "allowed", true},
		{"group on a folder two up", "user:anna can_view media:m1778", "allowed", false},
		{"group on a folder two up, with the path", "user:anna can_view media:m1778", "allowed", true},
		{"denied", "user:anna can_view media:m1234", "denied", false},
	} {
		b.Run(bench.name, func(b *testing.B) {
			on, subject := parseQuestion(b, bench.question)
			b.ReportAllocs()
			for b.Loop() {
				snapshot, err := w.store.Snapshot(b.Context(), tuples.At{})
				if err != nil {
					b.Fatal(err)
				}
				evaluator := check.New(check.Request{Program: w.program, Snapshot: snapshot})
				decision, err := evaluator.Check(b.Context(), on, subject)
				if bench.path && err == nil {
					_, err = evaluator.Explain(b.Context(), on, subject)
				}
				if got := answer(decision, err); got != bench.want {
					b.Fatalf("%s: %s, want %s", bench.question, got, bench.want)
				}
				evaluator.Close()
				snapshot.Close()
			}
		})
	}
}

// BenchmarkAttributes asks under which restrictions a gallery may be printed: without any,
// under those of one grant, and of 100 groups whose grants no other betters.
func BenchmarkAttributes(b *testing.B) {
	lines := repeat(100, func(i int) string {
		return fmt.Sprintf(`container:gala#printer@group:g%d#member attributes {"max_size":%d,"min_age":%d}`, i, i, i)
	})
	lines = append(lines, repeat(100, func(i int) string { return fmt.Sprintf("group:g%d#member@user:kari", i) })...)
	lines = append(lines, "container:gala#printer@user:ola", `container:gala#printer@user:liv attributes {"max_size":800}`)
	w := newWorld(b, portal, lines...)
	for _, bench := range []struct {
		name, question string
		sets           int
	}{
		{"unrestricted", "user:ola printer container:gala", 1},
		{"one grant", "user:liv printer container:gala", 1},
		{"100 groups", "user:kari printer container:gala", 100},
	} {
		b.Run(bench.name, func(b *testing.B) {
			on, subject := parseQuestion(b, bench.question)
			b.ReportAllocs()
			for b.Loop() {
				snapshot, err := w.store.Snapshot(b.Context(), tuples.At{})
				if err != nil {
					b.Fatal(err)
				}
				sets, err := check.New(check.Request{Program: w.program, Snapshot: snapshot}).Attributes(b.Context(), on, subject)
				if err != nil || len(sets) != bench.sets {
					b.Fatalf("%s: %d sets, %v, want %d", bench.question, len(sets), err, bench.sets)
				}
				snapshot.Close()
			}
		})
	}
}
