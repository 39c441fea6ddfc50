package index_test

import (
	"fmt"
	"testing"

	"github.com/usher-authz/usher/tuples"
)

// BenchmarkClosure measures the closure of a user in some groups, half of them by another one:
// remembered, asked, and worked out anew.
func BenchmarkClosure(b *testing.B) {
	for _, groups := range []int{10, 10_000} {
		var lines []string
		for i := range groups {
			lines = append(lines, fmt.Sprintf("group:g%d#member@user:anna", i))
			if i%2 == 1 {
				lines[i] = fmt.Sprintf("group:g%d#member@group:g%d#member", i, i-1)
			}
		}
		c := newClub(b, 1<<20, lines...)
		member := c.step("group", "member")
		anna := c.node(tuples.Object{Type: "user", ID: "anna"})
		last := c.node(tuples.Object{Type: "group", ID: tuples.ID(fmt.Sprintf("g%d", groups-1))})
		s := c.index.Over(pinned{revision: c.revision, now: c.now})
		closure := c.of("user:anna")
		if got := len(closure.Groups(member)); got != groups {
			b.Fatalf("anna is in %d groups, want %d", got, groups)
		}
		b.Run(fmt.Sprintf("groups=%d/remembered", groups), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := c.closures.Of(b.Context(), s, anna, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("groups=%d/asked", groups), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				closure.In(last, member)
			}
		})
		b.Run(fmt.Sprintf("groups=%d/anew", groups), func(b *testing.B) {
			forgetful := c.index.ClosuresIn(0, c.program)
			forgetful.Close()
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := forgetful.Of(b.Context(), s, anna, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
