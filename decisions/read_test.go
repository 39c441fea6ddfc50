package decisions

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/usher-authz/usher/tuples"
)

// D11: who has downloaded what, when and from where, by every field of a decision.
func TestNewest(t *testing.T) {
	l := newLog(t, Options{})
	const (
		first    = "allowed: user:anna can_download media:logo"
		second   = "denied: user:bert can_download media:logo"
		third    = "allowed: user:* can_view media:logo"
		fourth   = "conditional: group:press#member can_view media:note"
		elsewere = "allowed: user:anna can_view media:other-store"
	)
	lines := []string{first, second, third, fourth}
	for i, line := range lines {
		l.record(t, decided(t, i, line))
	}
	other := decided(t, 1, elsewere)
	other.Store = "01JSTORF"
	l.record(t, other)
	logo := tuples.Object{Type: "media", ID: "logo"}
	anna, public := tuples.Subject{Type: "user", ID: "anna"}, tuples.Subject{Type: "user", ID: tuples.Wildcard}
	press := tuples.Subject{Type: "group", ID: "press"}
	at := func(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }
	for _, c := range []struct {
		name  string
		query Query
		want  []string
	}{
		{"of the store", Query{Store: store}, []string{fourth, third, second, first}},
		{"of another store", Query{Store: other.Store}, []string{elsewere}},
		{"of a store whose id begins like it", Query{Store: store[:4], Object: logo}, nil},
		{"of an object", Query{Store: store, Object: logo}, []string{third, second, first}},
		{"of an object whose id begins like it", Query{Store: store, Object: tuples.Object{Type: "media", ID: "log"}}, nil},
		{"of a subject", Query{Store: store, Subject: anna}, []string{first}},
		{"of the public", Query{Store: store, Subject: public}, []string{third}},
		{"of the public, to an object", Query{Store: store, Subject: public, Object: logo}, []string{third}},
		{"of a subject, to an object", Query{Store: store, Subject: anna, Object: logo}, []string{first}},
		{"of a userset", Query{Store: store, Subject: tuples.Subject{Type: "group", ID: "press", Relation: "member"}}, []string{fourth}},
		{"of an object that is no userset", Query{Store: store, Subject: press}, nil},
		{"of a relation", Query{Store: store, Relation: "can_download"}, []string{second, first}},
		{"of an outcome", Query{Store: store, Outcome: Allowed}, []string{third, first}},
		{"from a time on", Query{Store: store, From: at(2)}, []string{fourth, third}},
		{"until a time", Query{Store: store, Until: at(2)}, []string{second, first}},
		{"between two times, of an object", Query{Store: store, Object: logo, From: at(1), Until: at(2)}, []string{second}},
		{"between two times the wrong way round", Query{Store: store, From: at(2), Until: at(1)}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, entry := range l.list(t, c.query, Position{}) {
				got = append(got, shown(entry.Decision))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func shown(d Decision) string {
	return fmt.Sprintf("%s: %s %s %s", [...]string{"", "denied", "allowed", "conditional"}[d.Outcome], d.Subject, d.Relation, d.Object)
}

// Whatever was recorded, in whatever order and however often the log was reopened, a
// list is what a slice in memory says, and goes on behind each of its entries.
func TestListsAreWhatWasRecorded(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		path := filepath.Join(t.TempDir(), "decisions.db")
		l := open(t, path, Options{})
		var all []Decision
		draw := func() Decision {
			return decided(t, rapid.IntRange(0, 20).Draw(rt, "minute"), fmt.Sprintf("%s %s can_view media:%d",
				rapid.SampledFrom([]string{"allowed:", "denied:"}).Draw(rt, "outcome"),
				rapid.SampledFrom([]string{"user:anna", "user:bert", "user:*"}).Draw(rt, "subject"), rapid.IntRange(0, 2).Draw(rt, "object")))
		}
		for range rapid.IntRange(0, 5).Draw(rt, "batches") {
			batch := rapid.SliceOfN(rapid.Custom(func(*rapid.T) Decision { return draw() }), 1, 60).Draw(rt, "batch")
			l.record(t, batch...)
			all = append(all, batch...)
			if rapid.Bool().Draw(rt, "reopen") {
				if err := l.Close(); err != nil {
					rt.Fatal(err)
				}
				l = open(t, path, Options{})
			}
		}
		one := draw()
		q := Query{Store: store}
		if rapid.Bool().Draw(rt, "by object") {
			q.Object = one.Object
		}
		if rapid.Bool().Draw(rt, "by subject") {
			q.Subject = one.Subject
		}
		if rapid.Bool().Draw(rt, "by time") {
			q.From, q.Until = one.Time, one.Time.Add(8*time.Minute)
		}
		want := expected(all, q)
		got := l.list(t, q, Position{})
		for i := range got {
			if i >= len(want) || !reflect.DeepEqual(got[i].Decision, want[i]) {
				rt.Fatalf("%+v: entry %d of %d is %+v, want %d", q, i, len(got), got[i].Decision, len(want))
			}
		}
		if len(got) < len(want) {
			rt.Fatalf("%+v: got %d entries, want %d", q, len(got), len(want))
		}
		if len(got) > 0 {
			i := rapid.IntRange(0, len(got)-1).Draw(rt, "resumed behind")
			if rest := l.list(t, q, got[i].Position); !reflect.DeepEqual(rest, got[i+1:]) && len(rest)+i+1 != len(got) {
				rt.Fatalf("behind entry %d of %d there are %d", i, len(got), len(rest))
			}
		}
		if err := l.Close(); err != nil {
			rt.Fatal(err)
		}
	})
}

// expected returns what a query selects of decisions in the order they were recorded.
func expected(all []Decision, q Query) []Decision {
	var want []Decision
	for _, d := range slices.Backward(all) {
		if q.matches(&d) && !d.Time.Before(q.From) && (q.Until.IsZero() || d.Time.Before(q.Until)) {
			want = append(want, d)
		}
	}
	slices.SortStableFunc(want, func(a, b Decision) int { return b.Time.Compare(a.Time) })
	return want
}

// A list of many slices is whole, and ends when its caller does.
func TestLongLists(t *testing.T) {
	l := newLog(t, Options{})
	var list []Decision
	for i := range 5 * sliceEntries {
		list = append(list, decided(t, i, fmt.Sprintf("denied: user:%d can_view media:logo", i)))
	}
	l.record(t, list...)
	if got := l.list(t, Query{Store: store}, Position{}); len(got) != len(list) {
		t.Errorf("got %d", len(got))
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	taken := 0
	for _, err := range l.Newest(ctx, Query{Store: store}, Position{}) {
		if err != nil {
			break
		}
		if taken++; taken == sliceEntries {
			cancel()
		}
	}
	if taken != sliceEntries {
		t.Errorf("took %d after the end", taken-sliceEntries)
	}
}
