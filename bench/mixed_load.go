package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/usher-authz/usher/bench/drive"
)

// load is one operation of the mixed load: callers that ask at a pace of their own, so that
// latencies tell how the server fares and not how many callers queue.
type load struct {
	drive.Contender
	every time.Duration // one request of each caller
	asked atomic.Int64

	mu        sync.Mutex
	latencies []time.Duration // since the last sample
}

// toggled is how many tuples the writes create and delete in turns.
const toggled = 20_000

// loads are the writes, and the operations that read: about 4,000 Checks, 400 writes, 200
// batches and pages and 60 lists in a second.
func (r *mixedRun) loads(questions drive.Questions) []*load {
	loads := []*load{{Contender: drive.Contender{Operation: r.target.Toggle(toggled), Callers: drive.FewCallers}, every: 10 * time.Millisecond}}
	for _, c := range r.target.Reads(questions) {
		every, callers := 20*time.Millisecond, 2
		switch c.Operation.Name {
		case "health", drive.LaterPage: // whose cursor would outlive the history
			continue
		case "Check":
			if c.Callers == drive.OneCaller {
				continue
			}
			every, callers = 8*time.Millisecond, c.Callers
		case drive.ListLong:
			every, callers = 200*time.Millisecond, 1
		}
		loads = append(loads, &load{Contender: drive.Contender{Operation: c.Operation, Callers: callers}, every: every})
	}
	return loads
}

// press has all callers ask for as long as the run takes, and takes samples.
func (r *mixedRun) press(ctx context.Context, loads []*load) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan struct{})
	var group sync.WaitGroup
	for _, l := range loads {
		for range l.Callers {
			group.Go(func() {
				if err := l.ask(ctx, done); err != nil {
					cancel(fmt.Errorf("%s: %w", l.Operation.Name, err))
				}
			})
		}
	}
	err := r.sample(ctx, loads)
	close(done)
	group.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// ask asks until the run is done or has failed. A caller that is late does not hurry.
func (l *load) ask(ctx context.Context, done <-chan struct{}) error {
	pace := time.NewTicker(l.every)
	defer pace.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-done:
			return nil
		case <-pace.C:
		}
		began := time.Now()
		if err := l.Operation.Ask(ctx, int(l.asked.Add(1))); err != nil {
			return err
		}
		took := time.Since(began)
		l.mu.Lock()
		l.latencies = append(l.latencies, took)
		l.mu.Unlock()
	}
}

// sample looks at the server so many times, and at what the callers saw since the last time.
func (r *mixedRun) sample(ctx context.Context, loads []*load) error {
	began := time.Now()
	ticks := time.NewTicker(r.duration / samples)
	defer ticks.Stop()
	for number := range samples {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticks.C:
		}
		s := sample{At: time.Since(began)}
		var err error
		if s.Memory, err = r.target.Memory(ctx); err != nil {
			return err
		}
		if s.FileBytes, err = r.target.FileBytes(); err != nil {
			return err
		}
		for _, l := range loads {
			s.Operations = append(s.Operations, l.stretch())
		}
		r.result.Samples = append(r.result.Samples, s)
		r.say("mixed: %d of %d, heap in use %s, RSS %s, file %s, %d goroutines, Check p99 %s", number+1, samples,
			mebi(s.Memory.Live), mebi(s.Memory.RSS), mebi(s.FileBytes), s.Memory.Goroutines, millis(s.Operations[1].P99))
	}
	return nil
}

// stretch takes the latencies since the last time.
func (l *load) stretch() stretch {
	l.mu.Lock()
	latencies := l.latencies
	l.latencies = nil
	l.mu.Unlock()
	s := stretch{Name: l.Operation.Name, Requests: len(latencies)}
	if len(latencies) > 0 {
		slices.Sort(latencies)
		s.P50, s.P99 = latencies[len(latencies)/2], latencies[len(latencies)*99/100]
	}
	return s
}
