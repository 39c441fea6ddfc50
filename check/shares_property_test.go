package check_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/check/reference"
	"github.com/usher-authz/usher/scenario"
	"github.com/usher-authz/usher/tuples"
)

// Summaries of shares are those of package reference: for all recipients and for one, for
// one object and for several, behind any recipient.
func TestSharesAgreeWithReference(t *testing.T) { sharesAgree(t) }

// They are the same when nothing is remembered from object to object.
func TestSharesAgreeWithReferenceForgetting(t *testing.T) {
	check.SetRemembered(t, 0, 0)
	sharesAgree(t)
}

func sharesAgree(t *testing.T) {
	t.Helper()
	compared := 0
	eachView(t, func(t *rapid.T, v *view, spec *reference.Spec, seed uint64) {
		for _, q := range v.sharesQueries(seed) {
			want := spec.Shares(q.Objects, q.Relations)
			got := v.shares(t, q, "")
			compared += len(want)
			if len(got) != len(want) {
				t.Fatalf("%s: shares of %v: got %d recipients, want %d\n%v\n%v\n%s", v.name, q, len(got), len(want), got, want, v.given())
			}
			for i, shares := range want {
				v.compareShares(t, q, got[i], shares)
			}
			if len(want) > 0 {
				middle := want[seed%uint64(len(want))].Recipient
				rest := v.shares(t, q, middle.String())
				if place := len(got) - len(rest) - 1; place < 0 || got[place].Subject != middle || !reflect.DeepEqual(rest, got[place+1:]) && len(rest) > 0 {
					t.Fatalf("%s: shares of %v behind %s: %v", v.name, q, middle, rest)
				}
				q.Recipient = &middle
				v.compareShares(t, q, v.shares(t, q, "")[0], want[seed%uint64(len(want))])
			}
		}
	})
	if compared < 1000 {
		t.Errorf("compared %d recipients, want 1,000 at least", compared)
	}
}

// sharesQueries ask for some of the relations of each type, in random order, on one and on
// several objects; and for what types have in common on objects of all.
func (v *view) sharesQueries(seed uint64) []check.SharesQuery {
	random := rand.New(rand.NewPCG(seed, 2))
	var queries []check.SharesQuery
	var mixed check.SharesQuery
	for _, typ := range v.world.Model.Types {
		var q check.SharesQuery
		for _, id := range []tuples.ID{"2", "1", "!", "stranger"} {
			q.Objects = append(q.Objects, tuples.Object{Type: typ.Name, ID: id})
		}
		for _, r := range typ.Relations {
			q.Relations = append(q.Relations, r.Name)
		}
		random.Shuffle(len(q.Relations), func(i, j int) { q.Relations[i], q.Relations[j] = q.Relations[j], q.Relations[i] })
		if len(q.Relations) == 0 {
			continue
		}
		q.Relations = q.Relations[:1+random.IntN(len(q.Relations))]
		if typ.Relation("member") != nil {
			mixed.Objects = append(mixed.Objects, q.Objects...)
			mixed.Relations = []tuples.Relation{"member"}
		}
		one := q
		one.Objects = []tuples.Object{{Type: typ.Name, ID: "1"}}
		queries = append(queries, q, one)
	}
	if len(mixed.Objects) > 4 {
		queries = append(queries, mixed)
	}
	return queries
}

func (v *view) shares(t *rapid.T, q check.SharesQuery, after string) []check.RecipientShares {
	t.Helper()
	var all []check.RecipientShares
	for shares, err := range check.New(v.request).SummarizeShares(context.Background(), q, after) {
		if err != nil {
			t.Fatalf("%s: shares of %v: %v\n%s", v.name, q, err, v.given())
		}
		all = append(all, shares)
	}
	return all
}

// compareShares holds one recipient's summary to what the reference says of each object.
func (v *view) compareShares(t *rapid.T, q check.SharesQuery, got check.RecipientShares, want reference.Shares) {
	t.Helper()
	expected := check.RecipientShares{Subject: want.Recipient}
	counts := map[tuples.Relation]*check.ShareCount{}
	for i, right := range want.On {
		if right.Answer.Outcome == reference.Failed {
			expected.Err, expected.FailedOn = got.Err, q.Objects[i]
			if failed := (*check.ConditionError)(nil); !errors.As(got.Err, &failed) || !slices.Contains(right.Answer.Failed, failed.Tuple) {
				t.Fatalf("%s: shares of %v: %v, want a failure by one of %v\n%s", v.name, q, got, right.Answer.Failed, v.given())
			}
			expected.Counts, expected.Direct, counts = nil, 0, nil
			break
		}
		count := counts[right.Relation]
		if count == nil {
			count = &check.ShareCount{Relation: right.Relation}
			counts[right.Relation] = count
		}
		count.Objects++
		if right.Answer.Outcome == reference.Conditional {
			count.Conditional++
		}
		if q.Recipient != nil {
			count.Which = append(count.Which, int32(i))
		}
		if right.Direct {
			expected.Direct++
		}
	}
	for _, r := range append(slices.Clone(q.Relations), "") {
		if counts[r] != nil && r != "" {
			expected.Counts = slices.Insert(expected.Counts, 0, *counts[r])
		}
	}
	if counts[""] != nil {
		expected.Counts = append(expected.Counts, *counts[""])
	}
	if len(q.Objects) == 1 && expected.Err == nil {
		expected.Origins = want.On[0].Origins[:min(len(want.On[0].Origins), check.MaxOrigins)]
		if slices.EqualFunc(got.Origins, expected.Origins, sameTuple) {
			got.Origins = expected.Origins // attributes and times are equal in more than one form
		}
	}
	if !reflect.DeepEqual(got, expected) {
		t.Fatalf("%s: shares of %v:\n got %+v\nwant %+v\n%s", v.name, q, got, expected, v.given())
	}
}

// given is the view's world for the report of a failed property.
func (v *view) given() string { return fmt.Sprint(v.scenario(scenario.Question{}, "?")) }
