package main

import (
	"sync"
	"time"
)

// watchdog ends a stream on which the other side does nothing for too long. The time that
// this side takes does not count.
type watchdog struct {
	limit time.Duration
	timer *time.Timer

	mu      sync.Mutex
	waiting bool
}

func newWatchdog(limit time.Duration, end func()) *watchdog {
	w := &watchdog{limit: limit, timer: time.AfterFunc(limit, end)}
	w.timer.Stop()
	return w
}

// wait says that it is the other side's turn.
func (w *watchdog) wait() { w.set(true) }

// rest says that it is this side's turn.
func (w *watchdog) rest() { w.set(false) }

func (w *watchdog) set(waiting bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting = waiting; waiting {
		w.timer.Reset(w.limit)
	} else {
		w.timer.Stop()
	}
}

// answered says that the other side did something.
func (w *watchdog) answered() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting {
		w.timer.Reset(w.limit)
	}
}
