package drive

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Settings say how long to measure.
type Settings struct {
	Callers  []int         // requests under way at once, one measurement for each number
	Rounds   int           // of each operation and of its floor, in turns
	Round    time.Duration // length of one round, if Requests is 0
	Requests int           // in one round
}

// validate names what no measurement can be made with.
func (s Settings) validate() error {
	switch {
	case len(s.Callers) == 0 || slices.Min(s.Callers) < 1:
		return fmt.Errorf("callers %v: there must be a number of them, and each 1 or more", s.Callers)
	case s.Rounds < 1:
		return fmt.Errorf("rounds %d: there must be 1 or more", s.Rounds)
	case s.Requests < 0 || s.Requests == 0 && s.Round <= 0:
		return fmt.Errorf("requests %d, round %v: one of them must be more than 0", s.Requests, s.Round)
	}
	return nil
}

// contender is an operation that takes its turns with others.
type contender struct {
	operation Operation
	callers   int
	next      atomic.Int64 // number of the next request
	took      Result
}

// compete lets each contender have a round that is not counted, for whatever is to be
// warmed up, and then measures all of them in turns.
func (t *Target) compete(ctx context.Context, s Settings, contenders ...*contender) error {
	for _, c := range contenders {
		if err := c.round(ctx, s); err != nil {
			return err
		}
		c.took = Result{Name: c.operation.Name, Callers: c.callers}
	}
	for range s.Rounds {
		for _, c := range contenders {
			before, err := t.cpu(ctx)
			if err != nil {
				return err
			}
			if err := c.round(ctx, s); err != nil {
				return err
			}
			after, err := t.cpu(ctx)
			if err != nil {
				return err
			}
			c.took.CPU += after - before
			if c.took.Memory, err = t.Memory(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// round lets all callers ask until the time or the number of requests is used up. The
// first failure ends it.
func (c *contender) round(ctx context.Context, s Settings) error {
	var taken atomic.Int64
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	latencies := make([][]time.Duration, c.callers)
	start := time.Now()
	more := func(asked int) bool {
		if s.Requests > 0 {
			return taken.Add(1) <= int64(s.Requests)
		}
		return asked == 0 || time.Since(start) < s.Round // no round is without a request
	}
	var group sync.WaitGroup
	for caller := range c.callers {
		group.Go(func() {
			for ctx.Err() == nil && more(len(latencies[caller])) {
				began := time.Now()
				if err := c.operation.Ask(ctx, int(c.next.Add(1))); err != nil {
					cancel(fmt.Errorf("%s, %d callers: %w", c.operation.Name, c.callers, err))
					return
				}
				latencies[caller] = append(latencies[caller], time.Since(began))
			}
		})
	}
	group.Wait()
	c.took.elapsed += time.Since(start)
	c.took.latencies = append(c.took.latencies, slices.Concat(latencies...)...)
	return context.Cause(ctx)
}
