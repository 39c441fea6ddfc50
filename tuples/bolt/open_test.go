package bolt

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/usher-authz/usher/tuples"
	bbolt "go.etcd.io/bbolt"
)

// tamper changes a closed file through bbolt.
func tamper(t testing.TB, path string, change func(*bbolt.Tx) error) {
	t.Helper()
	file, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Update(change); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}

func putMeta(key, value []byte) func(*bbolt.Tx) error {
	return func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Put(key, value) }
}

func TestOpenSaysWhatIsWrongWithAFile(t *testing.T) {
	usher := func(change func(*bbolt.Tx) error) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			db, _ := openTest(t, path, Options{NoSync: true})
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			tamper(t, path, change)
		}
	}
	for name, c := range map[string]struct {
		make func(*testing.T, string)
		says string
	}{
		"a newer format": {usher(putMeta(formatKey, binary.BigEndian.AppendUint16(nil, 7))), "format version 7, this program knows version 3"},
		"no format":      {usher(putMeta(formatKey, nil)), "format version"},
		"no clock":       {usher(putMeta(clockKey, []byte("x"))), "meta data"},
		"no token key":   {usher(putMeta(tokenKeyKey, []byte("x"))), "meta data"},
		"a store's entry cut short": {usher(func(tx *bbolt.Tx) error {
			return tx.Bucket(storesBucket).Put([]byte("x"), []byte("y"))
		}), "store x"},
		"a store without data": {usher(func(tx *bbolt.Tx) error {
			return tx.Bucket(storesBucket).Put([]byte("x"), encodeStoreInfo(tuples.StoreInfo{Name: "lost"}))
		}), "store lost"},
		"a bbolt file of something else": {func(t *testing.T, path string) {
			tamper(t, path, func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("widgets")); return err })
		}, `bucket "widgets"`},
		"a text": {func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(strings.Repeat("no database\n", 1000)), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "not an Usher database"},
		"no folder": {func(*testing.T, string) {}, "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "usher.db")
			if name == "no folder" {
				path = filepath.Join(path, "usher.db")
			}
			c.make(t, path)
			db, err := Open(path, Options{})
			if err == nil {
				_ = db.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want an error that names the file and says %q", err, c.says)
			}
		})
	}
}

func TestAFileIsOpenOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "usher.db")
	db, _ := openTest(t, path, Options{NoSync: true})
	if _, err := Open(path, Options{}); err == nil || !strings.Contains(err.Error(), "another process holds the file") {
		t.Errorf("got %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	openTest(t, path, Options{})
}

func TestAFileIsForItsOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "usher.db")
	openTest(t, path, Options{NoSync: true})
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v, %v, want 0600", info.Mode(), err)
	}
}

// A process that dies leaves the mark ahead of its readings; one that ends, exact.
func TestTheClockGoesOnBehindItsMark(t *testing.T) {
	path := filepath.Join(t.TempDir(), "usher.db")
	wall := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	options := Options{NoSync: true, Clock: func() time.Time { return wall }}
	db, s := openTest(t, path, options)
	latest := s.Now()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	_, s = openTest(t, path, options)
	if got := s.Now(); got.After(latest.Add(time.Millisecond)) {
		t.Errorf("after Close the clock went on from %s at %s", latest, got)
	}

	left := crashed(t, path)
	latest = s.Now()
	wall = wall.Add(-time.Hour)
	_, s = openTest(t, left, options)
	if got := s.Now(); got.Before(latest) || got.After(latest.Add(clockLease)) {
		t.Errorf("after a crash the clock went on from %s at %s", latest, got)
	}
}
