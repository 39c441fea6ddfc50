package reference_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-authz/usher/check/checktest"
	"github.com/usher-authz/usher/check/reference"
	"github.com/usher-authz/usher/scenario"
	"github.com/usher-authz/usher/tuples"
)

// The scenarios are worked out by hand from the design; here they hold the
// specification to it.
func TestScenarios(t *testing.T) {
	for name, scenario := range checktest.Scenarios(t) {
		t.Run(name, func(t *testing.T) {
			scenario.Run(t, reference.New(scenario.World(t)))
		})
	}
}

// The wildcard, the anonymous public, fares like a user whom no tuple names: both
// match the same tuples. ListSubjects relies on it.
func TestWildcardFaresLikeStranger(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec, questions := drawSpec(t)
		for _, on := range questions {
			for _, typ := range []tuples.ObjectType{"user", "group"} {
				public := spec.Check(on, tuples.Subject{Type: typ, ID: tuples.Wildcard})
				stranger := spec.Check(on, tuples.Subject{Type: typ, ID: "stranger"})
				if !public.Same(stranger) {
					t.Fatalf("%s@%s:* is %v, of a stranger %v", on, typ, public, stranger)
				}
			}
		}
	})
}

// An object that no tuple names has nobody but its own usersets, so that lists of the
// objects that tuples name are complete.
func TestStrangersHaveNobody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec, questions := drawSpec(t)
		for _, on := range questions {
			on.Object.ID = "stranger"
			for _, s := range []tuples.Subject{{Type: "user", ID: "1"}, {Type: "group", ID: "1", Relation: "member"}} {
				if answer := spec.Check(on, s); answer.Outcome != reference.Denied {
					t.Fatalf("%s@%s is %v, want denied", on, s, answer)
				}
			}
			if answer := spec.Check(on, on.Subject()); answer.Outcome != reference.Allowed {
				t.Fatalf("%s is not a member of itself: %v", on, answer)
			}
		}
	})
}

// drawSpec draws a random world and returns the usersets to ask about.
func drawSpec(t *rapid.T) (*reference.Spec, []tuples.Userset) {
	c := checktest.Cases().Draw(t, "case")
	var usersets []tuples.Userset
	for _, typ := range c.Model.Types {
		for _, r := range typ.Relations {
			usersets = append(usersets, tuples.Userset{Object: tuples.Object{Type: typ.Name, ID: "1"}, Relation: r.Name})
		}
	}
	return reference.New(reference.World{
		Model: c.Model, Stored: c.After(len(c.Commits)), Contextual: c.Contextual, Context: c.Context, Now: checktest.Now,
	}), usersets
}

// A relation or type that the model lacks has nobody.
func TestUnknownNamesAreDenied(t *testing.T) {
	spec := reference.New(checktest.Scenarios(t)["usersets"].World(t))
	for _, text := range []string{"user:anna reader doc:1", "user:anna editor page:1", "robot:r editor doc:1", "group:eng#gone editor doc:1"} {
		q, err := scenario.ParseQuestion(text)
		if err != nil {
			t.Fatal(err)
		}
		if answer := checktest.Ask(spec, q); answer != "denied" {
			t.Errorf("%s = %s, want denied", q, answer)
		}
	}
}
