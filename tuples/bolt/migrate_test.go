package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/usher-authz/usher/tuples"
	bbolt "go.etcd.io/bbolt"
)

// unpackLog makes a log what it was in formats 1 and 2.
func unpackLog(store *bbolt.Bucket) error {
	log := store.Bucket([]byte("log"))
	entries := map[string][]byte{}
	if err := log.ForEach(func(key, value []byte) error {
		in := input{rest: value}
		if len(key) == revisionLen {
			in.changeHead()
		}
		old := bytes.Clone(value[:len(value)-len(in.rest)])
		mutations := in.mutations()
		old = binary.AppendUvarint(old, uint64(len(mutations)))
		for _, m := range mutations {
			old = append(append(old, byte(m.op)), m.key[:]...)
			old = append(binary.AppendUvarint(old, uint64(len(m.grant))), m.grant...)
		}
		entries[string(key)] = old
		return nil
	}); err != nil {
		return err
	}
	for key, value := range entries {
		if err := log.Put([]byte(key), value); err != nil {
			return err
		}
	}
	return nil
}

// removeStaging makes a store of format 2 what it was in format 1.
func removeStaging(store *bbolt.Bucket) error {
	return errors.Join(
		store.DeleteBucket([]byte("staged-forward")), store.DeleteBucket([]byte("staged-reverse")),
		store.Put(stateKey, store.Get(stateKey)[:24]),
	)
}

// age makes a closed file one of an older format.
func age(t *testing.T, path string, id tuples.StoreID, format uint16, steps ...func(*bbolt.Bucket) error) {
	t.Helper()
	tamper(t, path, func(tx *bbolt.Tx) error {
		for _, step := range steps {
			if err := step(tx.Bucket([]byte(id))); err != nil {
				return err
			}
		}
		return tx.Bucket(metaBucket).Put(formatKey, binary.BigEndian.AppendUint16(nil, format))
	})
}

func TestFilesOfOlderFormatsAreMigrated(t *testing.T) {
	for _, c := range []struct {
		format uint16
		steps  []func(*bbolt.Bucket) error
	}{
		{2, []func(*bbolt.Bucket) error{unpackLog}},
		{1, []func(*bbolt.Bucket) error{unpackLog, removeStaging}},
	} {
		t.Run(fmt.Sprint(c.format), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "usher.db")
			db, s := newStagingTest(t, path, Options{})
			fillForVerify(t, s)
			mustCommit(t, s, commitOf(t, tuples.OpTouch, inPress...))
			mustCommit(t, s, eraseOf(press)) // has parts
			if err := s.merged(t.Context()); err != nil {
				t.Fatal(err)
			}
			want, changes := texts(t, s), allChanges(t, s)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			age(t, path, s.info.ID, c.format, c.steps...)
			for range 2 { // the second time there is nothing left to migrate
				db, s = newStagingTest(t, path, Options{})
				wantTuples(t, s, tuples.At{}, want...)
				if got := allChanges(t, s); !reflect.DeepEqual(got, changes) {
					t.Errorf("the log was %v and is %v", changes, got)
				}
				mustVerify(t, s)
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
			}
			_, s = newStagingTest(t, path, Options{})
			mustCommit(t, s, eraseOf(tuples.Object{Type: "media", ID: "logo"}))
			mustVerify(t, s)
		})
	}
}

// texts returns the tuples of the head.
func texts(t *testing.T, s *store) []string {
	t.Helper()
	snapshot, err := s.Snapshot(t.Context(), tuples.At{})
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	return read(t, snapshot)
}

func allChanges(t *testing.T, s *store) []tuples.Change {
	t.Helper()
	all, err := s.Changes(t.Context(), tuples.LogPosition{}, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A damaged file is left as it is.
func TestAFileThatCannotBeMigratedIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(store *bbolt.Bucket) error
		says   string
	}{
		"a log entry cut short": {func(store *bbolt.Bucket) error {
			log := store.Bucket([]byte("log"))
			key, value := log.Cursor().Last()
			return log.Put(key, value[:len(value)-1])
		}, "log entry"},
		"an operation that is none": {func(store *bbolt.Bucket) error {
			log := store.Bucket([]byte("log"))
			key, value := log.Cursor().Last()
			other := bytes.Clone(value)
			other[len(value)-edgeLen-3] = 9
			return log.Put(key, other)
		}, "log entry"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "usher.db")
			db, s := openTest(t, path, Options{NoSync: true})
			mustCommit(t, s, commitOf(t, tuples.OpCreate, anna))
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			age(t, path, s.info.ID, 2, unpackLog, c.damage)
			if db, err := Open(path, Options{}); err == nil || !strings.Contains(err.Error(), c.says) {
				if err == nil {
					_ = db.Close()
				}
				t.Errorf("got %v, want an error that says %q", err, c.says)
			}
		})
	}
}
