package check_test

import (
	"context"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/check/checktest"
	"github.com/usher-authz/usher/check/reference"
	"github.com/usher-authz/usher/scenario"
	"github.com/usher-authz/usher/tuples"
)

// The engine restricts answers as package reference does: over a real store, at the head
// and at an older revision, with and without contextual tuples, whatever the order of the
// questions and of the operands in the model.
func TestAttributesAgreeWithReference(t *testing.T) {
	compared, restricted, several := 0, 0, 0
	eachRestrictedView(t, func(t *rapid.T, v *view, spec *reference.Spec, seed uint64) {
		shared := check.New(v.request)
		for _, q := range v.checks(4, seed) {
			evaluator := shared
			if oneIn(4, seed, "fresh", q) {
				evaluator = check.New(v.request)
			}
			want := spec.Attributes(q.On, q.Subject)
			v.expectAttributes(t, evaluator, q, want)
			compared++
			if len(want) > 0 && want[0] != "" {
				restricted++
			}
			if len(want) > 1 {
				several++
			}
		}
	})
	t.Logf("compared %d answers, %d with restrictions, %d with several sets of them", compared, restricted, several)
	if restricted == 0 || several == 0 {
		t.Errorf("of %d answers %d have restrictions and %d several sets of them, want some of both", compared, restricted, several)
	}
}

// eachRestrictedView is [eachView] for cases whose tuples have attributes.
func eachRestrictedView(t *testing.T, law func(t *rapid.T, v *view, spec *reference.Spec, seed uint64)) {
	db := openDatabase(t)
	rapid.Check(t, func(t *rapid.T) {
		c := checktest.RestrictedCases().Draw(t, "case")
		seed := rapid.Uint64().Draw(t, "seed")
		for _, v := range openViews(t, db, c, seed) {
			law(t, v, reference.New(v.world), seed)
		}
	})
}

// expectAttributes asks for the attributes of an answer. A failed condition that the
// answer depends on is no answer.
func (v *view) expectAttributes(t *rapid.T, e *check.Evaluator, q scenario.Question, want []string) {
	sets, err := e.Attributes(context.Background(), q.On, q.Subject)
	var failed *check.ConditionError
	if errors.As(err, &failed) && want == nil {
		return
	}
	if got := setTexts(sets); err != nil || !slices.Equal(got, want) {
		t.Fatalf("%s: %s is restricted to %q, %v, want %q\n%s", v.name, q, got, err, want, v.scenario(q, "?"))
	}
}

// setTexts writes sets as package reference does.
func setTexts(sets []check.AttributeSet) []string {
	var texts []string
	for _, set := range sets {
		var parts []string
		for _, a := range set {
			value := a.Value.String()
			if number, ok := new(big.Rat).SetString(value); ok {
				value = number.RatString()
			}
			parts = append(parts, a.Name+"="+value)
		}
		slices.Sort(parts)
		texts = append(texts, strings.Join(parts, " "))
	}
	slices.Sort(texts)
	return texts
}

// A grant that is stricter than what there is changes nothing, wherever in the model the
// relation stands. (With "but not", one more tuple could take away.)
func TestAStricterGrantChangesNothing(t *testing.T) {
	added := 0
	eachRestrictedView(t, func(t *rapid.T, v *view, _ *reference.Spec, seed uint64) {
		if excludes(v.world.Model) {
			return
		}
		there := map[tuples.Key]bool{}
		for _, tuple := range slices.Concat(v.world.Stored, v.world.Contextual) {
			there[tuple.Key] = true
		}
		for _, q := range v.checks(4, seed) {
			key := tuples.Key{Object: q.On.Object, Relation: q.On.Relation, Subject: q.Subject}
			sets, err := check.New(v.request).Attributes(context.Background(), q.On, q.Subject)
			if err != nil || len(sets) == 0 || there[key] || !v.world.Model.Permits(key, "") {
				continue
			}
			stricter := tuples.Attributes{"stricter": tuples.BoolValue(true)}
			for _, a := range sets[0] {
				stricter[a.Name] = a.Value
			}
			if len(stricter) <= len(sets[0]) {
				continue // a tuple has one value of a name, and the set several
			}
			added++
			request := v.request
			request.Contextual = append(slices.Clone(request.Contextual), tuples.Tuple{Key: key, Grant: tuples.Grant{Attributes: stricter}})
			v.expectAttributes(t, check.New(request), q, setTexts(sets))
		}
	})
	if added == 0 {
		t.Error("no grant was added")
	}
}

// A budget that runs out ends in ErrBudget, never in fewer sets.
func TestBudgetNeverChangesAttributes(t *testing.T) {
	ranOut, enough := 0, 0
	eachRestrictedView(t, func(t *rapid.T, v *view, spec *reference.Spec, seed uint64) {
		for i, q := range v.checks(16, seed) {
			want := spec.Attributes(q.On, q.Subject)
			request := v.request
			request.Budget = 1 + i%60
			if _, err := check.New(request).Attributes(context.Background(), q.On, q.Subject); errors.Is(err, check.ErrBudget) {
				ranOut++
				continue
			}
			enough++
			v.expectAttributes(t, check.New(request), q, want)
		}
	})
	if ranOut == 0 || enough == 0 {
		t.Errorf("%d budgets ran out and %d did not, want some of both", ranOut, enough)
	}
}
