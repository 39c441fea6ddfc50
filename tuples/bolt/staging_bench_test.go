package bolt

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/usher-authz/usher/tuples"
)

// BenchmarkErase erases an object that a million tuples name, while one caller writes and
// one reads. It reports the longest write and read meanwhile, when the erase was visible
// and when it was merged; and the longest of both while nothing was erased, for comparison.
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
		idle := startLoad(s)
		time.Sleep(2 * time.Second)
		write, read := idle()
		b.ReportMetric(ms(write), "idle-max-write-ms")
		b.ReportMetric(ms(read), "idle-max-read-ms")

		busy := startLoad(s)
		begin := time.Now()
		got := mustCommit(b, s, tuples.Commit{Erase: &tuples.Erase{Objects: []tuples.Object{{Type: "media", ID: "big"}}}})
		b.ReportMetric(time.Since(begin).Seconds(), "visible-s")
		if err := s.merged(b.Context()); err != nil || got.Deleted != viewers {
			b.Fatal(got, err)
		}
		b.ReportMetric(time.Since(begin).Seconds(), "merged-s")
		write, read = busy()
		b.ReportMetric(ms(write), "max-write-ms")
		b.ReportMetric(ms(read), "max-read-ms")
	}
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// startLoad writes and reads, one after the other without pause, until the function that it
// returns is called; that returns the longest of each.
func startLoad(s *store) func() (write, read time.Duration) {
	stop := make(chan struct{})
	var loops sync.WaitGroup
	var write, read time.Duration
	repeat := func(longest *time.Duration, f func(n int) error) {
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
			*longest = max(*longest, time.Since(begin))
		}
	}
	loops.Go(func() {
		repeat(&write, func(n int) error {
			_, err := s.Commit(context.Background(), tuples.Commit{Mutations: []tuples.Mutation{{Op: tuples.OpTouch, Tuple: benchTuple(200_000 + n)}}})
			return err
		})
	})
	loops.Go(func() {
		repeat(&read, func(n int) error {
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
	return func() (time.Duration, time.Duration) {
		close(stop)
		loops.Wait()
		return write, read
	}
}
