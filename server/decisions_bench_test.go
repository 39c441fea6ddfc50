package server_test

import (
	"fmt"
	"testing"

	"github.com/usher-authz/usher/decisions"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// BenchmarkRecordedCheck is a Check over loopback with and without a record, of an own
// tuple and of one that is four folders away. Every decision reaches the disk, sooner or,
// if the log is required, before the answer does.
func BenchmarkRecordedCheck(b *testing.B) {
	for _, log := range []struct {
		name    string
		options decisions.Options
		record  bool
	}{{"unrecorded", decisions.Options{}, false}, {"recorded", decisions.Options{}, true}, {"required", decisions.Options{Required: true}, true}} {
		r := newRecorder(b, log.options)
		r.ctx = b.Context()
		r.writeModel(library)
		lines := []string{"media:own#viewer@user:anna", "media:far#folder@folder:0", "folder:4#viewer@user:anna"}
		for i := range 4 {
			lines = append(lines, fmt.Sprintf("folder:%d#parent@folder:%d", i, i+1))
		}
		r.touch(lines...)
		for _, id := range []string{"own", "far"} {
			request := question(b, "user:anna can_view media:"+id)
			request.Record = log.record
			b.Run(log.name+"/"+id, func(b *testing.B) {
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if answer, err := r.permissions.Check(b.Context(), request); err != nil || answer.GetOutcome() != usherv1.Outcome_OUTCOME_ALLOWED {
							b.Errorf("got %v, %v", answer, err)
						}
					}
				})
				if stats := r.log.Stats(); log.record {
					b.ReportMetric(float64(stats.Dropped)/float64(stats.Recorded+stats.Dropped), "dropped/op")
				}
			})
		}
	}
}
