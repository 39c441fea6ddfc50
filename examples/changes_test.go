package examples_test

import (
	"testing"
	"time"

	"github.com/usher-authz/usher/check/checktest"
	"github.com/usher-authz/usher/examples"
)

// What a scenario cannot say: one write, and the very next check tells.
func TestChanges(t *testing.T) {
	type answer struct{ question, before, after string }
	tests := []struct {
		example, name string
		write         []string // "+" creates the tuple, "-" deletes it
		answers       []answer
	}{
		{
			"media-library", "A6 a share with a user is switched off",
			[]string{"-media:oskar-pinhole-tests#viewer@user:yara"},
			[]answer{{"user:yara can_view media:oskar-pinhole-tests", "allowed", "denied"}},
		},
		{
			"media-library", "A6 a share with the organisation is switched off",
			[]string{"-folder:brand#viewer@organisation:halden#member"},
			[]answer{{"user:david can_view media:letterhead", "allowed", "denied"}},
		},
		{
			"media-library", "B4 media leave a collection and are no longer seen through it",
			[]string{"-media:kiln-bowl-blue#collection@collection:kiln-selects"},
			[]answer{{"user:hugo@kiln-and-clay.example can_comment media:kiln-bowl-blue", "allowed", "denied"}},
		},
		{
			"media-library", "D8 a sealed folder is opened in one write",
			[]string{"-folder:contracts#sealed_parent@folder:library", "+folder:contracts#parent@folder:library"},
			[]answer{{"user:tomas can_view media:payroll-2026", "denied", "allowed"}},
		},
		{
			"media-library", "D8 an open folder is sealed in one write",
			[]string{"-folder:archive#parent@folder:library", "+folder:archive#sealed_parent@folder:library"},
			[]answer{{"user:ingrid can_view media:harbour-cafe-front", "allowed", "denied"}},
		},
		{
			"organisation-shares", "A6 a share with a user is switched off",
			[]string{"-media:volcano-model#editor@user:wanjiru"},
			[]answer{
				{"user:wanjiru can_modify media:volcano-model", "allowed", "denied"},
				{"user:wanjiru can_view media:volcano-model", "allowed", "denied"},
				{"user:wanjiru can_view media:volcano-model-labelled", "allowed", "allowed"},
			},
		},
		{
			"organisation-shares", "A6 the share with the organisation is switched off, those with users stay",
			[]string{"-media:water-cycle-film#viewer@organisation:lindgren#member"},
			[]answer{
				{"user:henrik can_view media:water-cycle-film", "allowed", "denied"},
				{"user:priya can_view media:water-cycle-film", "allowed", "allowed"},
			},
		},
		{
			"organisation-shares", "A8 setting one right for the whole selection ends the Mixed in one write",
			[]string{
				"-media:cell-drawings#editor@organisation:lindgren#member",
				"+media:cell-drawings#viewer@organisation:lindgren#member",
				"+media:exam-scans#viewer@organisation:lindgren#member",
			},
			[]answer{
				{"organisation:lindgren#member can_view media:?", "cell-drawings chess-openings glossary-cards open-day-map school-anthem water-cycle-film",
					"cell-drawings chess-openings exam-scans glossary-cards open-day-map school-anthem water-cycle-film"},
				{"organisation:lindgren#member can_modify media:?", "cell-drawings glossary-cards", "glossary-cards"},
			},
		},
		{
			"organisation-shares", "A2 who leaves the organisation loses what was shared",
			[]string{"-organisation:lindgren#creator@user:wanjiru"},
			[]answer{
				{"user:wanjiru can_view media:school-anthem", "allowed", "denied"},
				{"user:wanjiru can_modify media:volcano-model", "allowed", "denied"},
			},
		},
	}
	for _, test := range tests {
		t.Run(test.example+"/"+test.name, func(t *testing.T) {
			t.Parallel()
			e, ok := examples.Find(test.example)
			if !ok {
				t.Fatalf("there is no example %s", test.example)
			}
			l := openLibrary(t, e, clockReading)
			for _, a := range test.answers {
				l.expect(t, "before the write", a.question, a.before)
			}
			l.apply(t, test.write...)
			for _, a := range test.answers {
				l.expect(t, "after the write", a.question, a.after)
			}
		})
	}
}

func (l engineLibrary) expect(t *testing.T, when, question, want string) {
	t.Helper()
	q, err := checktest.ParseQuestion(question)
	if err != nil {
		t.Fatal(err)
	}
	if got := q.Ask(l.answerer(t, given{})); got != want {
		t.Errorf("%s: %s = %s, want %s", when, q, got, want)
	}
}

var clockReading = time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
