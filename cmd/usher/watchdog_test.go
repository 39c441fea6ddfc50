package main

import (
	"testing"
	"testing/synctest"
	"time"
)

// Only the time counts in which the other side does nothing although it should.
func TestWatchdog(t *testing.T) {
	const limit = time.Minute
	for name, c := range map[string]struct {
		course func(*watchdog)
		ended  bool
	}{
		"the other side is silent":    {func(w *watchdog) { w.wait(); time.Sleep(limit + 1) }, true},
		"it has time left":            {func(w *watchdog) { w.wait(); time.Sleep(limit - 1) }, false},
		"it answers now and then":     {func(w *watchdog) { w.wait(); time.Sleep(limit - 1); w.answered(); time.Sleep(limit - 1) }, false},
		"it answered once":            {func(w *watchdog) { w.wait(); w.answered(); time.Sleep(limit + 1) }, true},
		"this side takes long":        {func(w *watchdog) { w.wait(); w.rest(); time.Sleep(10 * limit) }, false},
		"it answers in the meantime":  {func(w *watchdog) { w.rest(); w.answered(); time.Sleep(10 * limit) }, false},
		"nothing has begun":           {func(*watchdog) { time.Sleep(10 * limit) }, false},
		"it is silent after our turn": {func(w *watchdog) { w.rest(); time.Sleep(limit); w.wait(); time.Sleep(limit + 1) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended := false
				w := newWatchdog(limit, func() { ended = true })
				c.course(w)
				synctest.Wait()
				if ended != c.ended {
					t.Errorf("ended: %t, want %t", ended, c.ended)
				}
			})
		})
	}
}
