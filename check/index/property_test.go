package index

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/usher-authz/usher/tuples"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// grants are what tuples of the properties carry: mostly nothing.
var grants = []*tuples.Grant{
	nil, nil, nil, nil,
	{Expires: noon},
	{Expires: noon.Add(time.Hour)},
	{Condition: &tuples.Condition{Name: "office_hours", Context: tuples.Context{"zone": "CET"}}},
	{Attributes: tuples.Attributes{"watermark": tuples.BoolValue(true)}},
}

// keys draws tuples from few objects and subjects, so that lists grow and shrink. Ordinal 0
// is the wildcard, and the last two are the largest that a store gives out.
func keys() *rapid.Generator[tuples.EdgeKey] {
	ordinal := rapid.SampledFrom([]uint32{1, 2, 3, 4, 5, 6, 7, 8, tuples.FirstTransient - 2, tuples.FirstTransient - 1})
	return rapid.Custom(func(t *rapid.T) tuples.EdgeKey {
		key := tuples.EdgeKey{
			Object:   tuples.NewNode(rapid.SampledFrom([]tuples.Symbol{1, 2}).Draw(t, "type"), ordinal.Draw(t, "object")),
			Relation: rapid.SampledFrom([]tuples.Symbol{7, 8}).Draw(t, "relation"),
			Subject:  tuples.NewNode(rapid.SampledFrom([]tuples.Symbol{1, 2, 3}).Draw(t, "subject type"), ordinal.Draw(t, "subject")),
		}
		switch rapid.IntRange(0, 5).Draw(t, "form") {
		case 0:
			key.Subject = tuples.WildcardNode(key.Subject.Type())
		case 1:
			key.SubjectRelation = 7
		}
		return key
	})
}

func changes(least int) *rapid.Generator[[]tuples.EdgeChange] {
	one := rapid.Custom(func(t *rapid.T) tuples.EdgeChange {
		c := tuples.EdgeChange{
			Key: keys().Draw(t, "key"),
			Op:  rapid.SampledFrom([]tuples.Op{tuples.OpCreate, tuples.OpTouch, tuples.OpDelete}).Draw(t, "op"),
		}
		if c.Op != tuples.OpDelete {
			c.Grant = rapid.SampledFrom(grants).Draw(t, "grant")
		}
		return c
	})
	return rapid.SliceOfNDistinct(one, least, 12, func(c tuples.EdgeChange) tuples.EdgeKey { return c.Key })
}

// machine feeds an index and a history the same commits.
type machine struct {
	index   *Index
	history *history
}

// load fills the index with the history's head.
func (m *machine) load(t rapid.TB) {
	loader := m.index.Load(m.history.head)
	state := m.history.revisions[m.history.head]
	for _, key := range sortedKeys(state) {
		if err := loader.Add(key, state[key]); err != nil {
			t.Fatal(err)
		}
	}
	if err := loader.Finish(); err != nil {
		t.Fatal(err)
	}
}

func sortedKeys(s state) []tuples.EdgeKey {
	var keys []tuples.EdgeKey
	for key := range s {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, compareKeys)
	return keys
}

// commit applies changes at a new revision, in one call or two, and does not publish it.
func (m *machine) commit(t *rapid.T) {
	revision := m.history.head + tuples.Revision(rapid.IntRange(1, 3).Draw(t, "step"))
	all := changes(0).Draw(t, "changes")
	m.history.commit(revision, all)
	half := rapid.IntRange(0, len(all)).Draw(t, "part")
	m.index.Apply(revision, all[:half])
	m.index.Apply(revision, all[half:])
}

// compare asks index and history the same of one revision, and returns how often the index
// asked the store.
func compare(t rapid.TB, x *Index, store *past, key tuples.EdgeKey, after int, room int) int {
	s := x.Over(store)
	ctx := context.Background()
	what := func(of any) string { return fmt.Sprintf("%+v at revision %d", of, store.revision) }
	behind := func(t tuples.Symbol) tuples.Node {
		if after < 0 {
			return 0
		}
		return tuples.NewNode(t, uint32(after))
	}
	ask := func(s tuples.Snapshot) (answers [4]any) {
		edge, there, err := s.Edge(ctx, key)
		answers[0], answers[1] = fmt.Sprint(edge.Node, edge.Grant, there), err
		from := tuples.SubjectsOf{Object: key.Object, Relation: key.Relation, Type: key.Subject.Type(), SubjectRelation: key.SubjectRelation}
		subjects, _ := s.EdgesFrom(ctx, from, behind(from.Type), make([]tuples.Edge, 1, room+1))
		to := tuples.ObjectsOf{Subject: key.Subject, SubjectRelation: key.SubjectRelation, Type: key.Object.Type(), Relation: key.Relation}
		objects, _ := s.EdgesTo(ctx, to, behind(to.Type), make([]tuples.Edge, 1, room+1))
		answers[2], answers[3] = fmt.Sprint(subjects), fmt.Sprint(objects)
		return answers
	}
	store.reads = 0
	got := ask(s)
	reads := store.reads
	if want := ask(store); got != want {
		t.Fatalf("%s, behind %d, %d at a time:\n got %v\nwant %v", what(key), after, room, got, want)
	}
	return reads
}

func TestEveryReadIsWhatTheHistorySays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		memory := rapid.SampledFrom([]int64{0, 2_000, 8_000, 20_000, 1 << 30}).Draw(t, "memory")
		m := machine{index: newSeeded(memory, seed(rapid.Uint64().Draw(t, "seed"))), history: newHistory()}
		m.index.bulk = rapid.SampledFrom([]int{bulk, bulk, 0}).Draw(t, "bulk")
		m.history.commit(1, creations(changes(0).Draw(t, "first")))
		m.load(t)
		t.Repeat(map[string]func(*rapid.T){
			"commit": func(t *rapid.T) {
				m.commit(t)
				if !rapid.Bool().Draw(t, "publish") {
					return
				}
				m.index.Publish(m.history.head)
				if s := m.index.Stats(); s.NameBytes+s.ListBytes+s.MaskBytes > memory {
					t.Fatalf("%+v in %d bytes", s, memory)
				}
			},
			"raise the floor": func(t *rapid.T) {
				head, floor := m.index.head.Load(), m.index.floor.Load()
				m.index.raise(tuples.Revision(rapid.Uint64Range(floor, max(floor, head)).Draw(t, "floor")))
			},
			"read": func(t *rapid.T) {
				revision := rapid.SampledFrom(sortedRevisions(m.history)).Draw(t, "revision")
				now := rapid.SampledFrom([]time.Time{noon.Add(-time.Second), noon, noon.Add(2 * time.Hour)}).Draw(t, "now")
				key := keys().Draw(t, "key")
				after := rapid.SampledFrom([]int{-1, 0, int(key.Subject.Ordinal()), int(key.Object.Ordinal())}).Draw(t, "after")
				reads := compare(t, m.index, m.history.snapshot(revision, now), key, after, rapid.IntRange(0, 4).Draw(t, "room"))
				s := m.index.Stats()
				if reads > 0 && memory == 1<<30 && m.index.bulk > 0 && revision >= s.Floor && revision <= s.Head {
					t.Fatalf("%d reads of revision %d, between %d and %d, went to the store", reads, revision, s.Floor, s.Head)
				}
			},
		})
		m.index.Publish(m.history.head)
		m.index.raise(m.history.head)
		audit(t, m.index)
	})
}

// creations makes touches of all changes.
func creations(changes []tuples.EdgeChange) []tuples.EdgeChange {
	for i := range changes {
		changes[i].Op = tuples.OpTouch
	}
	return changes
}

func sortedRevisions(h *history) []tuples.Revision {
	var all []tuples.Revision
	for revision := range h.revisions {
		all = append(all, revision)
	}
	slices.Sort(all)
	return all
}

// audit counts the memory of an index that has let go of all older versions, and compares.
func audit(t rapid.TB, x *Index) {
	t.Helper()
	if n := len(x.undo.versions); n > 0 || x.undo.bytes != 0 {
		t.Fatalf("%d versions and %d bytes are left", n, x.undo.bytes)
	}
	total := 0
	x.kinds.eachColumn(func(_ listKey, c *column) {
		if members := c.members.Load(); members != nil {
			total += 4 * len(*members)
		}
	})
	for i := range x.parts {
		p := &x.parts[i]
		table := p.table.Load()
		if table == nil {
			if p.bytes != 0 {
				t.Fatalf("dropped partition %d has %d bytes", i, p.bytes)
			}
			continue
		}
		bytes := table.size()
		table.each(func(key listKey, _ []uint32, v *version) {
			if v == nil {
				return
			}
			if v.older.Load() != nil || v.frees != 0 || v.key != key {
				t.Fatalf("list %x: version %+v has an older one", key, v)
			}
			bytes += v.size()
		})
		if bytes != p.bytes {
			t.Fatalf("partition %d has %d bytes, counted as %d", i, bytes, p.bytes)
		}
		total += bytes
	}
	if int64(total) != x.lists.Load() {
		t.Fatalf("all partitions and columns have %d bytes, counted as %d", total, x.lists.Load())
	}
}
