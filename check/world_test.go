package check_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
	"github.com/usher-authz/usher/tuples/bolt"
)

// now is the clock reading of every world.
var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// world is a store of its own with a model and tuples.
type world struct {
	t       testing.TB
	store   tuples.Store
	program *model.Program
}

// newWorld stores tuples, given in text form, under a model. Tuples that the model
// forbids are stored all the same.
func newWorld(t testing.TB, source string, lines ...string) *world {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "usher.db"), bolt.Options{
		NoSync: true, CollectEvery: -1, Clock: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := db.CreateStore(t.Context(), "default"); err != nil {
		t.Fatal(err)
	}
	store, err := db.Store(t.Context(), "default")
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := model.Parse(model.Source{DSL: "model\n  schema 1.1\n" + source})
	if err != nil {
		t.Fatal(err)
	}
	commit := tuples.Commit{NewModel: &tuples.NewModel{ID: "01M", Symbols: m.Symbols()}}
	if _, err := store.Commit(t.Context(), commit); err != nil {
		t.Fatal(err)
	}
	program, err := model.Compile(m, store.Symbols())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, store: store, program: program}
	w.write(lines...)
	return w
}

// write stores tuples given in text form.
func (w *world) write(lines ...string) {
	w.t.Helper()
	var commit tuples.Commit
	for _, line := range lines {
		commit.Mutations = append(commit.Mutations, tuples.Mutation{Op: tuples.OpTouch, Tuple: parseTuple(w.t, line)})
	}
	if _, err := w.store.Commit(w.t.Context(), commit); err != nil {
		w.t.Fatal(err)
	}
}

// evaluator returns an evaluator at the head; set changes its request.
func (w *world) evaluator(set ...func(*check.Request)) *check.Evaluator {
	w.t.Helper()
	snapshot, err := w.store.Snapshot(w.t.Context(), tuples.At{})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(snapshot.Close)
	request := check.Request{Program: w.program, Snapshot: snapshot}
	for _, s := range set {
		s(&request)
	}
	return check.New(request)
}

// check asks "user:anna viewer media:logo" and returns the answer as text.
func (w *world) check(e *check.Evaluator, question string) string {
	w.t.Helper()
	on, subject := parseQuestion(w.t, question)
	decision, err := e.Check(w.t.Context(), on, subject)
	return answer(decision, err)
}

func answer(d check.Decision, err error) string {
	var failed *check.ConditionError
	switch {
	case errors.As(err, &failed):
		return "failed"
	case err != nil:
		return "error: " + err.Error()
	case d.Outcome == check.Conditional:
		return "conditional on " + strings.Join(d.Missing, ", ")
	}
	return d.Outcome.String()
}

func parseQuestion(t testing.TB, question string) (tuples.Userset, tuples.Subject) {
	t.Helper()
	fields := strings.Fields(question)
	subject, err := tuples.ParseSubject(fields[0])
	if err != nil {
		t.Fatal(err)
	}
	object, err := tuples.ParseObject(fields[2])
	if err != nil {
		t.Fatal(err)
	}
	return tuples.Userset{Object: object, Relation: tuples.Relation(fields[1])}, subject
}

func parseTuple(t testing.TB, line string) tuples.Tuple {
	t.Helper()
	tuple, err := tuples.ParseTuple(line)
	if err != nil {
		t.Fatal(err)
	}
	return tuple
}

// contextual lays tuples over a request.
func contextual(t testing.TB, lines ...string) func(*check.Request) {
	return func(r *check.Request) {
		for _, line := range lines {
			r.Contextual = append(r.Contextual, parseTuple(t, line))
		}
	}
}

func budget(units int) func(*check.Request) {
	return func(r *check.Request) { r.Budget = units }
}

// objects lists "user:anna viewer media" as "logo poster(conditional on x)".
func (w *world) objects(e *check.Evaluator, question string, after tuples.ID) string {
	w.t.Helper()
	fields := strings.Fields(question)
	subject, err := tuples.ParseSubject(fields[0])
	if err != nil {
		w.t.Fatal(err)
	}
	return items(e.ListObjects(w.t.Context(), tuples.ObjectType(fields[2]), tuples.Relation(fields[1]), subject, after))
}

// subjects lists "user viewer media:logo" or "group#member viewer media:logo".
func (w *world) subjects(e *check.Evaluator, question string, after tuples.ID) string {
	w.t.Helper()
	fields := strings.Fields(question)
	object, err := tuples.ParseObject(fields[2])
	if err != nil {
		w.t.Fatal(err)
	}
	kind, relation, _ := strings.Cut(fields[0], "#")
	on := tuples.Userset{Object: object, Relation: tuples.Relation(fields[1])}
	return items(e.ListSubjects(w.t.Context(), on,
		check.SubjectKind{Type: tuples.ObjectType(kind), Relation: tuples.Relation(relation)}, after))
}

func items(list func(func(check.Item, error) bool)) string {
	var texts []string
	for item, err := range list {
		text := string(item.ID)
		if outcome := answer(item.Decision, errors.Join(item.Err, err)); outcome != "allowed" {
			text += "(" + outcome + ")"
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, " ")
}

// repeat returns n lines of a format with one or two verbs for i and i+1.
func repeat(n int, line func(i int) string) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = line(i)
	}
	return slices.Clip(lines)
}
