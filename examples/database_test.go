package examples_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/usher-authz/usher/examples"
	"github.com/usher-authz/usher/tuples"
	"github.com/usher-authz/usher/tuples/bolt"
)

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
	for _, tuple := range e.Tuples {
		commit.Mutations = append(commit.Mutations, tuples.Mutation{Op: tuples.OpCreate, Tuple: tuple})
	}
	if _, err := store.Commit(t.Context(), commit); err != nil {
		t.Fatal(err)
	}
	return store
}
