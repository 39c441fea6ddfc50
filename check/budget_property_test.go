package check_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/check/reference"
	"github.com/usher-authz/usher/scenario"
)

// A budget that runs out ends in ErrBudget, never in another answer and never in a
// list that looks complete (design, promises 3, 5 and 6).
func TestBudgetNeverChangesAnAnswer(t *testing.T) {
	ranOut, enough := 0, 0
	eachView(t, func(t *rapid.T, v *view, spec *reference.Spec, seed uint64) {
		for i, q := range v.checks(16, seed) {
			request := v.request
			request.Budget = 1 + i%40
			decision, err := check.New(request).Check(context.Background(), q.On, q.Subject)
			if errors.Is(err, check.ErrBudget) {
				ranOut++
				continue
			}
			enough++
			if got, want := (&engine{t: t}).answer(decision, err), spec.Check(q.On, q.Subject); !got.Same(want) {
				t.Fatalf("%s: %s with a budget of %d is %v, want %v or ErrBudget\n%s",
					v.name, q, request.Budget, got, want, v.scenario(q, string(want.Outcome)))
			}
			v.compareCutList(t, spec, q, request)
		}
	})
	if ranOut == 0 || enough == 0 {
		t.Errorf("%d budgets ran out and %d did not, want some of both", ranOut, enough)
	}
}

// compareCutList lists the objects of a question's type under a budget: what comes
// before ErrBudget is the beginning of the list, and without it the list is whole.
func (v *view) compareCutList(t *rapid.T, spec *reference.Spec, q scenario.Question, request check.Request) {
	want := spec.ListObjects(q.On.Object.Type, q.On.Relation, q.Subject)
	var got []reference.Item
	cut := false
	items := check.New(request).ListObjects(context.Background(), q.On.Object.Type, q.On.Relation, q.Subject, "")
	for item, err := range items {
		if cut = errors.Is(err, check.ErrBudget); cut {
			break
		}
		if err != nil {
			t.Fatalf("%s: list like %s: %v", v.name, q, err)
		}
		got = append(got, reference.Item{ID: item.ID, Answer: (&engine{t: t}).answer(item.Decision, item.Err)})
	}
	if len(got) > len(want) || !slices.EqualFunc(got, want[:len(got)], sameItem) || !cut && len(got) < len(want) {
		q.On.Object.ID = scenario.Asked
		t.Fatalf("%s: %s with a budget of %d is %v (cut: %t), want %v\n%s",
			v.name, q, request.Budget, got, cut, want, v.scenario(q, "?"))
	}
}

// An evaluator whose budget ran out in one question still answers no other wrongly.
func TestEvaluatorSurvivesItsBudget(t *testing.T) {
	eachView(t, func(t *rapid.T, v *view, spec *reference.Spec, seed uint64) {
		request := v.request
		request.Budget = 1 + int(seed%400)
		evaluator := check.New(request)
		for _, q := range v.checks(4, seed) {
			decision, err := evaluator.Check(context.Background(), q.On, q.Subject)
			if errors.Is(err, check.ErrBudget) {
				continue
			}
			if got, want := (&engine{t: t}).answer(decision, err), spec.Check(q.On, q.Subject); !got.Same(want) {
				t.Fatalf("%s: %s is %v, want %v or ErrBudget\n%s", v.name, q, got, want, v.scenario(q, string(want.Outcome)))
			}
		}
	})
}
