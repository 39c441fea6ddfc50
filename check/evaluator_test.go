package check_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/tuples"
)

const groups = `
type user
type group
  relations
    define member: [user, group#member]
`

const library = groups + `
type folder
  relations
    define parent: [folder]
    define viewer: [user, user:*, group#member] or viewer from parent
type media
  relations
    define parent: [folder]
    define editor: [user, group#member]
    define blocked: [user, user:*, group#member]
    define viewer: [user, user:*, group#member] or editor or viewer from parent
    define can_view: viewer but not blocked
`

func TestDeepChainsCostTimeAndNoError(t *testing.T) {
	const depth = 10_000
	lines := repeat(depth, func(i int) string {
		return fmt.Sprintf("group:g%d#member@group:g%d#member", i, i+1)
	})
	w := newWorld(t, groups, append(lines, fmt.Sprintf("group:g%d#member@user:anna", depth))...)
	e := w.evaluator()
	for question, want := range map[string]string{
		"user:anna member group:g0":                              "allowed",
		"user:bert member group:g0":                              "denied",
		fmt.Sprintf("group:g%d#member member group:g0", depth-1): "allowed",
	} {
		if got := w.check(e, question); got != want {
			t.Errorf("%s: %s, want %s", question, got, want)
		}
	}
	if got := strings.Fields(w.objects(e, "user:anna member group", "")); len(got) != depth+1 {
		t.Errorf("anna is a member of %d groups, want %d", len(got), depth+1)
	}
	if got := w.subjects(e, "user member group:g0", ""); got != "anna" {
		t.Errorf("members of g0: %s, want anna", got)
	}
}

func TestLongCyclesAreSettledTogether(t *testing.T) {
	const length = 10_000
	lines := repeat(length, func(i int) string {
		return fmt.Sprintf("group:g%d#member@group:g%d#member", i, (i+1)%length)
	})
	w := newWorld(t, groups, append(lines, "group:g5000#member@user:anna")...)
	e := w.evaluator()
	for question, want := range map[string]string{
		"user:anna member group:g0":    "allowed",
		"user:anna member group:g5001": "allowed",
		"user:bert member group:g7":    "denied",
	} {
		if got := w.check(e, question); got != want {
			t.Errorf("%s: %s, want %s", question, got, want)
		}
	}
}

func TestRunningOutOfBudgetIsAnErrorInEveryOperation(t *testing.T) {
	lines := repeat(500, func(i int) string { return fmt.Sprintf("group:g%d#member@group:g%d#member", i, i+1) })
	w := newWorld(t, groups, append(lines, "group:g500#member@user:anna")...)
	on, subject := parseQuestion(t, "user:anna member group:g0")
	short := func() *check.Evaluator { return w.evaluator(budget(100)) }
	_, checked := short().Check(t.Context(), on, subject)
	_, explained := short().Explain(t.Context(), on, subject)
	for name, err := range map[string]error{
		"Check":        checked,
		"Explain":      explained,
		"ListObjects":  lastError(short().ListObjects(t.Context(), "group", "member", subject, "")),
		"ListSubjects": lastError(short().ListSubjects(t.Context(), on, check.SubjectKind{Type: "user"}, "")),
	} {
		if !errors.Is(err, check.ErrBudget) {
			t.Errorf("%s: %v, want %v", name, err, check.ErrBudget)
		}
	}
}

func lastError(list func(func(check.Item, error) bool)) (last error) {
	for _, err := range list {
		last = err
	}
	return last
}

func TestAnswersAfterARefusalForLackOfBudgetAreRight(t *testing.T) {
	w := newWorld(t, groups,
		"group:a#member@group:b#member", "group:b#member@group:c#member", "group:c#member@user:anna")
	on, subject := parseQuestion(t, "user:anna member group:a")
	for units := 1; ; units++ {
		e := w.evaluator(budget(units))
		_, err := e.Check(t.Context(), on, subject)
		if err == nil {
			return // enough: every smaller budget was refused, none denied
		}
		if !errors.Is(err, check.ErrBudget) {
			t.Fatalf("budget of %d: %v", units, err)
		}
	}
}

func TestACancelledRequestEndsWithItsError(t *testing.T) {
	lines := repeat(5_000, func(i int) string { return fmt.Sprintf("group:g%d#member@group:g%d#member", i, i+1) })
	w := newWorld(t, groups, lines...)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	on, subject := parseQuestion(t, "user:anna member group:g0")
	if _, err := w.evaluator().Check(ctx, on, subject); !errors.Is(err, context.Canceled) {
		t.Errorf("Check: %v, want %v", err, context.Canceled)
	}
}

func TestQuestionsAboutWhatTheModelLacks(t *testing.T) {
	w := newWorld(t, library)
	for question, want := range map[string]string{
		"user:anna viewer film:x":         `error: type "film" is not in the authorization model`,
		"user:anna owner media:logo":      `error: relation "owner" is not a relation of type "media" in the authorization model`,
		"robot:r viewer media:logo":       `error: type "robot" is not in the authorization model`,
		"group:g#boss viewer media:logo":  `error: relation "boss" is not a relation of type "group" in the authorization model`,
		"user:anna viewer media:unheard":  "denied",
		"user:nobody viewer media:logo":   "denied",
		"group:x#member member group:x":   "allowed", // a userset is a member of itself, known or not
		"user:* viewer media:logo":        "denied",
		"folder:f viewer media:logo":      "denied",
		"media:m#viewer viewer media:m":   "allowed",
		"media:m#viewer can_view media:m": "allowed",
	} {
		if got := w.check(w.evaluator(), question); got != want {
			t.Errorf("%s: %s, want %s", question, got, want)
		}
	}
}

func TestListsAboutWhatTheModelLacks(t *testing.T) {
	w := newWorld(t, library)
	e := w.evaluator()
	for name, got := range map[string]string{
		"object type":      w.objects(e, "user:anna viewer film", ""),
		"relation":         w.objects(e, "user:anna owner media", ""),
		"subject type":     w.objects(e, "robot:r viewer media", ""),
		"listed type":      w.subjects(e, "robot viewer media:logo", ""),
		"listed relation":  w.subjects(e, "group#boss viewer media:logo", ""),
		"object of a list": w.subjects(e, "user viewer film:x", ""),
	} {
		if !strings.Contains(got, "authorization model") {
			t.Errorf("%s: %q, want an error that names the authorization model", name, got)
		}
	}
}

func TestListsAreCompleteBeyondOnePage(t *testing.T) {
	const n = 1000 // more than one read of a list returns
	var lines []string
	for i := range n {
		lines = append(lines, fmt.Sprintf("media:m%04d#viewer@user:anna", i), fmt.Sprintf("media:logo#viewer@user:u%04d", i))
	}
	w := newWorld(t, library, append(lines, "media:m0500#blocked@user:anna", "media:logo#blocked@user:u0007")...)
	e := w.evaluator()
	objects := strings.Fields(w.objects(e, "user:anna can_view media", ""))
	if len(objects) != n-1 || objects[500] != "m0501" {
		t.Errorf("%d objects with %s at 500, want %d and m0501 (m0500 is blocked)", len(objects), objects[500], n-1)
	}
	subjects := strings.Fields(w.subjects(e, "user can_view media:logo", ""))
	if len(subjects) != n-1 || subjects[7] != "u0008" {
		t.Errorf("%d subjects with %s at 7, want %d and u0008 (u0007 is blocked)", len(subjects), subjects[7], n-1)
	}
}

func TestAListGoesOnBehindAnyItem(t *testing.T) {
	w := newWorld(t, library,
		"media:a#viewer@user:anna", "media:b#editor@user:anna", "media:c#viewer@user:*", "media:c#blocked@user:bert",
		"media:c#blocked@user:!early")
	for _, tc := range []struct{ list, after, want string }{
		{"user:anna viewer media", "", "a b c"},
		{"user:anna viewer media", "a", "b c"},
		{"user:anna viewer media", "aa", "b c"},
		{"user:anna viewer media", "c", ""},
		{"user can_view media:c", "", "!early(denied) * bert(denied)"},
		{"user can_view media:c", "!early", "* bert(denied)"},
		{"user can_view media:c", "*", "bert(denied)"},
		{"user can_view media:c", "bert", ""},
	} {
		list := w.objects
		if strings.HasPrefix(tc.list, "user ") {
			list = w.subjects
		}
		if got := list(w.evaluator(), tc.list, tuples.ID(tc.after)); got != tc.want {
			t.Errorf("%s after %q: %q, want %q", tc.list, tc.after, got, tc.want)
		}
	}
}

func TestContextualTuplesAmongManyStoredOnes(t *testing.T) {
	lines := repeat(200, func(i int) string { return fmt.Sprintf("media:logo#viewer@group:g%03d#member", i) })
	w := newWorld(t, library, append(lines, "group:g150#member@user:anna")...)
	past := now.Add(-time.Hour).Format(time.RFC3339)
	for name, tc := range map[string]struct {
		tuples []string
		want   string
	}{
		"stored alone":                   {nil, "allowed"},
		"an expired one hides":           {[]string{"media:logo#viewer@group:g150#member expires " + past}, "denied"},
		"another group, unheard of":      {[]string{"media:logo#viewer@group:new#member", "group:new#member@user:bert"}, "allowed"},
		"the membership, hidden":         {[]string{"group:g150#member@user:anna expires " + past}, "denied"},
		"hidden, and given in its place": {[]string{"group:g150#member@user:anna expires " + past, "media:logo#editor@user:anna"}, "allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			e := w.evaluator(contextual(t, tc.tuples...))
			if got := w.check(e, "user:anna viewer media:logo"); got != tc.want {
				t.Errorf("check: %s, want %s", got, tc.want)
			}
			wantList := ""
			if tc.want == "allowed" {
				wantList = "logo"
			}
			if got := w.objects(e, "user:anna viewer media", ""); got != wantList {
				t.Errorf("objects: %q, want %q", got, wantList)
			}
		})
	}
}

func TestReadSetNamesWhatAnAnswerRestsOn(t *testing.T) {
	until := now.Add(time.Hour)
	w := newWorld(t, library, "media:logo#parent@folder:brand",
		"folder:brand#viewer@group:design#member expires "+until.Format(time.RFC3339), "group:design#member@user:anna")
	e := w.evaluator()
	e.TrackReads()
	if got := w.check(e, "user:anna viewer media:logo"); got != "allowed" {
		t.Fatal(got)
	}
	set, err := e.ReadSet(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var lists []string
	for _, list := range set.Lists {
		lists = append(lists, list.String())
	}
	want := "folder:brand#viewer group:design#member media:logo#editor media:logo#parent media:logo#viewer"
	if got := strings.Join(lists, " "); got != want {
		t.Errorf("lists %s, want %s", got, want)
	}
	if !set.ValidUntil.Equal(until) {
		t.Errorf("valid until %v, want %v: the share expires then", set.ValidUntil, until)
	}
	if head := w.store.Head(); set.Revision != head {
		t.Errorf("revision %d, want the head %d", set.Revision, head)
	}
}

// The reads tell a tuple that was asked for from a list of one kind of subject.
func TestReadsNameTuplesAndLists(t *testing.T) {
	w := newWorld(t, library, "folder:brand#viewer@group:design#member", "group:design#member@user:anna")
	e := w.evaluator()
	e.TrackReads()
	if got := w.check(e, "user:anna viewer folder:brand"); got != "allowed" {
		t.Fatal(got)
	}
	filters, err := e.Reads(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var reads []string
	for _, f := range filters {
		reads = append(reads, f.String())
	}
	slices.Sort(reads)
	want := "folder:brand#viewer@group:?#member folder:brand#viewer@user:* folder:brand#viewer@user:anna group:design#member@user:anna"
	if got := strings.Join(reads, " "); got != want {
		t.Errorf("reads %s, want %s", got, want)
	}
	if left := e.Left(); left >= check.DefaultBudget || left < check.DefaultBudget-20 {
		t.Errorf("%d of the budget %d are left", left, check.DefaultBudget)
	}
}
