package examples_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/usher-authz/usher/check/checktest"
	"github.com/usher-authz/usher/check/reference"
	"github.com/usher-authz/usher/examples"
	"github.com/usher-authz/usher/model"
)

// library opens what answers questions about an example at a clock reading.
type library func(t *testing.T, e examples.Example, at time.Time) opened

// opened answers under what is given beside the stored tuples.
type opened func(*testing.T, given) checktest.Answerer

// libraries are the ways in which every scenario is answered.
var libraries = map[string]library{
	"engine":    openEngine,
	"reference": openReference,
	"server":    openServer,
}

func TestScenarios(t *testing.T) {
	for _, e := range examples.All() {
		for name, open := range libraries {
			t.Run(e.Name+"/"+name, func(t *testing.T) { runScenarios(t, storeFileOf(t, e), e, open) })
		}
	}
}

func runScenarios(t *testing.T, file storeFile, e examples.Example, open library) {
	at := openOnce(t, e, open)
	for _, s := range file.Tests {
		t.Run(s.Name, func(t *testing.T) {
			for _, entry := range entriesOf(t, s) {
				for _, failure := range failures(entry.expected, at(s.At)(t, entry.given)) {
					t.Error(failure)
				}
			}
		})
	}
}

// openOnce opens an example once for each clock reading.
func openOnce(t *testing.T, e examples.Example, open library) func(at time.Time) opened {
	made := map[time.Time]opened{}
	return func(at time.Time) opened {
		if made[at] == nil {
			made[at] = open(t, e, at)
		}
		return made[at]
	}
}

// failures returns one line for each expectation that the answerer does not meet.
func failures(expected []checktest.Expectation, a checktest.Answerer) []string {
	var lines []string
	for _, e := range expected {
		if answer := e.Ask(a); answer != e.Answer {
			lines = append(lines, fmt.Sprintf("%s = %s, want %s", e.Question, answer, e.Answer))
		}
	}
	return lines
}

// An assertion that could not fail would show nothing: each is turned into its
// opposite here, and must then fail.
func TestEveryAssertionCanFail(t *testing.T) {
	for _, e := range examples.All() {
		t.Run(e.Name, func(t *testing.T) {
			at := openOnce(t, e, openEngine)
			for _, s := range storeFileOf(t, e).Tests {
				for _, entry := range entriesOf(t, s) {
					answerer := at(s.At)(t, entry.given)
					for _, wrong := range entry.expected {
						wrong.Answer = opposite(wrong.Answer)
						if got := failures([]checktest.Expectation{wrong}, answerer); len(got) != 1 {
							t.Errorf("%s: %s passes as %q", s.Name, wrong.Question, wrong.Answer)
						}
					}
				}
			}
		})
	}
}

// Every right of a model is shown as given and as refused: by checks, or by a list
// that is not empty, which refuses all that it leaves out.
func TestEveryRightIsShownBothWays(t *testing.T) {
	for _, e := range examples.All() {
		t.Run(e.Name, func(t *testing.T) {
			given, refused := shownRights(t, storeFileOf(t, e))
			for _, right := range rightsOf(parseModel(t, e)) {
				if !given[right] || !refused[right] {
					t.Errorf("%s is shown as given: %t, as refused: %t", right, given[right], refused[right])
				}
			}
		})
	}
}

// shownRights returns which relations the scenarios of a file show as given, and which
// as refused.
func shownRights(t *testing.T, file storeFile) (given, refused map[string]bool) {
	given, refused = map[string]bool{}, map[string]bool{}
	for _, s := range file.Tests {
		for _, entry := range entriesOf(t, s) {
			for _, x := range entry.expected {
				right := fmt.Sprintf("%s#%s", x.On.Object.Type, x.On.Relation)
				listed := x.IsList() && x.Answer != "nothing"
				given[right] = given[right] || listed || x.Answer == "allowed"
				refused[right] = refused[right] || x.IsList() || x.Answer == "denied"
			}
		}
	}
	return given, refused
}

// rightsOf returns what applications ask a model for: "media#can_view".
func rightsOf(m *model.Model) []string {
	var rights []string
	for _, typ := range m.Types {
		for _, relation := range typ.Relations {
			if strings.HasPrefix(string(relation.Name), "can_") {
				rights = append(rights, fmt.Sprintf("%s#%s", typ.Name, relation.Name))
			}
		}
	}
	return rights
}

// opposite returns another answer: the other outcome, or a list with one more.
func opposite(answer string) string {
	switch answer {
	case "allowed":
		return "denied"
	case "denied":
		return "allowed"
	case "nothing":
		return "zz-one-more"
	}
	return answer + " zz-one-more"
}

func storeFileOf(t *testing.T, e examples.Example) storeFile {
	t.Helper()
	file, err := readStoreFile(filepath.Join(e.Name, e.Name+".fga.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if file.ModelFile != "model.fga" || file.TupleFile != "tuples.txt" {
		t.Fatalf("%s names %s and %s, want the files that are shipped: model.fga and tuples.txt", e.Name, file.ModelFile, file.TupleFile)
	}
	return file
}

func openReference(t *testing.T, e examples.Example, at time.Time) opened {
	m := parseModel(t, e)
	return func(_ *testing.T, g given) checktest.Answerer {
		return reference.New(reference.World{Model: m, Stored: e.Tuples, Contextual: g.contextual, Context: g.context, Now: at})
	}
}

func parseModel(t *testing.T, e examples.Example) *model.Model {
	t.Helper()
	m, _, err := model.Parse(e.Model)
	if err != nil {
		t.Fatalf("model of %s: %v", e.Name, err)
	}
	return m
}
