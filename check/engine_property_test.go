package check_test

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/check/checktest"
	"github.com/usher-authz/usher/check/index"
	"github.com/usher-authz/usher/check/reference"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/scenario"
	"github.com/usher-authz/usher/tuples"
	"github.com/usher-authz/usher/tuples/bolt"
)

// engine makes a [check.Evaluator] a [checktest.Answerer]. It fails the test on
// every error but that of a condition, which is an answer.
type engine struct {
	t         rapid.TB
	evaluator *check.Evaluator
}

func (e *engine) Check(on tuples.Userset, s tuples.Subject) reference.Answer {
	e.t.Helper()
	decision, err := e.evaluator.Check(context.Background(), on, s)
	return e.answer(decision, err)
}

func (e *engine) ListObjects(t tuples.ObjectType, r tuples.Relation, s tuples.Subject) []reference.Item {
	e.t.Helper()
	on := tuples.Userset{Object: tuples.Object{Type: t, ID: scenario.Asked}, Relation: r}
	return e.list(scenario.Question{Subject: s, On: on}, "")
}

func (e *engine) ListSubjects(on tuples.Userset, t tuples.ObjectType) []reference.Item {
	e.t.Helper()
	return e.list(scenario.Question{Subject: tuples.Subject{Type: t, ID: scenario.Asked}, On: on}, "")
}

func (e *engine) ListUsersets(on tuples.Userset, t tuples.ObjectType, r tuples.Relation) []reference.Item {
	e.t.Helper()
	return e.list(scenario.Question{Subject: tuples.Subject{Type: t, ID: scenario.Asked, Relation: r}, On: on}, "")
}

// list returns the items of a list behind after.
func (e *engine) list(q scenario.Question, after tuples.ID) []reference.Item {
	e.t.Helper()
	var items iter.Seq2[check.Item, error]
	if q.On.Object.ID == scenario.Asked {
		items = e.evaluator.ListObjects(context.Background(), q.On.Object.Type, q.On.Relation, q.Subject, after)
	} else {
		kind := check.SubjectKind{Type: q.Subject.Type, Relation: q.Subject.Relation}
		items = e.evaluator.ListSubjects(context.Background(), q.On, kind, after)
	}
	var list []reference.Item
	for item, err := range items {
		if err != nil {
			e.t.Fatalf("%s: %v", q, err)
		}
		list = append(list, reference.Item{ID: item.ID, Answer: e.answer(item.Decision, item.Err)})
	}
	return list
}

func (e *engine) answer(decision check.Decision, err error) reference.Answer {
	e.t.Helper()
	var failed *check.ConditionError
	switch {
	case errors.As(err, &failed):
		return reference.Answer{Outcome: reference.Failed, Failed: []tuples.Key{failed.Tuple}}
	case err != nil:
		e.t.Fatalf("engine fails: %v", err)
	}
	return reference.Answer{Outcome: reference.Outcome(decision.Outcome.String()), Missing: decision.Missing}
}

// view is one state of a random case, and how to ask the engine about it.
type view struct {
	name    string
	source  string
	world   reference.World
	request check.Request
}

// scenario returns the view as a scenario, to be kept among those of checktest.
func (v *view) scenario(q scenario.Question, answer string) checktest.Scenario {
	return checktest.Scenario{
		About: v.name + "\n", Source: v.source,
		Stored: v.world.Stored, Contextual: v.world.Contextual, Context: v.world.Context,
		Answers: []checktest.Expectation{{Question: q, Answer: answer}},
	}
}

func openDatabase(t *testing.T) *bolt.DB {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "usher.db"), bolt.Options{
		NoSync: true, CollectEvery: -1, Clock: func() time.Time { return checktest.Now },
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

// stores numbers the stores of a test run, so that each has a name of its own.
var stores atomic.Int64

// writeStore writes commits into a new store, behind one that interns the names of
// the model and of what earlier models had. It returns the revision of each. An index, if
// there is one, follows the store behind the first of them, so many.
func writeStore(
	t rapid.TB, db tuples.Database, m *model.Model, commits [][]tuples.Mutation, x *index.Index, first int,
) (tuples.Store, []tuples.Revision) {
	t.Helper()
	ctx := context.Background()
	info, err := db.CreateStore(ctx, "store-"+strconv.FormatInt(stores.Add(1), 10))
	if err != nil {
		t.Fatal(err)
	}
	store, err := db.Store(ctx, info.Name)
	if err != nil {
		t.Fatal(err)
	}
	names := slices.Concat(m.Symbols(), namesOf(commits))
	slices.Sort(names)
	commit := tuples.Commit{NewModel: &tuples.NewModel{ID: "model", Source: []byte("{}"), Symbols: slices.Compact(names)}}
	var revisions []tuples.Revision
	for i := range len(commits) + 1 {
		committed, err := store.Commit(ctx, commit)
		if err != nil {
			t.Fatal(err)
		}
		revisions = append(revisions, committed.Revision)
		if i == first {
			warm(t, x, store)
		}
		if i < len(commits) {
			commit = tuples.Commit{Mutations: commits[i]}
		}
	}
	return store, revisions[1:]
}

// namesOf returns the types and relations that tuples name.
func namesOf(commits [][]tuples.Mutation) []string {
	var names []string
	for _, m := range slices.Concat(commits...) {
		k := m.Tuple.Key
		names = append(names, string(k.Object.Type), string(k.Relation), string(k.Subject.Type))
		if k.Subject.IsUserset() {
			names = append(names, string(k.Subject.Relation))
		}
	}
	return names
}

// openViews writes a case into a store of its own and returns the states to ask
// about: the head with the contextual tuples, the head without them under the same
// model in another order, and an older revision.
func openViews(t *rapid.T, db tuples.Database, c checktest.Case, seed uint64) []*view {
	t.Helper()
	x, how := openIndex(t, seed)
	store, revisions := writeStore(t, db, c.Model, c.Commits, x, int(seed>>16%uint64(len(c.Commits)+1)))
	verifyIndex(t, x, store)
	world := reference.World{Model: c.Model, Stored: c.After(len(revisions)), Context: c.Context}
	head := openView(t, store, tuples.At{}, world, nil)
	head.name = "head with operands shuffled"
	var err error
	if head.request.Program, err = model.Compile(shuffle(t, c.Source, seed), store.Symbols()); err != nil {
		t.Fatal(err)
	}
	readThrough(t, x, &head.request)

	world.Contextual = c.Contextual
	contextual := openView(t, store, tuples.At{}, world, x)
	contextual.name = "head with contextual tuples"

	views := []*view{head, contextual}
	if len(revisions) > 1 {
		n := 1 + int(seed%uint64(len(revisions)-1))
		world.Stored, world.Contextual = c.After(n), nil
		older := openView(t, store, tuples.At{Revision: revisions[n-1]}, world, x)
		older.name = "an older revision"
		views = append(views, older)
	}
	for _, v := range views {
		v.name += ", " + how
		v.source = c.Source
	}
	return views
}

// test is both a [*testing.T] and a [*rapid.T].
type test interface {
	rapid.TB
	Cleanup(func())
}

// openView opens a state of a store, in which world.Stored are its tuples, through an index
// if there is one.
func openView(t test, store tuples.Store, at tuples.At, world reference.World, x *index.Index) *view {
	t.Helper()
	program, err := model.Compile(world.Model, store.Symbols())
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := store.Snapshot(context.Background(), at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(snapshot.Close)
	world.Now = snapshot.Time()
	v := &view{world: world, request: check.Request{
		Program: program, Snapshot: snapshot, Contextual: world.Contextual, Context: world.Context,
	}}
	readThrough(t, x, &v.request)
	return v
}

// shuffle returns the model with the operands of every "or" and "and" in another order.
func shuffle(t rapid.TB, source string, seed uint64) *model.Model {
	t.Helper()
	m, _, err := model.Parse(model.Source{DSL: source})
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(seed, 1))
	for _, typ := range m.Types {
		for _, r := range typ.Relations {
			shuffleRewrite(r.Rewrite, random)
		}
	}
	return m
}

func shuffleRewrite(rewrite model.Rewrite, random *rand.Rand) {
	var operands []model.Rewrite
	switch r := rewrite.(type) {
	case model.Union:
		operands = r.Operands
	case model.Intersection:
		operands = r.Operands
	case model.Exclusion:
		operands = []model.Rewrite{r.Base, r.Subtract} // a copy: these two keep their places
	}
	for _, operand := range operands {
		shuffleRewrite(operand, random)
	}
	if _, exclusion := rewrite.(model.Exclusion); !exclusion {
		random.Shuffle(len(operands), func(i, j int) { operands[i], operands[j] = operands[j], operands[i] })
	}
}
