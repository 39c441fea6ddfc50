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
	CPU     time.Duration // of the server, in all rounds; 0 if it is not known

	elapsed   time.Duration
	latencies []time.Duration // all of them: quantiles are exact
}

// add counts a round.
func (r *Result) add(elapsed time.Duration, latencies [][]time.Duration) {
	r.elapsed += elapsed
	r.latencies = append(r.latencies, slices.Concat(latencies...)...)
}

// Requests is how many requests were answered.
func (r *Result) Requests() int { return len(r.latencies) }

// PerSecond is how many requests were answered in a second.
func (r *Result) PerSecond() float64 { return float64(r.Requests()) / r.elapsed.Seconds() }

// CPUPerRequest is the CPU time of the server for one request; 0 if it is not known.
func (r *Result) CPUPerRequest() time.Duration { return r.CPU / time.Duration(r.Requests()) }

// Quantile is the latency that this part of the requests, 0 to 1, did not exceed, as
// the caller saw it.
func (r *Result) Quantile(part float64) time.Duration {
	slices.Sort(r.latencies)
	return r.latencies[min(int(part*float64(len(r.latencies))), len(r.latencies)-1)]
}

// String returns the figures in one line.
func (r *Result) String() string {
	return fmt.Sprintf("%s, %d callers: %.0f/s, p50 %v, p99 %v, %v server CPU per request",
		r.Name, r.Callers, r.PerSecond(), r.Quantile(0.5).Round(time.Microsecond), r.Quantile(0.99).Round(time.Microsecond),
		r.CPUPerRequest().Round(100*time.Nanosecond))
}
