//go:build !race

// The race detector has pools forget at random, so that allocations cannot be counted.

package check_test

import (
	"testing"

	benchlibrary "github.com/usher-authz/usher/bench/library"
	"github.com/usher-authz/usher/check"
)

// A Check over an index allocates nothing, from [check.New] to Close: whatever it needs served
// another one before.
func TestAChecksMemoryServesTheNextOne(t *testing.T) {
	l := loadIndexed(t, benchlibrary.Smallest)
	var questions []benchlibrary.Question
	for _, q := range l.Checks(400) {
		if q.Context == nil && q.Want != benchlibrary.Conditional {
			questions = append(questions, q)
		}
	}
	snapshot := l.index.Over(loadedState{})
	ask := func(q *benchlibrary.Question) {
		e := check.New(check.Request{Program: l.program, Snapshot: snapshot, Closures: l.closures})
		defer e.Close()
		decision, err := e.Check(t.Context(), q.On, q.Subject)
		if err != nil || (decision.Outcome == check.Allowed) != (q.Want == benchlibrary.Allowed) {
			t.Fatalf("%s %s: %s, %v, want %s", q.Subject, q.On, decision.Outcome, err, q.Want)
		}
	}
	for i := range questions {
		ask(&questions[i]) // whose closures are remembered from here on
	}
	i := 0
	allocated := testing.AllocsPerRun(10*len(questions), func() {
		ask(&questions[i%len(questions)])
		i++
	})
	if allocated > 0 {
		t.Errorf("a Check allocates %v times, want 0", allocated)
	}
}
