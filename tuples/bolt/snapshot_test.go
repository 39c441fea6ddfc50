package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/usher-authz/usher/tuples"
)

// unpublished applies a commit and makes it durable, but stops before its publication:
// what a reader can find between bbolt's meta page and the fsync.
func unpublished(t *testing.T, db *DB, s *store, c tuples.Commit) {
	t.Helper()
	tx, err := db.bolt.Begin(true)
	if err != nil {
		t.Fatal(err)
	}
	g := &group{db: db, tx: tx, now: db.clock.now(), drafts: map[*store]*draft{}}
	w, err := prepare(&c)
	if err != nil {
		t.Fatal(err)
	}
	d, err := g.draft(s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.apply(w); err != nil {
		t.Fatal(err)
	}
	if err := g.fsync(); err != nil {
		t.Fatal(err)
	}
}

func TestNothingIsReadableBeforeItIsPublished(t *testing.T) {
	db, s := newTest(t)
	conditional := carl + " with office_hours"
	mustCommit(t, s, commitOf(t, tuples.OpCreate, anna, bert, conditional))
	unpublished(t, db, s, tuples.Commit{Mutations: slices.Concat(
		commitOf(t, tuples.OpDelete, anna).Mutations,
		commitOf(t, tuples.OpTouch, carl).Mutations,
		commitOf(t, tuples.OpCreate, "media:logo#viewer@user:new", "folder:new#owner@user:anna").Mutations,
	)})
	for _, at := range []tuples.At{{}, {Revision: 1}, {Time: s.Now()}} {
		wantTuples(t, s, at, anna, bert, conditional)
	}
	if s.Head() != 1 {
		t.Errorf("head is %d, want 1", s.Head())
	}
	changes, err := s.Changes(t.Context(), tuples.LogPosition{}, 10)
	if err != nil || len(changes) != 1 {
		t.Errorf("got %d changes, %v, want 1", len(changes), err)
	}
	if _, err := s.Snapshot(t.Context(), tuples.At{Revision: 2}); !errors.Is(err, tuples.ErrRevisionAhead) {
		t.Errorf("got %v, want %v", err, tuples.ErrRevisionAhead)
	}
	if counts := mustVerify(t, s); counts.Live != 3 || counts.History != 0 {
		t.Errorf("got %+v, want 3 live tuples and no history", counts)
	}
	snapshot, err := s.Snapshot(t.Context(), tuples.At{})
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	if got := viewers(t, s, snapshot, "logo"); !slices.Equal(got, []string{"anna", "bert", "carl"}) {
		t.Errorf("got viewers %q", got)
	}
}

// viewers lists the users that may view a media, by EdgesFrom.
func viewers(t *testing.T, s *store, snapshot tuples.Snapshot, media tuples.ID) []string {
	t.Helper()
	ctx := context.Background()
	nodes := make([]tuples.Node, 1)
	if err := snapshot.Nodes(ctx, []tuples.Object{{Type: "media", ID: media}}, nodes); err != nil {
		t.Fatal(err)
	}
	list := tuples.SubjectsOf{Object: nodes[0], Relation: s.symbols.Lookup("viewer"), Type: s.symbols.Lookup("user")}
	edges, err := snapshot.EdgesFrom(ctx, list, 0, make([]tuples.Edge, 0, 10_000))
	if err != nil {
		t.Fatal(err)
	}
	objects := make([]tuples.Object, len(edges))
	subjects := make([]tuples.Node, len(edges))
	for i := range edges {
		subjects[i] = edges[i].Node
	}
	if err := snapshot.Objects(ctx, subjects, objects); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, o := range objects {
		names = append(names, string(o.ID))
	}
	return names
}

func TestNoTransactionOutlivesItsSlice(t *testing.T) {
	_, s := newTest(t)
	mustCommit(t, s, commitOf(t, tuples.OpCreate, anna))
	opened, err := s.Snapshot(t.Context(), tuples.At{})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	snapshot := opened.(*snapshot)
	if got := read(t, snapshot); len(got) != 1 {
		t.Fatalf("got %q", got)
	}
	for snapshot.hasTransaction() { // the timer ends it though nobody calls
		time.Sleep(time.Millisecond)
	}
	mustCommit(t, s, commitOf(t, tuples.OpDelete, anna))
	if got := read(t, snapshot); !slices.Equal(got, []string{anna}) {
		t.Errorf("after the slice: got %q, want the tuple that was there", got)
	}
	if !snapshot.hasTransaction() || snapshot.slice.view.exact() {
		t.Error("the snapshot reads no newer transaction")
	}
}

func (s *snapshot) hasTransaction() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.slice != nil && s.slice.tx != nil
}

// many creates n viewers of one media, named u0000 and so on.
func many(t testing.TB, s *store, n int) {
	t.Helper()
	var c tuples.Commit
	for i := range n {
		tuple := parse(t, anna)
		tuple.Subject.ID = tuples.ID(fmt.Sprintf("u%04d", i))
		c.Mutations = append(c.Mutations, tuples.Mutation{Op: tuples.OpTouch, Tuple: tuple})
	}
	mustCommit(t, s, c)
}

func TestALongScanRunsInSlices(t *testing.T) {
	_, s := newTest(t)
	many(t, s, 3000)
	opened, err := s.Snapshot(t.Context(), tuples.At{})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	snapshot := opened.(*snapshot)
	snapshot.mu.Lock()
	defer snapshot.mu.Unlock()
	var last []byte
	rows, transactions := 0, map[int]bool{}
	err = snapshot.scan(t.Context(), forward, nil, nil, func(_ *view, key, row []byte) (bool, error) {
		if bytes.Compare(key, last) <= 0 {
			t.Fatalf("key %x follows %x", key, last)
		}
		last = append(last[:0], key...)
		if row == nil {
			return true, nil // written meanwhile
		}
		if rows++; rows%1000 == 0 {
			// The slice is over, and somebody writes, so that the next transaction is newer.
			snapshot.due.Store(true)
			mustCommit(t, s, commitOf(t, tuples.OpCreate, fmt.Sprintf("folder:f%d#owner@user:anna", rows)))
		}
		transactions[snapshot.slice.tx.ID()] = true
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if rows != 3000 || len(transactions) != 3 {
		t.Errorf("visited %d rows in %d transactions, want 3000 in 3", rows, len(transactions))
	}
}

func TestAScanEndsWithItsContext(t *testing.T) {
	_, s := newTest(t)
	many(t, s, 2*rowsBetweenChecks)
	opened, err := s.Snapshot(t.Context(), tuples.At{})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	snapshot := opened.(*snapshot)
	ctx, cancel := context.WithCancel(t.Context())
	snapshot.mu.Lock()
	defer snapshot.mu.Unlock()
	rows := 0
	err = snapshot.scan(ctx, forward, nil, nil, func(*view, []byte, []byte) (bool, error) {
		rows++
		cancel()
		return true, nil
	})
	if !errors.Is(err, context.Canceled) || rows >= 2*rowsBetweenChecks {
		t.Errorf("got %v after %d rows", err, rows)
	}
}

func TestReadReturnsEarlyWhenItFindsLittle(t *testing.T) {
	_, s := newTest(t)
	many(t, s, rowsPerRead+10)
	mustCommit(t, s, commitOf(t, tuples.OpCreate, "media:logo#viewer@user:zoe"))
	snapshot, err := s.Snapshot(t.Context(), tuples.At{})
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	filter := tuples.Filter{Relation: "viewer", ObjectType: "media", SubjectType: "user", SubjectRelation: new(tuples.Relation)}
	mustCommit(t, s, commitOf(t, tuples.OpCreate, "media:logo#owner@user:anna"))
	filter.Relation = "owner"
	page, last, more, err := snapshot.Read(t.Context(), filter, nil, make([]tuples.Tuple, 0, 10))
	if err != nil || len(page) != 0 || !more || last == nil {
		t.Fatalf("got %d tuples, last %v, more %v, %v; want none yet, and more", len(page), last, more, err)
	}
	page, _, more, err = snapshot.Read(t.Context(), filter, last, make([]tuples.Tuple, 0, 10))
	if err != nil || len(page) != 0 || more {
		t.Fatalf("got %d tuples, more %v, %v; want the end", len(page), more, err)
	}
}

// A tuple that was replaced very often is found at each of its revisions.
func TestManyVersionsOfOneTuple(t *testing.T) {
	_, s := newTest(t)
	mustCommit(t, s, commitOf(t, tuples.OpCreate, bert))
	for i := range 20 {
		mustCommit(t, s, commitOf(t, tuples.OpTouch, fmt.Sprintf(`%s attributes {"n":%d}`, anna, i)))
	}
	for i := range 20 {
		wantTuples(t, s, tuples.At{Revision: tuples.Revision(i + 2)}, bert, fmt.Sprintf(`%s attributes {"n":%d}`, anna, i))
	}
}
