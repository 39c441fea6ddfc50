package index

import (
	"testing"

	"github.com/usher-authz/usher/tuples"
)

func TestNamedSparesListsThatAreEmpty(t *testing.T) {
	m := small(t, tuples.EdgeChange{Key: annaViews})
	store := m.history.snapshot(1, noon)
	over := m.index.Over(store)
	named := tuples.ObjectsOf{Type: annaViews.Object.Type(), Relation: annaViews.Relation}
	another := tuples.ObjectsOf{Type: annaViews.Object.Type(), Relation: annaViews.Relation + 1}
	annaBit := uint64(1) << annaViews.Subject.Ordinal()
	at := func(list tuples.ObjectsOf, ordinal uint32) tuples.ObjectsOf {
		list.Subject = tuples.NewNode(annaViews.Subject.Type(), ordinal)
		return list
	}
	for _, c := range []struct {
		name       string
		snapshot   tuples.Snapshot
		list       tuples.ObjectsOf
		some, want uint64
	}{
		{"who has the relation", over, at(named, 0), annaBit | annaBit<<1, annaBit},
		{"somebody else", over, at(named, 0), annaBit << 1, 0},
		{"behind all that have a word", over, at(named, 1<<20), 3, 0},
		{"a relation without tuples", over, at(another, 0), annaBit, 0},
		{"objects of the request's own", over, at(named, tuples.FirstTransient), 3, 3},
		{"a snapshot without an index", store, at(another, 0), 3, 3},
	} {
		if got := Named(c.snapshot, c.list, c.some); got != c.want {
			t.Errorf("%s: got %b, want %b", c.name, got, c.want)
		}
	}
}
