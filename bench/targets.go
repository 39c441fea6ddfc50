package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/usher-authz/usher/bench/drive"
)

// bareHealth is the floor of all floors: health without Usher.
const bareHealth = "bare grpc-go health"

// row is a line of the table of a size.
type row struct {
	Operation, Target, Measured, Ratio string
	P50, P99                           string
	Met                                string // "yes", "no, 12 % over", or "" where there is no target
}

// bound is a target: what a measurement may come to at most, or shall come to at least.
type bound struct {
	measured, target float64
	atLeast          bool
}

func atMost(measured, target float64) bound  { return bound{measured, target, false} }
func atLeast(measured, target float64) bound { return bound{measured, target, true} }

// verdict tells by how much the first target that is missed is missed.
func verdict(bounds ...bound) string {
	for _, b := range bounds {
		switch percent := 100 * (b.measured/b.target - 1); {
		case b.atLeast && percent < 0:
			return fmt.Sprintf("no, %.0f %% under", -percent)
		case !b.atLeast && percent > 0:
			return fmt.Sprintf("no, %.0f %% over", percent)
		}
	}
	if len(bounds) == 0 {
		return ""
	}
	return "yes"
}

// find returns the figure of an operation; false if the library was too small for it.
func (r *sizeResult) find(name string, callers int) (figure, bool) {
	for _, f := range r.Figures {
		if f.Name == name && f.Callers == callers {
			return f, true
		}
	}
	return figure{}, false
}

// Table sets what was measured against what it is to be.
func (r *sizeResult) Table() []row {
	var rows []row
	add := func(name string, callers int, target string, say func(figure) (measured, ratio string, bounds []bound)) {
		f, ok := r.find(name, callers)
		if !ok {
			return
		}
		measured, ratio, bounds := say(f)
		rows = append(rows, row{
			Operation: name + ", " + plural(callers, "caller"), Target: target, Measured: measured, Ratio: ratio,
			P50: millis(f.P50()), P99: millis(f.P99()), Met: verdict(bounds...),
		})
	}
	r.addRPCs(add)
	r.addReads(add)
	r.addWrites(add)
	return append(append(rows, r.storageRows()...), r.startRows()...)
}

// adder adds the row of an operation.
type adder func(name string, callers int, target string, say func(figure) (measured, ratio string, bounds []bound))

// addRPCs compares Check with what an RPC costs.
func (r *sizeResult) addRPCs(add adder) {
	bare, _ := r.find(bareHealth, drive.ManyCallers)
	health, _ := r.find("health", drive.ManyCallers)
	alone, _ := r.find("health", drive.OneCaller)
	add(bareHealth, drive.ManyCallers, "", func(f figure) (string, string, []bound) { return cost(f), "", nil })
	add("health", drive.ManyCallers, "≤ 1.2 × bare", func(f figure) (string, string, []bound) {
		ratio := times(f.CPU, bare.CPU)
		return cost(f), fmt.Sprintf("%.2f × bare", ratio), []bound{atMost(ratio, 1.2)}
	})
	add("Check", drive.ManyCallers, "≤ 1.3 × health, ≥ 20,000/s", func(f figure) (string, string, []bound) {
		ratio := times(f.CPU, health.CPU)
		return cost(f), fmt.Sprintf("%.2f × health", ratio), []bound{atMost(ratio, 1.3), atLeast(f.PerSecond, 20_000)}
	})
	add("health", drive.OneCaller, "", func(f figure) (string, string, []bound) { return cost(f), "", nil })
	add("Check", drive.OneCaller, "p50 ≤ 1.2 × health", func(f figure) (string, string, []bound) {
		ratio := times(f.P50(), alone.P50())
		return cost(f), fmt.Sprintf("p50 %.2f × health", ratio), []bound{atMost(ratio, 1.2)}
	})
}

// addReads adds what asks for more than one answer. Costs compare with that of health.
func (r *sizeResult) addReads(add adder) {
	health, _ := r.find("health", drive.ManyCallers)
	first, _ := r.find(drive.FirstPage, drive.FewCallers)
	for _, operation := range []struct {
		name string
		most time.Duration
	}{
		{"BatchCheck", 500 * time.Microsecond},
		{"FilterObjects", 300 * time.Microsecond},
		{drive.ListShort, 150 * time.Microsecond},
		{drive.ListLong, 6 * time.Millisecond},
	} {
		target := "≤ " + micros(operation.most)
		add(operation.name, drive.FewCallers, target, func(f figure) (string, string, []bound) {
			ratio := fmt.Sprintf("%.1f × health", times(f.CPU, health.CPU))
			return cost(f), ratio, []bound{atMost(float64(f.CPU), float64(operation.most))}
		})
	}
	add(drive.FirstPage, drive.FewCallers, "", func(f figure) (string, string, []bound) {
		return cost(f), fmt.Sprintf("%.1f × health", times(f.CPU, health.CPU)), nil
	})
	add(drive.LaterPage, drive.FewCallers, "≤ 2 × the first", func(f figure) (string, string, []bound) {
		ratio := times(f.CPU, first.CPU)
		return cost(f), fmt.Sprintf("%.2f × the first", ratio), []bound{atMost(ratio, 2)}
	})
}

// addWrites compares durable writes with raw bbolt.
func (r *sizeResult) addWrites(add adder) {
	raw, _ := r.find("raw bbolt put", drive.OneCaller)
	ratio := func(f figure) string { return fmt.Sprintf("%.2f × raw puts", f.PerSecond/raw.PerSecond) }
	add("raw bbolt put", drive.OneCaller, "", func(f figure) (string, string, []bound) { return rate(f), "", nil })
	add("Write", drive.OneCaller, "≥ 0.35 × raw puts", func(f figure) (string, string, []bound) {
		return cost(f), ratio(f), []bound{atLeast(f.PerSecond/raw.PerSecond, 0.35)}
	})
	add("Write", drive.ManyCallers, "≥ 10,000/s", func(f figure) (string, string, []bound) {
		return cost(f), ratio(f), []bound{atLeast(f.PerSecond, 10_000)}
	})
}

// storageRows tell how quickly the library is loaded, and what it takes on disk and in memory.
func (r *sizeResult) storageRows() []row {
	heap := float64(r.Warm.Live-r.Empty.Live) / float64(r.Load.Tuples)
	return []row{
		{
			Operation: "load into an empty store", Target: "≥ 150,000 tuples/s",
			Measured: number(r.Load.PerSecond()) + " tuples/s", Met: verdict(atLeast(r.Load.PerSecond(), 150_000)),
		},
		{
			Operation: "disk, log included", Target: "≤ 200 B/tuple",
			Measured: fmt.Sprintf("%.0f B/tuple", r.Load.BytesPerTuple()), Met: verdict(atMost(r.Load.BytesPerTuple(), 200)),
		},
		{
			Operation: "heap, everything cached", Target: "≤ 120 B/tuple",
			Measured: fmt.Sprintf("%.0f B/tuple, of them %.0f the index, which holds %.0f %% of the lists",
				heap, float64(r.Warm.Index)/float64(r.Load.Tuples), 100*r.Warm.Coverage),
			Met: verdict(atMost(heap, 120)),
		},
		{Operation: "memory of the process, warm", Measured: held(r.Warm)},
		{Operation: "memory of the process, just loaded", Measured: held(r.Loaded)},
	}
}

func held(m drive.Memory) string {
	return fmt.Sprintf("RSS %s, heap %s, of it live %s", mebi(m.RSS), mebi(m.Heap), mebi(m.Live))
}

// startRows tell how the server comes up. The targets are those of M and L.
func (r *sizeResult) startRows() []row {
	limits, known := map[string]time.Duration{"M": time.Second, "L": 3 * time.Second}[r.Size]
	slowest := r.Start.Slowest[len(r.Start.Slowest)-1]
	answered := row{Operation: "start: to the first Check", Measured: millis(r.Start.Answered)}
	meanwhile := row{
		Operation: "start: Check while the index warms", Measured: fmt.Sprintf("slowest of %s %s", number(float64(r.Start.Asked)), millis(slowest)),
		P50: millis(r.Start.Slowest[0]), P99: millis(r.Start.Slowest[2]),
	}
	if known {
		answered.Target, answered.Met = "≤ "+limits.String(), verdict(atMost(float64(r.Start.Answered), float64(limits)))
		meanwhile.Target, meanwhile.Met = "≤ 1 ms", verdict(atMost(float64(slowest), float64(time.Millisecond)))
	}
	return []row{answered, meanwhile, {Operation: "start: until the index is warm", Measured: millis(r.Start.Warm)}}
}

// Row sets the cost of Check at the large size against that at the small one.
func (g *growthResult) Row() row {
	small, large := g.Small[1], g.Large[1]
	ratio := times(large.CPU, small.CPU)
	return row{
		Operation: fmt.Sprintf("Check at %s tuples beside %s, 32 callers", number(float64(g.LargeTuples)), number(float64(g.SmallTuples))),
		Target:    "≤ 1.3 ×", Measured: fmt.Sprintf("%s and %s", micros(large.CPU), micros(small.CPU)),
		Ratio: fmt.Sprintf("%.2f ×; health %.2f ×", ratio, times(g.Large[0].CPU, g.Small[0].CPU)),
		P50:   millis(large.P50()), P99: millis(large.P99()), Met: verdict(atMost(ratio, 1.3)),
	}
}

// line returns the row in Markdown.
func (r row) line() string {
	return "| " + strings.Join([]string{r.Operation, r.Target, r.Measured, r.Ratio, r.P50, r.P99, r.Met}, " | ") + " |"
}
