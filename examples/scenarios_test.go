package examples_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-authz/usher/check/checktest"
	"github.com/usher-authz/usher/check/reference"
	"github.com/usher-authz/usher/examples"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/scenario"
	"github.com/usher-authz/usher/tuples"
)

// answers gives the answer to an assertion of a test.
type answers func(t *testing.T, s *scenario.Test, a scenario.Assertion) string

// libraries are the ways in which every scenario is answered.
var libraries = map[string]func(*testing.T, examples.Example, *scenario.File) answers{
	"engine":    openEngine,
	"reference": openReference,
	"server":    openServer,
}

func TestScenarios(t *testing.T) {
	for _, e := range examples.All() {
		for name, open := range libraries {
			t.Run(e.Name+"/"+name, func(t *testing.T) {
				file := storeFileOf(t, e)
				answer := open(t, e, file)
				for i := range file.Tests {
					t.Run(file.Tests[i].Name, func(t *testing.T) {
						for _, failure := range failures(t, answer, &file.Tests[i]) {
							t.Error(failure)
						}
					})
				}
			})
		}
	}
}

// failures returns one line for each assertion of a test that does not hold.
func failures(t *testing.T, answer answers, s *scenario.Test) []string {
	t.Helper()
	var lines []string
	for _, a := range s.Assertions {
		if got := answer(t, s, a); got != a.Want {
			lines = append(lines, fmt.Sprintf("%s = %s, want %s", a.Query, got, a.Want))
		}
	}
	return lines
}

// An assertion that could not fail would show nothing: each is turned into its
// opposite here, and must then fail.
func TestEveryAssertionCanFail(t *testing.T) {
	for _, e := range examples.All() {
		t.Run(e.Name, func(t *testing.T) {
			file := storeFileOf(t, e)
			answer := openEngine(t, e, file)
			for _, s := range file.Tests {
				for i := range s.Assertions {
					s.Assertions[i].Want = opposite(s.Assertions[i].Want)
				}
				if got := failures(t, answer, &s); len(got) != len(s.Assertions) {
					t.Errorf("%s: %d of %d opposites fail: %q", s.Name, len(got), len(s.Assertions), got)
				}
			}
		})
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

// Every right of a model is shown as given and as refused: by checks, or by a list
// that is not empty, which refuses all that it leaves out.
func TestEveryRightIsShownBothWays(t *testing.T) {
	for _, e := range examples.All() {
		t.Run(e.Name, func(t *testing.T) {
			given, refused := shownRights(storeFileOf(t, e))
			for _, right := range rightsOf(parseModel(t, e)) {
				if !given[right] || !refused[right] {
					t.Errorf("%s is shown as given: %t, as refused: %t", right, given[right], refused[right])
				}
			}
		})
	}
}

// The explanations of the answers come by every branch of a model, granting and refusing.
func TestEveryBranchIsCovered(t *testing.T) {
	for _, e := range examples.All() {
		t.Run(e.Name, func(t *testing.T) {
			file := storeFileOf(t, e)
			coverage := scenario.NewCoverage(file.Model)
			if _, err := scenario.Run(t.Context(), file, coverage); err != nil {
				t.Fatal(err)
			}
			for _, gap := range coverage.Summary().Gaps {
				t.Errorf("model.fga:%d: %s: %s: %s", gap.Line, gap.Relation, gap.Branch, gap.Missing)
			}
		})
	}
}

// shownRights returns which relations the scenarios of a file show as given, and which
// as refused.
func shownRights(file *scenario.File) (given, refused map[string]bool) {
	given, refused = map[string]bool{}, map[string]bool{}
	for _, s := range file.Tests {
		for _, a := range s.Assertions {
			if q, ok := a.Query.(scenario.Question); ok {
				right := relationOf(q)
				listed := q.IsList() && a.Want != "nothing"
				given[right] = given[right] || listed || a.Want == "allowed"
				refused[right] = refused[right] || q.IsList() || a.Want == "denied"
			}
		}
	}
	return given, refused
}

// relationOf returns what a question asks for: "media#can_view".
func relationOf(q scenario.Question) string {
	return fmt.Sprintf("%s#%s", q.On.Object.Type, q.On.Relation)
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

// storeFileOf reads an example's scenarios, which speak of what is shipped.
func storeFileOf(t *testing.T, e examples.Example) *scenario.File {
	t.Helper()
	file, err := scenario.Load(filepath.Join(e.Name, e.Name+".fga.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	same := slices.EqualFunc(file.Tuples, e.Tuples, func(a, b tuples.Tuple) bool { return a.Key == b.Key && a.Grant.Equal(b.Grant) })
	if file.Source != e.Model || !same {
		t.Fatalf("%s is about another model or other tuples than those that are shipped: model.fga and tuples.txt", file.Path)
	}
	return file
}

func openEngine(t *testing.T, _ examples.Example, file *scenario.File) answers {
	l := openLibrary(t, file)
	return func(t *testing.T, s *scenario.Test, a scenario.Assertion) string {
		t.Helper()
		answer, err := l.Answer(t.Context(), s, a)
		if err != nil {
			t.Fatalf("%s: %v", a.Query, err)
		}
		return answer
	}
}

func openLibrary(t *testing.T, file *scenario.File) *scenario.Library {
	t.Helper()
	l, err := scenario.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// openReference answers by the reference evaluator. It explains nothing: what is to be
// explained is answered as the check that it is about, and the reasons are taken as given.
func openReference(_ *testing.T, e examples.Example, file *scenario.File) answers {
	var spec *reference.Spec // it remembers what it solved, so it is kept while it fits
	var of *scenario.Test
	var given tuples.Context
	return func(_ *testing.T, s *scenario.Test, a scenario.Assertion) string {
		if s != of || !given.Equal(a.Context) {
			of, given = s, a.Context
			spec = reference.New(reference.World{Model: file.Model, Stored: e.Tuples, Contextual: s.Tuples, Context: a.Context, Now: s.At})
		}
		switch q := a.Query.(type) {
		case scenario.Question:
			return checktest.Ask(spec, q)
		case scenario.Why:
			if outcome := checktest.Ask(spec, q.Question); !strings.HasPrefix(a.Want, outcome) {
				return outcome
			}
			return a.Want
		case scenario.Attributes:
			if outcome := checktest.Ask(spec, q.Question); outcome != "allowed" {
				return outcome
			}
			return scenario.FormatAttributes(spec.Attributes(q.On, q.Subject))
		case scenario.Shares:
			return summarizeByReference(spec, q)
		}
		return "unknown query"
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

// parseQuestion reads a question's text form.
func parseQuestion(t *testing.T, text string) scenario.Question {
	t.Helper()
	q, err := scenario.ParseQuestion(text)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func find(t *testing.T, name string) examples.Example {
	t.Helper()
	e, ok := examples.Find(name)
	if !ok {
		t.Fatalf("there is no example %s", name)
	}
	return e
}

var clockReading = time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
