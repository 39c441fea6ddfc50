package examples_test

import (
	"fmt"
	"testing"

	"github.com/usher-authz/usher/check/reference"
	"github.com/usher-authz/usher/examples"
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
		roles:   []tuples.Relation{"viewer", "commenter", "editor", "admin"},
		rights: map[tuples.ObjectType][]tuples.Relation{
			"folder":     {"can_view", "can_comment", "can_edit", "can_share"},
			"collection": {"can_view", "can_comment", "can_edit", "can_share"},
			"media":      {"can_view", "can_comment", "can_edit", "can_share"},
		},
		holders: []holder{
			{"user:david", "user:david", 4},
			{"group:design#member", "user:mika", 4},
			{"organisation:halden#member", "user:david", 3},
			{"user:*", "user:a-passer-by", 1},
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
		for typ, rights := range l.rights {
			for step, role := range l.roles {
				for _, h := range l.holders {
					name := fmt.Sprintf("%s/%s %s of a %s", l.example, h.subject, role, typ)
					t.Run(name, func(t *testing.T) { climb(t, l, typ, rights, step, h) })
				}
			}
		}
	}
}

func climb(t *testing.T, l ladder, typ tuples.ObjectType, rights []tuples.Relation, step int, h holder) {
	e, ok := examples.Find(l.example)
	if !ok {
		t.Fatalf("there is no example %s", l.example)
	}
	object := tuples.Object{Type: typ, ID: "brand-new"}
	share := tuples.Key{Object: object, Relation: l.roles[step], Subject: subject(t, h.subject)}
	answerer := openReference(t, e, clockReading)(t, given{contextual: []tuples.Tuple{{Key: share}}})
	for i, right := range rights {
		want := reference.Denied
		if i <= step && step < h.roles {
			want = reference.Allowed
		}
		if got := answerer.Check(tuples.Userset{Object: object, Relation: right}, subject(t, h.user)); got.Outcome != want {
			t.Errorf("%s has %s: %s, want %s", h.user, right, got.Outcome, want)
		}
	}
}

func subject(t *testing.T, text string) tuples.Subject {
	t.Helper()
	s, err := tuples.ParseSubject(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
