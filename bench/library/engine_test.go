package library_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/usher-authz/usher/bench/library"
	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/examples"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
	"github.com/usher-authz/usher/tuples/bolt"
)

// loaded is a library in a store.
type loaded struct {
	store   tuples.Store
	program *model.Program
}

func load(t *testing.T, l *library.Library) loaded {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "usher.db"), bolt.Options{NoSync: true, CollectEvery: -1})
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
	source := examples.MediaLibrary().Model
	m, _, err := model.Parse(source)
	if err != nil {
		t.Fatal(err)
	}
	commits := []tuples.Commit{{NewModel: &tuples.NewModel{ID: "01JDLIBRARY000000000000000", Source: source.Encode(), Symbols: m.Symbols()}}}
	for some := range slices.Chunk(slices.Collect(l.Tuples()), 10_000) {
		var commit tuples.Commit
		for _, tuple := range some {
			commit.Mutations = append(commit.Mutations, tuples.Mutation{Op: tuples.OpCreate, Tuple: tuple})
		}
		commits = append(commits, commit)
	}
	for _, commit := range commits {
		if _, err := store.Commit(t.Context(), commit); err != nil {
			t.Fatal(err)
		}
	}
	program, err := model.Compile(m, store.Symbols())
	if err != nil {
		t.Fatal(err)
	}
	return loaded{store, program}
}

// ask gives an evaluator at the head to answer, as a request does.
func (l loaded) ask(t *testing.T, context tuples.Context, answer func(*check.Evaluator)) {
	t.Helper()
	snapshot, err := l.store.Snapshot(t.Context(), tuples.At{})
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	answer(check.New(check.Request{Program: l.program, Snapshot: snapshot, Context: context}))
}

// At a size that the reference cannot cope with, the oracle is held against the engine.
func TestOracleAgreesWithEngine(t *testing.T) {
	l := library.New(1, library.S)
	store := load(t, l)
	for _, q := range slices.Concat(l.Checks(1_500), slices.Concat(l.Batches(2, 100)...)) {
		store.ask(t, q.Context, func(e *check.Evaluator) {
			decision, err := e.Check(t.Context(), q.On, q.Subject)
			if err != nil {
				t.Fatal(err)
			}
			if got := outcomes[decision.Outcome]; got != q.Want {
				t.Errorf("is %s %s? The engine says %s, the oracle %s", q.Subject, q.On, got, q.Want)
			}
		})
	}
	for _, page := range l.Pages(5, 100) {
		store.ask(t, nil, func(e *check.Evaluator) { holdPage(t, e, page) })
	}
	for _, list := range slices.Concat(l.Lists(library.ShortList)[:2], l.Lists(library.LongList)[:1]) {
		store.ask(t, nil, func(e *check.Evaluator) { holdList(t, e, list) })
	}
}

var outcomes = map[check.Outcome]library.Outcome{
	check.Denied: library.Denied, check.Allowed: library.Allowed, check.Conditional: library.Conditional,
}

func holdPage(t *testing.T, e *check.Evaluator, page library.Page) {
	t.Helper()
	passed := make(map[library.Outcome][]tuples.ID)
	for _, id := range page.IDs {
		on := tuples.Userset{Object: tuples.Object{Type: "media", ID: id}, Relation: "can_view"}
		decision, err := e.Check(t.Context(), on, page.Subject)
		if err != nil {
			t.Fatal(err)
		}
		outcome := outcomes[decision.Outcome]
		passed[outcome] = append(passed[outcome], id)
	}
	if !slices.Equal(passed[library.Allowed], page.Allowed) || !slices.Equal(passed[library.Conditional], page.Conditional) {
		t.Errorf("of a page %s sees %v, the oracle says %v and behind a password %v", page.Subject, passed, page.Allowed, page.Conditional)
	}
}

func holdList(t *testing.T, e *check.Evaluator, list library.List) {
	t.Helper()
	var items []library.Item
	for item, err := range e.ListObjects(t.Context(), "media", "can_view", list.Subject, "") {
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, library.Item{ID: item.ID, Outcome: outcomes[item.Decision.Outcome]})
	}
	if !slices.Equal(items, list.Items) {
		t.Errorf("%s sees %d media, the oracle says %d", list.Subject, len(items), len(list.Items))
	}
}
