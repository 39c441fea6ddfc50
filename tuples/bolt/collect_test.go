package bolt

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-authz/usher/tuples"
	bbolt "go.etcd.io/bbolt"
)

// testClock is a wall clock that tests move, in ms.
type testClock struct{ ms atomic.Int64 }

func newTestClock() *testClock {
	c := &testClock{}
	c.ms.Store(time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC).UnixMilli())
	return c
}

func (c *testClock) read() time.Time     { return time.UnixMilli(c.ms.Load()) }
func (c *testClock) add(d time.Duration) { c.ms.Add(d.Milliseconds()) }

// rowsOf counts the rows of a store's buckets.
func rowsOf(t testing.TB, db *DB, s *store) map[string]int {
	t.Helper()
	rows := map[string]int{}
	if err := db.bolt.View(func(tx *bbolt.Tx) error {
		v, err := openView(tx, s.info.ID, s.symbols)
		if err != nil {
			return err
		}
		for p := range parts {
			for key, c := v.firstOf(p); key != nil; key, _ = c.Next() {
				rows[partNames[p]]++
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return rows
}

func (v *view) firstOf(p part) ([]byte, *bbolt.Cursor) {
	c := v.part(p).Cursor()
	key, _ := c.First()
	return key, c
}

func TestCollectionWorksInBoundedSteps(t *testing.T) {
	const n = 2*rowsPerStep + 500
	clock := newTestClock()
	db, s := openTest(t, filepath.Join(t.TempDir(), "usher.db"), Options{NoSync: true, Clock: clock.read, Retention: time.Hour})
	var c tuples.Commit
	for i := range n {
		tuple := parse(t, fmt.Sprintf("media:m%d#viewer@user:anna", i))
		tuple.Expires = clock.read().Add(time.Duration(i%3+1) * time.Minute)
		c.Mutations = append(c.Mutations, tuples.Mutation{Op: tuples.OpCreate, Tuple: tuple})
	}
	mustCommit(t, s, c)
	for i := range rowsPerStep + 1 {
		mustCommit(t, s, tuples.Commit{RequestID: fmt.Sprint(i)})
	}
	clock.add(10 * time.Minute)
	if err := db.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	changes, err := s.Changes(t.Context(), tuples.LogPosition{Revision: 1}, 100)
	if err != nil {
		t.Fatal(err)
	}
	expired := 0
	for _, change := range changes {
		if len(change.Mutations) > rowsPerStep || change.Cause != tuples.CauseExpired {
			t.Errorf("revision %d: %d tuples with cause %s", change.Revision, len(change.Mutations), change.Cause)
		}
		expired += len(change.Mutations)
	}
	rows := rowsOf(t, db, s)
	if expired != n || rows["forward"] != 0 || rows["expiries"] != 0 || rows["reverse-history"] != n || rows["requests"] != rowsPerStep+1 {
		t.Errorf("%d tuples expired of %d; rows: %v", expired, n, rows)
	}
	mustVerify(t, s)

	clock.add(24 * time.Hour)
	if err := db.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustVerify(t, s)
	rows = rowsOf(t, db, s)
	for _, name := range []string{"forward-history", "reverse-history", "requests", "request-times"} {
		if rows[name] != 0 {
			t.Errorf("%d rows are left in %s", rows[name], name)
		}
	}
	if rows["log"] != 1 {
		t.Errorf("the log has %d entries, want the oldest readable revision's alone", rows["log"])
	}
}

func TestADeletedStoresDataIsRemoved(t *testing.T) {
	db, s := newTest(t)
	many(t, s, 2*rowsPerStep)
	if err := db.DeleteStore(t.Context(), s.info.ID); err != nil {
		t.Fatal(err)
	}
	if err := db.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := db.bolt.View(func(tx *bbolt.Tx) error {
		if tx.Bucket([]byte(s.info.ID)) != nil {
			t.Error("the store's bucket is left")
		}
		if key, _ := tx.Bucket(deletedBucket).Cursor().First(); key != nil {
			t.Errorf("store %s still counts as being deleted", key)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// A store that is deleted in the group that still writes to it is gone for the later writes.
func TestDeletingWithinAGroup(t *testing.T) {
	db, s := newTest(t)
	release := hold(t, db)
	errs := make([]chan error, 3)
	for i := range errs {
		errs[i] = make(chan error, 1)
	}
	commit := func(answer chan error) func() {
		return func() {
			_, err := s.Commit(t.Context(), commitOf(t, tuples.OpTouch, anna))
			answer <- err
		}
	}
	queue(db, 1, commit(errs[0]))
	queue(db, 2, func() { errs[1] <- db.DeleteStore(t.Context(), s.info.ID) })
	queue(db, 3, commit(errs[2]))
	release()
	if before, deleted, after := <-errs[0], <-errs[1], <-errs[2]; before != nil || deleted != nil || after != tuples.ErrStoreNotFound {
		t.Errorf("got %v, %v, %v", before, deleted, after)
	}
}

func TestCollectionRunsByItself(t *testing.T) {
	clock := newTestClock()
	_, s := openTest(t, filepath.Join(t.TempDir(), "usher.db"), Options{NoSync: true, Clock: clock.read, CollectEvery: time.Millisecond})
	mustCommit(t, s, commitOf(t, tuples.OpCreate, anna+" expires 2026-03-14T09:30:00Z"))
	clock.add(time.Hour)
	if err := s.Wait(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	changes, err := s.Changes(t.Context(), tuples.LogPosition{Revision: 1}, 10)
	if err != nil || changes[0].Cause != tuples.CauseExpired {
		t.Errorf("got %+v, %v", changes, err)
	}
}

func TestTheClocksMarkFollowsItsReadings(t *testing.T) {
	clock := newTestClock()
	db, s := openTest(t, filepath.Join(t.TempDir(), "usher.db"), Options{NoSync: true, Clock: clock.read})
	clock.add(time.Hour)
	latest := s.Now().UnixMilli()
	for mark := int64(0); mark <= latest; time.Sleep(10 * time.Millisecond) {
		if err := db.bolt.View(func(tx *bbolt.Tx) error {
			mark = int64(binary.BigEndian.Uint64(tx.Bucket(metaBucket).Get(clockKey)))
			return t.Context().Err()
		}); err != nil {
			t.Fatal(err)
		}
	}
}
