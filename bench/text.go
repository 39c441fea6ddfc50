package main

import (
	"fmt"
	"time"

	"github.com/dustin/go-humanize"
)

// How figures are written: times of CPUs in µs, those that somebody waits in ms.

func micros(d time.Duration) string {
	if d < 100*time.Microsecond {
		return fmt.Sprintf("%.1f µs", float64(d)/float64(time.Microsecond))
	}
	return number(float64(d)/float64(time.Microsecond)) + " µs"
}

func millis(d time.Duration) string {
	if ms := float64(d) / float64(time.Millisecond); ms < 100 {
		return fmt.Sprintf("%.2f ms", ms)
	}
	return humanize.Comma(d.Round(time.Millisecond).Milliseconds()) + " ms"
}

func number(n float64) string { return humanize.Comma(int64(n + 0.5)) }

func mebi(bytes int64) string { return number(float64(bytes)/(1<<20)) + " MiB" }

func plural(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

func times(d, floor time.Duration) float64 { return float64(d) / float64(floor) }

func cost(f figure) string { return micros(f.CPU) + ", " + rate(f) }

func rate(f figure) string { return number(f.PerSecond) + "/s" }
