package server_test

import (
	"fmt"
	"testing"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// BenchmarkWatchCreates is a watch that goes through 100,000 creates of a log, once for
// what it tells of each and once with all of them left out by a filter.
func BenchmarkWatchCreates(b *testing.B) {
	w := newLibrary(b)
	w.ctx = b.Context()
	_, began := w.watch(&usherv1.WatchRequest{})
	const creates = 100_000
	for i := range creates / 1_000 {
		lines := make([]string, 1_000)
		for j := range lines {
			lines[j] = fmt.Sprintf("media:%d#viewer@user:%d", i, j)
		}
		w.touch(lines...)
	}
	w.touch("folder:press#owner@user:anna")
	for name, filter := range map[string]*usherv1.TupleFilter{"all": {}, "none": {ObjectType: "folder"}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				stream, _ := w.watch(&usherv1.WatchRequest{After: began.GetToken(), Filters: []*usherv1.TupleFilter{filter}})
				for last := false; !last; {
					message, err := stream.Recv()
					if err != nil {
						b.Fatal(err)
					}
					tuples := message.GetChanges().GetTuples()
					last = len(tuples) > 0 && tuples[0].GetTuple().GetObject().GetType() == "folder"
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/creates, "ns/create")
		})
	}
}
