package drive

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Memory is what the server holds, in bytes where nothing else is said.
type Memory struct {
	RSS        int64 // in physical memory, pages of the database file among them
	Heap       int64 // objects of the Go heap, garbage not collected yet among them
	Live       int64 // of these, what the last collection found in use
	Index      int64 // what the reverse-index cache says that it holds, of all stores; part of Live
	Goroutines int64 // how many there are
	// Coverage is the part of all lists that the cache holds, 0 to 1; the others it asks the
	// database for. 0 if there is no cache.
	Coverage float64
}

// cpu is the CPU time that the server has used since it started, user and system; 0 if it
// is not known.
//
// The CPU clock of a process of ours counts nanoseconds. The metric of another one counts
// the kernel's ticks of 10 ms, and asking for it costs the server some CPU itself: its
// rounds should last for seconds.
func (t *Target) cpu(ctx context.Context) (time.Duration, error) {
	if t.process != nil {
		used, err := processCPU(t.process.Process.Pid)
		if !errors.Is(err, errors.ErrUnsupported) {
			return used, err
		}
	}
	if t.metrics == "" {
		return 0, nil
	}
	values, err := t.scrape(ctx, "process_cpu_seconds_total")
	if err != nil {
		return 0, err
	}
	return time.Duration(values[0] * float64(time.Second)), nil
}

// Memory returns what the server holds now.
func (t *Target) Memory(ctx context.Context) (Memory, error) {
	values, err := t.scrape(ctx, "process_resident_memory_bytes", "go_memstats_heap_alloc_bytes", "go_gc_heap_live_bytes",
		"go_goroutines", indexBytes, indexCoverage)
	if err != nil {
		return Memory{}, err
	}
	return Memory{
		RSS: int64(values[0]), Heap: int64(values[1]), Live: int64(values[2]), Goroutines: int64(values[3]), Index: int64(values[4]), Coverage: values[5],
	}, nil
}

// The metrics of the reverse-index cache. A server that does without it lacks them.
const (
	indexBytes    = "usher_index_bytes"
	indexCoverage = "usher_index_coverage_ratio"
	indexLoaded   = "usher_index_loaded"
)

// Warm reports whether the server's reverse-index cache has all that it shall have: at once
// if there is none.
func (t *Target) Warm(ctx context.Context) (bool, error) {
	families, err := t.metricFamilies(ctx)
	if err != nil {
		return false, err
	}
	loaded := families[indexLoaded]
	return loaded == nil || sum(loaded) > 0, nil
}

// AwaitWarm waits until it is so. The server knows of the store from the first request on that
// names it, which must have been answered before.
func (t *Target) AwaitWarm(ctx context.Context) error {
	for {
		if warm, err := t.Warm(ctx); warm || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the index is not loaded yet: %w", context.Cause(ctx))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// scrape returns the values of metrics, each summed over its labels.
func (t *Target) scrape(ctx context.Context, names ...string) ([]float64, error) {
	families, err := t.metricFamilies(ctx)
	if err != nil {
		return nil, err
	}
	values := make([]float64, len(names))
	for i, name := range names {
		if families[name] == nil && name != indexBytes && name != indexCoverage {
			return nil, fmt.Errorf("%s has no metric %s; is it the address of usher's metrics?", t.metrics, name)
		}
		values[i] = sum(families[name])
	}
	return values, nil
}

// sum adds up a gauge or a counter over its labels.
func sum(family *dto.MetricFamily) float64 {
	total := 0.0
	for _, m := range family.GetMetric() {
		total += m.GetGauge().GetValue() + m.GetCounter().GetValue() // it is one of them
	}
	return total
}

// metricFamilies asks for all metrics there are.
func (t *Target) metricFamilies(ctx context.Context) (map[string]*dto.MetricFamily, error) {
	if t.metrics == "" {
		return nil, errors.New("the address of the server's metrics is not known")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.metrics, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s; is it the address of usher's metrics?", t.metrics, response.Status)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.metrics, err)
	}
	return families, nil
}
