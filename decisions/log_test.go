package decisions

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	bbolt "go.etcd.io/bbolt"

	"github.com/usher-authz/usher/tuples"
)

// What was queued when the log was closed is there when it is opened again.
func TestCloseWritesWhatIsQueued(t *testing.T) {
	path := filepath.Join(t.TempDir(), "decisions.db")
	l := open(t, path, Options{})
	var writers sync.WaitGroup
	const each = 50
	for range 4 {
		writers.Go(func() {
			for i := range each {
				l.record(t, decided(t, i, "allowed: user:anna can_view media:logo"))
			}
		})
	}
	writers.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got, want := l.Stats(), (Stats{Recorded: 4 * each}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := open(t, path, Options{}).list(t, Query{Store: store}, Position{}); len(got) != 4*each {
		t.Errorf("got %d", len(got))
	}
	l.record(t, decided(t, 0, "allowed: user:anna can_view media:logo"))
	if got := l.Stats().Dropped; got != 1 {
		t.Errorf("dropped %d after Close", got)
	}
	for _, err := range l.Newest(t.Context(), Query{Store: store}, Position{}) {
		if !errors.Is(err, tuples.ErrClosed) {
			t.Errorf("got %v", err)
		}
	}
}

// A full queue drops what finds no room, counts it, and says so.
func TestDropsAreNeverSilent(t *testing.T) {
	var said bytes.Buffer
	l := newLog(t, Options{queue: 10, Logger: slog.New(slog.NewTextHandler(&said, nil))})
	var list []Decision
	for i := range 13 {
		list = append(list, decided(t, i, "allowed: user:anna can_view media:logo"))
	}
	l.record(t, list...)
	if got := l.list(t, Query{Store: store}, Position{}); len(got) != 10 {
		t.Errorf("got %d", len(got))
	}
	if got, want := l.Stats(), (Stats{Recorded: 10, Dropped: 3}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(said.String(), "since_last_told=3 since_start=3") {
		t.Errorf("the log says %q", said.String())
	}
}

// A required log records before a decision is given, or says that it did not.
func TestRequired(t *testing.T) {
	l := newLog(t, Options{Required: true, queue: 2})
	d := decided(t, 0, "allowed: user:anna can_view media:logo")
	if err := l.Record(t.Context(), d, d); err != nil {
		t.Fatal(err)
	}
	if got, want := l.Stats(), (Stats{Recorded: 2}); got != want { // without waiting for it
		t.Errorf("got %+v, want %+v", got, want)
	}
	if err := l.Record(t.Context(), d, d, d); !errors.Is(err, ErrNotRecorded) {
		t.Errorf("more than the queue holds: got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Record(ctx, d); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("without time: got %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Record(t.Context(), d); !errors.Is(err, ErrNotRecorded) {
		t.Errorf("after Close: got %v", err)
	}
	if got := l.Stats().Dropped; got != 0 {
		t.Errorf("%d count as dropped, and nobody was given them", got)
	}
}

// The largest BatchCheck, of 10,000 items, finds room while as many decisions wait.
func TestLargestBatchFindsRoom(t *testing.T) {
	var q queue
	q.init(defaultQueue)
	for range 2 {
		if err := q.enter(make([]Decision, 10_000), make(chan error, 1)); err != nil {
			t.Error(err)
		}
	}
}

// What the disk does not take is dropped or, if the log is required, not given.
func TestFailingDisk(t *testing.T) {
	for name, required := range map[string]bool{"required": true, "not required": false} {
		t.Run(name, func(t *testing.T) {
			var said bytes.Buffer
			l := newLog(t, Options{Required: required, Logger: slog.New(slog.NewTextHandler(&said, nil))})
			if err := l.bolt.Close(); err != nil {
				t.Fatal(err)
			}
			err := l.Record(t.Context(), decided(t, 0, "allowed: user:anna can_view media:logo"))
			if required != errors.Is(err, ErrNotRecorded) || !required && err != nil {
				t.Errorf("got %v", err)
			}
			if err := l.Flush(t.Context()); err != nil {
				t.Error(err)
			}
			if dropped := l.Stats().Dropped; (dropped == 1) == required {
				t.Errorf("%d are dropped", dropped)
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
			if !strings.Contains(said.String(), "cannot write to the decision log") {
				t.Errorf("the log says %q", said.String())
			}
		})
	}
}

// Decisions leave with the retention, from the log and from both indexes.
func TestRetention(t *testing.T) {
	now := noon.Add(30 * time.Minute)
	l := newLog(t, Options{Retention: 10 * time.Minute, Clock: func() time.Time { return now }})
	var list []Decision
	for range rowsPerStep {
		list = append(list, decided(t, 5, "allowed: user:anna can_view media:logo"))
	}
	for minutes := range 31 {
		list = append(list, decided(t, minutes, "denied: user:anna can_view media:logo"))
	}
	l.record(t, list...)
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.tend()
	kept := l.list(t, Query{Store: store}, Position{})
	if len(kept) != 11 || !kept[10].Time.Equal(noon.Add(20*time.Minute)) {
		t.Fatalf("%d are kept", len(kept))
	}
	if err := l.bolt.View(func(tx *bbolt.Tx) error {
		for _, bucket := range [][]byte{decisionsBucket, objectBucket, subjectBucket} {
			if rows := tx.Bucket(bucket).Stats().KeyN; rows != 11 {
				t.Errorf("%s has %d rows", bucket, rows)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// A record that is damaged ends a list with an error, and is left where it is.
func TestDamageIsAnError(t *testing.T) {
	var said bytes.Buffer
	l := newLog(t, Options{Logger: slog.New(slog.NewTextHandler(&said, nil))})
	l.record(t, decided(t, 0, "allowed: user:anna can_view media:logo"))
	whole := l.list(t, Query{Store: store}, Position{})
	if len(whole) != 1 {
		t.Fatalf("got %d", len(whole))
	}
	p := whole[0].Position
	if err := l.bolt.Update(func(tx *bbolt.Tx) error { return tx.Bucket(decisionsBucket).Put(p[:], []byte{9}) }); err != nil {
		t.Fatal(err)
	}
	for _, err := range l.Newest(t.Context(), Query{Store: store}, Position{}) {
		if !errors.Is(err, errDamaged) {
			t.Errorf("got %v", err)
		}
	}
	l.options.Clock = func() time.Time { return noon.Add(365 * 24 * time.Hour) }
	l.tend()
	if !strings.Contains(said.String(), "cannot remove old decisions") {
		t.Errorf("the log says %q", said.String())
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	l := open(t, path("held.db"), Options{})
	if err := os.WriteFile(path("text.db"), bytes.Repeat([]byte("a text\n"), 2000), 0o600); err != nil {
		t.Fatal(err)
	}
	makeFile := func(name string, change func(*bbolt.Tx) error) {
		file, err := bbolt.Open(path(name), 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(file.Update(change), file.Close()); err != nil {
			t.Fatal(err)
		}
	}
	makeFile("other.db", func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("stores")); return err })
	for name, version := range map[string][]byte{"newer.db": binary.BigEndian.AppendUint16(nil, format+1), "damaged.db": {1}} {
		makeFile(name, func(tx *bbolt.Tx) error {
			return errors.Join(prepare(tx), tx.Bucket(metaBucket).Put(formatKey, version))
		})
	}
	for _, c := range []struct{ name, file, says string }{
		{"a file that another holds", "held.db", "another process holds the file"},
		{"a text", "text.db", "not a decision log"},
		{"a database of something else", "other.db", `with bucket "stores"`},
		{"a newer format", "newer.db", "format version 2, this program knows version 1"},
		{"a damaged file", "damaged.db", "damaged"},
		{"a folder that is not there", "no/decisions.db", "no such file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Open(path(c.file), Options{}); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
	l.record(t, decided(t, 0, "allowed: user:anna can_view media:logo")) // unharmed
	if got := l.list(t, Query{Store: store}, Position{}); len(got) != 1 {
		t.Errorf("got %d", len(got))
	}
}
