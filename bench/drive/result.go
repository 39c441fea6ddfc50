package drive

import (
	"fmt"
	"slices"
	"time"
)

// Result is what the rounds of one operation came to.
type Result struct {
	Name    string
	Callers int
	CPU     time.Duration // of the server, in all rounds
	Memory  Memory        // of the server, after the last round

	elapsed   time.Duration
	latencies []time.Duration // all of them: quantiles are exact
}

// Requests is how many requests were answered.
func (r *Result) Requests() int { return len(r.latencies) }

// PerSecond is how many requests were answered in a second.
func (r *Result) PerSecond() float64 { return float64(r.Requests()) / r.elapsed.Seconds() }

// CPUPerRequest is the CPU time of the server for one request.
func (r *Result) CPUPerRequest() time.Duration { return r.CPU / time.Duration(r.Requests()) }

// Quantile is the latency that this part of the requests, 0 to 1, did not exceed, as
// the caller saw it.
func (r *Result) Quantile(part float64) time.Duration {
	slices.Sort(r.latencies)
	return r.latencies[min(int(part*float64(len(r.latencies))), len(r.latencies)-1)]
}

// String returns the figures in one line.
func (r *Result) String() string {
	return fmt.Sprintf("%s, %d callers: %.0f/s, p50 %v, p99 %v, %v server CPU per request, RSS %d MiB, heap %d MiB",
		r.Name, r.Callers, r.PerSecond(), r.Quantile(0.5).Round(time.Microsecond), r.Quantile(0.99).Round(time.Microsecond),
		r.CPUPerRequest().Round(100*time.Nanosecond), r.Memory.RSS>>20, r.Memory.Heap>>20)
}

// Row is a result beside its floor, measured in turns with it.
type Row struct {
	Result, Floor *Result
}

// CPURatio is the server's CPU time for a request by that of the floor.
func (r Row) CPURatio() float64 {
	return float64(r.Result.CPUPerRequest()) / float64(r.Floor.CPUPerRequest())
}

// LatencyRatio is the median latency by that of the floor.
func (r Row) LatencyRatio() float64 {
	return float64(r.Result.Quantile(0.5)) / float64(r.Floor.Quantile(0.5))
}

// RateRatio is the requests in a second by those of the floor.
func (r Row) RateRatio() float64 { return r.Result.PerSecond() / r.Floor.PerSecond() }
