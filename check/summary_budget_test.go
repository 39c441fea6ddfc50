package check_test

import (
	"context"
	"errors"
	"iter"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/check/reference"
	"github.com/usher-authz/usher/tuples"
)

// A summary whose budget runs out ends in ErrBudget, behind the beginning of the whole
// (design, promises 3, 5 and 6).
func TestBudgetNeverChangesASummary(t *testing.T) {
	cut, whole := 0, 0
	eachView(t, func(t *rapid.T, v *view, _ *reference.Spec, seed uint64) {
		request := v.request
		request.Budget = 1 + int(seed%300)
		count := func(isCut bool) {
			if isCut {
				cut++
			} else {
				whole++
			}
		}
		for _, q := range v.sharesQueries(seed) {
			count(isBeginning(t, v.shares(t, q, ""), check.New(request).SummarizeShares(context.Background(), q, ""),
				func(a, b check.RecipientShares) bool {
					return a.Subject == b.Subject && a.Direct == b.Direct && reflect.DeepEqual(a.Counts, b.Counts)
				}))
		}
		for _, q := range v.treeQueries(seed) {
			count(isBeginning(t, v.tree(t, q, tuples.Object{}), check.New(request).SummarizeTree(context.Background(), q, tuples.Object{}),
				func(a, b check.TreeObject) bool {
					return a.Object == b.Object && a.Parent == b.Parent && reflect.DeepEqual(a.States, b.States)
				}))
		}
	})
	if cut == 0 || whole == 0 {
		t.Errorf("%d summaries were cut and %d were whole, want some of both", cut, whole)
	}
}

// isBeginning checks that a list is the whole, or its beginning if it is cut by the budget,
// which it reports.
func isBeginning[T any](t *rapid.T, whole []T, list iter.Seq2[T, error], same func(a, b T) bool) bool {
	t.Helper()
	place := 0
	for item, err := range list {
		if errors.Is(err, check.ErrBudget) {
			return true
		}
		if err != nil || place == len(whole) || !same(item, whole[place]) {
			t.Fatalf("at %d is %v, %v, want that of %v", place, item, err, whole)
		}
		place++
	}
	if place < len(whole) {
		t.Fatalf("the list ends after %d of %d items without an error", place, len(whole))
	}
	return false
}
