package bolt

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// clockLease is how far ahead of its readings the clock's mark is persisted.
// After a crash the clock starts at the mark, and stands still until the wall
// clock has passed it: up to this long.
const clockLease = 5 * time.Second

// clock is the time of all stores of a database, in ms since 1970. It never goes
// back. A read of the state at a time T gives the same answer for ever: commits
// get times later than every T that was asked for, and a read at T waits for the
// commits under way that have an earlier one.
type clock struct {
	wall func() time.Time
	last atomic.Int64 // the latest reading given out
	used atomic.Bool  // whether it was read since the mark was persisted

	mu      sync.Mutex
	floor   int64         // the latest time that a state was asked for
	pending int64         // the time of the group being written, 0 when there is none
	written chan struct{} // closed when that group is published or given up
}

// newClock starts a clock that was at mark when the database was last used.
func newClock(wall func() time.Time, mark int64) *clock {
	c := &clock{wall: wall, floor: mark}
	c.last.Store(mark)
	return c
}

// now reads the clock.
func (c *clock) now() int64 {
	if !c.used.Load() {
		c.used.Store(true)
	}
	return c.forward(c.wall().UnixMilli())
}

// forward moves the clock to ms unless it is there already.
func (c *clock) forward(ms int64) int64 {
	for {
		last := c.last.Load()
		if ms <= last {
			return last
		}
		if c.last.CompareAndSwap(last, ms) {
			return ms
		}
	}
}

// begin returns the time of a group of commits about to be written.
func (c *clock) begin() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending = c.forward(max(c.wall().UnixMilli(), c.floor+1))
	c.written = make(chan struct{})
	return c.pending
}

// end follows the publication of that group.
func (c *clock) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending = 0
	close(c.written)
}

// settle returns when no commit can get a time up to ms any more.
func (c *clock) settle(ctx context.Context, ms int64) error {
	c.mu.Lock()
	c.floor = max(c.floor, ms)
	wait := c.pending != 0 && c.pending <= ms
	written := c.written
	c.mu.Unlock()
	if !wait {
		return nil
	}
	select {
	case <-written:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
