package bolt

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/usher-authz/usher/tuples"
	bbolt "go.etcd.io/bbolt"
)

// benchTuple is the n-th of many tuples: ten viewers for each media.
func benchTuple(n int) tuples.Tuple {
	return tuples.Tuple{Key: tuples.Key{
		Object:   tuples.Object{Type: "media", ID: tuples.ID("m" + strconv.Itoa(n/10))},
		Relation: "viewer",
		Subject:  tuples.Subject{Type: "user", ID: tuples.ID("u" + strconv.Itoa(n*7919%50_000))},
	}}
}

// benchStore holds n tuples, written in commits of 10,000.
func benchStore(b *testing.B, n int, options Options) (*DB, *store) {
	b.Helper()
	db, s := openTest(b, filepath.Join(b.TempDir(), "usher.db"), options)
	for i := 0; i < n; {
		var c tuples.Commit
		for ; i < n && len(c.Mutations) < 10_000; i++ {
			c.Mutations = append(c.Mutations, tuples.Mutation{Op: tuples.OpTouch, Tuple: benchTuple(i)})
		}
		mustCommit(b, s, c)
	}
	return db, s
}

// BenchmarkRawPut is one bbolt transaction of one put: what a durable write costs at least.
func BenchmarkRawPut(b *testing.B) {
	file, err := bbolt.Open(filepath.Join(b.TempDir(), "raw.db"), 0o600, &bbolt.Options{InitialMmapSize: 1 << 30, FreelistType: bbolt.FreelistArrayType})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	if err := file.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("b")); return err }); err != nil {
		b.Fatal(err)
	}
	n := 0
	for b.Loop() {
		n++
		if err := file.Update(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("b")).Put(number(int64(n)), number(int64(n))) }); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCommit is a durable write of one new tuple, by one caller and by 32 at once.
func BenchmarkCommit(b *testing.B) {
	for _, callers := range []int{1, 32} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			_, s := benchStore(b, 10_000, Options{})
			var next atomic.Int64
			next.Store(10_000)
			b.SetParallelism(max(1, callers/runtime.GOMAXPROCS(0)))
			b.ResetTimer()
			run := func() {
				c := tuples.Commit{Mutations: []tuples.Mutation{{Op: tuples.OpTouch, Tuple: benchTuple(int(next.Add(1)))}}}
				if _, err := s.Commit(context.Background(), c); err != nil {
					b.Error(err)
				}
			}
			if callers == 1 {
				for b.Loop() {
					run()
				}
				return
			}
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					run()
				}
			})
		})
	}
}

// BenchmarkLoad writes commits of 10,000 new tuples; it reports tuples per second and the
// bytes of file for each of them.
func BenchmarkLoad(b *testing.B) {
	db, s := benchStore(b, 0, Options{})
	n := 0
	for b.Loop() {
		var c tuples.Commit
		for range 10_000 {
			c.Mutations = append(c.Mutations, tuples.Mutation{Op: tuples.OpTouch, Tuple: benchTuple(n)})
			n++
		}
		mustCommit(b, s, c)
	}
	var size int64
	if err := db.bolt.View(func(tx *bbolt.Tx) error { size = tx.Size(); return nil }); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "tuples/s")
	b.ReportMetric(float64(size)/float64(n), "B/tuple")
}

// BenchmarkSnapshot opens the head and closes it, without reading anything, as where the
// index answers; or with one key read.
func BenchmarkSnapshot(b *testing.B) {
	_, s := benchStore(b, 10_000, Options{NoSync: true})
	ctx := context.Background()
	for _, read := range []bool{false, true} {
		b.Run(fmt.Sprintf("read=%t", read), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				snapshot, err := s.Snapshot(ctx, tuples.At{})
				if err != nil {
					b.Fatal(err)
				}
				if read {
					if _, _, err := snapshot.Edge(ctx, tuples.EdgeKey{}); err != nil {
						b.Fatal(err)
					}
				}
				snapshot.Close()
			}
		})
	}
}

// BenchmarkLookup finds one tuple among 100,000: by its names, and by interned ids.
func BenchmarkLookup(b *testing.B) {
	_, s := benchStore(b, 100_000, Options{NoSync: true})
	ctx := context.Background()
	snapshot, err := s.Snapshot(ctx, tuples.At{})
	if err != nil {
		b.Fatal(err)
	}
	defer snapshot.Close()
	b.Run("names", func(b *testing.B) {
		nodes, n := make([]tuples.Node, 2), 0
		for b.Loop() {
			n++
			k := benchTuple(n * 31 % 100_000).Key
			if err := snapshot.Nodes(ctx, []tuples.Object{k.Object, k.Subject.Object()}, nodes); err != nil || nodes[0] == 0 || nodes[1] == 0 {
				b.Fatal(nodes, err)
			}
		}
	})
	b.Run("edge", func(b *testing.B) {
		nodes, n := make([]tuples.Node, 2), 0
		keys := make([]tuples.EdgeKey, 1000)
		for i := range keys {
			k := benchTuple(i * 97).Key
			if err := snapshot.Nodes(ctx, []tuples.Object{k.Object, k.Subject.Object()}, nodes); err != nil {
				b.Fatal(err)
			}
			keys[i] = tuples.EdgeKey{Object: nodes[0], Relation: s.symbols.Lookup("viewer"), Subject: nodes[1]}
		}
		for b.Loop() {
			n++
			if _, there, err := snapshot.Edge(ctx, keys[n%len(keys)]); err != nil || !there {
				b.Fatal(there, err)
			}
		}
	})
}

// BenchmarkEdgesFrom reads a list of 5,000 subjects in pages of 256, at the head and at a
// past revision.
func BenchmarkEdgesFrom(b *testing.B) {
	_, s := benchStore(b, 0, Options{NoSync: true})
	many(b, s, 5000)
	past := s.Head()
	mustCommit(b, s, commitOf(b, tuples.OpCreate, bert))
	ctx := context.Background()
	for name, at := range map[string]tuples.At{"head": {}, "past": {Revision: past}} {
		b.Run(name, func(b *testing.B) {
			snapshot, err := s.Snapshot(ctx, at)
			if err != nil {
				b.Fatal(err)
			}
			defer snapshot.Close()
			list := tuples.SubjectsOf{Object: tuples.NewNode(s.symbols.Lookup("media"), 1), Relation: s.symbols.Lookup("viewer"), Type: s.symbols.Lookup("user")}
			buf := make([]tuples.Edge, 0, 256)
			for b.Loop() {
				edges := 0
				for after := tuples.Node(0); ; after = buf[len(buf)-1].Node {
					if buf, err = snapshot.EdgesFrom(ctx, list, after, buf[:0]); err != nil {
						b.Fatal(err)
					}
					if edges += len(buf); len(buf) < cap(buf) {
						break
					}
				}
				if edges < 5000 {
					b.Fatalf("got %d edges", edges)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/5000, "ns/edge")
		})
	}
}
