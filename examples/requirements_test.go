package examples_test

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/usher-authz/usher/examples"
)

// requirements are how many statements each of the five systems makes, by the letter of
// its ids: A1 to A9, B1 to B16 …
var requirements = map[string]int{"A": 9, "B": 16, "C": 11, "D": 13, "E": 10}

// Every requirement stands in the name of a scenario or of a test in one of the tables.
func TestEveryRequirementIsShown(t *testing.T) {
	var names []string
	for _, e := range examples.All() {
		for _, s := range storeFileOf(t, e).Tests {
			names = append(names, s.Name)
		}
	}
	for _, c := range changes {
		names = append(names, c.name)
	}
	for _, w := range guardedWrites {
		names = append(names, w.name)
	}
	for _, e := range events {
		names = append(names, e.name)
	}
	shown := map[string]bool{}
	for _, name := range names {
		for _, id := range idsIn(name) {
			shown[id] = true
		}
	}
	for letter, count := range requirements {
		for i := range count {
			if id := fmt.Sprint(letter, i+1); !shown[id] {
				t.Errorf("%s is shown nowhere: name a scenario or a test that shows it", id)
			}
			delete(shown, fmt.Sprint(letter, i+1))
		}
	}
	for id := range shown {
		t.Errorf("%s stands in a name and is no requirement", id)
	}
}

var requirementID = regexp.MustCompile(`\b[A-E][0-9]+\b`)

// idsIn returns the ids in a name, such as "B8, B12: a status hides media".
func idsIn(name string) []string { return requirementID.FindAllString(name, -1) }
