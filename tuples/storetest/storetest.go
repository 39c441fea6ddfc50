// Package storetest is the suite that every implementation of package tuples' store
// contract must pass: a test for each rule that the contract's comments state, and a
// random test that holds a store to a plain in-memory model.
//
// A store's own tests call [Run].
package storetest

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/usher-authz/usher/tuples"
	"pgregory.net/rapid"
)

// Retention is the retention that [Engine.Open] must give its databases.
const Retention = time.Hour

// Engine is the store implementation under test.
type Engine struct {
	// Open opens the database that is kept in dir, new or left there by one that was
	// closed. The database reads clock as its wall clock, keeps superseded revisions for
	// [Retention], and collects only when Collect is called.
	Open func(dir string, clock func() time.Time) (tuples.Database, error)
	// Collect removes what has expired or left the retention.
	Collect func(ctx context.Context, db tuples.Database) error
	// Stage begins a commit, whatever its size, in the way of those that are too large for
	// one transaction. It is nil for an engine that has none.
	Stage func(store tuples.Store, c tuples.Commit) (Staged, error)
}

// Staged is a commit under way that the random test drives piece by piece. It ends, with
// nothing visible, when the database is closed before it is done.
type Staged interface {
	// Next does the next piece. It is done with the one that makes the commit visible, or
	// with an error.
	Next() (outcome tuples.Committed, done bool, err error)
	// Merge does a piece of what is left to do then.
	Merge() error
}

// Run runs the suite.
func Run(t *testing.T, engine Engine) {
	for _, group := range []struct {
		name  string
		rules []rule
	}{
		{"commit", commitRules},
		{"refusal", refusalRules},
		{"request id", requestRules},
		{"bulk", bulkRules},
		{"erase", eraseRules},
		{"undo", undoRules},
		{"dry run", dryRunRules},
		{"expiry", expiryRules},
		{"snapshot", snapshotRules},
		{"read", readRules},
		{"edges", edgeRules},
		{"scan", scanRules},
		{"follow", followRules},
		{"changes", changeRules},
		{"trace", traceRules},
		{"model", modelRules},
		{"catalogue", catalogueRules},
		{"lifetime", lifetimeRules},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, r := range group.rules {
				t.Run(r.name, func(t *testing.T) {
					h := start(t, engine, t.TempDir())
					defer h.close()
					r.test(h)
					h.verify()
				})
			}
		})
	}
	t.Run("random", func(t *testing.T) { random(t, engine) })
}

// rule is one sentence of the contract and its test.
type rule struct {
	name string
	test func(*harness)
}

// wall is a wall clock that tests set.
type wall struct {
	mu  sync.Mutex
	now time.Time
}

func (w *wall) read() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *wall) add(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// harness is one database with one store, which tests can reopen.
type harness struct {
	rapid.TB
	ctx    context.Context
	engine Engine
	dir    string
	wall   *wall
	db     tuples.Database
	store  tuples.Store
}

// start opens a database in dir and makes a store in it.
func start(t rapid.TB, engine Engine, dir string) *harness {
	t.Helper()
	h := &harness{
		TB: t, ctx: context.Background(), engine: engine, dir: dir,
		wall: &wall{now: time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)},
	}
	h.open()
	info, err := h.db.CreateStore(h.ctx, "default")
	h.must(err)
	h.store, err = h.db.Store(h.ctx, string(info.ID))
	h.must(err)
	return h
}

func (h *harness) open() {
	h.Helper()
	db, err := h.engine.Open(h.dir, h.wall.read)
	h.must(err)
	h.db = db
}

func (h *harness) close() {
	h.Helper()
	h.must(h.db.Close())
}

func (h *harness) reopen() {
	h.Helper()
	id := h.store.Info().ID
	h.close()
	h.open()
	var err error
	h.store, err = h.db.Store(h.ctx, string(id))
	h.must(err)
}

func (h *harness) collect() {
	h.Helper()
	h.must(h.engine.Collect(h.ctx, h.db))
}

func (h *harness) verify() tuples.Verified {
	h.Helper()
	counts, err := h.store.Verify(h.ctx)
	h.must(err)
	return counts
}

func (h *harness) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatalf("unexpected error: %v", err)
	}
}

// equal fails unless two printable values are the same.
func equal[T comparable](h *harness, what string, got, want T) {
	h.Helper()
	if got != want {
		h.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// tuple parses the text form.
func (h *harness) tuple(text string) tuples.Tuple {
	h.Helper()
	t, err := tuples.ParseTuple(text)
	h.must(err)
	return t
}

// mutations makes one mutation of each text.
func (h *harness) mutations(op tuples.Op, texts ...string) []tuples.Mutation {
	h.Helper()
	var ms []tuples.Mutation
	for _, text := range texts {
		ms = append(ms, tuples.Mutation{Op: op, Tuple: h.tuple(text)})
	}
	return ms
}

// commit applies a commit that must succeed.
func (h *harness) commit(c tuples.Commit) tuples.Committed {
	h.Helper()
	outcome, err := h.store.Commit(h.ctx, c)
	h.must(err)
	return outcome
}

func (h *harness) create(texts ...string) tuples.Committed {
	h.Helper()
	return h.commit(tuples.Commit{Mutations: h.mutations(tuples.OpCreate, texts...)})
}

func (h *harness) touch(texts ...string) tuples.Committed {
	h.Helper()
	return h.commit(tuples.Commit{Mutations: h.mutations(tuples.OpTouch, texts...)})
}

func (h *harness) delete(texts ...string) tuples.Committed {
	h.Helper()
	return h.commit(tuples.Commit{Mutations: h.mutations(tuples.OpDelete, texts...)})
}

// snapshot opens a state that must be there.
func (h *harness) snapshot(at tuples.At) tuples.Snapshot {
	h.Helper()
	s, err := h.store.Snapshot(h.ctx, at)
	h.must(err)
	return s
}

// random runs the model-based test, each run in a directory of its own.
func random(t *testing.T, engine Engine) {
	parent := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(parent, "")
		if err != nil {
			rt.Fatal(err)
		}
		m := newMachine(rt, start(rt, engine, dir))
		defer func() { m.h.close() }() // of the database that is open then
		rt.Repeat(m.actions())
		m.h.verify()
	})
}
