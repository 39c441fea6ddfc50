package main

import (
	"fmt"
	"slices"
)

// What counts as flat: medians of the last third of the samples against those of the third
// behind the first fifth, in which the server warms up: caches, older versions and history
// grow to their bounds.
const (
	memoryMay = 1.10 // the heap in use grow to
	tailMay   = 1.50 // the p99 of an operation
)

// finding is one thing that must hold at the end.
type finding struct {
	What  string
	Holds bool
}

// String says it in a line.
func (f finding) String() string {
	if f.Holds {
		return f.What + ": holds"
	}
	return f.What + ": DOES NOT HOLD"
}

// Verdict judges the run.
func (m *mixedResult) Verdict() []finding {
	first, last := m.thirds()
	live := func(s sample) float64 { return float64(s.Memory.Live) }
	from, to := median(first, live), median(last, live)
	findings := []finding{
		{fmt.Sprintf("heap in use flat: %s, at the end %s", mebi(int64(from)), mebi(int64(to))), to <= memoryMay*from},
		{
			fmt.Sprintf("no goroutine left: %d before the clients came, %d after they went", m.Before.Goroutines, m.After.Goroutines),
			m.After.Goroutines <= m.Before.Goroutines,
		},
	}
	for i, operation := range first[0].Operations {
		tail := func(s sample) float64 { return float64(s.Operations[i].P99) }
		from, to := median(first, tail), median(last, tail)
		findings = append(findings, finding{
			fmt.Sprintf("p99 of %s stable: %.2f ms, at the end %.2f ms", operation.Name, from/1e6, to/1e6), to <= tailMay*from,
		})
	}
	for _, told := range m.Watched {
		findings = append(findings, finding{fmt.Sprintf("a watcher was told of %d changes, %d tuples were written", told, m.Written), told == m.Written})
	}
	return findings
}

// thirds returns the third of the samples behind the first fifth, and the last third.
func (m *mixedResult) thirds() (first, last []sample) {
	n := len(m.Samples)
	return m.Samples[n/5 : n/5+n/3], m.Samples[n-n/3:]
}

func median(of []sample, what func(sample) float64) float64 {
	values := make([]float64, len(of))
	for i, s := range of {
		values[i] = what(s)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// Of returns what an operation came to in the sample.
func (s sample) Of(name string) stretch {
	for _, o := range s.Operations {
		if o.Name == name {
			return o
		}
	}
	return stretch{}
}

// Requests is how many were answered in the sample.
func (s sample) Requests() int {
	n := 0
	for _, o := range s.Operations {
		n += o.Requests
	}
	return n
}
