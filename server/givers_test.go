package server_test

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server"
	"github.com/usher-authz/usher/server/wire"
)

// addresses is a library in which invitations go to addresses, and groups share.
const addresses = `
model
  schema 1.1
type user
type group
  relations
    define member: [user, group#member]
type address
  relations
    define account: [user]
type folder
  relations
    define admin: [user, group#member]
    define can_share: admin
type session
  relations
    define folder: [folder]
    define owner: [user]
    define suspended: [user]
    define admin: [user, group#member, user with on_duty] or owner or admin from folder
    define commenter: [user, address#account] or admin
    define can_comment: commenter
    define can_share: admin but not suspended

condition on_duty(hour: int) {
  hour < 18
}
`

// givers explains a denial and tells who can give what is missing.
func (w *world) givers(text, relation string, tuples ...string) string {
	w.t.Helper()
	r := question(w.t, text)
	r.Explain, r.GivenBy = true, relation
	for _, line := range tuples {
		r.ContextualTuples = append(r.ContextualTuples, tuple(w.t, line))
	}
	got, err := w.permissions.Check(w.ctx, r)
	if err != nil {
		w.t.Fatal(err)
	}
	var all []string
	for _, grant := range got.GetExplanation().GetWouldGrant() {
		var givers []string
		for _, giver := range grant.GetGivers() {
			givers = append(givers, wire.ToSubject(giver).String())
		}
		if grant.GetMoreGivers() {
			givers = append(givers, "…")
		}
		all = append(all, grant.GetObject().GetId()+"#"+grant.GetRelation()+" by "+strings.Join(givers, ", "))
	}
	return outcome(got.GetOutcome()) + ": " + strings.Join(all, "; ")
}

func TestWhoCanGiveTheMissingRole(t *testing.T) {
	w := newWorld(t, server.Options{})
	w.writeModel(addresses)
	w.touch(
		"session:x#owner@user:agnes", "session:x#admin@group:coaches#member", "group:coaches#member@user:carl",
		"session:x#commenter@address:dora@example.org#account",
		"session:y#admin@user:bert", "session:y#admin@user:agnes", "session:y#suspended@user:bert",
		"session:z#folder@folder:team", "folder:team#admin@user:fred", "session:z#admin@user:otto with on_duty",
	)
	for _, c := range []struct {
		name, question, givenBy string
		contextual              []string
		want                    string
	}{
		{"users and groups by name (E9)", "user:emil can_comment session:x", "can_share", nil,
			"denied: x#commenter by group:coaches#member, user:agnes; x#admin by group:coaches#member, user:agnes; x#owner by group:coaches#member, user:agnes"},
		{"without it nobody is named, and addresses are proposed", "user:emil can_comment session:x", "", nil,
			"denied: x#commenter by ; dora@example.org#account by ; x#admin by ; coaches#member by ; x#owner by "},
		{"who is excluded cannot give", "user:emil can_comment session:y", "can_share", nil,
			"denied: y#commenter by user:agnes; y#admin by user:agnes; y#owner by user:agnes"},
		{"a folder's administrators can, and who might on a condition is not named", "user:emil can_comment session:z", "can_share", nil,
			"denied: z#commenter by user:fred; z#admin by user:fred; z#owner by user:fred; team#admin by user:fred"},
		{"contextual tuples count", "user:emil can_comment session:new", "can_share", []string{"session:new#owner@user:gina"},
			"denied: new#commenter by user:gina; new#admin by user:gina; new#owner by user:gina"},
		{"nobody can", "user:emil can_comment session:void", "can_share", nil,
			"denied: void#commenter by ; void#admin by ; void#owner by "},
		{"an allowed answer misses nothing", "user:agnes can_comment session:x", "can_share", nil, "allowed: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := w.givers(c.question, c.givenBy, c.contextual...); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", strings.ReplaceAll(got, "; ", "\n  "), strings.ReplaceAll(c.want, "; ", "\n  "))
			}
		})
	}
}

// A condition that fails for a giver is no failure of the question: who can give for certain
// is named.
func TestGiversWhoseConditionFailsAreNotNamed(t *testing.T) {
	w := newWorld(t, server.Options{})
	w.writeModel(addresses)
	w.touch("session:z#admin@user:bert", "session:z#admin@user:otto with on_duty")
	r := question(t, "user:emil can_comment session:z")
	r.Explain, r.GivenBy, r.Context = true, "can_share", values(t, map[string]any{"hour": "noon"})
	got, err := w.permissions.Check(w.ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	for _, grant := range got.GetExplanation().GetWouldGrant() {
		if givers := grant.GetGivers(); len(givers) != 1 || givers[0].GetId() != "bert" {
			t.Errorf("%s: got %v, want user:bert", grant.GetRelation(), givers)
		}
	}
}

func TestGiversAreTwentyAtMost(t *testing.T) {
	w := newWorld(t, server.Options{})
	w.writeModel(addresses)
	var lines, names []string
	for i := range 21 {
		name := fmt.Sprintf("user:a%02d", i)
		lines, names = append(lines, "folder:f#admin@"+name), append(names, name)
	}
	w.touch(lines[1:]...)
	want := "denied: f#admin by " + strings.Join(names[1:], ", ")
	if got := w.givers("user:emil can_share folder:f", "can_share"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	w.touch(lines[0])
	want = "denied: f#admin by " + strings.Join(names[:20], ", ") + ", …"
	if got := w.givers("user:emil can_share folder:f", "can_share"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestBadGivenBy(t *testing.T) {
	w := newWorld(t, server.Options{})
	w.writeModel(addresses)
	for _, c := range []struct {
		name, reason string
		change       func(*usherv1.CheckRequest)
	}{
		{"without explain", "INVALID_FIELD", func(r *usherv1.CheckRequest) { r.GivenBy, r.Explain = "can_share", false }},
		{"no name of a relation", "INVALID_FIELD", func(r *usherv1.CheckRequest) { r.GivenBy = "can share" }},
		{"of no type", "UNKNOWN_RELATION", func(r *usherv1.CheckRequest) { r.GivenBy = "can_fly" }},
		{"of no type, if allowed", "UNKNOWN_RELATION", func(r *usherv1.CheckRequest) {
			r.GivenBy, r.ContextualTuples = "can_fly", []*usherv1.Tuple{tuple(t, "session:x#owner@user:emil")}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := question(t, "user:emil can_comment session:x")
			r.Explain = true
			c.change(r)
			_, err := w.permissions.Check(w.ctx, r)
			wantRefusal(t, err, codes.InvalidArgument, c.reason, "given_by")
		})
	}
}

// The roles of one object have the same givers, who are looked for once.
func TestGiversOfOneObjectAreFoundOnce(t *testing.T) {
	w := newWorld(t, server.Options{})
	w.writeModel(addresses)
	var lines []string
	for i := range 2000 {
		lines = append(lines, fmt.Sprintf("session:x#admin@user:u%d", i))
	}
	w.touch(lines...)
	r := question(t, "user:emil can_comment session:x")
	r.Explain, r.GivenBy = true, "can_share"
	frugal := serve(t, w.db, server.Options{WorkBudget: 5000})
	got, err := frugal.permissions.Check(frugal.ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	if e := got.GetExplanation(); e.GetTruncated() || len(e.GetWouldGrant()) != 3 || len(e.GetWouldGrant()[2].GetGivers()) != 20 {
		t.Errorf("got %v", e)
	}
}

// When the budget ends among the givers, the answer stands, and says what is missing.
func TestGiversWithinTheBudget(t *testing.T) {
	w := newWorld(t, server.Options{})
	w.writeModel(addresses)
	var lines []string
	for i := range 2000 {
		lines = append(lines, fmt.Sprintf("session:x#admin@user:u%d", i))
	}
	w.touch(lines...)
	poor := serve(t, w.db, server.Options{WorkBudget: 1000})
	r := question(t, "user:emil can_comment session:x")
	r.Explain, r.GivenBy = true, "can_share"
	got, err := poor.permissions.Check(poor.ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	if e := got.GetExplanation(); outcome(got.GetOutcome()) != "denied" || !e.GetTruncated() || len(e.GetWouldGrant()) != 0 {
		t.Errorf("got %v, truncated %v, %d grants", got.GetOutcome(), e.GetTruncated(), len(e.GetWouldGrant()))
	}
}
