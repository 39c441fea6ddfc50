package index

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/usher-authz/usher/tuples"
)

// TestReadersSeeTheirRevisionWhileAWriterRuns has readers at pinned revisions, old and new,
// compare what they read with the history, while a writer commits as fast as it can, the
// floor rises behind it, tables are renewed and partitions dropped.
func TestReadersSeeTheirRevisionWhileAWriterRuns(t *testing.T) {
	const commits, readers = 400, 3
	for _, c := range []struct {
		name   string
		memory int64
		bulk   int
	}{
		{"ample memory", 1 << 30, bulk}, {"little memory", 30_000, bulk}, {"large commits now and then", 1 << 30, 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			memory := c.memory
			m := machine{index: New(memory), history: newHistory()}
			m.index.bulk = c.bulk
			m.load(t)
			done := make(chan struct{})
			var running sync.WaitGroup
			for r := range readers {
				running.Go(func() { readUntil(t, m, rand.New(rand.NewPCG(7, uint64(r))), done) })
			}
			random := rand.New(rand.NewPCG(1, 2))
			for revision := tuples.Revision(1); revision <= commits; revision++ {
				all := randomChanges(random)
				m.history.commit(revision, all)
				m.index.Apply(revision, all)
				m.index.Publish(revision)
				if revision%16 == 0 {
					m.index.writing.Lock()
					floor := revision - tuples.Revision(random.IntN(16))
					m.index.raise(max(floor, tuples.Revision(m.index.floor.Load())))
					m.index.writing.Unlock()
				}
			}
			close(done)
			running.Wait()
			s := m.index.Stats()
			if s.Head != commits || memory == 1<<30 && s.Covered != partitions || memory < 1<<30 && s.Covered == partitions {
				t.Errorf("got %+v", s)
			}
		})
	}
}

// randomChanges are changes of few lists.
func randomChanges(random *rand.Rand) []tuples.EdgeChange {
	seen := make(map[tuples.EdgeKey]bool)
	var all []tuples.EdgeChange
	for range 1 + random.IntN(8) {
		c := tuples.EdgeChange{Key: randomKey(random), Op: tuples.OpTouch, Grant: grants[random.IntN(len(grants))]}
		if random.IntN(3) == 0 {
			c.Op, c.Grant = tuples.OpDelete, nil
		}
		if !seen[c.Key] {
			seen[c.Key] = true
			all = append(all, c)
		}
	}
	return all
}

func randomKey(random *rand.Rand) tuples.EdgeKey {
	return tuples.EdgeKey{
		Object: tuples.NewNode(2, uint32(random.IntN(30))+1), Relation: 7,
		Subject: tuples.NewNode(1, uint32(random.IntN(30))),
	}
}

// readUntil reads at recent revisions until done.
func readUntil(t *testing.T, m machine, random *rand.Rand, done chan struct{}) {
	for {
		select {
		case <-done:
			return
		default:
		}
		// Up to the published head, as a store pins them.
		revision := tuples.Revision(m.index.head.Load())
		revision -= min(revision, tuples.Revision(random.IntN(20)))
		store := m.history.snapshot(revision, noon)
		for range 5 {
			compare(t, m.index, store, randomKey(random), random.IntN(30)-1, 1+random.IntN(20))
		}
		if t.Failed() {
			return
		}
	}
}

// TestNamesAreReadWhileTheyAreMade reads names both ways while more are made.
func TestNamesAreReadWhileTheyAreMade(t *testing.T) {
	const count = 5000
	n := newNames(1 << 30)
	object := func(i uint32) tuples.Object {
		return tuples.Object{Type: "media", ID: tuples.ID(fmt.Sprintf("media-%d", i))}
	}
	var running sync.WaitGroup
	made := make(chan uint32, count)
	for range 2 {
		running.Go(func() {
			for i := range made {
				node := tuples.NewNode(1, i+1)
				if got, known := n.node(object(i)); !known || got != node {
					t.Errorf("%s: got node %d, %v", object(i), got, known)
				}
				if got, known := n.object(node); !known || got != object(i) {
					t.Errorf("node %d: got %s, %v", node, got, known)
				}
			}
		})
	}
	for i := range uint32(count) {
		n.intern(tuples.NewNode(1, i+1), object(i))
		made <- i
	}
	close(made)
	running.Wait()
}
