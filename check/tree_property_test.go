package check_test

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/check/reference"
	"github.com/usher-authz/usher/tuples"
)

// Trees and the states of their objects are those of package reference.
func TestTreesAgreeWithReference(t *testing.T) { treesAgree(t) }

// They are the same when nothing is remembered from object to object.
func TestTreesAgreeWithReferenceForgetting(t *testing.T) {
	check.SetRemembered(t, 0, 0)
	treesAgree(t)
}

func treesAgree(t *testing.T) {
	t.Helper()
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
	rest := maps.Clone(all)
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
