package index_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/usher-authz/usher/tuples"
)

// meddled is a store that does something whenever its names are read.
type meddled struct {
	tuples.Store
	meddle func()
}

type meddledSnapshot struct {
	tuples.Snapshot
	meddle func()
}

func (m meddled) Follow(ctx context.Context, f tuples.Follower) (tuples.Snapshot, error) {
	s, err := m.Store.Follow(ctx, f)
	return meddledSnapshot{s, m.meddle}, err
}

func (m meddledSnapshot) EachName(ctx context.Context, visit func(tuples.Node, tuples.Object) error) error {
	m.meddle()
	return m.Snapshot.EachName(ctx, visit)
}

// members are tuples of a group.
func members(t *testing.T, group string, count int) []tuples.Mutation {
	t.Helper()
	var all []tuples.Mutation
	for i := range count {
		tuple, err := tuples.ParseTuple(fmt.Sprintf("group:%s#member@user:u%d", group, i))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, tuples.Mutation{Op: tuples.OpTouch, Tuple: tuple})
	}
	return all
}

func TestWhatIsWrittenDuringALoadIsNotMissed(t *testing.T) {
	db, clock := newDatabase(t)
	f := newFollowed(t, db, clock, "default", 1<<30)
	f.commit(t, tuples.Commit{Mutations: members(t, "old", 100)})
	read, err := f.index.Warm(t.Context(), meddled{f.store, func() {
		f.commit(t, tuples.Commit{Mutations: members(t, "new", 100)})
	}})
	if err != nil || read != 100 {
		t.Fatalf("read %d, %v", read, err)
	}
	f.verify(t, 0)
	if s := f.index.Stats(); s.Head != f.store.Head() || s.Names != 102 {
		t.Errorf("got %+v", s)
	}
}

// A load that does not succeed leaves an index that knows nothing, until the next one does.
func TestLoadsThatAreGivenUp(t *testing.T) {
	db, clock := newDatabase(t)
	for i, c := range []struct {
		name   string
		meddle func(f *followed, cancel func())
		want   string
	}{
		{"when the context ends", func(_ *followed, cancel func()) { cancel() }, context.Canceled.Error()},
		{"when more is written than can be kept", func(f *followed, _ func()) {
			for range 10 {
				f.commit(t, tuples.Commit{Mutations: members(t, "new", 100)})
				f.commit(t, tuples.Commit{Mutations: deletions(members(t, "new", 100))})
			}
		}, "more was written during the load"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFollowed(t, db, clock, fmt.Sprintf("store-%d", i), 64<<10)
			f.commit(t, tuples.Commit{Mutations: members(t, "old", 100)})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			_, err := f.index.Warm(ctx, meddled{f.store, func() { c.meddle(f, cancel) }})
			if err == nil || !strings.Contains(err.Error(), c.want) || f.index.Stats().Loaded {
				t.Fatalf("got %v, %+v", err, f.index.Stats())
			}
			f.commit(t, tuples.Commit{Mutations: members(t, "between", 10)})
			f.warm(t)
			f.verify(t, 0)
		})
	}
}

// What is loaded is let go when the index is closed meanwhile.
func TestAnIndexThatIsClosedDuringALoad(t *testing.T) {
	db, clock := newDatabase(t)
	f := newFollowed(t, db, clock, "default", 1<<20)
	f.commit(t, tuples.Commit{Mutations: members(t, "old", 5000)})
	closed := make(chan struct{})
	_, err := f.index.Warm(t.Context(), meddled{f.store, func() {
		go func() {
			f.index.Close()
			close(closed)
		}()
	}})
	<-closed
	if s := f.index.Stats(); s.Loaded || s.NameBytes+s.ListBytes+s.MaskBytes != 0 {
		t.Errorf("got %+v, %v", s, err)
	}
}

func deletions(all []tuples.Mutation) []tuples.Mutation {
	for i := range all {
		all[i].Op = tuples.OpDelete
	}
	return all
}

func TestAnIndexIsLoadedOnce(t *testing.T) {
	db, clock := newDatabase(t)
	f := newFollowed(t, db, clock, "default", 1<<20)
	f.warm(t)
	if _, err := f.index.Warm(t.Context(), f.store); err == nil {
		t.Error("it is loaded twice")
	}
	f.index.Close()
	if _, err := f.index.Warm(t.Context(), f.store); err == nil {
		t.Error("it is loaded after it was closed")
	}
	if err := db.DeleteStore(t.Context(), f.store.Info().ID); err != nil {
		t.Fatal(err)
	}
	gone := newFollowed(t, db, clock, "gone", 1<<20)
	if err := db.DeleteStore(t.Context(), gone.store.Info().ID); err != nil {
		t.Fatal(err)
	}
	if _, err := gone.index.Warm(t.Context(), gone.store); !errors.Is(err, tuples.ErrStoreNotFound) {
		t.Errorf("a store that is gone: got %v", err)
	}
}

// What a large commit does is told when it is the head already. Until then the store is asked.
func TestALargeCommitReachesTheIndex(t *testing.T) {
	db, clock := newDatabase(t)
	for i, memory := range []int64{1 << 30, 2 << 20, 64 << 10} {
		f := newFollowed(t, db, clock, fmt.Sprintf("store-%d", i), memory)
		f.warm(t)
		f.commit(t, tuples.Commit{Mutations: members(t, "large", 12_000)})
		f.commit(t, tuples.Commit{Mutations: members(t, "small", 1000)})
		caughtUp(t, f)
		f.commit(t, tuples.Commit{Erase: &tuples.Erase{Objects: []tuples.Object{{Type: "group", ID: "large"}}}})
		f.commit(t, tuples.Commit{Mutations: members(t, "large", 10)})
		caughtUp(t, f)
	}
}

// caughtUp waits until the index has been told of the head, and verifies it.
func caughtUp(t *testing.T, f *followed) {
	t.Helper()
	for f.index.Stats().Head < f.store.Head() {
		time.Sleep(time.Millisecond)
	}
	f.verify(t, 0)
}
