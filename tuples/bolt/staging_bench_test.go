package bolt

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-authz/usher/tuples"
)

// BenchmarkErase erases an object that a million tuples name, while one caller writes and
// one reads. It reports the longest write and read meanwhile and their 99.9th percentiles,
// when the erase was visible, when a follower was told all of it and when it was merged; and
// the same of as long a time in which nothing was erased, for comparison.
func BenchmarkErase(b *testing.B) {
	const viewers = 1_000_000
	for b.Loop() {
		_, s := benchStore(b, 100_000, Options{})
		for i := 0; i < viewers; {
			var c tuples.Commit
			for range 10_000 {
				c.Mutations = append(c.Mutations, tuples.Mutation{Op: tuples.OpTouch, Tuple: parse(b, fmt.Sprintf("media:big#viewer@user:u%d", i))})
				i++
			}
			mustCommit(b, s, c)
		}
		var f listener
		snapshot, err := s.Follow(b.Context(), &f)
		if err != nil {
			b.Fatal(err)
		}
		snapshot.Close()
		busy := startLoad(s)
		begin := time.Now()
		got := mustCommit(b, s, tuples.Commit{Erase: &tuples.Erase{Objects: []tuples.Object{{Type: "media", ID: "big"}}}})
		b.ReportMetric(time.Since(begin).Seconds(), "visible-s")
		for tuples.Revision(f.published.Load()) < got.Revision {
			time.Sleep(time.Millisecond)
		}
		b.ReportMetric(time.Since(begin).Seconds(), "told-s")
		if err := s.merged(b.Context()); err != nil || got.Deleted != viewers {
			b.Fatal(got, err)
		}
		took := time.Since(begin)
		busy(b, "")
		b.ReportMetric(took.Seconds(), "merged-s")
		idle := startLoad(s)
		time.Sleep(took)
		idle(b, "idle-")
	}
}

// listener is a follower that costs nothing.
type listener struct{ published atomic.Uint64 }

func (*listener) Intern(tuples.Node, tuples.Object)          {}
func (*listener) Apply(tuples.Revision, []tuples.EdgeChange) {}
func (l *listener) Publish(revision tuples.Revision)         { l.published.Store(uint64(revision)) }

// startLoad writes and reads now and then, some 1,000 times a second each at most, until the
// function that it returns is called; that reports how long they took.
func startLoad(s *store) func(b *testing.B, prefix string) {
	stop := make(chan struct{})
	var loops sync.WaitGroup
	var writes, reads []time.Duration
	repeat := func(took *[]time.Duration, f func(n int) error) {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			begin := time.Now()
			if err := f(n); err != nil {
				panic(err)
			}
			*took = append(*took, time.Since(begin))
			time.Sleep(time.Millisecond)
		}
	}
	loops.Go(func() {
		repeat(&writes, func(n int) error {
			_, err := s.Commit(context.Background(), tuples.Commit{Mutations: []tuples.Mutation{{Op: tuples.OpTouch, Tuple: benchTuple(200_000 + n)}}})
			return err
		})
	})
	loops.Go(func() {
		repeat(&reads, func(n int) error {
			snapshot, err := s.Snapshot(context.Background(), tuples.At{})
			if err != nil {
				return err
			}
			defer snapshot.Close()
			key := benchTuple(n * 31 % 100_000).Key
			nodes := make([]tuples.Node, 2)
			if err := snapshot.Nodes(context.Background(), []tuples.Object{key.Object, key.Subject.Object()}, nodes); err != nil {
				return err
			}
			_, _, err = snapshot.Edge(context.Background(), tuples.EdgeKey{Object: nodes[0], Relation: s.symbols.Lookup("viewer"), Subject: nodes[1]})
			return err
		})
	})
	return func(b *testing.B, prefix string) {
		close(stop)
		loops.Wait()
		for what, took := range map[string][]time.Duration{"write-ms": writes, "read-ms": reads} {
			slices.Sort(took)
			ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
			b.ReportMetric(ms(took[len(took)-1]), prefix+"max-"+what)
			b.ReportMetric(ms(took[len(took)*999/1000]), prefix+"p999-"+what)
		}
	}
}
