package index

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-authz/usher/tuples"
)

func TestAMaskNeverHidesAList(t *testing.T) {
	ordinals := rapid.OneOf(
		rapid.Uint32Range(0, 200), rapid.Uint32Range(0, 20*maskPage), rapid.Just(tuples.FirstTransient-1))
	rapid.Check(t, func(t *rapid.T) {
		room := rapid.SampledFrom([]int64{0, 1000, 100_000, 1 << 30}).Draw(t, "room")
		var m masks
		type list struct {
			ordinal uint32
			bit     uint64
		}
		added, took := make(map[list]bool), int64(0)
		for range rapid.IntRange(0, 50).Draw(t, "lists") {
			l := list{ordinals.Draw(t, "ordinal"), 1 << rapid.IntRange(0, 3).Draw(t, "bit")}
			if rapid.Bool().Draw(t, "build") {
				took += m.build(l.ordinal, l.bit, room-took)
			} else {
				took += m.add(l.ordinal, l.bit, room-took)
			}
			added[l] = true
		}
		if took > room {
			t.Fatalf("took %d bytes of %d", took, room)
		}
		for l := range added {
			if !m.have(l.ordinal, l.bit) {
				t.Fatalf("%+v is hidden", l)
			}
		}
		if l := (list{ordinals.Draw(t, "ordinal"), 1}); !added[l] && m.have(l.ordinal, l.bit) && !m.short.Load() {
			t.Fatalf("%+v is there, and all words are held", l)
		}
		for l := range added {
			from, some := l.ordinal&^63, rapid.Uint64().Draw(t, "some")
			got := m.among(from, some, l.bit)
			for i := range uint32(64) {
				want := some>>i&1 != 0 && m.have(from+i, l.bit)
				if got>>i&1 != 0 != want {
					t.Fatalf("%d among the neighbours of %d: got %v, want %v", from+i, from, !want, want)
				}
			}
		}
		m.drop()
		for l := range added {
			if some := uint64(1) << (l.ordinal % 64); m.among(l.ordinal&^63, some, l.bit) != some {
				t.Fatalf("%+v is hidden among its neighbours behind words that were dropped", l)
			}
			if !m.have(l.ordinal, l.bit) {
				t.Fatalf("%+v is hidden behind words that were dropped", l)
			}
		}
	})
}

func TestKindsOfATypeShareBitsWhenThereAreMany(t *testing.T) {
	m := machine{index: New(1 << 30), history: newHistory()}
	var all []tuples.EdgeChange
	for relation := range tuples.Symbol(100) {
		all = append(all, tuples.EdgeChange{Key: tuples.EdgeKey{Object: logo, Relation: 7 + relation, Subject: anna}, Op: tuples.OpTouch})
	}
	m.history.commit(1, all)
	m.load(t)
	for i := range all {
		if reads := compare(t, m.index, m.history.snapshot(1, noon), all[i].Key, -1, 3); reads != 0 {
			t.Errorf("%d reads went to the store", reads)
		}
	}
}

// A list of a partition that is not held is empty all the same where the mask says so.
func TestMasksSpareReadsOfDroppedPartitions(t *testing.T) {
	m := small(t, tuples.EdgeChange{Key: annaViews})
	m.index.dropColumns()
	for range partitions {
		m.index.parts[m.index.covered.Add(-1)].table.Store(nil)
	}
	for _, c := range []struct {
		name string
		key  tuples.EdgeKey
		asks int
	}{
		{"a list that is there, both ways", annaViews, 3},
		{"a list of a subject without any", bertViews, 2},
		{"a list of an object without any", tuples.EdgeKey{Object: tuples.NewNode(2, 5), Relation: 7, Subject: bert}, 0},
	} {
		if got := compare(t, m.index, m.history.snapshot(1, noon), c.key, -1, 3); got != c.asks {
			t.Errorf("%s: the store was asked %d times, want %d", c.name, got, c.asks)
		}
	}
}
