package check_test

import (
	"context"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/check/reference"
)

// An evaluator takes over the memory of one that was closed, and nothing of what that one
// knew: neither of another model, store, subject or revision, nor of a question that was
// given up half way.
func TestEvaluatorsStartFromNothing(t *testing.T) {
	asked := 0
	eachView(t, func(t *rapid.T, v *view, spec *reference.Spec, seed uint64) {
		for i, q := range v.checks(8, seed) {
			short := v.request
			short.Budget = 1 + i%20
			e := check.New(short)
			if _, err := e.Check(context.Background(), q.On, q.Subject); err == nil {
				_, err = e.Explain(context.Background(), q.On, q.Subject)
				var failed *check.ConditionError
				if err != nil && !errors.Is(err, check.ErrBudget) && !errors.As(err, &failed) {
					t.Fatal(err)
				}
			}
			e.Close()

			e = check.New(v.request)
			got, want := (&engine{t: t, evaluator: e}).Check(q.On, q.Subject), spec.Check(q.On, q.Subject)
			e.Close()
			asked++
			if !got.Same(want) {
				t.Fatalf("%s: %s is %v, want %v\n%s", v.name, q, got, want, v.scenario(q, string(want.Outcome)))
			}
		}
	})
	if asked < 1000 {
		t.Errorf("asked %d questions, want 1,000 at least", asked)
	}
}
