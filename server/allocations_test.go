//go:build !race

// The race detector has pools forget a part of what they are given.

package server

import (
	"context"
	"testing"

	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
)

// The bounds below guard what no timed test can on a shared machine: what a handler allocates
// the collector pays for again, and together that was a fifth of a Check. A Check took 4
// allocations when they were written, 40 before. A change that needs more says why it is worth it.

// Interceptors allocate the deadline, and one more to call each other.
func TestInterceptorsAllocateLittle(t *testing.T) {
	s := newHandlers(t)
	info := &grpc.UnaryServerInfo{FullMethod: healthv1.Health_Check_FullMethodName}
	chain := chained(s.unaryInterceptors(), info, func(ctx context.Context, _ any) (any, error) { return nil, ctx.Err() })
	ctx := context.Background() // has no deadline
	allocated := testing.AllocsPerRun(1000, func() {
		if _, err := chain(ctx, nil); err != nil {
			t.Error(err)
		}
	})
	if allocated > 2 {
		t.Errorf("%v allocations", allocated)
	}
}

// A handler allocates what it asks by, the snapshot and the answer; the token is made once a
// millisecond. Lists of many items cost no allocation for each.
func TestHandlersAllocateLittle(t *testing.T) {
	s, r := newHandlers(t), questions(shelved)
	for _, c := range []struct {
		name  string
		bound float64
		call  func(context.Context) error
	}{
		{"Check", 5, func(ctx context.Context) error {
			_, err := s.Check(ctx, r.check)
			return err
		}},
		{"BatchCheck of 100", 10, func(ctx context.Context) error {
			_, err := s.BatchCheck(ctx, r.batch)
			return err
		}},
		{"FilterObjects of 100", 10, func(ctx context.Context) error {
			_, err := s.FilterObjects(ctx, r.filter)
			return err
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			allocated := testing.AllocsPerRun(1000, func() {
				if err := c.call(t.Context()); err != nil {
					t.Error(err)
				}
			})
			if allocated > c.bound {
				t.Errorf("%v allocations, want %v at most", allocated, c.bound)
			}
		})
	}
}
