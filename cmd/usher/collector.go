package main

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// spareHeap is how much is allocated between two garbage collections at least, in bytes.
// Go collects when the heap has doubled: with a small store, after a few MiB, which was an
// eighth of what a request costs (decision 0016). More than this gained nothing, and a heap
// that is larger has as much anyway.
const spareHeap = 32 << 20

// paceCollector keeps collections apart until ctx ends, unless the environment says when to
// collect.
func paceCollector(ctx context.Context) {
	if _, set := os.LookupEnv("GOGC"); !set {
		(&pacer{ctx: ctx}).pace()
	}
}

// pacer sets when the next collection begins, after each.
type pacer struct {
	ctx     context.Context
	percent int // as it was set last
}

// cycle is garbage at once: that it was collected tells the pacer that a collection is over.
type cycle struct{ _ *cycle }

func (p *pacer) pace() {
	if p.ctx.Err() != nil {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	if percent := gcPercent(live[0].Value.Uint64()); percent != p.percent {
		p.percent = percent
		debug.SetGCPercent(percent)
	}
	runtime.AddCleanup(new(cycle), (*pacer).pace, p)
}

// gcPercent is how much garbage may be made before the next collection, in percent of what the
// last one left: 100 as Go has it, or what comes to spareHeap. It moves in steps of 50, since
// to set it stops all goroutines for a moment.
func gcPercent(live uint64) int {
	const step = 50
	percent := spareHeap * 100 / max(live, 1<<20)
	return int(max(100, percent-percent%step))
}
