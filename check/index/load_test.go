package index

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-authz/usher/tuples"
)

// dump returns all lists of an index at its head, by key.
func dump(x *Index) map[listKey]string {
	var keys []listKey
	for i := range x.parts {
		t := x.parts[i].table.Load()
		if t == nil {
			continue
		}
		t.each(func(key listKey, _ []uint32, _ *version) { keys = append(keys, key) })
	}
	x.kinds.eachColumn(func(first listKey, c *column) {
		for ordinal := range uint32(10) {
			if c.get(ordinal) != 0 {
				keys = append(keys, first|listKey(ordinal))
			}
		}
	})
	lists := make(map[listKey]string)
	for _, key := range keys {
		var one [1]uint32
		m, _ := x.list(x.kinds.of(key), key, tuples.Revision(x.head.Load()), &one)
		var text strings.Builder
		for _, edge := range m.fill(1, 0, noon.AddDate(-1, 0, 0), make([]tuples.Edge, 0, 100)) {
			text.WriteString(fmt.Sprint(edge.Node.Ordinal(), edge.Grant, " "))
		}
		if text.Len() > 0 {
			lists[key] = text.String()
		}
	}
	return lists
}

func TestALoadEqualsTheCommitsBehindIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := seed(rapid.Uint64().Draw(t, "seed"))
		loaded := machine{index: newSeeded(1<<30, seed), history: newHistory()}
		loaded.history.commit(1, creations(changes(0).Draw(t, "first")))
		loaded.history.commit(2, changes(0).Draw(t, "second"))

		applied := newSeeded(1<<30, seed)
		applied.kinds.numbers.Store(loaded.index.kinds.numbers.Load())
		empty := machine{index: applied, history: newHistory()}
		empty.load(t)
		var all []tuples.EdgeChange
		for _, key := range sortedKeys(loaded.history.revisions[2]) {
			all = append(all, tuples.EdgeChange{Key: key, Op: tuples.OpCreate, Grant: loaded.history.revisions[2][key]})
		}
		// In the order of the load, so that kinds get the same numbers.
		applied.Apply(2, all)
		applied.Publish(2)

		// Commits that come while the load is under way: the first is behind it already.
		loaded.index.Apply(1, deletions(all))
		more := changes(0).Draw(t, "more")
		loaded.index.Apply(5, more)
		loaded.load(t)
		loaded.index.Publish(5)
		applied.Apply(5, more)
		applied.Publish(5)

		loaded.history.commit(5, more)
		for _, c := range append(more, all...) {
			for _, revision := range []tuples.Revision{2, 5} {
				compare(t, loaded.index, loaded.history.snapshot(revision, noon.Add(-1)), c.Key, -1, 20)
			}
		}
		got, want := dump(loaded.index), dump(applied)
		for key := range want {
			if got[key] != want[key] {
				t.Fatalf("list %x: loaded %q, applied %q", key, got[key], want[key])
			}
		}
		if len(got) != len(want) {
			t.Fatalf("loaded %d lists, applied %d", len(got), len(want))
		}
	})
}

func deletions(changes []tuples.EdgeChange) []tuples.EdgeChange {
	var deletes []tuples.EdgeChange
	for _, c := range changes {
		deletes = append(deletes, tuples.EdgeChange{Key: c.Key, Op: tuples.OpDelete})
	}
	return deletes
}

func TestTuplesOutOfOrderAreRefused(t *testing.T) {
	first := tuples.EdgeKey{Object: tuples.NewNode(2, 2), Relation: 7, Subject: tuples.NewNode(1, 5)}
	for name, change := range map[string]func(*tuples.EdgeKey){
		"the same tuple again":      func(*tuples.EdgeKey) {},
		"a smaller subject":         func(k *tuples.EdgeKey) { k.Subject-- },
		"a smaller object":          func(k *tuples.EdgeKey) { k.Object-- },
		"a smaller relation":        func(k *tuples.EdgeKey) { k.Relation-- },
		"a smaller type of subject": func(k *tuples.EdgeKey) { k.Subject = tuples.NewNode(0, 9) },
	} {
		t.Run(name, func(t *testing.T) {
			x := New(1 << 20)
			loader := x.Load(1)
			if err := loader.Add(first, nil); err != nil {
				t.Fatal(err)
			}
			second := first
			change(&second)
			if err := loader.Add(second, nil); err == nil || !strings.Contains(err.Error(), "in the order of their keys") {
				t.Errorf("got error %v", err)
			}
		})
	}
}

func TestAnIndexThatIsNotLoadedKnowsNothing(t *testing.T) {
	x := New(1 << 20)
	h := newHistory()
	h.commit(1, nil)
	x.Apply(1, nil)
	x.Publish(1)
	store := h.snapshot(1, noon)
	if s := x.Over(store); s != tuples.Snapshot(store) {
		t.Errorf("got %T", s)
	}
	x.Load(1) // and never finished
	if s := x.Over(store); s != tuples.Snapshot(store) || x.Stats().Loaded {
		t.Errorf("got %T, %+v", s, x.Stats())
	}
}

func TestLongListsAreLoadedAndChanged(t *testing.T) {
	m := machine{index: New(1 << 30), history: newHistory()}
	group := tuples.NewNode(2, 1)
	var all []tuples.EdgeChange
	for i := range uint32(3 * maxRun) {
		c := tuples.EdgeChange{Key: tuples.EdgeKey{Object: group, Relation: 7, Subject: tuples.NewNode(1, i+1)}, Op: tuples.OpCreate}
		if i%1000 == 0 {
			c.Grant = grants[4]
		}
		all = append(all, c)
	}
	m.history.commit(1, all)
	m.load(t)
	for _, i := range []int{0, 1, 999, 1000, 1001, maxRun, 3*maxRun - 1} {
		for _, after := range []int{-1, 1, 2000, 3 * maxRun} {
			if reads := compare(t, m.index, m.history.snapshot(1, noon.Add(-1)), all[i].Key, after, 10); reads != 0 {
				t.Errorf("%d reads went to the store", reads)
			}
		}
	}
	audit(t, m.index)
	for revision := tuples.Revision(2); revision < 6; revision++ {
		some := deletions(all[revision*500 : revision*1000])
		m.history.commit(revision, some)
		m.index.Apply(revision, some[:100])
		m.index.Apply(revision, some[100:])
		m.index.Publish(revision)
		compare(t, m.index, m.history.snapshot(revision, noon.Add(-1)), some[0].Key, -1, 4000)
		compare(t, m.index, m.history.snapshot(revision-1, noon.Add(-1)), some[0].Key, -1, 4000)
	}
	m.index.raise(5)
	audit(t, m.index)
}

func TestCoverageShrinksAndAnswersStayRight(t *testing.T) {
	l := newLibrary(20_000)
	ample := loadLibrary(t, l, 1<<30)
	for name, share := range map[string]int64{"half": 2, "a tenth": 10, "nothing": 1 << 30} {
		t.Run(name, func(t *testing.T) {
			s := ample.Stats()
			memory := (s.NameBytes + s.ListBytes) / share
			x := loadLibrary(t, l, memory)
			s = x.Stats()
			if s.NameBytes+s.ListBytes > memory+4096 || s.Covered == partitions {
				t.Errorf("%+v in %d bytes", s, memory)
			}
			h := newHistory()
			for _, key := range l.keys[:500] {
				h.revisions[0][key] = nil
			}
			h.revisions[1] = h.revisions[0]
			fell, object := 0, tuples.Node(0)
			for _, key := range l.keys[:500] {
				if key.Object == object {
					continue
				}
				object = key.Object
				store := h.snapshot(1, noon)
				edge, there, err := x.Over(store).Edge(t.Context(), key)
				if err != nil || !there || edge.Node != key.Subject {
					t.Fatalf("%+v: got %v, %v, %v", key, edge, there, err)
				}
				fell += store.reads
			}
			if int64(fell) != x.Stats().Fallbacks || share > 2 && fell == 0 {
				t.Errorf("%d reads went to the store, counted %d", fell, x.Stats().Fallbacks)
			}
		})
	}
}

// Commits are kept for the end of a load that gives up partitions meanwhile: none of them may
// touch what the load works with. The race detector is the judge, and then the index.
func TestCommitsDuringALoadThatDoesNotFit(t *testing.T) {
	const every = 200
	l := newLibrary(20_000)
	x := New(200_000)
	loader := x.Load(1)
	l.names(loader.Name)
	revision := tuples.Revision(1)
	var running sync.WaitGroup
	for i, key := range l.keys {
		if i%every == 0 {
			running.Wait()
			revision++
			running.Go(func() {
				x.Apply(revision, []tuples.EdgeChange{{Key: key, Op: tuples.OpDelete}})
				x.Publish(revision)
			})
		}
		if err := loader.Add(key, nil); err != nil {
			t.Fatal(err)
		}
	}
	running.Wait()
	if err := loader.Finish(); err != nil {
		t.Fatal(err)
	}
	if s := x.Stats(); s.Head != revision || s.Covered == partitions {
		t.Errorf("got %+v", s)
	}
}

// loadLibrary returns an index of a library at revision 1.
func loadLibrary(t testing.TB, l *library, memory int64) *Index {
	t.Helper()
	x := New(memory)
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
	return x
}
