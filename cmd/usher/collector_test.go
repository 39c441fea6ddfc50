package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
)

func TestCollectionsAreApart(t *testing.T) {
	for _, c := range []struct {
		name string
		live uint64
		want int
	}{
		{"before the first collection", 0, 3200},
		{"an empty store", 4 << 20, 800},
		{"a small one", 10 << 20, 300},
		{"one that leaves Go's pace as it is", 32 << 20, 100},
		{"a large one", 10 << 30, 100},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := gcPercent(c.live); got != c.want {
				t.Errorf("got %d %%, want %d", got, c.want)
			}
		})
	}
}

// The pace follows the heap, collection by collection, until the service ends. GOGC in the
// environment is left alone.
func TestPaceFollowsTheHeap(t *testing.T) {
	before := debug.SetGCPercent(60)
	defer debug.SetGCPercent(before)
	ctx, end := context.WithCancel(t.Context())
	t.Run("GOGC is set", func(t *testing.T) {
		t.Setenv("GOGC", "60")
		paceCollector(ctx)
		runtime.GC()
		if got := percentNow(); got != 60 {
			t.Errorf("got %d %%", got)
		}
	})
	(&pacer{ctx: ctx}).pace()
	small := percentNow()
	live := make([]byte, 2*spareHeap)
	for percentNow() != 100 { // the pacer hears of a collection some time after it
		runtime.GC()
	}
	runtime.KeepAlive(live)
	if small <= 100 {
		t.Errorf("the pace was %d %% before the heap grew", small)
	}
	end()
	debug.SetGCPercent(60)
	(&pacer{ctx: ctx}).pace()
	if got := percentNow(); got != 60 {
		t.Errorf("the service has ended, and the pace is %d %%", got)
	}
}

// percentNow is the pace in force.
func percentNow() uint64 {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
