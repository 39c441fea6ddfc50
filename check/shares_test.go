package check_test

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/tuples"
)

// menu is a library whose folders pass on their roles.
const menu = groups + `
type folder
  relations
    define parent: [folder]
    define owner: [user] or owner from parent
    define editor: [user, group#member] or owner or editor from parent
    define viewer: [user, user:*, group#member] or editor or viewer from parent
type media
  relations
    define parent: [folder]
    define owner: [user] or owner from parent
    define editor: [user, group#member, user with office_hours] or owner or editor from parent
    define viewer: [user, user:*, group#member] or editor or viewer from parent
    define blocked: [user]
    define can_view: viewer but not blocked
` + conditions

// shares returns a summary as "user:anna: 2 editor, 1 viewer; 3 direct".
func shares(t testing.TB, list iter.Seq2[check.RecipientShares, error]) string {
	t.Helper()
	var lines []string
	for s, err := range list {
		if err = errors.Join(err, s.Err); err != nil {
			lines = append(lines, fmt.Sprintf("%s: %v", s.Subject, err))
			continue
		}
		var counts []string
		for _, c := range s.Counts {
			text := fmt.Sprintf("%d %s", c.Objects, c.Relation)
			if c.Relation == "" {
				text += "none"
			}
			if c.Conditional > 0 {
				text += fmt.Sprintf(" (%d conditional)", c.Conditional)
			}
			counts = append(counts, text)
		}
		line := fmt.Sprintf("%s: %s; %d direct", s.Subject, strings.Join(counts, ", "), s.Direct)
		for _, origin := range s.Origins {
			line += "; " + origin.String()
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func sharesOf(objects, relations string) check.SharesQuery {
	var q check.SharesQuery
	for _, text := range strings.Fields(objects) {
		object, err := tuples.ParseObject(text)
		if err != nil {
			panic(err)
		}
		q.Objects = append(q.Objects, object)
	}
	for _, r := range strings.Fields(relations) {
		q.Relations = append(q.Relations, tuples.Relation(r))
	}
	return q
}

func TestSummarizeShares(t *testing.T) {
	w := newWorld(t, menu,
		"media:a#parent@folder:press", "media:b#parent@folder:press", "folder:press#parent@folder:top",
		"folder:top#owner@user:olga", "folder:press#viewer@group:design#member", "group:design#member@user:dora",
		"media:a#viewer@user:anna", "media:b#editor@user:anna", "media:b#viewer@user:anna",
		"media:a#viewer@user:olga",
		"media:c#editor@user:carl with office_hours", "media:c#viewer@user:carl", "media:c#viewer@user:*",
	)
	for _, c := range []struct{ name, objects, relations, want string }{
		{"A5 the strongest of several rights counts", "media:b", "viewer editor",
			"group:design#member: 1 viewer; 0 direct; folder:press#viewer@group:design#member\n" +
				"user:anna: 1 editor; 1 direct; media:b#editor@user:anna\n" +
				"user:olga: 1 editor; 0 direct; folder:top#owner@user:olga"},
		{"A8 rights that differ are mixed", "media:a media:b", "viewer editor",
			"group:design#member: 2 viewer; 0 direct\n" +
				"user:anna: 1 editor, 1 viewer; 2 direct\n" +
				"user:olga: 2 editor; 0 direct"},
		{"a stronger right under a condition beats a certain weaker one", "media:c", "viewer editor",
			"user:*: 1 viewer; 1 direct; media:c#viewer@user:*\n" +
				"user:carl: 1 editor (1 conditional); 1 direct; media:c#editor@user:carl with office_hours"},
		{"the order of the relations says which is stronger", "media:b", "editor viewer",
			"group:design#member: 1 viewer; 0 direct; folder:press#viewer@group:design#member\n" +
				"user:anna: 1 viewer; 1 direct; media:b#editor@user:anna; media:b#viewer@user:anna\n" +
				"user:olga: 1 viewer; 0 direct; folder:top#owner@user:olga"},
		{"objects of several types", "media:a folder:press", "viewer owner",
			"group:design#member: 2 viewer; 1 direct\n" +
				"user:anna: 1 viewer, 1 none; 1 direct\n" +
				"user:olga: 2 owner; 0 direct"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := shares(t, w.evaluator().SummarizeShares(t.Context(), sharesOf(c.objects, c.relations), "")); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// Of the tuples that give a right 20 are told, those of the object itself among them.
func TestOriginsAreBounded(t *testing.T) {
	lines := repeat(30, func(i int) string { return fmt.Sprintf("folder:f%02d#viewer@user:anna", i) })
	lines = append(lines, repeat(30, func(i int) string { return fmt.Sprintf("media:z#parent@folder:f%02d", i) })...)
	w := newWorld(t, menu, append(lines, "media:z#viewer@user:anna")...)
	for s, err := range w.evaluator().SummarizeShares(t.Context(), sharesOf("media:z", "viewer"), "") {
		if err != nil || len(s.Origins) != check.MaxOrigins || s.Origins[0].Object.Type != "media" || s.Origins[19].Object.ID != "f18" {
			t.Errorf("got %v, %v", s.Origins, err)
		}
	}
}

// Questions that the model does not know, and errors on the way, end the list.
func TestSummariesFail(t *testing.T) {
	w := newWorld(t, menu, "media:a#viewer@user:anna", "media:a#editor@user:bert with ratio")
	stranger := tuples.Subject{Type: "robot", ID: "r"}
	for name, c := range map[string]struct {
		change func(*check.SharesQuery)
		units  int
		want   string
	}{
		"unknown type":      {func(q *check.SharesQuery) { q.Objects[0].Type = "robot" }, 100, `type "robot"`},
		"unknown relation":  {func(q *check.SharesQuery) { q.Relations[0] = "flier" }, 100, `relation "flier"`},
		"unknown recipient": {func(q *check.SharesQuery) { q.Recipient = &stranger }, 100, `type "robot"`},
		"no budget":         {func(*check.SharesQuery) {}, 3, check.ErrBudget.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			q := sharesOf("media:a", "viewer")
			c.change(&q)
			if got := shares(t, w.evaluator(budget(c.units)).SummarizeShares(t.Context(), q, "")); !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// Folders that many objects of the selection lie in are read once, and what they pass on
// is counted once.
func TestSharedFoldersCostOnce(t *testing.T) {
	const media, members = 300, 1_000
	lines := repeat(media, func(i int) string { return fmt.Sprintf("media:m%d#parent@folder:press", i) })
	lines = append(lines, repeat(members, func(i int) string { return fmt.Sprintf("folder:press#viewer@user:u%d", i) })...)
	w := newWorld(t, menu, lines...)
	q := sharesOf("", "viewer editor")
	for i := range media {
		q.Objects = append(q.Objects, tuples.Object{Type: "media", ID: tuples.ID(fmt.Sprintf("m%d", i))})
	}
	recipients := 0
	for s, err := range w.evaluator(budget(20*media+5*members)).SummarizeShares(t.Context(), q, "") {
		if err != nil || s.Counts[0].Objects != media {
			t.Fatalf("got %v, %v", s, err)
		}
		recipients++
	}
	if recipients != members {
		t.Errorf("got %d recipients", recipients)
	}
}
