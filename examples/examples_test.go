package examples_test

import (
	"testing"
	"time"

	"github.com/usher-authz/usher/check/checktest"
	"github.com/usher-authz/usher/examples"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

func TestModelsAreCleanAndTuplesValid(t *testing.T) {
	for _, e := range examples.All() {
		t.Run(e.Name, func(t *testing.T) {
			m, warnings, err := model.Parse(e.Model)
			if err != nil {
				t.Fatal(err)
			}
			for _, warning := range warnings {
				t.Errorf("model.fga:%s", warning)
			}
			keys := map[tuples.Key]bool{}
			for _, tuple := range e.Tuples {
				if err := m.ValidateTuple(tuple); err != nil {
					t.Errorf("%s: %v", tuple, err)
				}
				if keys[tuple.Key] {
					t.Errorf("%s stands there twice", tuple.Key)
				}
				keys[tuple.Key] = true
			}
		})
	}
}

// The model cannot demand that everything lies in one place: with a parent beside its
// sealed_parent, a folder would not be sealed.
func TestMediaLibraryIsATree(t *testing.T) {
	places := map[tuples.Object]tuples.Key{}
	for _, tuple := range examples.MediaLibrary().Tuples {
		if tuple.Relation != "parent" && tuple.Relation != "sealed_parent" {
			continue
		}
		if other, ok := places[tuple.Object]; ok {
			t.Errorf("%s lies in two places: %s and %s", tuple.Object, other, tuple.Key)
		}
		places[tuple.Object] = tuple.Key
	}
	for object := range places {
		steps := 0
		for at := object; places[at] != (tuples.Key{}); at = places[at].Subject.Object() {
			if steps++; steps > len(places) {
				t.Fatalf("%s lies in itself", object)
			}
		}
	}
}

// What a scenario cannot say: one write, and the very next check tells.
func TestMediaLibraryChanges(t *testing.T) {
	tests := []struct {
		name          string
		remove, add   string
		question      string
		before, after string
	}{
		{
			name:     "A6 a share with a user is switched off",
			remove:   "media:oskar-pinhole-tests#viewer@user:yara",
			question: "user:yara can_view media:oskar-pinhole-tests", before: "allowed", after: "denied",
		},
		{
			name:     "A6 a share with the organisation is switched off",
			remove:   "folder:brand#viewer@organisation:halden#member",
			question: "user:david can_view media:letterhead", before: "allowed", after: "denied",
		},
		{
			name:     "B4 media leave a collection and are no longer seen through it",
			remove:   "media:kiln-bowl-blue#collection@collection:kiln-selects",
			question: "user:hugo@kiln-and-clay.example can_comment media:kiln-bowl-blue", before: "allowed", after: "denied",
		},
		{
			name:     "D8 a sealed folder is opened in one write",
			remove:   "folder:contracts#sealed_parent@folder:library",
			add:      "folder:contracts#parent@folder:library",
			question: "user:tomas can_view media:payroll-2026", before: "denied", after: "allowed",
		},
		{
			name:     "D8 an open folder is sealed in one write",
			remove:   "folder:archive#parent@folder:library",
			add:      "folder:archive#sealed_parent@folder:library",
			question: "user:ingrid can_view media:harbour-cafe-front", before: "allowed", after: "denied",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l := openLibrary(t, examples.MediaLibrary(), clockReading)
			question, err := checktest.ParseQuestion(test.question)
			if err != nil {
				t.Fatal(err)
			}
			if got := question.Ask(l.answerer(t, nil)); got != test.before {
				t.Errorf("before the write: %s = %s, want %s", question, got, test.before)
			}
			l.replace(t, test.remove, test.add)
			if got := question.Ask(l.answerer(t, nil)); got != test.after {
				t.Errorf("after the write: %s = %s, want %s", question, got, test.after)
			}
		})
	}
}

var clockReading = time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
