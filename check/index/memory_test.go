package index

import (
	"runtime"
	"testing"

	"github.com/usher-authz/usher/tuples"
)

// heap returns the bytes that are alive.
func heap() int64 {
	runtime.GC()
	runtime.GC() // what the first one swept
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestMemoryIsWhatTheStatsSay(t *testing.T) {
	l := newLibrary(100_000)
	for _, c := range []struct {
		name    string
		use     func(x *Index)
		percent int64 // how far the estimate may be off
	}{
		{"behind a load", func(*Index) {}, 5},
		{"behind commits that are remembered", func(x *Index) { churn(x, l, 20_000) }, 20},
		{"behind commits that are forgotten", func(x *Index) {
			churn(x, l, 20_000)
			x.raise(tuples.Revision(x.head.Load()))
		}, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := heap()
			x := loadLibrary(t, l, 1<<30)
			c.use(x)
			took := heap() - before
			s := x.Stats()
			counted := s.NameBytes + s.ListBytes + s.MaskBytes
			if off := took - counted; off > took*c.percent/100 || -off > took*c.percent/100 {
				t.Errorf("it takes %d bytes and counts %d of names, %d of lists and %d of masks", took, s.NameBytes, s.ListBytes, s.MaskBytes)
			}
			if perTuple := took / int64(len(l.keys)); perTuple > 120 && s.UndoBytes == 0 {
				t.Errorf("it takes %d bytes a tuple, want 120 at most", perTuple)
			}
			runtime.KeepAlive(x)
		})
	}
}

func TestAnEmptyIndexIsSmall(t *testing.T) {
	before := heap()
	indexes := make([]*Index, 100)
	for i := range indexes {
		indexes[i] = New(1 << 30)
		if err := indexes[i].Load(0).Finish(); err != nil {
			t.Fatal(err)
		}
	}
	if took := (heap() - before) / int64(len(indexes)); took > 8<<10 {
		t.Errorf("an empty index takes %d bytes", took)
	}
	runtime.KeepAlive(indexes)
}

// churn removes tuples of a library and puts them back, one commit each.
func churn(x *Index, l *library, commits int) {
	revision := tuples.Revision(x.head.Load())
	for i := range commits {
		op := tuples.OpDelete
		if i%2 == 1 {
			op = tuples.OpCreate
		}
		revision++
		x.Apply(revision, []tuples.EdgeChange{{Key: l.keys[i/2*7%len(l.keys)], Op: op}})
		x.Publish(revision)
	}
}

func TestReadsAllocateNothing(t *testing.T) {
	l := newLibrary(10_000)
	x := loadLibrary(t, l, 1<<30)
	churn(x, l, 100)
	h := newHistory()
	h.revisions[101] = state{}
	s := x.Over(h.snapshot(101, noon))
	ctx := t.Context()
	page := make([]tuples.Edge, 0, 64)
	objects, nodes := make([]tuples.Object, 2), []tuples.Node{l.keys[0].Object, l.keys[0].Subject}
	i := 0
	allocs := testing.AllocsPerRun(1000, func() {
		key := l.keys[i%len(l.keys)]
		i++
		_, _, _ = s.Edge(ctx, key)
		_, _ = s.EdgesFrom(ctx, tuples.SubjectsOf{Object: key.Object, Relation: key.Relation, Type: key.Subject.Type(), SubjectRelation: key.SubjectRelation}, 0, page)
		_, _ = s.EdgesTo(ctx, tuples.ObjectsOf{Subject: key.Subject, SubjectRelation: key.SubjectRelation, Type: key.Object.Type(), Relation: key.Relation}, 0, page)
		_ = s.Objects(ctx, nodes, objects)
		_ = s.Nodes(ctx, objects, nodes)
	})
	if allocs != 0 || x.Stats().Fallbacks != 0 {
		t.Errorf("reads make %v allocations, and %d went to the store", allocs, x.Stats().Fallbacks)
	}
}
