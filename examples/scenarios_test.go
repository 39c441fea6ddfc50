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
	"github.com/usher-authz/usher/tuples"
)

// library opens what answers questions about an example at a clock reading: the
// function that it returns lays the tuples of one scenario over the stored ones.
type library func(t *testing.T, e examples.Example, at time.Time) func(*testing.T, []tuples.Tuple) checktest.Answerer

// libraries are the ways in which every scenario is answered.
var libraries = map[string]library{
	"engine":    openEngine,
	"reference": openReference,
	"server":    openServer,
}

func TestScenarios(t *testing.T) {
	for _, e := range examples.All() {
		file := storeFileOf(t, e)
		for name, open := range libraries {
			t.Run(e.Name+"/"+name, func(t *testing.T) { runScenarios(t, file, e, open) })
		}
	}
}

func runScenarios(t *testing.T, file storeFile, e examples.Example, open library) {
	opened := map[time.Time]func(*testing.T, []tuples.Tuple) checktest.Answerer{}
	for _, s := range file.Tests {
		if opened[s.At] == nil {
			opened[s.At] = open(t, e, s.At)
		}
		t.Run(s.Name, func(t *testing.T) {
			expected, contextual := parts(t, s)
			for _, failure := range failures(expected, opened[s.At](t, contextual)) {
				t.Error(failure)
			}
		})
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
		for _, s := range storeFileOf(t, e).Tests {
			expected, contextual := parts(t, s)
			answerer := openReference(t, e, s.At)(t, contextual)
			for _, wrong := range expected {
				wrong.Answer = opposite(wrong.Answer)
				if got := failures([]checktest.Expectation{wrong}, answerer); len(got) != 1 {
					t.Errorf("%s: %s passes as %q", s.Name, wrong.Question, wrong.Answer)
				}
			}
		}
	}
}

// Every right of a model is shown as given and as refused: by checks, or by a list
// that is not empty, which refuses all that it leaves out.
func TestEveryRightIsShownBothWays(t *testing.T) {
	for _, e := range examples.All() {
		given, refused := map[string]bool{}, map[string]bool{}
		for _, s := range storeFileOf(t, e).Tests {
			expected, _ := parts(t, s)
			for _, x := range expected {
				right := fmt.Sprintf("%s#%s", x.On.Object.Type, x.On.Relation)
				given[right] = given[right] || x.Answer != "denied" && x.Answer != "nothing"
				refused[right] = refused[right] || x.Answer != "allowed"
			}
		}
		for _, typ := range parseModel(t, e).Types {
			for _, relation := range typ.Relations {
				right := fmt.Sprintf("%s#%s", typ.Name, relation.Name)
				if strings.HasPrefix(string(relation.Name), "can_") && !(given[right] && refused[right]) {
					t.Errorf("%s: %s is shown as given: %t, as refused: %t", e.Name, right, given[right], refused[right])
				}
			}
		}
	}
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

func parts(t *testing.T, s scenario) ([]checktest.Expectation, []tuples.Tuple) {
	t.Helper()
	expected, err := s.expectations()
	if err != nil {
		t.Fatalf("%s: %v", s.Name, err)
	}
	contextual, err := s.contextual()
	if err != nil {
		t.Fatalf("%s: %v", s.Name, err)
	}
	return expected, contextual
}

func openReference(t *testing.T, e examples.Example, at time.Time) func(*testing.T, []tuples.Tuple) checktest.Answerer {
	m := parseModel(t, e)
	return func(_ *testing.T, contextual []tuples.Tuple) checktest.Answerer {
		return reference.New(reference.World{Model: m, Stored: e.Tuples, Contextual: contextual, Now: at})
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
