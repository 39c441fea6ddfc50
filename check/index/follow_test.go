package index_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/usher-authz/usher/check/index"
	"github.com/usher-authz/usher/tuples"
	"github.com/usher-authz/usher/tuples/bolt"
)

// followed is a store on disk and the index that follows it.
type followed struct {
	db    *bolt.DB
	clock *atomic.Int64 // ms
	store tuples.Store
	index *index.Index
}

// newDatabase opens a database whose clock stands until it is set.
func newDatabase(t *testing.T) (*bolt.DB, *atomic.Int64) {
	t.Helper()
	var clock atomic.Int64
	clock.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixMilli())
	db, err := bolt.Open(filepath.Join(t.TempDir(), "usher.db"), bolt.Options{
		NoSync: true, CollectEvery: -1, Clock: func() time.Time { return time.UnixMilli(clock.Load()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db, &clock
}

// newFollowed makes a store, and an index that does not follow it yet.
func newFollowed(t rapid.TB, db *bolt.DB, clock *atomic.Int64, name string, memory int64) *followed {
	t.Helper()
	ctx := context.Background()
	info, err := db.CreateStore(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	f := &followed{db: db, clock: clock, index: index.New(memory)}
	if f.store, err = db.Store(ctx, string(info.ID)); err != nil {
		t.Fatal(err)
	}
	return f
}

// commit writes, and returns the revision.
func (f *followed) commit(t rapid.TB, c tuples.Commit) tuples.Revision {
	t.Helper()
	done, err := f.store.Commit(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	return done.Revision
}

func (f *followed) warm(t rapid.TB) {
	t.Helper()
	if _, err := f.index.Warm(context.Background(), f.store); err != nil {
		t.Fatal(err)
	}
}

// snapshot opens a state of the store itself; it must be closed.
func (f *followed) snapshot(t rapid.TB, at tuples.At) tuples.Snapshot {
	t.Helper()
	s, err := f.store.Snapshot(context.Background(), at)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// verify proves that the index shows what the store does, at the head and at a revision
// before it if that is held.
func (f *followed) verify(t rapid.TB, older tuples.Revision) {
	t.Helper()
	held := f.index.Stats()
	for _, at := range []tuples.Revision{0, max(older, held.Floor)} {
		s := f.snapshot(t, tuples.At{Revision: at})
		_, err := f.index.Verify(context.Background(), s)
		s.Close()
		if err != nil {
			t.Fatal(err)
		}
	}
}

var followedObjects = []string{"group:a", "group:b", "media:logo", "media:poster", "user:anna", "user:bert"}

// mutations draws writes to few objects, so that they meet each other.
func mutations(now time.Time) *rapid.Generator[[]tuples.Mutation] {
	object := rapid.SampledFrom(followedObjects)
	one := rapid.Custom(func(t *rapid.T) tuples.Mutation {
		text := fmt.Sprintf("%s#%s@%s", object.Draw(t, "object"), rapid.SampledFrom([]string{"member", "viewer"}).Draw(t, "relation"), object.Draw(t, "subject"))
		text += rapid.SampledFrom([]string{"", "", "#member"}).Draw(t, "form")
		text += rapid.SampledFrom([]string{
			"", "", "", ` with vip {"on":true}`, " expires " + now.Add(time.Minute).Format(time.RFC3339), " expires " + now.Add(time.Hour).Format(time.RFC3339),
		}).Draw(t, "grant")
		tuple, err := tuples.ParseTuple(text)
		if err != nil {
			t.Fatal(err)
		}
		return tuples.Mutation{Op: rapid.SampledFrom([]tuples.Op{tuples.OpTouch, tuples.OpDelete}).Draw(t, "op"), Tuple: tuple}
	})
	return rapid.SliceOfNDistinct(one, 1, 12, func(m tuples.Mutation) tuples.Key { return m.Tuple.Key })
}

// TestAnIndexFollowsAStore has an index of ample, of little and of no memory follow a store on
// disk through random writes, collections of what expired, erasing and undoing. What it
// holds is then what the store holds, at the head and at revisions before it.
func TestAnIndexFollowsAStore(t *testing.T) {
	db, clock := newDatabase(t)
	cases := 0
	rapid.Check(t, func(t *rapid.T) {
		cases++
		memory := rapid.SampledFrom([]int64{1 << 30, 64 << 10, 4 << 10, 0}).Draw(t, "memory")
		f := newFollowed(t, db, clock, fmt.Sprintf("store-%d", cases), memory)
		defer f.index.Close()
		var erased tuples.Revision
		write := func(t *rapid.T) {
			f.commit(t, tuples.Commit{Mutations: mutations(f.store.Now()).Draw(t, "mutations")})
		}
		write(t)
		f.warm(t)
		t.Repeat(map[string]func(*rapid.T){
			"write": write,
			"let time pass": func(t *rapid.T) {
				f.clock.Add(rapid.Int64Range(1, 90_000).Draw(t, "ms"))
			},
			"collect": func(t *rapid.T) {
				if err := f.db.Collect(context.Background()); err != nil {
					t.Fatal(err)
				}
			},
			"erase": func(t *rapid.T) {
				object, err := tuples.ParseObject(rapid.SampledFrom(followedObjects).Draw(t, "object"))
				if err != nil {
					t.Fatal(err)
				}
				erased = f.commit(t, tuples.Commit{Erase: &tuples.Erase{Objects: []tuples.Object{object}}})
			},
			"undo": func(t *rapid.T) {
				if erased == 0 {
					t.Skip("nothing is erased")
				}
				f.commit(t, tuples.Commit{Undo: &tuples.Undo{Revision: erased}})
			},
			"": func(t *rapid.T) {
				head := uint64(f.store.Head())
				f.verify(t, tuples.Revision(head-rapid.Uint64Range(0, min(head, 3)).Draw(t, "back")))
			},
		})
	})
}
