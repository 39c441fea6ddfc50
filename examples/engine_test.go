package examples_test

import (
	"iter"
	"path/filepath"
	"testing"
	"time"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/check/checktest"
	"github.com/usher-authz/usher/check/reference"
	"github.com/usher-authz/usher/examples"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
	"github.com/usher-authz/usher/tuples/bolt"
)

// engineLibrary is an example in a store of its own, to be asked through package check.
type engineLibrary struct {
	store   tuples.Store
	program *model.Program
}

func openEngine(t *testing.T, e examples.Example, at time.Time) opened {
	return openLibrary(t, e, at).answerer
}

// openLibrary writes an example into a new store.
func openLibrary(t *testing.T, e examples.Example, at time.Time) engineLibrary {
	t.Helper()
	store := newStore(t, openDatabase(t, at), e)
	program, err := model.Compile(parseModel(t, e), store.Symbols())
	if err != nil {
		t.Fatal(err)
	}
	return engineLibrary{store, program}
}

// answerer answers from the head of the store.
func (l engineLibrary) answerer(t *testing.T, g given) checktest.Answerer {
	t.Helper()
	snapshot, err := l.store.Snapshot(t.Context(), tuples.At{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(snapshot.Close)
	return engine{t, check.New(check.Request{
		Program: l.program, Snapshot: snapshot, Contextual: g.contextual, Context: g.context,
	})}
}

// apply writes tuples, each behind "+" to create it or "-" to delete it, at one
// revision.
func (l engineLibrary) apply(t *testing.T, updates ...string) {
	t.Helper()
	var commit tuples.Commit
	deletes := 0
	for _, update := range updates {
		tuple, err := tuples.ParseTuple(update[1:])
		if err != nil {
			t.Fatal(err)
		}
		op := tuples.OpCreate
		if update[0] == '-' {
			op = tuples.OpDelete
			deletes++
		}
		commit.Mutations = append(commit.Mutations, tuples.Mutation{Op: op, Tuple: tuple})
	}
	committed, err := l.store.Commit(t.Context(), commit)
	if err != nil {
		t.Fatal(err)
	}
	if committed.Deleted != deletes {
		t.Fatalf("%d of %d tuples to be deleted are there: %q", committed.Deleted, deletes, updates)
	}
}

// openDatabase opens a new database whose clock stands still.
func openDatabase(t *testing.T, at time.Time) tuples.Database {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "usher.db"), bolt.Options{
		NoSync: true, CollectEvery: -1, Clock: func() time.Time { return at },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// newStore makes the store "default" with the model and the tuples of an example.
func newStore(t *testing.T, db tuples.Database, e examples.Example) tuples.Store {
	t.Helper()
	if _, err := db.CreateStore(t.Context(), "default"); err != nil {
		t.Fatal(err)
	}
	store, err := db.Store(t.Context(), "default")
	if err != nil {
		t.Fatal(err)
	}
	commit := tuples.Commit{NewModel: &tuples.NewModel{
		ID: "01JDEXAMPLE000000000000000", Source: e.Model.Encode(), Symbols: parseModel(t, e).Symbols(),
	}}
	if _, err := store.Commit(t.Context(), commit); err != nil {
		t.Fatal(err)
	}
	commit = tuples.Commit{}
	for _, tuple := range e.Tuples {
		commit.Mutations = append(commit.Mutations, tuples.Mutation{Op: tuples.OpCreate, Tuple: tuple})
	}
	if _, err := store.Commit(t.Context(), commit); err != nil {
		t.Fatal(err)
	}
	return store
}

// engine makes a [check.Evaluator] a [checktest.Answerer]. It fails the test on
// every error: no condition of an example fails to evaluate.
type engine struct {
	t         *testing.T
	evaluator *check.Evaluator
}

func (e engine) Check(on tuples.Userset, s tuples.Subject) reference.Answer {
	decision, err := e.evaluator.Check(e.t.Context(), on, s)
	if err != nil {
		e.t.Fatalf("check %s %s: %v", s, on, err)
	}
	return answer(decision)
}

func (e engine) ListObjects(t tuples.ObjectType, r tuples.Relation, s tuples.Subject) []reference.Item {
	return e.items(e.evaluator.ListObjects(e.t.Context(), t, r, s, ""))
}

func (e engine) ListSubjects(on tuples.Userset, t tuples.ObjectType) []reference.Item {
	return e.items(e.evaluator.ListSubjects(e.t.Context(), on, check.SubjectKind{Type: t}, ""))
}

func (e engine) ListUsersets(on tuples.Userset, t tuples.ObjectType, r tuples.Relation) []reference.Item {
	return e.items(e.evaluator.ListSubjects(e.t.Context(), on, check.SubjectKind{Type: t, Relation: r}, ""))
}

func (e engine) items(list iter.Seq2[check.Item, error]) []reference.Item {
	var items []reference.Item
	for item, err := range list {
		if err != nil {
			e.t.Fatal(err)
		}
		if item.Err != nil {
			e.t.Fatal(item.Err)
		}
		items = append(items, reference.Item{ID: item.ID, Answer: answer(item.Decision)})
	}
	return items
}

func answer(d check.Decision) reference.Answer {
	return reference.Answer{Outcome: reference.Outcome(d.Outcome.String()), Missing: d.Missing}
}
