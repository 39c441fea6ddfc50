package bolt

import (
	"context"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/usher-authz/usher/tuples"
)

const (
	anna = "media:logo#viewer@user:anna"
	bert = "media:logo#viewer@user:bert"
	carl = "media:logo#viewer@user:carl"
)

// openTest opens a database, made if need be, with a store named "default".
func openTest(t testing.TB, path string, options Options) (*DB, *store) {
	t.Helper()
	if options.CollectEvery == 0 {
		options.CollectEvery = -1
	}
	db, err := Open(path, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // a test that closes it itself checks the error
	s, err := db.Store(t.Context(), "default")
	if err != nil {
		if _, err := db.CreateStore(t.Context(), "default"); err != nil {
			t.Fatal(err)
		}
		if s, err = db.Store(t.Context(), "default"); err != nil {
			t.Fatal(err)
		}
	}
	return db, s.(*store)
}

// newTest opens a new database without fsync.
func newTest(t testing.TB) (*DB, *store) {
	t.Helper()
	return openTest(t, filepath.Join(t.TempDir(), "usher.db"), Options{NoSync: true})
}

func parse(t testing.TB, text string) tuples.Tuple {
	t.Helper()
	tuple, err := tuples.ParseTuple(text)
	if err != nil {
		t.Fatal(err)
	}
	return tuple
}

// commitOf makes a commit of one operation on some tuples.
func commitOf(t testing.TB, op tuples.Op, texts ...string) tuples.Commit {
	t.Helper()
	var c tuples.Commit
	for _, text := range texts {
		c.Mutations = append(c.Mutations, tuples.Mutation{Op: op, Tuple: parse(t, text)})
	}
	return c
}

func mustCommit(t testing.TB, s *store, c tuples.Commit) tuples.Committed {
	t.Helper()
	outcome, err := s.Commit(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	return outcome
}

// wantTuples compares what a state holds with texts.
func wantTuples(t testing.TB, s *store, at tuples.At, want ...string) {
	t.Helper()
	snapshot, err := s.Snapshot(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	if got := read(t, snapshot); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Fatalf("at %+v: got %q, want %q", at, got, want)
	}
}

// read returns the texts of all tuples, sorted.
func read(t testing.TB, snapshot tuples.Snapshot) []string {
	t.Helper()
	var texts []string
	for after, more := (*tuples.Key)(nil), true; more; {
		var page []tuples.Tuple
		var err error
		if page, after, more, err = snapshot.Read(context.Background(), tuples.Filter{}, after, make([]tuples.Tuple, 0, 1000)); err != nil {
			t.Fatal(err)
		}
		for _, tuple := range page {
			texts = append(texts, tuple.String())
		}
	}
	slices.Sort(texts)
	return texts
}

func mustVerify(t testing.TB, s *store) tuples.Verified {
	t.Helper()
	counts, err := s.Verify(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return counts
}

// hold stops the committer until the function that it returns is called.
func hold(t testing.TB, db *DB) (release func()) {
	t.Helper()
	reached, free := make(chan struct{}), make(chan struct{})
	go func() {
		_ = db.submit(context.Background(), 1, func(*group) error {
			close(reached)
			<-free
			return nil
		})
	}()
	<-reached
	return func() { close(free) }
}

// queue runs f in a goroutine and returns when its job is the n-th in the queue.
func queue(db *DB, n int, f func()) {
	go f()
	for len(db.jobs) < n {
		runtime.Gosched()
	}
}
