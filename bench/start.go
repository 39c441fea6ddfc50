package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/usher-authz/usher/bench/drive"
)

// Questions for a server that comes up, and how long it may take.
const (
	startQuestions = 2_000
	warmWithin     = 5 * time.Minute
)

// comeUp starts a server on the loaded database and asks it one Check after the other until
// its index is warm. The file is in the kernel's page cache, for it was written a moment ago.
//
// The questions of the operations that are measured later are drawn before: that takes longer
// than the server needs.
func (r *sizeRun) comeUp(ctx context.Context) (*drive.Target, []drive.Contender, error) {
	r.say("size %s: drawing questions", r.name)
	questions := r.library.Checks(startQuestions)
	reads := drive.Draw(r.library)
	target, err := r.start(ctx, r.database)
	if err != nil {
		return nil, nil, err
	}
	if err := r.watchStart(ctx, target, target.Check(questions)); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("until the index is warm: %w", err), target.Close())
	}
	start := r.result.Start
	r.say("size %s: answered %v after its start, warm after %v", r.name, start.Answered.Round(time.Millisecond), start.Warm.Round(time.Millisecond))
	return target, target.Reads(reads), nil
}

// watchStart asks until the index is warm.
func (r *sizeRun) watchStart(ctx context.Context, target *drive.Target, check drive.Operation) error {
	ctx, cancel := context.WithTimeout(ctx, warmWithin)
	defer cancel()
	if err := check.Ask(ctx, 0); err != nil {
		return err
	}
	r.result.Start.Answered = time.Since(target.Started())
	warm := make(chan error, 1)
	go func() {
		err := target.AwaitWarm(ctx)
		r.result.Start.Warm = time.Since(target.Started())
		warm <- err
	}()
	var latencies []time.Duration
	for number := 1; ; number++ {
		began := time.Now()
		if err := check.Ask(ctx, number); err != nil {
			return err
		}
		latencies = append(latencies, time.Since(began))
		select {
		case err := <-warm:
			r.result.Start.count(latencies)
			return err
		default:
		}
	}
}

// count keeps how slow the Checks were that were asked behind the first, which opened the
// connection.
func (s *startResult) count(latencies []time.Duration) {
	slices.Sort(latencies)
	s.Asked = len(latencies)
	for _, part := range quantiles {
		s.Slowest = append(s.Slowest, latencies[int(part*float64(len(latencies)-1))])
	}
	s.Slowest = append(s.Slowest, latencies[len(latencies)-1])
}
