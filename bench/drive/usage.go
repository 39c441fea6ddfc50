package drive

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

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
		"go_goroutines", indexBytes)
	if err != nil {
		return Memory{}, err
	}
	return Memory{
		RSS: int64(values[0]), Heap: int64(values[1]), Live: int64(values[2]), Goroutines: int64(values[3]), Index: int64(values[4]),
	}, nil
}

// indexBytes has a value for each store in use, and none before the first is.
const indexBytes = "usher_index_bytes"

// scrape returns the values of metrics, each summed over its labels.
func (t *Target) scrape(ctx context.Context, names ...string) ([]float64, error) {
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
	values := make([]float64, len(names))
	for i, name := range names {
		metrics := families[name].GetMetric()
		if len(metrics) == 0 && name != indexBytes {
			return nil, fmt.Errorf("%s has no metric %s; is it the address of usher's metrics?", t.metrics, name)
		}
		for _, m := range metrics {
			values[i] += m.GetGauge().GetValue() + m.GetCounter().GetValue() // it is one of them
		}
	}
	return values, nil
}
