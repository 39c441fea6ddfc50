package drive

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Settings say how long to measure.
type Settings struct {
	Rounds   int           // of each contender, in turns
	Round    time.Duration // length of one round, if Requests is 0
	Requests int           // in one round
	// Progress is told after every turn of all contenders how many of the rounds are done;
	// the first is for warming up, and not one of them. It may be nil.
	Progress func(done, of int)
}

// validate names what no measurement can be made with.
func (s Settings) validate() error {
	switch {
	case s.Rounds < 1:
		return fmt.Errorf("rounds %d: there must be 1 or more", s.Rounds)
	case s.Requests < 0 || s.Requests == 0 && s.Round <= 0:
		return fmt.Errorf("requests %d, round %v: one of them must be more than 0", s.Requests, s.Round)
	}
	return nil
}

// Contender is an operation that takes its turns with others.
type Contender struct {
	Operation Operation
	Callers   int // requests under way at once
}

// Compete lets each contender have a round that is not counted, for whatever is to be
// warmed up, and then measures all of them in turns. The results are in the order of the
// contenders. A [*WrongAnswerError] or failure ends the run.
func Compete(ctx context.Context, s Settings, contenders ...Contender) ([]*Result, error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	turns := make([]*turn, len(contenders))
	for i, c := range contenders {
		if c.Callers < 1 {
			return nil, fmt.Errorf("%s: callers %d: there must be 1 or more", c.Operation.Name, c.Callers)
		}
		turns[i] = &turn{Contender: c}
	}
	for done := range s.Rounds + 1 {
		for _, t := range turns {
			if done == 1 { // what came before was for warming up
				t.took = Result{Name: t.Operation.Name, Callers: t.Callers}
			}
			if err := t.measure(ctx, s); err != nil {
				return nil, err
			}
		}
		if s.Progress != nil {
			s.Progress(done, s.Rounds)
		}
	}
	results := make([]*Result, len(turns))
	for i, t := range turns {
		results[i] = &t.took
	}
	return results, nil
}

// turn is what a contender has come to so far.
type turn struct {
	Contender
	next atomic.Int64 // number of the next request
	took Result
}

// measure has one round and counts what the server used for it.
func (t *turn) measure(ctx context.Context, s Settings) error {
	server := t.Operation.server
	if server == nil {
		return t.round(ctx, s)
	}
	before, err := server.cpu(ctx)
	if err != nil {
		return err
	}
	if err := t.round(ctx, s); err != nil {
		return err
	}
	after, err := server.cpu(ctx)
	if err != nil {
		return err
	}
	t.took.CPU += after - before
	return nil
}

// round lets all callers ask until the time or the number of requests is used up. The
// first failure ends it.
func (t *turn) round(ctx context.Context, s Settings) error {
	var taken atomic.Int64
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	latencies := make([][]time.Duration, t.Callers)
	start := time.Now()
	more := func(asked int) bool {
		if s.Requests > 0 {
			return taken.Add(1) <= int64(s.Requests)
		}
		return asked == 0 || time.Since(start) < s.Round // no round is without a request
	}
	var group sync.WaitGroup
	for caller := range t.Callers {
		group.Go(func() {
			for ctx.Err() == nil && more(len(latencies[caller])) {
				began := time.Now()
				if err := t.Operation.Ask(ctx, int(t.next.Add(1))); err != nil {
					cancel(fmt.Errorf("%s, %d callers: %w", t.Operation.Name, t.Callers, err))
					return
				}
				latencies[caller] = append(latencies[caller], time.Since(began))
			}
		})
	}
	group.Wait()
	t.took.add(time.Since(start), latencies)
	return context.Cause(ctx)
}
