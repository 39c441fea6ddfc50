package checktest

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/usher-authz/usher/check/reference"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/scenario"
	"github.com/usher-authz/usher/tuples"
)

// Now is the clock reading of every scenario and of every random case.
var Now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// Scenario is a world, questions about it, and their answers. As text it is an
// archive of files in the txtar format, of which all but the model may be absent:
//
//	What it shows, and where that is laid down.
//	-- model.fga --
//	-- tuples --
//	doc:1#viewer@user:anna
//	-- contextual --
//	-- context.json --
//	-- answers --
//	user:anna viewer doc:1 = allowed
//	user:anna viewer doc:? = 1
type Scenario struct {
	About      string
	Source     string // the model in the modelling language
	Stored     []tuples.Tuple
	Contextual []tuples.Tuple
	Context    tuples.Context
	Answers    []Expectation
}

// Expectation is a question with its answer, as [Ask] gives it.
type Expectation struct {
	scenario.Question
	Answer string
}

// World parses the model and returns the scenario's world at [Now].
func (s Scenario) World(t testing.TB) reference.World {
	t.Helper()
	m, _, err := model.Parse(model.Source{DSL: s.Source})
	if err != nil {
		t.Fatalf("model is refused: %v", err)
	}
	return reference.World{Model: m, Stored: s.Stored, Contextual: s.Contextual, Context: s.Context, Now: Now}
}

//go:embed testdata/*.txtar
var testdata embed.FS

// Scenarios returns the scenarios in testdata by name, such as "cycles".
func Scenarios(t testing.TB) map[string]Scenario {
	t.Helper()
	files, err := testdata.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	scenarios := make(map[string]Scenario, len(files))
	for _, file := range files {
		text, err := testdata.ReadFile("testdata/" + file.Name())
		if err != nil {
			t.Fatal(err)
		}
		scenario, err := Parse(string(text))
		if err != nil {
			t.Fatalf("testdata/%s: %v", file.Name(), err)
		}
		scenarios[strings.TrimSuffix(file.Name(), ".txtar")] = scenario
	}
	return scenarios
}

// Run asks the scenario's questions, each in a subtest of its own.
func (s Scenario) Run(t *testing.T, a Answerer) {
	if len(s.Answers) == 0 {
		t.Fatal("the scenario has no answers")
	}
	for _, expected := range s.Answers {
		t.Run(expected.Question.String(), func(t *testing.T) {
			if answer := Ask(a, expected.Question); answer != expected.Answer {
				t.Errorf("%s = %s, want %s", expected.Question, answer, expected.Answer)
			}
		})
	}
}

// Parse reads a scenario's text form.
func Parse(text string) (Scenario, error) {
	archive := txtar.Parse([]byte(text))
	s := Scenario{About: string(archive.Comment)}
	for _, file := range archive.Files {
		content := string(file.Data)
		var err error
		switch file.Name {
		case "model.fga":
			s.Source = content
		case "tuples":
			s.Stored, err = parseLines(content, tuples.ParseTuple)
		case "contextual":
			s.Contextual, err = parseLines(content, tuples.ParseTuple)
		case "context.json":
			err = json.Unmarshal(file.Data, &s.Context)
		case "answers":
			s.Answers, err = parseLines(content, parseExpectation)
		default:
			err = fmt.Errorf("a scenario has no such file")
		}
		if err != nil {
			return Scenario{}, fmt.Errorf("%s: %w", file.Name, err)
		}
	}
	return s, nil
}

// parseLines parses every line that is neither blank nor a comment.
func parseLines[T any](text string, parse func(string) (T, error)) ([]T, error) {
	var parsed []T
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		one, err := parse(line)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, one)
	}
	return parsed, nil
}

func parseExpectation(line string) (Expectation, error) {
	left, right, ok := strings.Cut(line, " = ")
	if !ok {
		return Expectation{}, fmt.Errorf("answer %q is not of the form: subject relation object = answer", line)
	}
	question, err := scenario.ParseQuestion(left)
	return Expectation{question, strings.Join(strings.Fields(right), " ")}, err
}

// String returns the text form, which [Parse] reads back.
func (s Scenario) String() string {
	files := []txtar.File{{Name: "model.fga", Data: []byte(s.Source)}}
	add := func(name string, lines ...string) {
		if len(lines) > 0 {
			files = append(files, txtar.File{Name: name, Data: []byte(strings.Join(lines, "\n") + "\n")})
		}
	}
	add("tuples", texts(s.Stored)...)
	add("contextual", texts(s.Contextual)...)
	if len(s.Context) > 0 {
		add("context.json", s.Context.String())
	}
	add("answers", texts(s.Answers)...)
	return string(txtar.Format(&txtar.Archive{Comment: []byte(s.About), Files: files}))
}

// String returns "question = answer".
func (e Expectation) String() string { return e.Question.String() + " = " + e.Answer }

func texts[T fmt.Stringer](values []T) []string {
	lines := make([]string, len(values))
	for i, value := range values {
		lines[i] = value.String()
	}
	return lines
}
