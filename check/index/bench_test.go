package index

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/usher-authz/usher/tuples"
)

// cpuTime is what the process has used. On a machine that is shared it says more than a clock.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkLoad(b *testing.B) {
	l := newLibrary(1_000_000)
	var nodes []tuples.Node
	var objects []tuples.Object
	l.names(func(n tuples.Node, o tuples.Object) { nodes, objects = append(nodes, n), append(objects, o) })
	ids := 0
	for _, o := range objects {
		ids += len(o.ID)
	}
	b.ReportAllocs()
	var cpu time.Duration
	for b.Loop() {
		b.StopTimer()
		before := heap()
		used := cpuTime()
		b.StartTimer()
		x := New(1 << 40)
		loader := x.Load(1)
		for i := range nodes {
			loader.Name(nodes[i], objects[i])
		}
		for _, key := range l.keys {
			if err := loader.Add(key, nil); err != nil {
				b.Fatal(err)
			}
		}
		if err := loader.Finish(); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		cpu += cpuTime() - used
		after := heap()
		s := x.Stats()
		n := float64(len(l.keys))
		b.ReportMetric(float64(after-before)/n, "B/tuple")
		b.ReportMetric(float64(s.ListBytes)/n, "lists-B/tuple")
		b.ReportMetric(float64(s.NameBytes)/n, "names-B/tuple")
		b.ReportMetric(float64(s.NameBytes-int64(ids))/float64(len(nodes)), "names-B/object")
		b.StartTimer()
		runtime.KeepAlive(x)
	}
	b.ReportMetric(float64(len(l.keys))*float64(b.N)/cpu.Seconds(), "tuples/cpu-s")
	b.ReportMetric(float64(len(l.keys))*float64(b.N)/b.Elapsed().Seconds(), "tuples/s")
}

// BenchmarkRead measures reads of a library of a million tuples, at random.
func BenchmarkRead(b *testing.B) {
	l := newLibrary(1_000_000)
	x := loadLibrary(b, l, 1<<40)
	h := newHistory()
	h.revisions[1] = state{}
	s := x.Over(h.snapshot(1, noon))
	ctx := b.Context()
	random := rand.New(rand.NewPCG(3, 4))
	drawn := make([]tuples.EdgeKey, 1<<16)
	names := make([]tuples.Object, len(drawn))
	for i := range drawn {
		drawn[i] = l.keys[random.IntN(len(l.keys))]
		object := [1]tuples.Object{}
		if err := s.Objects(ctx, []tuples.Node{drawn[i].Object}, object[:]); err != nil {
			b.Fatal(err)
		}
		names[i] = object[0]
	}
	page := make([]tuples.Edge, 0, 8)
	someUser := tuples.NewNode(typeUser, 7)
	nodes, objects := make([]tuples.Node, 1), make([]tuples.Object, 1)
	for _, read := range []struct {
		name string
		do   func(k tuples.EdgeKey, i int) error
	}{
		{"Edge that is there", func(k tuples.EdgeKey, _ int) error {
			_, _, err := s.Edge(ctx, k)
			return err
		}},
		{"Edge in no list", func(k tuples.EdgeKey, _ int) error {
			k.Relation = relOwner
			_, _, err := s.Edge(ctx, k)
			return err
		}},
		{"Edge in an empty list", func(k tuples.EdgeKey, _ int) error {
			_, _, err := s.Edge(ctx, tuples.EdgeKey{Object: tuples.NewNode(typeMedia, k.Object.Ordinal()), Relation: relCollection, Subject: tuples.NewNode(typeCollection, 1)})
			return err
		}},
		{"all lists of an object", func(k tuples.EdgeKey, _ int) error {
			media := tuples.NewNode(typeMedia, k.Object.Ordinal())
			for _, relation := range []tuples.Symbol{relOwner, relViewer, relMember} {
				if _, _, err := s.Edge(ctx, tuples.EdgeKey{Object: media, Relation: relation, Subject: someUser}); err != nil {
					return err
				}
				if _, err := s.EdgesFrom(ctx, tuples.SubjectsOf{Object: media, Relation: relation, Type: typeGroup, SubjectRelation: relMember}, 0, page); err != nil {
					return err
				}
			}
			_, err := s.EdgesFrom(ctx, tuples.SubjectsOf{Object: media, Relation: relParent, Type: typeFolder}, 0, page)
			if err == nil {
				_, err = s.EdgesFrom(ctx, tuples.SubjectsOf{Object: media, Relation: relCollection, Type: typeCollection}, 0, page)
			}
			return err
		}},
		{"EdgesFrom", func(k tuples.EdgeKey, _ int) error {
			_, err := s.EdgesFrom(ctx, tuples.SubjectsOf{Object: k.Object, Relation: k.Relation, Type: k.Subject.Type(), SubjectRelation: k.SubjectRelation}, 0, page)
			return err
		}},
		{"EdgesTo", func(k tuples.EdgeKey, _ int) error {
			_, err := s.EdgesTo(ctx, tuples.ObjectsOf{Subject: k.Subject, SubjectRelation: k.SubjectRelation, Type: k.Object.Type(), Relation: k.Relation}, 0, page)
			return err
		}},
		{"Nodes", func(_ tuples.EdgeKey, i int) error { return s.Nodes(ctx, names[i:i+1], nodes) }},
		{"Objects", func(k tuples.EdgeKey, _ int) error {
			nodes[0] = k.Object
			return s.Objects(ctx, nodes, objects)
		}},
	} {
		b.Run(read.name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i = (i + 1) & (len(drawn) - 1)
				if err := read.do(drawn[i], i); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCommit measures commits of one tuple, applied and published.
func BenchmarkCommit(b *testing.B) {
	l := newLibrary(1_000_000)
	group := tuples.NewNode(typeGroup, 1_000_000)
	member := func(i int) tuples.EdgeKey {
		return tuples.EdgeKey{Object: group, Relation: relMember, Subject: tuples.NewNode(typeUser, uint32(i)+1)}
	}
	for _, c := range []struct {
		name    string
		members int // of the group
		key     func(i int) tuples.EdgeKey
	}{
		{"anywhere", 1, func(i int) tuples.EdgeKey { return l.keys[i*7919%len(l.keys)] }},
		{"in a list of 20,000", 20_000, func(i int) tuples.EdgeKey { return member(i * 7919 % 20_000) }},
		{"in a list of a million", 1_000_000, func(i int) tuples.EdgeKey { return member(i * 7919 % 1_000_000) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			x := loadLibrary(b, l, 1<<30)
			var all []tuples.EdgeChange
			for i := range c.members {
				all = append(all, tuples.EdgeChange{Key: member(i), Op: tuples.OpTouch})
			}
			x.Apply(2, all)
			x.Publish(2)
			revision := tuples.Revision(2)
			change := make([]tuples.EdgeChange, 1)
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				revision++
				op := tuples.OpDelete
				if i&1 == 1 {
					op = tuples.OpTouch
				}
				change[0] = tuples.EdgeChange{Key: c.key(i / 2), Op: op}
				i++
				x.Apply(revision, change)
				x.Publish(revision)
			}
			b.ReportMetric(float64(x.Stats().UndoBytes)/float64(len(x.undo.versions)), "undo-B/version")
		})
	}
}

// BenchmarkMember measures looking up one member of a long list.
func BenchmarkMember(b *testing.B) {
	for _, n := range []int{1_000, 20_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			ordinals := make([]uint32, n)
			for i := range ordinals {
				ordinals[i] = uint32(2 * i)
			}
			list := newMembers(ordinals, nil)
			for i := 0; b.Loop(); i++ {
				if _, there := list.find(uint32(2*(i*7919%n)), time.Time{}); !there {
					b.Fatal("a member is not there")
				}
			}
		})
	}
}

// BenchmarkBehind measures reads of a list of a million that changes with every revision, by
// how many revisions the reader is behind: what page two of a list and an exact token cost
// while writes run at full speed.
func BenchmarkBehind(b *testing.B) {
	const members, versions = 1_000_000, 10_000
	x := New(4 << 30)
	if err := x.Load(0).Finish(); err != nil {
		b.Fatal(err)
	}
	group := tuples.NewNode(typeGroup, 1)
	var all []tuples.EdgeChange
	for i := range uint32(members) {
		all = append(all, tuples.EdgeChange{Key: tuples.EdgeKey{Object: group, Relation: relMember, Subject: tuples.NewNode(typeUser, i+1)}, Op: tuples.OpTouch})
	}
	x.Apply(1, all)
	x.Publish(1)
	for revision := tuples.Revision(2); revision < 2+versions; revision++ {
		change := all[int(revision)*7919%members]
		change.Op = tuples.OpDelete
		x.Apply(revision, []tuples.EdgeChange{change})
		x.Publish(revision)
	}
	head := tuples.Revision(x.head.Load())
	page := make([]tuples.Edge, 0, 100)
	list := tuples.SubjectsOf{Object: group, Relation: relMember, Type: typeUser}
	for _, behind := range []tuples.Revision{0, 1, 100, versions - 10} {
		b.Run(fmt.Sprint(behind), func(b *testing.B) {
			h := newHistory()
			h.revisions[head-behind] = state{}
			s := x.Over(h.snapshot(head-behind, noon))
			ctx, i := b.Context(), uint32(0)
			for b.Loop() {
				i = (i + 7919) % members
				if _, err := s.EdgesFrom(ctx, list, tuples.NewNode(typeUser, i), page); err != nil {
					b.Fatal(err)
				}
			}
			if x.Stats().Fallbacks != 0 {
				b.Fatal("reads went to the store")
			}
		})
	}
}

// BenchmarkApply measures bulk loading into an index that follows: a library of a million in
// commits of so many tuples.
func BenchmarkApply(b *testing.B) {
	l := newLibrary(1_000_000)
	for _, size := range []int{500, 10_000, 100_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			var cpu time.Duration
			for b.Loop() {
				b.StopTimer()
				x := New(1 << 30)
				if err := x.Load(0).Finish(); err != nil {
					b.Fatal(err)
				}
				changes := make([]tuples.EdgeChange, size)
				used := cpuTime()
				b.StartTimer()
				revision := tuples.Revision(0)
				for part := range slices.Chunk(l.keys, size) {
					for i, key := range part {
						changes[i] = tuples.EdgeChange{Key: key, Op: tuples.OpCreate}
					}
					revision++
					x.Apply(revision, changes[:len(part)])
					x.Publish(revision)
				}
				cpu += cpuTime() - used
			}
			b.ReportMetric(float64(len(l.keys))*float64(b.N)/cpu.Seconds(), "tuples/cpu-s")
		})
	}
}
