package bolt

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/usher-authz/usher/tuples"
)

const (
	crashLargeCycles = 20
	crashViewers     = 60
	crashPiece       = 4 // rows: some 15 pieces to stage the viewers, and 15 to merge them
)

var crashBig = tuples.Object{Type: "media", ID: "big"}

// eraseUntilKilled is the child's work beside the small writes: it erases an object that
// many tuples name, brings it back, and so on.
func eraseUntilKilled(s tuples.Store) error {
	c := tuples.Commit{Erase: &tuples.Erase{Objects: []tuples.Object{crashBig}}}
	for n := 0; ; n++ {
		got, err := s.Commit(context.Background(), c)
		if err != nil {
			return err
		}
		fmt.Printf("ack %d %d\n", crashWriters, n)
		if c.Undo == nil {
			c = tuples.Commit{Undo: &tuples.Undo{Revision: got.Revision}}
		} else {
			c = tuples.Commit{Erase: &tuples.Erase{Objects: []tuples.Object{crashBig}}}
		}
	}
}

// A kill at any moment of a large commit leaves all of it or nothing, and all of it if it
// was acknowledged.
func TestLargeCommitsSurviveKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "usher.db")
	random := rand.New(rand.NewPCG(3, 4))
	total, merging, staged := 0, 0, 0
	for cycle := range crashLargeCycles {
		before := prepareBig(t, path)
		name := fmt.Sprint("large", cycle)
		acknowledged := crash(t, path, name, 1+random.IntN(150), crashLarge+"=1")
		db, s := openTest(t, path, Options{})
		if s.merging.Load() != 0 {
			merging++
		} else if len(db.unfinished) > 0 {
			staged++
		}
		for w, n := range acknowledged[:crashWriters] {
			checkSurvivors(t, s, name, w, n)
		}
		countBig(t, s, tuples.At{})
		mustVerify(t, s)
		total += checkLarge(t, s, before, acknowledged[crashWriters])
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d large commits survived %d kills; %d found one that was being staged, %d one that was being merged", total, crashLargeCycles, staged, merging)
}

// prepareBig has all viewers see the object, and returns the head.
func prepareBig(t *testing.T, path string) tuples.Revision {
	t.Helper()
	db, s := openTest(t, path, Options{})
	var c tuples.Commit
	for i := range crashViewers {
		c.Mutations = append(c.Mutations, tuples.Mutation{Op: tuples.OpTouch, Tuple: parse(t, fmt.Sprintf("media:big#viewer@user:v%d", i))})
	}
	mustCommit(t, s, c)
	head := s.Head()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return head
}

// checkLarge looks at each large change behind a revision, and whether all that were
// acknowledged are among them.
func checkLarge(t *testing.T, s *store, before tuples.Revision, acknowledged int) (found int) {
	t.Helper()
	want := crashViewers
	for position := (tuples.LogPosition{Revision: before}); ; {
		page := changesBehind(t, s, position)
		if len(page) == 0 {
			break
		}
		for _, c := range page {
			position = c.Position()
			if c.Cause == tuples.CauseWrite || c.Part > 0 {
				continue
			}
			found++
			if n := countBig(t, s, tuples.At{Revision: c.Revision - 1}); n != want {
				t.Fatalf("%d viewers before revision %d (%s), want %d", n, c.Revision, c.Cause, want)
			}
			want = crashViewers - want
			if n := countBig(t, s, tuples.At{Revision: c.Revision}); n != want {
				t.Fatalf("%d viewers at revision %d (%s), want %d", n, c.Revision, c.Cause, want)
			}
		}
	}
	if found < acknowledged || found > acknowledged+1 {
		t.Fatalf("%d large commits are in the log, %d were acknowledged", found, acknowledged)
	}
	if n := countBig(t, s, tuples.At{}); n != want {
		t.Fatalf("%d viewers at the head, want %d", n, want)
	}
	return found
}

// countBig counts the viewers of the object in one state: all or none.
func countBig(t *testing.T, s *store, at tuples.At) int {
	t.Helper()
	filter := tuples.Filter{ObjectType: crashBig.Type, ObjectID: crashBig.ID}
	snapshot, err := s.Snapshot(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	page, _, _, err := snapshot.Read(t.Context(), filter, nil, make([]tuples.Tuple, 0, crashViewers+1))
	if err != nil {
		t.Fatal(err)
	}
	if len(page) != 0 && len(page) != crashViewers {
		t.Fatalf("at %+v %d of %d viewers are there", at, len(page), crashViewers)
	}
	return len(page)
}
