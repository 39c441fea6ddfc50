package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/usher-authz/usher/bench/drive"
	"github.com/usher-authz/usher/bench/library"
)

// mixedFile is where the results of the mixed load are kept.
const mixedFile = "mixed.json"

// mixedResult is what became of a server that did everything at once for a long time.
type mixedResult struct {
	Origin   origin        `json:"origin"`
	Tuples   int           `json:"tuples"`
	Duration time.Duration `json:"duration_ns"`
	Before   drive.Memory  `json:"memory_before"` // no client has asked anything yet
	After    drive.Memory  `json:"memory_after"`  // all clients have left
	Written  int64         `json:"written"`       // tuples
	Watched  []int64       `json:"watched"`       // changes that each watcher was told of
	Samples  []sample      `json:"samples"`
}

// sample is one stretch of the run, and what the server held at its end.
type sample struct {
	At         time.Duration `json:"at_ns"` // since the load began
	Memory     drive.Memory  `json:"memory"`
	FileBytes  int64         `json:"file_bytes"`
	Operations []stretch     `json:"operations"`
}

// stretch is what one operation came to in a sample.
type stretch struct {
	Name     string        `json:"name"`
	Requests int           `json:"requests"`
	P50      time.Duration `json:"p50_ns"`
	P99      time.Duration `json:"p99_ns"`
}

// samples is how many a run has: one a minute of half an hour.
const samples = 30

// mixed loads the first of the sizes and puts a server under everything at once. So that all
// that is bounded comes to its bound while the load goes on, history is kept for a sixth of the
// run, and the index has a quarter of the memory that it has by default: an eighth of that is
// for older versions.
func (s settings) mixed(ctx context.Context) (err error) {
	sizes, err := parseSizes(s.sizes)
	if err != nil {
		return err
	}
	if s.duration <= 0 {
		return fmt.Errorf("duration %v: it must be more than 0", s.duration)
	}
	dir, err := os.MkdirTemp(s.dir, "usher-mixed-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	result := mixedResult{Duration: s.duration, Tuples: sizes[0].tuples}
	if result.Origin, err = s.newOrigin(ctx, fmt.Sprintf("bench mixed -sizes %s -duration %v", sizes[0].name, s.duration)); err != nil {
		return err
	}
	l := library.New(seed, sizes[0].tuples)
	questions := drive.Draw(l)
	target, err := s.start(ctx, filepath.Join(dir, "usher.db"), "--retention", (s.duration / 6).String(), "--index-memory", "256MiB")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	if _, err := target.Load(ctx, l.Tuples(), nil); err != nil {
		return err
	}
	s.say("mixed: loaded %d tuples; %v of load begin", result.Tuples, s.duration)
	run := mixedRun{settings: s, target: target, result: &result}
	if err := run.all(ctx, questions); err != nil {
		return err
	}
	for _, finding := range result.Verdict() {
		s.say("mixed: %s", finding)
	}
	return s.keep(mixedFile, result)
}

// mixedRun is a run under way.
type mixedRun struct {
	settings
	target *drive.Target
	result *mixedResult
}

// all lets clients come, watches the server while they ask, and sees them off.
func (r *mixedRun) all(ctx context.Context, questions drive.Questions) (err error) {
	if err := r.target.AwaitWarm(ctx); err != nil {
		return err
	}
	if r.result.Before, err = r.target.Memory(ctx); err != nil {
		return err
	}
	watchers, err := r.watch(ctx)
	if err != nil {
		return err
	}
	loads := r.loads(questions)
	if err := r.press(ctx, loads); err != nil {
		return errors.Join(err, watchers.leave())
	}
	r.result.Written = loads[0].asked.Load() // the writes
	if err := errors.Join(watchers.await(r.result.Written), watchers.leave()); err != nil {
		return err
	}
	r.result.Watched = watchers.counts()
	return r.settle(ctx)
}

// settleWithin is how long a server has to let go of what it did for clients that left.
const settleWithin = 10 * time.Second

// settle waits until no more goroutines are left than before, or for as long as it may take.
func (r *mixedRun) settle(ctx context.Context) (err error) {
	for end := time.Now().Add(settleWithin); ; time.Sleep(100 * time.Millisecond) {
		r.result.After, err = r.target.Memory(ctx)
		if err != nil || r.result.After.Goroutines <= r.result.Before.Goroutines || time.Now().After(end) {
			return err
		}
	}
}

// watchers follow all changes, and count them.
type watchers struct {
	seen  [2]atomic.Int64
	waits []func() error
	end   context.CancelFunc
}

func (r *mixedRun) watch(ctx context.Context) (*watchers, error) {
	ctx, cancel := context.WithCancel(ctx)
	w := &watchers{end: cancel}
	for i := range w.seen {
		wait, err := r.target.Watch(ctx, func(written int) { w.seen[i].Add(int64(written)) })
		if err != nil {
			return nil, errors.Join(err, w.leave())
		}
		w.waits = append(w.waits, wait)
	}
	return w, nil
}

// await waits until every watcher has been told of all that was written.
func (w *watchers) await(written int64) error {
	for i := range w.seen {
		for end := time.Now().Add(settleWithin); w.seen[i].Load() < written; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				return fmt.Errorf("watcher %d was told of %d changes of %d", i, w.seen[i].Load(), written)
			}
		}
	}
	return nil
}

// leave ends the watches.
func (w *watchers) leave() error {
	w.end()
	var failures []error
	for _, wait := range w.waits {
		failures = append(failures, wait())
	}
	return errors.Join(failures...)
}

func (w *watchers) counts() []int64 {
	counts := make([]int64, len(w.seen))
	for i := range w.seen {
		counts[i] = w.seen[i].Load()
	}
	return counts
}
