package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usher-authz/usher/tuples"
)

// listsFreePages reads from the newer of a file's two meta pages whether it has a list of free
// pages. Behind the header of a page, 16 bytes, a meta page of bbolt has
//
//	magic(4) version(4) page size(4) flags(4) root(16) free list(8) pages(8) transaction(8)
//
// in the byte order of the machine; all ones stand for no list.
func listsFreePages(t *testing.T, path string) bool {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	number := func(page, offset int) uint64 {
		return binary.NativeEndian.Uint64(content[page*os.Getpagesize()+16+offset:])
	}
	newer := 0
	if number(1, 48) > number(0, 48) {
		newer = 1
	}
	return number(newer, 32) != ^uint64(0)
}

// crashed returns a copy of an open database, as it lies on the disk.
func crashed(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(copied, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return copied
}

// fill writes some pages of tuples, and frees some.
func fill(t *testing.T, s *store) {
	t.Helper()
	for _, op := range []tuples.Op{tuples.OpTouch, tuples.OpDelete} {
		var texts []string
		for i := range 1000 {
			texts = append(texts, fmt.Sprintf("media:logo-%03d#viewer@user:anna", i))
		}
		mustCommit(t, s, commitOf(t, op, texts...))
	}
	mustCommit(t, s, commitOf(t, tuples.OpTouch, anna))
}

func TestFreePagesAreListedAtClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "usher.db")
	db, s := openTest(t, path, Options{NoSync: true})
	fill(t, s)
	if listsFreePages(t, path) {
		t.Error("a commit wrote the list of free pages")
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if !listsFreePages(t, path) {
		t.Error("Close wrote no list of free pages")
	}
	_, s = openTest(t, path, Options{NoSync: true})
	wantTuples(t, s, tuples.At{}, anna)
	mustVerify(t, s)
}

// What a process leaves behind that was killed has no list, and is searched.
func TestFreePagesOfAKilledProcessAreUsedAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "usher.db")
	_, s := openTest(t, path, Options{NoSync: true})
	fill(t, s)
	left := crashed(t, path)
	_, s = openTest(t, left, Options{NoSync: true})
	before, err := os.Stat(left)
	if err != nil {
		t.Fatal(err)
	}
	for range 200 {
		mustCommit(t, s, commitOf(t, tuples.OpTouch, bert+` attributes {"quality":"web"}`))
		mustCommit(t, s, commitOf(t, tuples.OpDelete, bert))
	}
	after, err := os.Stat(left)
	if err != nil {
		t.Fatal(err)
	}
	if after.Size() > before.Size()+growStep {
		t.Errorf("400 small commits took the file from %d to %d bytes", before.Size(), after.Size())
	}
	wantTuples(t, s, tuples.At{}, anna)
	mustVerify(t, s)
}

func TestADamagedFileOfAKilledProcessIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "usher.db")
	_, s := openTest(t, path, Options{NoSync: true})
	fill(t, s)
	left := crashed(t, path)
	content, err := os.ReadFile(left)
	if err != nil {
		t.Fatal(err)
	}
	content = bytes.ReplaceAll(content, []byte("logo-500"), []byte("\xffogo-500")) // not in order
	if err := os.WriteFile(left, content, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Open(left, Options{})
	if err == nil || !strings.Contains(err.Error(), "damaged") || !strings.Contains(err.Error(), left) {
		t.Errorf("got %v, want an error that names the file and says that it is damaged", err)
	}
}
