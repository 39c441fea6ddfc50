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
func TestSharesAgreeWithReference(t *testing.T) {
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

// Trees and the states of their objects are those of package reference.
func TestTreesAgreeWithReference(t *testing.T) {
	compared := map[string]int{}
	eachView(t, func(t *rapid.T, v *view, spec *reference.Spec, seed uint64) {
		for _, q := range v.treeQueries(seed) {
			want := spec.Tree(q.Roots, q.ContainedBy)
			got := v.tree(t, q, tuples.Object{})
			if len(got) != len(want) {
				t.Fatalf("%s: tree %v has %d objects, want %v\n%s", v.name, q, len(got), want, v.given())
			}
			for i, object := range got {
				if object.Object != want[i][0] || object.Err == nil && object.Parent != want[i][1] {
					t.Fatalf("%s: tree %v: at %d is %v, want %v\n%s", v.name, q, i, object, want[i], v.given())
				}
				compared[v.compareStates(t, q, spec, object)]++
			}
			place := int(seed % uint64(len(got)))
			if rest := v.tree(t, q, got[place].Object); len(rest) != len(got)-place-1 || len(rest) > 0 && rest[0].Object != got[place+1].Object {
				t.Fatalf("%s: tree %v behind %v: %v", v.name, q, got[place].Object, rest)
			}
		}
	})
	for _, openness := range []string{"private", "invited", "public", "failing"} {
		if compared[openness] == 0 {
			t.Errorf("no state is %s: %v", openness, compared)
		}
	}
}

// treeQueries ask for every relation, below some objects by the tuplesets that there are.
func (v *view) treeQueries(seed uint64) []check.TreeQuery {
	random := rand.New(rand.NewPCG(seed, 3))
	var queries []check.TreeQuery
	for _, typ := range v.world.Model.Types {
		q := check.TreeQuery{
			Roots:       []tuples.Object{{Type: typ.Name, ID: "1"}, {Type: typ.Name, ID: "stranger"}},
			ContainedBy: []tuples.Containment{{Relation: "parent"}, {Type: typ.Name, Relation: "member"}},
		}
		for _, r := range typ.Relations {
			setting := check.TreeSetting{Relation: r.Name}
			if random.IntN(3) == 0 {
				setting.Inherits = "parent"
			}
			q.Settings = append(q.Settings, setting)
		}
		if len(q.Settings) > 0 {
			queries = append(queries, q)
		}
	}
	return queries
}

func (v *view) tree(t *rapid.T, q check.TreeQuery, after tuples.Object) []check.TreeObject {
	t.Helper()
	var all []check.TreeObject
	for object, err := range check.New(v.request).SummarizeTree(context.Background(), q, after) {
		if err != nil {
			t.Fatalf("%s: tree %v: %v\n%s", v.name, q, err, v.given())
		}
		all = append(all, object)
	}
	return all
}

// compareStates compares the states of one object and returns one of them.
func (v *view) compareStates(t *rapid.T, q check.TreeQuery, spec *reference.Spec, object check.TreeObject) string {
	t.Helper()
	openness := ""
	var want []reference.State
	for _, setting := range q.Settings {
		state := reference.State{Openness: "unknown"}
		if v.world.Model.Relation(object.Object.Type, setting.Relation) != nil {
			state = spec.State(tuples.Userset{Object: object.Object, Relation: setting.Relation}, setting.Inherits)
		}
		want = append(want, state)
		openness = string(state.Openness)
	}
	failing := slices.ContainsFunc(want, func(s reference.State) bool { return s.Openness == reference.Failing })
	if failed := (*check.ConditionError)(nil); failing != errors.As(object.Err, &failed) {
		t.Fatalf("%s: tree %v: %s has %v, want %v\n%s", v.name, q, object.Object, object.Err, want, v.given())
	}
	if failing {
		return string(reference.Failing)
	}
	for i, state := range object.States {
		if state.Openness.String() != string(want[i].Openness) || state.Inherited != want[i].Inherited || !nearest(state.Origins, want[i].Origins) {
			t.Fatalf("%s: tree %v: %s has for %v\n%+v, want\n%+v\n%s", v.name, q, object.Object, q.Settings[i], state, want[i], v.given())
		}
	}
	return openness
}

// nearest reports whether the origins are the nearest of all there are, in order.
func nearest(origins []tuples.Object, all map[tuples.Object]int) bool {
	if len(origins) != min(len(all), check.MaxShareOrigins) {
		return false
	}
	rest := map[tuples.Object]int{}
	for object, distance := range all {
		rest[object] = distance
	}
	last := 0
	for _, object := range origins {
		distance, ok := rest[object]
		if !ok || distance < last {
			return false
		}
		last = distance
		delete(rest, object)
	}
	for _, distance := range rest {
		if distance < last {
			return false
		}
	}
	return true
}
