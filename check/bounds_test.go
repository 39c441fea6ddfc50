package check_test

import (
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/usher-authz/usher/check"
)

// Which of many failed conditions is reported travels around a cycle again and again,
// in the worst order: that is work like any other.
func TestFailuresInACycleCostBudget(t *testing.T) {
	const length = 500
	lines := repeat(length, func(i int) string {
		return fmt.Sprintf(`group:g%d#member@group:g%d#member with ratio {"part": 1}`, (i+1)%length, i)
	})
	w := newWorld(t, `
type user
type group
  relations
    define member: [user with ratio, group#member with ratio]
`+conditions, append(lines, `group:g0#member@user:anna with ratio {"part": 1}`)...)
	on, subject := parseQuestion(t, "user:anna member group:g0")
	ask := func(units int) error {
		_, err := w.evaluator(budget(units), func(r *check.Request) { r.Context = map[string]any{"whole": 0.0} }).
			Check(t.Context(), on, subject)
		return err
	}
	var failed *check.ConditionError
	if err := ask(check.DefaultBudget); !errors.As(err, &failed) {
		t.Errorf("%v, want the failure of a condition", err)
	}
	if err := ask(50_000); !errors.Is(err, check.ErrBudget) {
		t.Errorf("%v, want %v: some 125,000 steps are due", err, check.ErrBudget)
	}
}

// An allowed answer rests on one way, so its explanation reads no further than that.
func TestAnExplanationReadsNoMoreThanItShows(t *testing.T) {
	lines := repeat(2_000, func(i int) string { return fmt.Sprintf("media:logo#viewer@group:g%d#member", i) })
	w := newWorld(t, library, append(lines, "group:g0#member@user:anna")...)
	on, subject := parseQuestion(t, "user:anna viewer media:logo")
	explanation, err := w.evaluator(budget(500)).Explain(t.Context(), on, subject)
	if err != nil {
		t.Fatal(err)
	}
	want := `media:logo#viewer [[user, user:*, group#member] or editor or viewer from parent] allowed
  media:logo#viewer [direct] allowed by media:logo#viewer@group:g0#member
    group:g0#member [[user, group#member]] allowed
      group:g0#member [direct] allowed by group:g0#member@user:anna
`
	if got := draw(explanation); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// A condition may loop over its lists: a unit of work buys only so much of that.
func TestConditionsCostBudget(t *testing.T) {
	w := newWorld(t, `
type user
type media
  relations
    define viewer: [user with pairs]
condition pairs(sizes: list<int>) {
  sizes.all(a, sizes.all(b, a + b > 0))
}
`, repeat(200, func(i int) string { return fmt.Sprintf("media:logo#viewer@user:u%d with pairs", i) })...)
	on, _ := parseQuestion(t, "user:anna viewer media:logo")
	list := func(sizes int) error {
		given := make([]any, sizes)
		for i := range given {
			given[i] = 1.0
		}
		e := w.evaluator(budget(5_000), func(r *check.Request) { r.Context = map[string]any{"sizes": given} })
		return lastError(e.ListSubjects(t.Context(), on, check.SubjectKind{Type: "user"}, ""))
	}
	if err := list(1); err != nil {
		t.Errorf("a list of one size: %v", err)
	}
	if err := list(20); !errors.Is(err, check.ErrBudget) {
		t.Errorf("lists of 20 sizes: %v, want %v: some 160,000 pairs are due", err, check.ErrBudget)
	}
}

// A batch about many subjects keeps the work of a few.
func TestABatchAboutManySubjectsStaysSmall(t *testing.T) {
	w := newWorld(t, library, "media:logo#viewer@group:g#member", "group:g#member@user:u1")
	e := w.evaluator()
	w.check(e, "user:u1 can_view media:logo")
	before := liveBytes()
	for i := range 10_000 {
		want := "denied"
		if i == 1 {
			want = "allowed"
		}
		question := fmt.Sprintf("user:u%d can_view media:logo", i)
		if got := w.check(e, question); got != want {
			t.Fatalf("%s: %s, want %s", question, got, want)
		}
	}
	const most = 4 << 20 // names of 10,000 users that the store has never seen
	if grown := liveBytes() - before; grown > most {
		t.Errorf("the evaluator grew by %d bytes, want %d at most", grown, most)
	}
	if got := w.check(e, "user:u1 can_view media:logo"); got != "allowed" {
		t.Errorf("asked again: %s, want allowed", got)
	}
}

// liveBytes is what the heap holds after a collection.
func liveBytes() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
