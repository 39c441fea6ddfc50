package decisions

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/usher-authz/usher/tuples"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const store = tuples.StoreID("01JSTORE")

// noon is when most decisions of the tests were made.
var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func open(t testing.TB, path string, options Options) *Log {
	t.Helper()
	options.NoSync = true
	l, err := Open(path, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func newLog(t testing.TB, options Options) *Log {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "decisions.db"), options)
}

// decided returns a decision, minutes after noon, from "allowed: user:anna can_view media:logo".
func decided(t testing.TB, minutes int, text string) Decision {
	t.Helper()
	var outcome, subject, relation, object string
	if _, err := fmt.Sscan(text, &outcome, &subject, &relation, &object); err != nil {
		t.Fatal(err)
	}
	d := Decision{Time: noon.Add(time.Duration(minutes) * time.Minute), Store: store, Relation: tuples.Relation(relation), Revision: 7, Model: "01JMODEL"}
	d.Outcome = map[string]Outcome{"denied:": Denied, "allowed:": Allowed, "conditional:": Conditional}[outcome]
	var err error
	if d.Object, err = tuples.ParseObject(object); err != nil {
		t.Fatal(err)
	}
	if d.Subject, err = tuples.ParseSubject(subject); err != nil {
		t.Fatal(err)
	}
	return d
}

func (l *Log) record(t testing.TB, list ...Decision) {
	t.Helper()
	if err := l.Record(context.Background(), list...); err != nil {
		t.Fatal(err)
	}
}

// list returns all entries that a query selects behind a position.
func (l *Log) list(t testing.TB, q Query, behind Position) []Entry {
	t.Helper()
	var all []Entry
	for entry, err := range l.Newest(context.Background(), q, behind) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, entry)
	}
	return all
}
