package check_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/check/reference"
)

func TestBlockers(t *testing.T) {
	const model = groups + `
type organisation
  relations
    define member: [user]
type status
  relations
    define hidden_from: [user, group#member]
    define exempt: [user]
    define hides: hidden_from but not exempt
type folder
  relations
    define parent: [folder]
    define hidden: [user] or hidden from parent
    define viewer: [user, group#member] or viewer from parent
    define can_view: viewer but not hidden
type media
  relations
    define folder: [folder]
    define organisation: [organisation]
    define status: [status]
    define blocked: [user]
    define hidden: blocked or hides from status or hidden from folder
    define approved: [user]
    define signed: [user]
    define viewer: [user, user with office_hours, group#member]
    define can_view: (viewer or can_view from folder) but not hidden
    define can_receive: viewer and member from organisation
    define can_publish: viewer and approved and signed
    define can_print: (viewer but not blocked) and approved
    define can_sign: [user] and viewer
    define can_lend: viewer and (approved but not blocked)
    define opposite: [media]
    define odd: viewer but not even
    define even: [user] or odd from opposite
` + conditions
	for name, tc := range map[string]struct {
		tuples   []string
		context  map[string]any
		question string
		want     string
	}{
		"allowed": {
			tuples:   []string{"media:a#viewer@user:bert"},
			question: "user:bert can_view media:a",
		},
		"nothing leads to it": {
			tuples:   []string{"media:a#status@status:red", "status:red#hidden_from@user:bert"},
			question: "user:bert can_view media:a",
		},
		"B8 hidden by its status": {
			tuples:   []string{"media:a#viewer@user:bert", "media:a#status@status:red", "status:red#hidden_from@user:bert"},
			question: "user:bert can_view media:a",
			want:     "status:red#hidden_from status:red#hides media:a#hidden",
		},
		"B8 hidden by its status from a group": {
			tuples: []string{"media:a#viewer@user:bert", "media:a#status@status:green", "media:a#status@status:red",
				"status:red#hidden_from@group:freelancers#member", "group:freelancers#member@user:bert"},
			question: "user:bert can_view media:a",
			want:     "status:red#hidden_from status:red#hides media:a#hidden",
		},
		"a group as the recipient": {
			tuples:   []string{"media:a#viewer@group:freelancers#member", "media:a#status@status:red", "status:red#hidden_from@group:freelancers#member"},
			question: "group:freelancers#member can_view media:a",
			want:     "status:red#hidden_from status:red#hides media:a#hidden",
		},
		"who is exempt is not hidden from": {
			tuples:   []string{"media:a#viewer@user:bert", "media:a#status@status:red", "status:red#hidden_from@user:bert", "status:red#exempt@user:bert"},
			question: "user:bert can_view media:a",
		},
		"hidden two folders above": {
			tuples:   []string{"media:a#viewer@user:bert", "media:a#folder@folder:b", "folder:b#parent@folder:c", "folder:c#hidden@user:bert"},
			question: "user:bert can_view media:a",
			want:     "folder:c#hidden folder:b#hidden media:a#hidden",
		},
		"stopped halfway, in the folder": {
			tuples:   []string{"media:a#folder@folder:b", "folder:b#viewer@user:bert", "folder:b#hidden@user:bert"},
			question: "user:bert can_view media:a",
			want:     "folder:b#hidden media:a#hidden",
		},
		"A2 no member of the organisation": {
			tuples:   []string{"media:a#viewer@user:bert", "media:a#organisation@organisation:halden"},
			question: "user:bert can_receive media:a",
			want:     "organisation:halden#member",
		},
		"of no organisation": {
			tuples:   []string{"media:a#viewer@user:bert"},
			question: "user:bert can_receive media:a",
			want:     "media:a#can_receive",
		},
		"the share is what lacks": {
			tuples:   []string{"media:a#organisation@organisation:halden", "organisation:halden#member@user:bert"},
			question: "user:bert can_receive media:a",
			want:     "media:a#viewer",
		},
		"two of three": {
			tuples:   []string{"media:a#viewer@user:bert"},
			question: "user:bert can_publish media:a",
			want:     "media:a#approved media:a#signed",
		},
		"excluded and lacking": {
			tuples:   []string{"media:a#viewer@user:bert", "media:a#blocked@user:bert"},
			question: "user:bert can_print media:a",
			want:     "media:a#blocked media:a#approved",
		},
		"a tuple of the relation itself": {
			tuples:   []string{"media:a#viewer@user:bert"},
			question: "user:bert can_sign media:a",
			want:     "media:a#can_sign",
		},
		"what is required is a rule of its own": {
			tuples:   []string{"media:a#viewer@user:bert"},
			question: "user:bert can_lend media:a",
			want:     "media:a#approved",
		},
		"a condition that lacks context does not bar": {
			tuples:   []string{"media:a#viewer@user:bert with office_hours"},
			question: "user:bert can_view media:a",
		},
		"but leads to what does": {
			tuples:   []string{"media:a#viewer@user:bert with office_hours", "media:a#blocked@user:bert"},
			question: "user:bert can_view media:a",
			want:     "media:a#blocked media:a#hidden",
		},
		"a condition that is not met leads nowhere": {
			tuples:   []string{"media:a#viewer@user:bert with office_hours", "media:a#blocked@user:bert"},
			context:  map[string]any{"hour": 20.0},
			question: "user:bert can_view media:a",
		},
		"a paradox bars nobody by name": {
			tuples:   []string{"media:a#viewer@user:bert", "media:a#opposite@media:a"},
			question: "user:bert odd media:a",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, model, tc.tuples...)
			e := w.evaluator(func(r *check.Request) { r.Context = tc.context })
			on, subject := parseQuestion(t, tc.question)
			found, err := e.Blockers(t.Context(), on, subject)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, u := range found {
				got = append(got, u.String())
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("got  %q\nwant %q", strings.Join(got, " "), tc.want)
			}
		})
	}
}

// What is named either holds or does not, for certain; nothing is named where the answer
// is another one than denied.
func TestBlockersAreCertain(t *testing.T) {
	named := 0
	eachView(t, func(t *rapid.T, v *view, spec *reference.Spec, seed uint64) {
		for _, q := range v.checks(4, seed) {
			found, err := check.New(v.request).Blockers(context.Background(), q.On, q.Subject)
			if err != nil {
				t.Fatalf("%s: blockers of %s: %v\n%s", v.name, q, err, v.scenario(q, "?"))
			}
			named += len(found)
			want := spec.Check(q.On, q.Subject).Outcome
			if len(found) > 0 && want != reference.Denied || len(found) > check.MaxBlockers {
				t.Fatalf("%s: %v blocks %s, which is %s\n%s", v.name, found, q, want, v.scenario(q, string(want)))
			}
			for i, u := range found {
				answer := spec.Check(u, q.Subject)
				if answer.Outcome != reference.Allowed && answer.Outcome != reference.Denied || slices.Contains(found[:i], u) {
					t.Fatalf("%s: %s, which blocks %s, is %v, or named twice\n%s", v.name, u, q, answer, v.scenario(q, "denied"))
				}
			}
		}
	})
	if named == 0 {
		t.Error("no blocker was named in any case")
	}
}

func TestBlockersAreBounded(t *testing.T) {
	const model = groups + `
type folder
  relations
    define parent: [folder]
    define hidden: [user] or hidden from parent
    define viewer: [user, group#member]
    define can_view: (viewer but not hidden) or can_view from parent
`
	const length = 3_000
	lines := repeat(length, func(i int) string { return fmt.Sprintf("folder:f%d#parent@folder:f%d", i, i+1) })
	top := fmt.Sprintf("folder:f%d", length)
	w := newWorld(t, model, append(lines, top+"#viewer@user:anna", top+"#hidden@user:anna", "folder:f20#viewer@user:bert", top+"#hidden@user:bert")...)
	ask := func(e *check.Evaluator, question string) (string, error) {
		on, subject := parseQuestion(t, question)
		found, err := e.Blockers(t.Context(), on, subject)
		return fmt.Sprint(found), err
	}
	for _, c := range []struct{ name, question, want string }{
		{"what lies too far away is not looked for", "user:anna can_view folder:f0", "[]"},
		{"of a long chain the deepest are named", "user:bert can_view folder:f0",
			fmt.Sprint(repeat(check.MaxBlockers, func(i int) string { return fmt.Sprintf("folder:f%d#hidden", length-i) }))},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := ask(w.evaluator(), c.question); err != nil || got != c.want {
				t.Errorf("got %s, %v, want %s", got, err, c.want)
			}
		})
	}
	t.Run("they cost budget", func(t *testing.T) {
		if _, err := ask(w.evaluator(budget(length)), "user:bert can_view folder:f0"); !errors.Is(err, check.ErrBudget) {
			t.Errorf("%v, want %v", err, check.ErrBudget)
		}
	})
	t.Run("names that the model lacks", func(t *testing.T) {
		var unknown *check.UnknownError
		for _, question := range []string{"user:anna can_fly folder:f0", "robot:r2 can_view folder:f0"} {
			if _, err := ask(w.evaluator(), question); !errors.As(err, &unknown) {
				t.Errorf("%s: %v", question, err)
			}
		}
	})
}
