package examples_test

import (
	"fmt"
	"testing"

	"github.com/usher-authz/usher/scenario"
	"github.com/usher-authz/usher/tuples"
)

// ladder is a row of roles, each with a right that the role below it lacks, and who can
// be given them.
type ladder struct {
	example string
	roles   []tuples.Relation
	rights  map[tuples.ObjectType][]tuples.Relation // one for each role
	holders []holder
}

// holder is a subject that roles are given to, one of its users, and the number of roles
// that it can be given.
type holder struct {
	subject, user string
	roles         int
}

var ladders = []ladder{
	{
		example: "media-library",
		roles:   []tuples.Relation{"viewer", "commenter", "editor", "admin", "owner"},
		rights: map[tuples.ObjectType][]tuples.Relation{
			"folder":     {"can_view", "can_comment", "can_edit", "can_share", "owner"},
			"collection": {"can_view", "can_comment", "can_edit", "can_share", "owner"},
			"media":      {"can_view", "can_comment", "can_edit", "can_share", "owner"},
		},
		holders: []holder{
			{"user:david", "user:david", 5},
			{"group:design#member", "user:mika", 4},
			{"organisation:halden#member", "user:david", 3},
			{"address:hanne@tide-museum.example#account", "user:hanne", 2},
			{"user:*", "user:a-passer-by", 1},
		},
	},
	{
		example: "media-library",
		roles:   []tuples.Relation{"viewer", "downloader", "editor"},
		rights: map[tuples.ObjectType][]tuples.Relation{
			"folder":     {"can_view", "can_download", "can_edit"},
			"collection": {"can_view", "can_download", "can_edit"},
			"media":      {"can_view", "can_download", "can_edit"},
		},
		holders: []holder{
			{"user:david", "user:david", 3},
			{"group:design#member", "user:mika", 3},
			{"organisation:halden#member", "user:david", 3},
			{"address:hanne@tide-museum.example#account", "user:hanne", 2},
			{"user:*", "user:a-passer-by", 2},
		},
	},
	{
		example: "session-roles",
		roles:   []tuples.Relation{"viewer", "commenter", "editor", "admin"},
		rights: map[tuples.ObjectType][]tuples.Relation{
			"session":      {"can_watch", "can_comment", "can_create_tag", "can_delete_tag"},
			"timeline":     {"can_watch", "can_comment", "can_edit", "can_share"},
			"presentation": {"can_watch", "can_comment", "can_edit", "can_share"},
			"clip":         {"can_watch", "can_comment", "can_annotate", "can_share"},
			"collection":   {"can_watch", "can_comment", "can_edit", "can_share"},
		},
		holders: []holder{
			{"user:hamid", "user:hamid", 4},
			{"group:juniors#member", "user:joel", 4},
			{"hub:harbour#member", "user:callum", 4},
		},
	},
}

// E2, E3: whoever is given a role on a new object has its right and those of the roles
// below, and none of those above. A role that it cannot be given would grant it nothing.
func TestLadders(t *testing.T) {
	for _, l := range ladders {
		e := find(t, l.example)
		answer := openReference(t, e, storeFileOf(t, e))
		for _, s := range l.tests(t) {
			t.Run(l.example+"/"+s.Name, func(t *testing.T) {
				for _, failure := range failures(t, answer, &s) {
					t.Error(failure)
				}
			})
		}
	}
}

// tests returns what each holder of each role may and may not do.
func (l ladder) tests(t *testing.T) []scenario.Test {
	t.Helper()
	var all []scenario.Test
	for typ, rights := range l.rights {
		for step, role := range l.roles {
			for _, h := range l.holders {
				all = append(all, l.test(t, h, role, tuples.Object{Type: typ, ID: "brand-new"}, rights, step))
			}
		}
	}
	return all
}

// test asks for every right of a holder that is given the role of a step.
func (l ladder) test(t *testing.T, h holder, role tuples.Relation, on tuples.Object, rights []tuples.Relation, step int) scenario.Test {
	t.Helper()
	share, err := tuples.ParseTuple(fmt.Sprintf("%s#%s@%s", on, role, h.subject))
	if err != nil {
		t.Fatal(err)
	}
	s := scenario.Test{Name: share.String(), At: clockReading, Tuples: []tuples.Tuple{share}}
	for i, right := range rights {
		want := "denied"
		if i <= step && step < h.roles {
			want = "allowed"
		}
		question := parseQuestion(t, fmt.Sprintf("%s %s %s", h.user, right, on))
		s.Assertions = append(s.Assertions, scenario.Assertion{Query: question, Want: want})
	}
	return s
}
