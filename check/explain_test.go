package check_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/usher-authz/usher/check"
)

// draw returns an explanation as an indented tree.
func draw(x *check.Explanation) string {
	var b strings.Builder
	var walk func(r *check.Reason, indent string)
	walk = func(r *check.Reason, indent string) {
		fmt.Fprintf(&b, "%s%s [%s] %s", indent, r.On, r.Rule, r.Decision.Outcome)
		if len(r.Decision.Missing) > 0 {
			fmt.Fprintf(&b, " on %s", strings.Join(r.Decision.Missing, ", "))
		}
		if r.Tuple != nil {
			fmt.Fprintf(&b, " by %s", r.Tuple)
		}
		if r.Note != "" {
			fmt.Fprintf(&b, " (%s)", r.Note)
		}
		b.WriteByte('\n')
		for _, child := range r.Children {
			walk(child, indent+"  ")
		}
	}
	walk(x.Root, "")
	for _, grant := range x.WouldGrant {
		fmt.Fprintf(&b, "would grant: %s\n", grant)
	}
	return b.String()
}

const conditions = `
condition office_hours(hour: int) {
  hour >= 8 && hour < 18
}
condition ratio(part: int, whole: int) {
  part / whole > 0
}
`

func TestExplanations(t *testing.T) {
	const model = groups + `
type folder
  relations
    define parent: [folder]
    define viewer: [user, user with office_hours, group#member] or viewer from parent
type media
  relations
    define parent: [folder]
    define owner: [user]
    define editor: [user, group#member] or owner
    define blocked: [user]
    define approved: [user]
    define viewer: editor or viewer from parent
    define can_view: viewer but not blocked
    define can_publish: viewer and approved
    define opposite: [media]
    define even: [user] or odd from opposite
    define odd: [user] but not even
` + conditions
	for name, tc := range map[string]struct {
		tuples   []string
		context  map[string]any
		question string
		want     string
	}{
		"allowed by a folder's group (B4)": {
			tuples:   []string{"media:logo#parent@folder:brand", "folder:brand#viewer@group:design#member", "group:design#member@user:anna"},
			question: "user:anna can_view media:logo",
			want: `
media:logo#can_view [viewer but not blocked] allowed
  media:logo#viewer [editor or viewer from parent] allowed
    media:logo#viewer [viewer from parent] allowed by media:logo#parent@folder:brand
      folder:brand#viewer [[user, user with office_hours, group#member] or viewer from parent] allowed
        folder:brand#viewer [direct] allowed by folder:brand#viewer@group:design#member
          group:design#member [[user, group#member]] allowed
            group:design#member [direct] allowed by group:design#member@user:anna
  media:logo#blocked [[user]] denied (not excluded)
`,
		},
		"denied: which role is missing (E9)": {
			tuples:   []string{"media:logo#parent@folder:brand"},
			question: "user:bert viewer media:logo",
			want: `
media:logo#viewer [editor or viewer from parent] denied
  media:logo#editor [[user, group#member] or owner] denied
    media:logo#owner [[user]] denied (no tuple names the subject)
  media:logo#viewer [viewer from parent] denied by media:logo#parent@folder:brand
    folder:brand#viewer [[user, user with office_hours, group#member] or viewer from parent] denied (no tuple names the subject)
would grant: media:logo#editor
would grant: folder:brand#viewer
would grant: media:logo#owner
`,
		},
		"denied by an exclusion: no role helps (B8)": {
			tuples:   []string{"media:logo#owner@user:anna", "media:logo#blocked@user:anna"},
			question: "user:anna can_view media:logo",
			want: `
media:logo#can_view [viewer but not blocked] denied
  media:logo#blocked [[user]] allowed
    media:logo#blocked [direct] allowed by media:logo#blocked@user:anna
`,
		},
		"denied by one operand of an and": {
			tuples:   []string{"media:logo#owner@user:anna"},
			question: "user:anna can_publish media:logo",
			want: `
media:logo#can_publish [viewer and approved] denied
  media:logo#approved [[user]] denied (no tuple names the subject)
would grant: media:logo#approved
`,
		},
		"conditional on what the request lacks": {
			tuples:   []string{"media:logo#parent@folder:brand", "folder:brand#viewer@user:anna with office_hours"},
			question: "user:anna viewer media:logo",
			want: `
media:logo#viewer [editor or viewer from parent] conditional on hour
  media:logo#editor [[user, group#member] or owner] denied
    media:logo#owner [[user]] denied (no tuple names the subject)
  media:logo#viewer [viewer from parent] conditional on hour by media:logo#parent@folder:brand
    folder:brand#viewer [[user, user with office_hours, group#member] or viewer from parent] conditional on hour
      folder:brand#viewer [direct] conditional on hour by folder:brand#viewer@user:anna with office_hours
would grant: media:logo#editor
would grant: folder:brand#viewer
would grant: media:logo#owner
`,
		},
		"a condition that is not met": {
			tuples:   []string{"folder:brand#viewer@user:anna with office_hours"},
			context:  map[string]any{"hour": 20.0},
			question: "user:anna viewer folder:brand",
			want: `
folder:brand#viewer [[user, user with office_hours, group#member] or viewer from parent] denied
  folder:brand#viewer [direct] denied by folder:brand#viewer@user:anna with office_hours (condition not met)
would grant: folder:brand#viewer
`,
		},
		"a cycle is walked once": {
			tuples: []string{
				"media:logo#editor@group:a#member", "group:a#member@group:b#member", "group:b#member@group:a#member",
				"group:b#member@user:anna",
			},
			question: "user:anna editor media:logo",
			want: `
media:logo#editor [[user, group#member] or owner] allowed
  media:logo#editor [direct] allowed by media:logo#editor@group:a#member
    group:a#member [[user, group#member]] allowed
      group:a#member [direct] allowed by group:a#member@group:b#member
        group:b#member [[user, group#member]] allowed
          group:b#member [direct] allowed by group:b#member@user:anna
`,
		},
		"a userset is a member of itself": {
			question: "media:logo#owner viewer media:logo",
			want: `
media:logo#viewer [editor or viewer from parent] allowed
  media:logo#editor [[user, group#member] or owner] allowed
    media:logo#owner [[user]] allowed (the subject itself)
`,
		},
		"a paradox is denied": {
			tuples:   []string{"media:logo#odd@user:anna", "media:logo#opposite@media:logo"},
			question: "user:anna odd media:logo",
			want: `
media:logo#odd [[user] but not even] denied (undefined: it holds only if it does not)
  media:logo#even [[user] or odd from opposite] denied (undefined: it holds only if it does not)
    media:logo#even [odd from opposite] denied by media:logo#opposite@media:logo (undefined: it holds only if it does not)
      media:logo#odd [[user] but not even] denied (explained above)
`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, model, tc.tuples...)
			e := w.evaluator(func(r *check.Request) { r.Context = tc.context })
			on, subject := parseQuestion(t, tc.question)
			x, err := e.Explain(t.Context(), on, subject)
			if err != nil {
				t.Fatal(err)
			}
			if got := draw(x); got != strings.TrimLeft(tc.want, "\n") {
				t.Errorf("got\n%swant%s", got, tc.want)
			}
		})
	}
}

func TestAnExplanationIsCutAndSaysSo(t *testing.T) {
	lines := repeat(2*check.MaxReasons, func(i int) string {
		return fmt.Sprintf("group:g%d#member@group:g%d#member", i, i+1)
	})
	w := newWorld(t, groups, append(lines, fmt.Sprintf("group:g%d#member@user:anna", 2*check.MaxReasons))...)
	on, subject := parseQuestion(t, "user:anna member group:g0")
	x, err := w.evaluator().Explain(t.Context(), on, subject)
	if err != nil {
		t.Fatal(err)
	}
	if x.Decision.Outcome != check.Allowed || !x.Truncated {
		t.Errorf("%s, truncated %v; want allowed, truncated", x.Decision.Outcome, x.Truncated)
	}
	if got := strings.Count(draw(x), "\n"); got != check.MaxReasons {
		t.Errorf("%d reasons, want %d", got, check.MaxReasons)
	}
	if !strings.Contains(draw(x), "explanation cut here") {
		t.Error("the tree does not show where it is cut")
	}
}

func TestAFailedConditionFailsTheExplanationToo(t *testing.T) {
	w := newWorld(t, "type user\ntype doc\n  relations\n    define viewer: [user with ratio]\n"+conditions,
		`doc:1#viewer@user:anna with ratio {"part": 1}`)
	e := w.evaluator(func(r *check.Request) { r.Context = map[string]any{"whole": 0.0} })
	on, subject := parseQuestion(t, "user:anna viewer doc:1")
	_, err := e.Explain(t.Context(), on, subject)
	if err == nil || !strings.Contains(err.Error(), "condition ratio of tuple doc:1#viewer@user:anna") {
		t.Errorf("error %v, want one that names condition and tuple", err)
	}
}

func TestWhatWouldGrantIsShortAndNearestFirst(t *testing.T) {
	lines := repeat(30, func(i int) string { return fmt.Sprintf("media:logo#viewer@group:g%02d#member", i) })
	w := newWorld(t, library, lines...)
	on, subject := parseQuestion(t, "user:anna can_view media:logo")
	x, err := w.evaluator().Explain(t.Context(), on, subject)
	if err != nil {
		t.Fatal(err)
	}
	if len(x.WouldGrant) != check.MaxWouldGrant || x.WouldGrant[0].String() != "media:logo#viewer" {
		t.Errorf("would grant %v, want %d with media:logo#viewer first", x.WouldGrant, check.MaxWouldGrant)
	}
}

func TestAnExplanationIsWorthMoreThanItsProposals(t *testing.T) {
	lines := repeat(30, func(i int) string { return fmt.Sprintf("media:logo#viewer@group:g%02d#member", i) })
	w := newWorld(t, library, lines...)
	on, subject := parseQuestion(t, "user:anna can_view media:logo")
	few := 0
	for units := 50; ; units += 50 {
		x, err := w.evaluator(budget(units)).Explain(t.Context(), on, subject)
		switch {
		case errors.Is(err, check.ErrBudget):
		case err != nil:
			t.Fatal(err)
		case x.Decision.Outcome != check.Denied:
			t.Fatalf("budget of %d: %s, want denied", units, x.Decision.Outcome)
		case x.Truncated:
			few++
		default:
			if few == 0 || len(x.WouldGrant) != check.MaxWouldGrant {
				t.Errorf("%d budgets left proposals out, then there were %d; want some, then all", few, len(x.WouldGrant))
			}
			return
		}
	}
}
