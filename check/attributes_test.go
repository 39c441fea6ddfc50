package check_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/usher-authz/usher/check"
)

// portal is a model in which every way to combine tuples can meet attributes.
const portal = `
type user
type group
  relations
    define member: [user, group#member]
type container
  relations
    define parent: [container]
    define embargo: [user, user:*]
    define viewer: [user, user:*, group#member]
    define printer: [user, user with sized, group#member] or printer from parent
    define can_print: printer and viewer
    define can_publish: printer but not embargo
condition sized(size: int) {
  size <= 100
}
`

// A way to an answer combines the attributes of its tuples; of several ways those count
// that are not stricter than another.
func TestAttributes(t *testing.T) {
	const small, marked = ` attributes {"max_size":800}`, ` attributes {"max_size":2048,"watermark":true}`
	for _, c := range []struct {
		name, question string
		tuples         []string
		want           string
	}{
		{"D9 two grants, no mixture of them", "user:kari printer container:gala", []string{
			"container:gala#printer@user:kari" + small, "container:gala#printer@group:bank#member" + marked, "group:bank#member@user:kari",
		}, "max_size=800 | max_size=2048 watermark=true"},
		{"D9 a grant that another betters", "user:kari printer container:gala", []string{
			"container:gala#printer@user:kari" + marked, `container:gala#printer@group:bank#member attributes {"max_size":4096}`, "group:bank#member@user:kari",
		}, "max_size=4096"},
		{"D9 original allows all", "user:kari printer container:gala", []string{
			"container:gala#printer@user:kari" + small, "container:gala#printer@group:bank#member", "group:bank#member@user:kari",
		}, "unrestricted"},
		{"a grant without a watermark beats one with", "user:kari printer container:gala", []string{
			`container:gala#printer@user:kari attributes {"watermark":false}`, "container:gala#printer@group:bank#member" + marked, "group:bank#member@user:kari",
		}, "unrestricted"},
		{"the tuples of a path, the stricter of each", "user:kari printer container:gala", []string{
			"container:gala#parent@container:season" + small, "container:season#printer@group:bank#member" + marked,
			`group:bank#member@user:kari attributes {"notice":"press"}`,
		}, `max_size=800 notice="press" watermark=true`},
		{"one user, and everybody", "user:kari viewer container:gala", []string{
			"container:gala#viewer@user:kari" + marked, "container:gala#viewer@user:*" + small,
		}, "max_size=800 | max_size=2048 watermark=true"},
		{"the public", "user:* viewer container:gala", []string{
			"container:gala#viewer@user:kari", "container:gala#viewer@user:*" + small,
		}, "max_size=800"},
		{"and: each way of the one with each of the other", "user:kari can_print container:gala", []string{
			"container:gala#printer@user:kari" + small, "container:gala#printer@group:bank#member" + marked, "group:bank#member@user:kari",
			`container:gala#viewer@user:kari attributes {"max_size":1000}`, `container:gala#viewer@user:* attributes {"notice":"crew"}`,
		}, `max_size=800 | max_size=1000 watermark=true | max_size=2048 notice="crew" watermark=true`},
		{"but not: those of the first operand", "user:kari can_publish container:gala", []string{
			"container:gala#printer@user:kari" + small, "container:gala#embargo@user:ola" + marked,
		}, "max_size=800"},
		{"but not: denied", "user:kari can_publish container:gala", []string{
			"container:gala#printer@user:kari" + small, "container:gala#embargo@user:kari" + marked,
		}, "none"},
		{"a userset is in itself", "group:bank#member member group:bank", []string{"group:bank#member@group:bank#member" + small}, "unrestricted"},
		{"a userset, by its own tuple", "group:bank#member printer container:gala", []string{
			"container:gala#printer@group:bank#member" + small,
		}, "max_size=800"},
		{"a conditional grant beside a sure one", "user:kari printer container:gala", []string{
			"container:gala#printer@user:kari with sized", "container:gala#printer@group:bank#member" + small, "group:bank#member@user:kari",
		}, "max_size=800"},
		{"a condition that is met", "user:kari printer container:gala", []string{
			`container:gala#printer@user:kari with sized {"size":100}` + small,
		}, "max_size=800"},
		{"conditional", "user:kari printer container:gala", []string{"container:gala#printer@user:kari with sized" + small}, "none"},
		{"denied", "user:kari printer container:gala", []string{"container:gala#printer@user:ola" + small}, "none"},
		{"expired", "user:kari printer container:gala", []string{
			"container:gala#printer@user:kari expires 2026-05-31T00:00:00Z", "container:gala#printer@group:bank#member" + small, "group:bank#member@user:kari",
		}, "max_size=800"},
		{"a cycle, which adds nothing by itself", "user:kari member group:a", []string{
			"group:a#member@group:b#member" + small, "group:b#member@group:a#member", `group:b#member@user:kari attributes {"max_size":2048}`,
			`group:a#member@user:kari attributes {"notice":"crew"}`,
		}, `max_size=800 | notice="crew"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, portal, c.tuples...)
			if got := w.attributes(w.evaluator(), c.question); got != c.want {
				t.Errorf("%s: %s, want %s", c.question, got, c.want)
			}
		})
	}
}

// attributes asks "user:anna viewer media:logo" and returns the sets as text.
func (w *world) attributes(e *check.Evaluator, question string) string {
	w.t.Helper()
	on, subject := parseQuestion(w.t, question)
	sets, err := e.Attributes(w.t.Context(), on, subject)
	switch {
	case err != nil:
		return answer(check.Decision{}, err)
	case sets == nil:
		return "none"
	}
	texts := make([]string, len(sets))
	for i, set := range sets {
		parts := make([]string, len(set))
		for j, a := range set {
			parts[j] = a.Name + "=" + a.Value.String()
		}
		if texts[i] = strings.Join(parts, " "); len(set) == 0 {
			texts[i] = "unrestricted"
		}
	}
	return strings.Join(texts, " | ")
}

// A contextual tuple brings its own attributes, and none of the tuple that it replaces.
func TestContextualTuplesBringTheirAttributes(t *testing.T) {
	w := newWorld(t, portal, `container:gala#printer@user:kari attributes {"max_size":800}`)
	for line, want := range map[string]string{
		`container:gala#printer@user:kari attributes {"watermark":true}`:            "watermark=true",
		`container:gala#printer@user:kari`:                                          "unrestricted",
		`container:gala#printer@user:kari expires 2026-05-31T00:00:00Z`:             "none",
		`container:gala#parent@container:season attributes {"max_size":100}`:        "max_size=800",
		`container:gala#printer@group:stranger#member attributes {"max_size":4096}`: "max_size=800",
	} {
		if got := w.attributes(w.evaluator(contextual(t, line)), "user:kari printer container:gala"); got != want {
			t.Errorf("with %s: %s, want %s", line, got, want)
		}
	}
}

// An answer without attributes is found as a Check finds it: a way that is not restricted
// betters all others, so the groups behind it are never read.
func TestAnUnrestrictedWayEndsTheSearch(t *testing.T) {
	lines := repeat(2_000, func(i int) string {
		return fmt.Sprintf(`container:gala#viewer@group:g%d#member attributes {"max_size":%d}`, i, i)
	})
	w := newWorld(t, portal, append(lines, "container:gala#viewer@user:kari")...)
	if got := w.attributes(w.evaluator(budget(100)), "user:kari viewer container:gala"); got != "unrestricted" {
		t.Errorf("%s, want unrestricted", got)
	}
}

// Grants that no other betters make for long answers, and joining them under "and" for
// more work: it is paid for from the budget.
func TestAttributesCostBudget(t *testing.T) {
	const groups = 200
	lines := repeat(groups, func(i int) string {
		return fmt.Sprintf(`container:gala#viewer@group:g%d#member attributes {"max_size":%d,"min_age":%d}`, i, i, i)
	})
	lines = append(lines, repeat(groups, func(i int) string {
		return fmt.Sprintf(`container:gala#printer@group:g%d#member attributes {"max_fps":%d,"min_fee":%d}`, i, i, i)
	})...)
	lines = append(lines, repeat(groups, func(i int) string { return fmt.Sprintf("group:g%d#member@user:kari", i) })...)
	w := newWorld(t, portal, lines...)
	if got := w.attributes(w.evaluator(), "user:kari viewer container:gala"); strings.Count(got, "|") != groups-1 {
		t.Errorf("got %s, want %d sets", got, groups)
	}
	on, subject := parseQuestion(t, "user:kari can_print container:gala")
	if _, err := w.evaluator(budget(1_000_000)).Attributes(t.Context(), on, subject); !errors.Is(err, check.ErrBudget) {
		t.Errorf("%v, want %v: 40,000 sets are due, each compared with the others", err, check.ErrBudget)
	}
}

// Along a path the sets grow from step to step, and each of them is kept.
func TestAttributesOfALongPathCostBudget(t *testing.T) {
	const length, each = 200, 16
	lines := repeat(length, func(i int) string {
		names := repeat(each, func(j int) string { return fmt.Sprintf(`"notice_%d_%d":"crew"`, i, j) })
		return fmt.Sprintf(`container:c%d#parent@container:c%d attributes {%s}`, i, i+1, strings.Join(names, ","))
	})
	w := newWorld(t, portal, append(lines, fmt.Sprintf("container:c%d#printer@user:kari", length))...)
	on, subject := parseQuestion(t, "user:kari printer container:c0")
	sets, err := w.evaluator().Attributes(t.Context(), on, subject)
	if err != nil || len(sets) != 1 || len(sets[0]) != length*each {
		t.Fatalf("got %d sets, %v, want one of %d attributes", len(sets), err, length*each)
	}
	const kept = each * length * (length + 1) / 2
	if _, err := w.evaluator(budget(kept)).Attributes(t.Context(), on, subject); !errors.Is(err, check.ErrBudget) {
		t.Errorf("%v, want %v: %d attributes are kept", err, check.ErrBudget, kept)
	}
}

// A failed condition that the answer depends on is no answer, and no attributes either.
func TestAttributesFailAsChecksDo(t *testing.T) {
	w := newWorld(t, portal, `container:gala#printer@user:kari with sized {"size":"large"}`)
	for question, want := range map[string]string{
		"user:kari printer container:gala": "failed",
		"user:kari flier container:gala":   `error: relation "flier" is not a relation of type "container" in the authorization model`,
		"robot:r2 printer container:gala":  `error: type "robot" is not in the authorization model`,
	} {
		if got := w.attributes(w.evaluator(), question); got != want {
			t.Errorf("%s: %s, want %s", question, got, want)
		}
	}
}
