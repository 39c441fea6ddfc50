package check_test

import (
	"fmt"
	"testing"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/check/index"
	"github.com/usher-authz/usher/tuples"
)

// overIndex has a request read a world's store through an index that holds all of it.
func (w *world) overIndex() func(*check.Request) {
	w.t.Helper()
	x := index.New(1 << 30)
	w.t.Cleanup(x.Close)
	if _, err := x.Warm(w.t.Context(), w.store); err != nil {
		w.t.Fatal(err)
	}
	closures := x.Closures(w.program)
	w.t.Cleanup(closures.Close)
	return func(r *check.Request) {
		r.Snapshot, r.Closures = x.Over(r.Snapshot), closures
	}
}

// However many groups an object is shared with, and however many a user is in: the question
// whether they have one in common costs what the shorter list takes.
func TestGroupsMeetFromTheShorterSide(t *testing.T) {
	lines := repeat(5_000, func(i int) string { return fmt.Sprintf("media:logo#viewer@group:g%d#member", i) })
	lines = append(lines, repeat(5_000, func(i int) string { return fmt.Sprintf("group:club%d#member@user:cleo", i) })...)
	w := newWorld(t, library, append(lines,
		"group:g4999#member@group:inner#member", "group:inner#member@user:anna", "group:other#member@user:bert",
		"media:clip#viewer@group:g1#member", "media:clip#viewer@group:club7#member",
	)...)
	indexed := w.overIndex()
	for _, tc := range []struct {
		name, question, want string
		units                int
	}{
		{"the user is in two groups, one by the other", "user:anna can_view media:logo", "allowed", 40},
		{"the user is in one group, and not in these", "user:bert can_view media:logo", "denied", 40},
		{"the user is in no group", "user:nobody can_view media:logo", "denied", 40},
		{"the object is shared with two groups", "user:cleo can_view media:clip", "allowed", 40},
		{"both sides are long", "user:cleo can_view media:logo", "denied", 12_000},
		{"a group is asked about by itself", "user:cleo member group:g4999", "denied", 40},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := w.check(w.evaluator(indexed), tc.question); got != tc.want { // works the closure out
				t.Fatalf("%s: %s, want %s", tc.question, got, tc.want)
			}
			if got := w.check(w.evaluator(indexed, budget(tc.units)), tc.question); got != tc.want {
				t.Errorf("%s with a budget of %d: %s, want %s", tc.question, tc.units, got, tc.want)
			}
		})
	}
}

// To find a user's groups out costs what it takes, which is more than the budget.
func TestWorkingAClosureOutCostsBudget(t *testing.T) {
	w := newWorld(t, library, append(
		repeat(500, func(i int) string { return fmt.Sprintf("group:g%d#member@user:anna", i) }),
		"media:logo#viewer@group:other#member",
	)...)
	e := w.evaluator(w.overIndex(), budget(100))
	if got, want := w.check(e, "user:anna can_view media:logo"), "error: "+check.ErrBudget.Error(); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// What a subject's groups alone do not tell is worked out as without an index.
func TestWhatClosuresDoNotDecideIsAsked(t *testing.T) {
	const team = `
type user
type team
  relations
    define joined: [user]
    define left: [user]
    define active: joined but not left
type group
  relations
    define member: [user, user with vip, group#member, team#active]
type media
  relations
    define viewer: [group#member, group#member with vip]
condition vip(on: bool) {
  on
}
`
	w := newWorld(t, team,
		"group:a#member@user:anna", "media:logo#viewer@group:a#member with vip",
		"group:b#member@user:bert with vip", "media:logo#viewer@group:b#member",
		"group:c#member@team:t#active", "team:t#joined@user:cleo", "team:t#joined@user:dora", "team:t#left@user:dora",
		"media:logo#viewer@group:c#member",
		"group:d#member@user:emil expires 2026-06-01T12:00:01Z", "media:logo#viewer@group:d#member",
		"group:e#member@user:fred expires 2026-06-01T11:59:59Z", "media:logo#viewer@group:e#member",
	)
	indexed := w.overIndex()
	on := func(r *check.Request) { r.Context = tuples.Context{"on": true} }
	for _, tc := range []struct {
		name, question, want string
		set                  func(*check.Request)
	}{
		{"a condition of the share", "user:anna viewer media:logo", "conditional on on", indexed},
		{"which is met", "user:anna viewer media:logo", "allowed", on},
		{"a condition of the membership", "user:bert viewer media:logo", "conditional on on", indexed},
		{"which is met", "user:bert viewer media:logo", "allowed", on},
		{"a but not behind the membership", "user:cleo viewer media:logo", "allowed", indexed},
		{"and who it excludes", "user:dora viewer media:logo", "denied", indexed},
		{"a membership that ends", "user:emil viewer media:logo", "allowed", indexed},
		{"one that has ended", "user:fred viewer media:logo", "denied", indexed},
		{"a contextual membership", "user:gina viewer media:logo", "allowed", contextual(t, "group:c#member@user:gina")},
		{"a contextual membership in between", "user:anna viewer media:logo", "allowed", contextual(t, "group:c#member@group:a#member")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := w.check(w.evaluator(indexed, tc.set), tc.question); got != tc.want {
				t.Errorf("%s: %s, want %s", tc.question, got, tc.want)
			}
		})
	}
}

// What an answer rests on is noted in full, also over an index: a membership is none of the
// tuples of the object.
func TestReadSetsNameGroupsAlsoOverAnIndex(t *testing.T) {
	w := newWorld(t, library, "media:logo#viewer@group:g#member", "group:g#member@user:anna")
	e := w.evaluator(w.overIndex())
	e.TrackReads()
	if got := w.check(e, "user:anna viewer media:logo"); got != "allowed" {
		t.Fatalf("%s, want allowed", got)
	}
	reads, err := e.ReadSet(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	members := tuples.Userset{Object: tuples.Object{Type: "group", ID: "g"}, Relation: "member"}
	for _, list := range reads.Lists {
		if list == members {
			return
		}
	}
	t.Errorf("the answer rests on %v, want %s among them", reads.Lists, members)
}
