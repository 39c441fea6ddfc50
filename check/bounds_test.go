package check_test

import (
	"errors"
	"fmt"
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
