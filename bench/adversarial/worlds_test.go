package adversarial_test

import (
	"errors"
	"runtime"
	"testing"
	"time"

	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/usher-authz/usher/bench/adversarial"
)

// memories are those that a server's index may have: enough for everything, too little, and
// none.
var memories = map[string]int64{"indexed": 64 << 20, "indexed in part": 96 << 10, "from the store alone": 0}

func TestAnswersAreRight(t *testing.T) {
	for _, a := range adversarial.Worlds() {
		for memory, bytes := range memories {
			t.Run(a.Name+", "+memory, func(t *testing.T) {
				t.Parallel()
				w := serve(t, a.Model, a.Tuples(a.Small), bytes)
				for _, q := range a.Questions(a.Small) {
					got, err := w.prepare(t, q)(t.Context())
					if err != nil {
						t.Errorf("%s: %v", q.Name, err)
					} else if err := right(got, q.Want); err != nil {
						t.Errorf("%s: %v", q.Name, err)
					}
				}
			})
		}
	}
}

// BenchmarkAdversarial asks the worlds of full size over gRPC, next to the health RPC: what is
// between them is what an answer costs. The first answer, which may find caches cold, is told
// apart as first-ns.
func BenchmarkAdversarial(b *testing.B) {
	for _, a := range adversarial.Worlds() {
		b.Run(a.Name, func(b *testing.B) {
			w := serve(b, a.Model, a.Tuples(a.Full), 1<<30)
			runtime.GC() // what loading left is not to be collected while something is timed
			health := healthv1.NewHealthClient(w.connection)
			b.Run("health", func(b *testing.B) {
				for b.Loop() {
					if _, err := health.Check(b.Context(), &healthv1.HealthCheckRequest{}); err != nil {
						b.Fatal(err)
					}
				}
			})
			for _, q := range a.Questions(a.Full) {
				ask := w.prepare(b, q)
				b.Run(q.Name, func(b *testing.B) {
					b.ReportAllocs()
					once := func() {
						got, err := ask(b.Context())
						if err := errors.Join(err, right(got, q.Want)); err != nil {
							b.Fatal(err)
						}
					}
					began := time.Now()
					once()
					first := time.Since(began)
					for b.Loop() {
						once()
					}
					b.ReportMetric(float64(first.Nanoseconds()), "first-ns")
				})
			}
		})
	}
}
