package check_test

import (
	"context"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/check/checktest"
	"github.com/usher-authz/usher/check/index"
	"github.com/usher-authz/usher/check/reference"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// indexMemories are the memories of the index through which cases are asked, in bytes: no
// index, one that holds all, and two that hold some and next to nothing. Each case has one of
// them, so that a run takes no longer than without.
var indexMemories = []int64{-1, 1 << 30, 64 << 10, 4 << 10}

// openIndex returns the index of a case and its name; nil for none.
func openIndex(t test, seed uint64) (*index.Index, string) {
	memory := indexMemories[seed>>32%uint64(len(indexMemories))]
	if memory < 0 {
		return nil, "without an index"
	}
	x := index.New(memory)
	t.Cleanup(x.Close)
	return x, fmt.Sprintf("with an index of %d bytes", memory)
}

// warm has an index follow a store from now on.
func warm(t rapid.TB, x *index.Index, store tuples.Store) {
	t.Helper()
	if x == nil {
		return
	}
	if _, err := x.Warm(context.Background(), store); err != nil {
		t.Fatal(err)
	}
}

// readThrough has a request read through an index.
func readThrough(t test, x *index.Index, r *check.Request) {
	if x == nil {
		return
	}
	r.Snapshot = x.Over(r.Snapshot)
	r.Closures = x.Closures(r.Program)
	t.Cleanup(r.Closures.Close)
}

// verifyIndex proves that an index holds what the store does.
func verifyIndex(t rapid.TB, x *index.Index, store tuples.Store) {
	t.Helper()
	if x == nil {
		return
	}
	s, err := store.Snapshot(context.Background(), tuples.At{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := x.Verify(context.Background(), s); err != nil {
		t.Fatal(err)
	}
}

// TestNoAnswerIsOlderThanACommit asks behind each commit, at its revision and at the one before
// it, through one index and with closures that were remembered at others: promises 1 and 2.
func TestNoAnswerIsOlderThanACommit(t *testing.T) {
	db := openDatabase(t)
	compared := 0
	rapid.Check(t, func(t *rapid.T) {
		c := checktest.Cases().Draw(t, "case")
		seed := rapid.Uint64().Draw(t, "seed")
		x, name := openIndex(t, seed)
		store, revisions := writeStore(t, db, c.Model, nil, nil, 0)
		warm(t, x, store)
		program, err := model.Compile(c.Model, store.Symbols())
		if err != nil {
			t.Fatal(err)
		}
		request := check.Request{Program: program, Context: c.Context}
		if x != nil {
			request.Closures = x.Closures(program)
			defer request.Closures.Close()
		}
		for n, mutations := range c.Commits {
			committed, err := store.Commit(context.Background(), tuples.Commit{Mutations: mutations})
			if err != nil {
				t.Fatal(err)
			}
			revisions = append(revisions, committed.Revision)
			for _, at := range []int{n + 1, n, n + 1} {
				if at == 0 {
					continue
				}
				world := reference.World{Model: c.Model, Stored: c.After(at), Context: c.Context}
				v := openView(t, store, tuples.At{Revision: revisions[at-1]}, world, nil)
				v.name, v.source = fmt.Sprintf("commit %d of %d, %s", at, len(c.Commits), name), c.Source
				request.Snapshot = v.request.Snapshot
				if x != nil {
					request.Snapshot = x.Over(v.request.Snapshot)
				}
				v.request = request
				for _, q := range v.checks(16, seed+uint64(n)) {
					got := checktest.Ask(&engine{t: t, evaluator: check.New(v.request)}, q)
					compared++
					if want := checktest.Ask(reference.New(v.world), q); got != want {
						t.Fatalf("%s: %s = %s, the reference says %s\n%s", v.name, q, got, want, v.scenario(q, want))
					}
				}
			}
		}
		verifyIndex(t, x, store)
	})
	t.Logf("compared %d answers", compared)
	if compared == 0 {
		t.Error("no case has a question")
	}
}
