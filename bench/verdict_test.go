package main

import (
	"strings"
	"testing"
	"time"

	"github.com/usher-authz/usher/bench/drive"
)

func TestVerdictTellsByHowMuch(t *testing.T) {
	for name, c := range map[string]struct {
		bounds []bound
		want   string
	}{
		"no target":                 {nil, ""},
		"met":                       {[]bound{atMost(1.2, 1.3), atLeast(21_000, 20_000)}, "yes"},
		"met exactly":               {[]bound{atMost(1.3, 1.3), atLeast(20_000, 20_000)}, "yes"},
		"too much":                  {[]bound{atMost(600, 500)}, "no, 20 % over"},
		"too little":                {[]bound{atLeast(15_000, 20_000)}, "no, 25 % under"},
		"one of two is missed":      {[]bound{atMost(1, 2), atLeast(1, 2)}, "no, 50 % under"},
		"missed by next to nothing": {[]bound{atMost(1.301, 1.3)}, "no, 0 % over"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := verdict(c.bounds...); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// A run of thirty samples whose last ten are what the case makes of them.
func TestMixedVerdictFindsWhatDoesNotHold(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*mixedResult, *sample)
		fails  string
	}{
		"all holds":         {func(*mixedResult, *sample) {}, ""},
		"warming up counts": {func(m *mixedResult, _ *sample) { m.Samples[0].Memory.Live = 1 }, ""},
		"one slow minute":   {func(m *mixedResult, _ *sample) { m.Samples[29].Operations[0].P99 = time.Hour }, ""},
		"heap grows":        {func(_ *mixedResult, s *sample) { s.Memory.Live = 112 }, "heap in use flat"},
		"goroutines left":   {func(m *mixedResult, _ *sample) { m.After.Goroutines = 51 }, "no goroutine left"},
		"p99 grows":         {func(_ *mixedResult, s *sample) { s.Operations[0].P99 = 2 * time.Millisecond }, "p99 of Check"},
		"a change is lost":  {func(m *mixedResult, _ *sample) { m.Watched[1] = 6 }, "a watcher was told of 6 changes, 7 tuples"},
	} {
		t.Run(name, func(t *testing.T) {
			m := &mixedResult{Before: drive.Memory{Goroutines: 50}, After: drive.Memory{Goroutines: 50}, Written: 7, Watched: []int64{7, 7}}
			for range samples {
				m.Samples = append(m.Samples, sample{
					Memory: drive.Memory{Live: 100}, Operations: []stretch{{Name: "Check", Requests: 1, P99: time.Millisecond}},
				})
			}
			for i := 20; i < samples; i++ {
				c.change(m, &m.Samples[i])
			}
			failed := ""
			for _, f := range m.Verdict() {
				if !f.Holds {
					failed += f.String()
				}
			}
			if c.fails == "" && failed != "" || !strings.Contains(failed, c.fails) {
				t.Errorf("%q does not hold, want %q", failed, c.fails)
			}
		})
	}
}
