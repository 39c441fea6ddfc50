package server_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server"
	"github.com/usher-authz/usher/tuples"
	"github.com/usher-authz/usher/tuples/bolt"
)

// readCount is a real database that counts how many lists of tuples are read.
type readCount struct {
	*bolt.DB
	reads atomic.Int64
}

type readStore struct {
	tuples.Store
	db *readCount
}

type readSnapshot struct {
	tuples.Snapshot
	db *readCount
}

func (db *readCount) Store(ctx context.Context, name string) (tuples.Store, error) {
	store, err := db.DB.Store(ctx, name)
	return &readStore{store, db}, err
}

func (s *readStore) Snapshot(ctx context.Context, at tuples.At) (tuples.Snapshot, error) {
	snapshot, err := s.Store.Snapshot(ctx, at)
	if err != nil {
		return nil, err
	}
	return &readSnapshot{snapshot, s.db}, nil
}

func (s *readSnapshot) EdgesTo(ctx context.Context, list tuples.ObjectsOf, after tuples.Node, buf []tuples.Edge) ([]tuples.Edge, error) {
	s.db.reads.Add(1)
	return s.Snapshot.EdgesTo(ctx, list, after, buf)
}

func (s *readSnapshot) EdgesFrom(ctx context.Context, list tuples.SubjectsOf, after tuples.Node, buf []tuples.Edge) ([]tuples.Edge, error) {
	s.db.reads.Add(1)
	return s.Snapshot.EdgesFrom(ctx, list, after, buf)
}

// newReads starts a server without an index over a database that is counted.
func newReads(t *testing.T, lines ...string) (*world, *readCount) {
	t.Helper()
	db := &readCount{DB: newLibrary(t, lines...).db}
	return serve(t, db, server.Options{IndexMemory: withoutIndex}), db
}

// readPages reads a list page by page. Before each page but the first it calls between, which
// returns the list to go on with.
func readPages(t *testing.T, ask list, size int32, between func(ask list) list) []string {
	t.Helper()
	var got []string
	var resume *usherv1.Resume
	for {
		part, err := ask(size, resume, nil)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, items(part)...)
		last := part[len(part)-1]
		if !last.more {
			return got
		}
		resume = &usherv1.Resume{Cursor: last.cursor, After: got[len(got)-1]}
		ask = between(ask)
	}
}

// The walk that finds a list is made for its first page alone.
func TestLaterPagesMakeNoWalk(t *testing.T) {
	w, db := newReads(t, listLines()...)
	for _, name := range []string{"ListObjects", "ListSubjects"} {
		t.Run(name, func(t *testing.T) {
			var first int64
			db.reads.Store(0)
			got := readPages(t, lists(w)[name], 10, func(ask list) list {
				if first == 0 {
					first = db.reads.Load()
				}
				return ask
			})
			if len(got) != listed || first == 0 || db.reads.Load() != first {
				t.Errorf("got %d items by %d reads, %d of them for the first page", len(got), db.reads.Load(), first)
			}
		})
	}
}

// A cursor needs nothing that a server keeps: any other over the database goes on with it, at
// the state of the first page, whatever has been written since.
func TestPagesOnAnotherServer(t *testing.T) {
	w := newLibrary(t, listLines()...)
	for _, name := range []string{"ListObjects", "ListSubjects"} {
		t.Run(name, func(t *testing.T) {
			whole, err := lists(w)[name](0, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			got := readPages(t, lists(w)[name], 25, func(list) list {
				n++
				w.touch(fmt.Sprintf("media:m%03dx#viewer@user:anna", n), fmt.Sprintf("folder:f#viewer@group:g%03dx#member", n))
				w.remove(fmt.Sprintf("media:m%03d#viewer@user:anna", listed-n), fmt.Sprintf("folder:f#viewer@group:g%03d#member", listed-n))
				return lists(serve(t, w.db, server.Options{}))[name]
			})
			if !slices.Equal(got, items(whole)) {
				t.Errorf("got %v", got)
			}
		})
	}
}

// What is kept of one list serves no other: not one with another context, at another time or
// of another model.
func TestPagesAreKeptForTheirQuestionAlone(t *testing.T) {
	w := newLibrary(t, `media:a#viewer@user:anna with office_hours {"opens":9}`, `media:b#viewer@user:anna with office_hours {"opens":9}`)
	ask := func(hour float64, resume *usherv1.Resume) ([]*usherv1.ListObjectsResponse, error) {
		return collect(w.permissions.ListObjects(w.ctx, &usherv1.ListObjectsRequest{
			ObjectType: "media", Relation: "can_view", Subject: subject(t, "user:anna"), PageSize: 1,
			Context: values(t, map[string]any{"hour": hour}), Resume: resume,
		}))
	}
	open, err := ask(10, nil)
	if err != nil || len(open) != 1 || !slices.Equal(ids(open[0].GetObjects()), []string{"a"}) {
		t.Fatalf("got %v, %v", open, err)
	}
	if closed, err := ask(8, nil); err != nil || len(closed[0].GetObjects()) != 0 {
		t.Errorf("at another hour: got %v, %v", closed, err)
	}
	rest, err := ask(10, &usherv1.Resume{Cursor: open[0].GetCursor(), After: "media:a"})
	if err != nil || !slices.Equal(ids(rest[0].GetObjects()), []string{"b"}) {
		t.Errorf("got %v, %v", rest, err)
	}
}

// A long list comes in messages of a thousand items, of which the last says that it is.
func TestLongListsComeInLargeMessages(t *testing.T) {
	const many = 2_050
	var lines []string
	for i := range many {
		lines = append(lines, fmt.Sprintf("media:m%04d#viewer@user:anna", i))
	}
	w := newLibrary(t, lines...)
	messages, err := collect(w.permissions.ListObjects(w.ctx, &usherv1.ListObjectsRequest{
		ObjectType: "media", Relation: "can_view", Subject: subject(t, "user:anna"),
	}))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	var sizes []int
	for i, m := range messages {
		got, sizes = append(got, ids(m.GetObjects())...), append(sizes, len(m.GetObjects()))
		if m.GetMore() != (i < len(messages)-1) {
			t.Errorf("message %d: more is %v", i, m.GetMore())
		}
	}
	if !slices.Equal(sizes, []int{1000, 1000, 50}) || !slices.IsSorted(got) || len(slices.Compact(got)) != many {
		t.Errorf("got messages of %v items", sizes)
	}
}
