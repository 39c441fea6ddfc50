package checktest_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-authz/usher/check/checktest"
	"github.com/usher-authz/usher/check/reference"
	"github.com/usher-authz/usher/tuples"
)

// A scenario can be written out and read back: what a failed property prints can be
// kept as a file.
func TestScenarioRoundTrip(t *testing.T) {
	for name, scenario := range checktest.Scenarios(t) {
		t.Run(name, func(t *testing.T) { expectRoundTrip(t, scenario) })
	}
	rapid.Check(t, func(t *rapid.T) {
		c := checktest.Cases().Draw(t, "case")
		scenario := checktest.Scenario{
			About: "A random case.\n", Source: c.Source,
			Stored: c.After(len(c.Commits)), Contextual: c.Contextual, Context: c.Context,
		}
		expectRoundTrip(t, scenario)
	})
}

func expectRoundTrip(t rapid.TB, scenario checktest.Scenario) {
	t.Helper()
	text := scenario.String()
	again, err := checktest.Parse(text)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if again.String() != text {
		t.Fatalf("reads back as\n%s\nwant\n%s", again, text)
	}
}

func TestParseErrors(t *testing.T) {
	for name, text := range map[string]string{
		"unknown file":   "-- nonsense --\n",
		"bad tuple":      "-- tuples --\ndoc:1#viewer\n",
		"bad context":    "-- context.json --\n[1]\n",
		"no answer":      "-- answers --\nuser:anna viewer doc:1\n",
		"no object":      "-- answers --\nuser:anna viewer = allowed\n",
		"bad object":     "-- answers --\nuser:anna viewer doc = allowed\n",
		"bad subject":    "-- answers --\nanna viewer doc:1 = allowed\n",
		"bad contextual": "-- contextual --\nx\n",
	} {
		t.Run(name, func(t *testing.T) {
			if scenario, err := checktest.Parse(text); err == nil {
				t.Errorf("Parse(%q) = %v, want an error", text, scenario)
			}
		})
	}
}

// Random cases lead to every outcome.
func TestCasesReachEveryOutcome(t *testing.T) {
	outcomes := map[reference.Outcome]int{}
	rapid.Check(t, func(t *rapid.T) {
		c := checktest.Cases().Draw(t, "case")
		spec := reference.New(reference.World{
			Model: c.Model, Stored: c.After(len(c.Commits)), Contextual: c.Contextual, Context: c.Context, Now: checktest.Now,
		})
		for _, typ := range c.Model.Types {
			for _, r := range typ.Relations {
				for _, item := range spec.ListObjects(typ.Name, r.Name, tuples.Subject{Type: "user", ID: "1"}) {
					outcomes[item.Answer.Outcome]++
				}
			}
		}
	})
	for _, outcome := range []reference.Outcome{reference.Allowed, reference.Conditional, reference.Failed} {
		if outcomes[outcome] < 10 {
			t.Errorf("%d answers are %s, want 10 at least among %v", outcomes[outcome], outcome, outcomes)
		}
	}
}
