package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// restricted has a media that anna may view in two ways, and bert in one.
func restricted(t *testing.T) *world {
	w := newLibrary(t, "group:design#member@user:anna", "media:plain#viewer@user:anna")
	w.touchRestricted(
		`media:logo#viewer@user:anna attributes {"max_image_size":800,"watermark":false}`,
		`media:logo#viewer@group:design#member attributes {"max_image_size":2048,"watermark":true}`,
		`media:logo#viewer@user:bert attributes {"fps":29.97,"max_image_size":2048.0,"notice":"press"}`,
		`media:poster#viewer@user:anna with office_hours {"opens":9} attributes {"max_image_size":800}`,
		`media:broken#viewer@user:anna with office_hours {"hour":0,"opens":0} attributes {"max_image_size":800}`,
	)
	return w
}

// touchRestricted writes tuples with attributes of all kinds.
func (w *world) touchRestricted(lines ...string) string {
	w.t.Helper()
	r := &usherv1.WriteRequest{}
	for _, line := range lines {
		parsed, err := tuples.ParseTuple(line)
		if err != nil {
			w.t.Fatal(err)
		}
		r.Updates = append(r.Updates, &usherv1.TupleUpdate{Operation: usherv1.Operation_OPERATION_TOUCH, Tuple: wire.FromTuple(parsed)})
	}
	return w.write(r).GetToken()
}

// shownSets writes the attribute sets of an answer as text.
func shownSets(sets []*usherv1.AttributeSet) string {
	texts := make([]string, len(sets))
	for i, set := range sets {
		var parts []string
		for _, a := range set.GetAttributes() {
			parts = append(parts, a.GetName()+"="+wire.ToValue(a.GetValue()).String())
		}
		texts[i] = "{" + strings.Join(parts, " ") + "}"
	}
	return strings.Join(texts, " ")
}

// D9: of several grants the caller may choose, and never mixes them.
func TestAnAllowedAnswerTellsItsRestrictions(t *testing.T) {
	w := restricted(t)
	for _, c := range []struct{ name, question, want string }{
		{"two ways, each with its set", "user:anna can_view media:logo", "{max_image_size=800} {max_image_size=2048 watermark=true}"},
		{"values of all kinds", "user:bert can_view media:logo", `{fps=29.97 max_image_size=2048 notice="press"}`},
		{"nothing restricts", "user:anna can_view media:plain", "{}"},
		{"denied", "user:carl can_view media:logo", ""},
		{"conditional", "user:anna can_view media:poster", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, explain := range []bool{false, true} {
				q := question(t, c.question)
				q.WithAttributes, q.Explain = true, explain
				response, err := w.permissions.Check(w.ctx, q)
				if err != nil {
					t.Fatal(err)
				}
				if got := shownSets(response.GetAttributes()); got != c.want || explain != (response.GetExplanation() != nil) {
					t.Errorf("got %s and explanation %v, want %s", got, response.GetExplanation(), c.want)
				}
			}
		})
	}
	t.Run("not asked for", func(t *testing.T) {
		response, err := w.permissions.Check(w.ctx, question(t, "user:anna can_view media:logo"))
		if err != nil || response.GetAttributes() != nil {
			t.Errorf("got %v, %v, want no attributes", response.GetAttributes(), err)
		}
	})
	t.Run("a condition fails", func(t *testing.T) {
		q := question(t, "user:anna can_view media:broken")
		q.WithAttributes = true
		_, err := w.permissions.Check(w.ctx, q)
		wantRefusal(t, err, codes.FailedPrecondition, "CONDITION_FAILED", "")
	})
}

func TestABatchTellsTheRestrictionsOfEachItem(t *testing.T) {
	w := restricted(t)
	r := &usherv1.BatchCheckRequest{WithAttributes: true}
	for _, text := range []string{
		"user:anna can_view media:logo", "user:bert can_view media:logo", "user:anna can_view media:plain",
		"user:carl can_view media:logo", "user:anna can_view media:poster", "user:anna can_view media:broken", "user:anna can_fly media:logo",
	} {
		q := question(t, text)
		r.Items = append(r.Items, &usherv1.BatchCheckItem{Object: q.GetObject(), Relation: q.GetRelation(), Subject: q.GetSubject()})
	}
	ask := func() []string {
		response, err := w.permissions.BatchCheck(w.ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, result := range response.GetResults() {
			shown := shownResult(result.GetOutcome(), result.GetMissingContext(), result.GetError())
			got = append(got, strings.TrimSpace(shown+" "+shownSets(result.GetAttributes())))
		}
		return got
	}
	want := []string{
		"allowed {max_image_size=800} {max_image_size=2048 watermark=true}", `allowed {fps=29.97 max_image_size=2048 notice="press"}`, "allowed {}",
		"denied", "conditional [hour]", "9 CONDITION_FAILED", "3 UNKNOWN_RELATION",
	}
	if got := ask(); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	r.WithAttributes = false
	if got := ask(); slices.ContainsFunc(got, func(text string) bool { return strings.Contains(text, "{") }) {
		t.Errorf("not asked for, and got %q", got)
	}
}

// The restrictions are those of the revision that the answer names.
func TestRestrictionsAreOfTheRevisionAskedFor(t *testing.T) {
	w := restricted(t)
	before := w.touchRestricted(`media:plain#viewer@user:anna attributes {"watermark":true}`)
	w.touchRestricted(`media:plain#viewer@user:anna attributes {"max_image_size":100}`)
	q := question(t, "user:anna can_view media:plain")
	q.WithAttributes = true
	for _, c := range []struct {
		consistency *usherv1.Consistency
		want        string
	}{
		{nil, "{max_image_size=100}"},
		{&usherv1.Consistency{Requirement: &usherv1.Consistency_Exactly{Exactly: before}}, "{watermark=true}"},
	} {
		q.Consistency = c.consistency
		response, err := w.permissions.Check(w.ctx, q)
		if got := shownSets(response.GetAttributes()); err != nil || got != c.want {
			t.Errorf("at %v: got %s, %v, want %s", c.consistency, got, err, c.want)
		}
	}
}

// All ways are looked at, or none is told: a budget that ends on the way is an error, of
// a batch as a whole.
func TestRestrictionsWithinTheBudget(t *testing.T) {
	w := restricted(t)
	var lines []string
	for i := range 200 {
		lines = append(lines, fmt.Sprintf(`media:logo#viewer@group:g%d#member attributes {"max_image_size":%d}`, i, i+1))
	}
	w.touchRestricted(lines...)
	poor := serve(t, w.db, server.Options{WorkBudget: 100})
	q := question(t, "user:bert can_view media:logo")
	if _, err := poor.permissions.Check(poor.ctx, q); err != nil {
		t.Fatal(err)
	}
	q.WithAttributes = true
	_, err := poor.permissions.Check(poor.ctx, q)
	wantRefusal(t, err, codes.ResourceExhausted, "WORK_BUDGET_EXHAUSTED", "")
	item := &usherv1.BatchCheckItem{Object: q.GetObject(), Relation: q.GetRelation(), Subject: q.GetSubject()}
	_, err = poor.permissions.BatchCheck(poor.ctx, &usherv1.BatchCheckRequest{Items: []*usherv1.BatchCheckItem{item}, WithAttributes: true})
	wantRefusal(t, err, codes.ResourceExhausted, "WORK_BUDGET_EXHAUSTED", "")
}
