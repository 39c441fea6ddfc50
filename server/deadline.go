package server

import (
	"context"
	"sync/atomic"
	"time"
)

// deadlineContext gives a call a deadline that costs nothing until somebody waits for it:
// [context.WithTimeout] arms a timer and registers with its parent for every call, 2 µs
// (decision 0016), and a Check only ever asks whether it is over. So Err compares the clock,
// and the first Done makes the context that has the timer. It is used through a pointer.
type deadlineContext struct {
	context.Context // the call's, which has no deadline of its own
	began           time.Time
	allowed         time.Duration
	timed           atomic.Pointer[timedContext] // nil until somebody waits, or the time is over
}

// timedContext is the context with the timer.
type timedContext struct {
	context.Context
	cancel context.CancelFunc
}

// Deadline implements [context.Context].
func (c *deadlineContext) Deadline() (time.Time, bool) { return c.began.Add(c.allowed), true }

// Done implements [context.Context].
func (c *deadlineContext) Done() <-chan struct{} { return c.arm().Done() }

// Err implements [context.Context]. Once the time is over the context with the timer
// remembers it, so that the answer stays the same whatever becomes of the call.
func (c *deadlineContext) Err() error {
	if t := c.timed.Load(); t != nil {
		return t.Err()
	}
	if time.Since(c.began) < c.allowed {
		return c.Context.Err()
	}
	return c.arm().Err()
}

// Value implements [context.Context]. The context with the timer comes first: it has the
// cause, and contexts that are made from this one register with it.
func (c *deadlineContext) Value(key any) any {
	if t := c.timed.Load(); t != nil {
		return t.Value(key)
	}
	return c.Context.Value(key)
}

// arm returns the context with the timer.
func (c *deadlineContext) arm() *timedContext {
	if t := c.timed.Load(); t != nil {
		return t
	}
	ctx, cancel := context.WithDeadline(c.Context, c.began.Add(c.allowed))
	armed := &timedContext{Context: ctx, cancel: cancel}
	if c.timed.CompareAndSwap(nil, armed) {
		return armed
	}
	cancel() // another goroutine was first
	return c.timed.Load()
}

// end stops the timer, if there is one.
func (c *deadlineContext) end() {
	if t := c.timed.Load(); t != nil {
		t.cancel()
	}
}
