package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/usher-authz/usher/bench/drive"
)

// figure is what the rounds of one operation came to.
type figure struct {
	Name      string          `json:"name"`
	Callers   int             `json:"callers"`
	Requests  int             `json:"requests"`
	PerSecond float64         `json:"per_second"`
	CPU       time.Duration   `json:"cpu_ns"`       // of the server, for one request
	Latencies []time.Duration `json:"latencies_ns"` // as many as quantiles
}

// quantiles are the parts of the requests that a figure has latencies for.
var quantiles = [...]float64{0.5, 0.9, 0.99, 0.999}

func toFigures(results []*drive.Result) []figure {
	figures := make([]figure, len(results))
	for i, r := range results {
		f := figure{r.Name, r.Callers, r.Requests(), r.PerSecond(), r.CPUPerRequest(), nil}
		for _, part := range quantiles {
			f.Latencies = append(f.Latencies, r.Quantile(part))
		}
		figures[i] = f
	}
	return figures
}

// P50 is the median latency.
func (f figure) P50() time.Duration { return f.Latencies[0] }

// P99 is the latency that 99 of 100 requests did not exceed.
func (f figure) P99() time.Duration { return f.Latencies[2] }

// sizeResult is all that was measured with a library of one size.
type sizeResult struct {
	Origin  origin        `json:"origin"`
	Size    string        `json:"size"`
	Load    drive.Loaded  `json:"load"`
	Start   startResult   `json:"start"`
	Figures []figure      `json:"figures"`
	Empty   drive.Memory  `json:"memory_empty"`  // before the library was loaded
	Loaded  drive.Memory  `json:"memory_loaded"` // when it was
	Warm    drive.Memory  `json:"memory_warm"`   // with all in memory, after all operations that read
	Shares  []shareResult `json:"shares"`        // measured with S alone
	Took    time.Duration `json:"took_ns"`
}

// startResult is how a server that has the library on disk comes up. Times count from the
// start of its process.
type startResult struct {
	Answered time.Duration   `json:"answered_ns"` // the first Check, rightly
	Warm     time.Duration   `json:"warm_ns"`     // the index has all tuples
	Asked    int             `json:"asked"`       // Checks before it was warm
	Slowest  []time.Duration `json:"slowest_ns"`  // of them, as many as quantiles and the slowest
}

// growthResult compares Check with the smallest library and with the largest one of a run, by
// two servers that took turns.
type growthResult struct {
	Origin       origin   `json:"origin"`
	Small, Large []figure // health, Check
	SmallTuples  int      `json:"small_tuples"`
	LargeTuples  int      `json:"large_tuples"`
}

// file is where results of a name are kept.
func (s settings) file(name string) string {
	return filepath.Join(s.out, "performance", name)
}

// keep writes results to a file of their own.
func (s settings) keep(name string, results any) error {
	text, err := json.MarshalIndent(results, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(s.file(name)), 0o755); err != nil {
		return err
	}
	return os.WriteFile(s.file(name), append(text, '\n'), 0o644)
}

// kept reads results back; nil if there are none.
func kept[R any](s settings, name string) (*R, error) {
	text, err := os.ReadFile(s.file(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	results := new(R)
	if err := json.Unmarshal(text, results); err != nil {
		return nil, fmt.Errorf("%s: %w; remove it and measure again", s.file(name), err)
	}
	return results, nil
}
