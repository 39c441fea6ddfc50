package check_test

import (
	"maps"
	"slices"
	"syscall"
	"testing"
	"time"

	benchlibrary "github.com/usher-authz/usher/bench/library"
	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/tuples"
)

// BenchmarkCheckLibrary asks the questions of bench/library, each as a request of its own:
// what a Check costs but for the wire. One run at a size loads the library once:
//
//	go test ./check -run '^$' -bench CheckLibrary/M -benchtime 200000x
func BenchmarkCheckLibrary(b *testing.B) {
	for _, size := range []struct {
		name   string
		tuples int
	}{{"S", benchlibrary.S}, {"M", benchlibrary.M}, {"L", benchlibrary.L}} {
		b.Run(size.name, func(b *testing.B) { benchmarkLibrary(b, loadIndexed(b, size.tuples)) })
	}
}

func benchmarkLibrary(b *testing.B, l *indexed) {
	questions := l.Checks(20_000)
	b.Run("mixed", func(b *testing.B) { benchmarkChecks(b, l, questions) })
	by := make(map[string][]benchlibrary.Question)
	for i := range questions {
		if q := &questions[i]; q.On.Relation == "can_view" {
			name := l.decidedBy(b, q)
			by[name] = append(by[name], *q)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(by)) {
		b.Run(name, func(b *testing.B) { benchmarkChecks(b, l, by[name]) })
	}
	batches := l.Batches(100, 100)
	b.Run("batch of 100 users", func(b *testing.B) {
		b.ReportAllocs()
		defer reportCPU(b)()
		for i := 0; b.Loop(); i++ {
			e := check.New(l.request(nil))
			for j := range batches[i%len(batches)] {
				benchmarkItem(b, e, &batches[i%len(batches)][j])
			}
			e.Close()
		}
	})
	pages := l.Pages(100, 100)
	b.Run("page of 100 media", func(b *testing.B) {
		b.ReportAllocs()
		defer reportCPU(b)()
		for i := 0; b.Loop(); i++ {
			page := &pages[i%len(pages)]
			e := check.New(l.request(nil))
			for _, id := range page.IDs {
				on := tuples.Userset{Object: tuples.Object{Type: "media", ID: id}, Relation: "can_view"}
				if _, err := e.Check(b.Context(), on, page.Subject); err != nil {
					b.Fatal(err)
				}
			}
			e.Close()
		}
	})
}

// decidedBy tells what grants an answer: a tuple of the media that names the user, or one on
// the way of which there is a folder, a group or, before all others, a collection.
func (l *indexed) decidedBy(b *testing.B, q *benchlibrary.Question) string {
	if q.Want != benchlibrary.Allowed {
		return q.Want.String()
	}
	e := check.New(l.request(q.Context))
	defer e.Close()
	explanation, err := e.Explain(b.Context(), q.On, q.Subject)
	if err != nil {
		b.Fatal(err)
	}
	ways := []string{"own", "folder", "group", "collection"}
	most := 0
	for reasons := []*check.Reason{explanation.Root}; len(reasons) > 0; reasons = reasons[1:] {
		if t := reasons[0].Tuple; t != nil {
			most = max(most, slices.Index(ways, string(t.Object.Type)), slices.Index(ways, string(t.Subject.Type)))
		}
		reasons = append(reasons, reasons[0].Children...)
	}
	return "allowed by " + ways[most]
}

func benchmarkChecks(b *testing.B, l *indexed, questions []benchlibrary.Question) {
	b.ReportAllocs()
	defer reportCPU(b)()
	for i := 0; b.Loop(); i++ {
		q := &questions[i%len(questions)]
		decision, err := l.ask(b.Context(), q)
		if err != nil {
			b.Fatal(err)
		}
		if (decision.Outcome == check.Allowed) != (q.Want == benchlibrary.Allowed) {
			b.Fatalf("is %s %s? %s, want %s", q.Subject, q.On, decision.Outcome, q.Want)
		}
	}
}

func benchmarkItem(b *testing.B, e *check.Evaluator, q *benchlibrary.Question) {
	decision, err := e.Check(b.Context(), q.On, q.Subject)
	if err != nil {
		b.Fatal(err)
	}
	if (decision.Outcome == check.Allowed) != (q.Want == benchlibrary.Allowed) {
		b.Fatalf("is %s %s? %s, want %s", q.Subject, q.On, decision.Outcome, q.Want)
	}
}

// reportCPU reports what the process spends on an operation from now on: on a machine that
// is shared it says more than a clock.
func reportCPU(b *testing.B) func() {
	start := cpuTime(b)
	return func() {
		b.ReportMetric(float64((cpuTime(b)-start).Nanoseconds())/float64(b.N), "cpu-ns/op")
	}
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
