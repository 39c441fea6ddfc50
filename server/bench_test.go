package server_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// benchmarkMedia has three tuples each: 100,000 in all.
const benchmarkMedia = 33_333

// BenchmarkRPC is a Check at 100,000 tuples over loopback, next to the health RPC, which
// passes the same interceptors: what is between them is what an answer costs. Client
// and server share the machine, and the time.
func BenchmarkRPC(b *testing.B) {
	w := newLibrary(b)
	w.ctx = b.Context() // no timeout: benchmarks take as long as they are told to
	for from := 0; from < benchmarkMedia; from += 3_000 {
		var lines []string
		for i := from; i < min(from+3_000, benchmarkMedia); i++ {
			lines = append(lines,
				fmt.Sprintf("media:%d#folder@folder:%d", i, i%500),
				fmt.Sprintf("media:%d#owner@user:owner%d", i, i),
				fmt.Sprintf("media:%d#viewer@user:anna", i))
		}
		w.touch(lines...)
	}
	health := healthv1.NewHealthClient(w.conn)
	checks := make([]*usherv1.CheckRequest, benchmarkMedia)
	for i := range checks {
		checks[i] = question(b, fmt.Sprintf("user:anna can_view media:%d", i))
	}
	for _, rpc := range []struct {
		name string
		call func(context.Context, int) error
	}{
		{"health", func(ctx context.Context, _ int) error {
			_, err := health.Check(ctx, &healthv1.HealthCheckRequest{})
			return err
		}},
		{"check", func(ctx context.Context, i int) error {
			_, err := w.permissions.Check(ctx, checks[i%benchmarkMedia])
			return err
		}},
	} {
		b.Run(rpc.name, func(b *testing.B) {
			b.ReportAllocs()
			var next atomic.Int64
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := rpc.call(b.Context(), int(next.Add(7))); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
