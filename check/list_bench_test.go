package check_test

import (
	"testing"

	benchlibrary "github.com/usher-authz/usher/bench/library"
	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/tuples"
)

// BenchmarkListObjects lists the media that the guests of a client see, in a library of a
// million tuples in an index: what ListObjects costs but for the wire.
//
//	go test ./check -run '^$' -bench ListObjects -benchtime 300x
func BenchmarkListObjects(b *testing.B) {
	l := loadIndexed(b, benchlibrary.M)
	for _, bench := range []struct {
		name   string
		length int
		page   int
	}{
		{"100", benchlibrary.ShortList, 0}, {"10000", benchlibrary.LongList, 0}, {"first 50 of 10000", benchlibrary.LongList, 50},
	} {
		lists := l.Lists(bench.length)
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			before := cpuTime(b)
			for i := 0; b.Loop(); i++ {
				list := &lists[i%len(lists)]
				e := check.New(l.request(nil))
				found := e.Objects("media", "can_view", list.Subject)
				want := list.Items
				if bench.page > 0 {
					found.Page()
					want = want[:bench.page]
				}
				holdItems(b, found, want)
				e.Close()
			}
			b.ReportMetric(float64((cpuTime(b)-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
		})
	}
}

// holdItems reads a list as far as it is wanted, and holds it against what is right.
func holdItems(b *testing.B, list *check.List, want []benchlibrary.Item) {
	n := 0
	for item, err := range list.Items(b.Context(), "") {
		if err != nil || item.ID != want[n].ID {
			b.Fatalf("item %d: got %v, %v, want %v", n, item, err, want[n])
		}
		if n++; n == len(want) {
			break
		}
	}
	if n < len(want) {
		b.Fatalf("got %d items, want %d", n, len(want))
	}
}

// BenchmarkListObjectsLaterPage reads a page of 50 behind one that was read before.
func BenchmarkListObjectsLaterPage(b *testing.B) {
	l := loadIndexed(b, benchlibrary.M)
	subject := l.Lists(benchlibrary.LongList)[0].Subject
	first := check.New(l.request(nil)).Objects("media", "can_view", subject)
	first.Page()
	after := tuples.ID("")
	for item := range first.Items(b.Context(), "") {
		after = item.ID
		break
	}
	b.ReportAllocs()
	for b.Loop() {
		e := check.New(l.request(nil))
		later := e.Objects("media", "can_view", subject)
		later.Page()
		later.Resume(first.Stretch())
		n := 0
		for _, err := range later.Items(b.Context(), after) {
			if err != nil {
				b.Fatal(err)
			}
			if n++; n == 50 {
				break
			}
		}
		e.Close()
	}
}
