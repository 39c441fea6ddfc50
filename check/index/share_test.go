package index

import (
	"math"
	"slices"
	"testing"

	"github.com/usher-authz/usher/tuples"
)

func TestLevelOf(t *testing.T) {
	for _, c := range []struct {
		name  string
		wants []int64
		total int64
		level int64
	}{
		{"nobody", nil, 100, math.MaxInt64},
		{"enough for all", []int64{30, 40}, 100, math.MaxInt64},
		{"a large one gets the rest", []int64{10, 200, 20}, 100, 70},
		{"two large ones share it", []int64{10, 200, 300}, 100, 45},
		{"too little for anybody", []int64{50, 60, 70}, 90, 30},
		{"nothing", []int64{50, 60}, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := levelOf(c.wants, c.total); got != c.level {
				t.Errorf("got %d, want %d", got, c.level)
			}
			all := int64(0)
			for _, want := range c.wants {
				all += min(want, levelOf(c.wants, c.total))
			}
			if all > c.total {
				t.Errorf("%d in all, of %d", all, c.total)
			}
		})
	}
}

// fill loads a library into an index.
func fill(t *testing.T, x *Index, l *library) {
	t.Helper()
	loader := x.Load(1)
	l.names(loader.Name)
	for _, key := range l.keys {
		if err := loader.Add(key, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := loader.Finish(); err != nil {
		t.Fatal(err)
	}
}

func TestASmallStoreIsHeldBesideALargeOne(t *testing.T) {
	large, small := newLibrary(50_000), newLibrary(2_000)
	alone := New(1 << 30)
	fill(t, alone, large)
	needs := alone.used()
	for _, c := range []struct {
		name       string
		percent    int64 // of what the large store needs
		smallFirst bool
	}{
		{"a large store that fits not quite", 95, false},
		{"a large store that fits half", 50, false},
		{"a small store that is there first", 50, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			bytes := needs * c.percent / 100
			m := NewMemory(bytes)
			indexes := []*Index{m.New(), m.New()}
			libraries := []*library{large, small}
			order := []int{0, 1}
			if c.smallFirst {
				slices.Reverse(order)
			}
			for _, i := range order {
				fill(t, indexes[i], libraries[i])
			}
			l, s := indexes[0].Stats(), indexes[1].Stats()
			if s.Covered != partitions || l.Covered == partitions || l.Covered == 0 {
				t.Errorf("%d of the small store and %d of the large one are held", s.Covered, l.Covered)
			}
			if used := indexes[0].used() + indexes[1].used(); used > bytes {
				t.Errorf("%d bytes of %d are used", used, bytes)
			}
			if got := m.Stats(); got.Loaded != 2 || got.Indexes != 2 || got.Covered != s.Covered+l.Covered {
				t.Errorf("got %+v", got)
			}
			indexes[0].Close()
			indexes[0].Close()
			if got := m.Stats(); got.Indexes != 1 || indexes[0].used() != 0 {
				t.Errorf("got %+v, and %d bytes of a closed index", got, indexes[0].used())
			}
		})
	}
}

// A store that is written to while the memory is all used gives up lists, not others'.
func TestManyStoresShareWhatThereIs(t *testing.T) {
	const stores, bytes = 10, 2 << 20
	m, l := NewMemory(bytes), newLibrary(10_000)
	var indexes []*Index
	for range stores {
		x := m.New()
		fill(t, x, l)
		indexes = append(indexes, x)
	}
	used, least, most := int64(0), partitions, 0
	for _, x := range indexes {
		churn(x, l, 500)
		s := x.Stats()
		used, least, most = used+x.used(), min(least, s.Covered), max(most, s.Covered)
	}
	if used > bytes || most-least > partitions/4 {
		t.Errorf("%d bytes of %d are used; %d to %d partitions are held", used, bytes, least, most)
	}
}

func TestAClosedIndexAsksTheStore(t *testing.T) {
	m := small(t, tuples.EdgeChange{Key: annaViews})
	before := m.index.Over(m.history.snapshot(1, noon))
	m.index.Close()
	if _, there, err := before.Edge(t.Context(), annaViews); err != nil || !there {
		t.Errorf("got %v, %v", there, err)
	}
	store := m.history.snapshot(1, noon)
	if s := m.index.Over(store); s != tuples.Snapshot(store) {
		t.Errorf("got %T", s)
	}
	m.index.Apply(2, nil)
	m.index.Publish(2)
	if err := m.index.Load(1).Finish(); err == nil {
		t.Error("a closed index can be loaded")
	}
}
