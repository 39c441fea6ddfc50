package decisions

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// ErrNotRecorded says that a decision was not recorded and must not be given, because the
// log is required: the queue is full, the disk failed, or the log was closed.
var ErrNotRecorded = errors.New("the decision could not be recorded")

// Stats are counts of a log since it was opened.
type Stats struct {
	Recorded uint64 // decisions that are durable
	Dropped  uint64 // decisions that were given and could not be recorded
	Queued   int    // decisions that wait to be written now
}

// queue is what waits for the writer.
type queue struct {
	limit int
	some  chan struct{} // there is something to write, in a while
	now   chan struct{} // somebody waits for it, or the queue is half full

	mu      sync.Mutex
	closed  bool
	waiting []Decision
	waiters []chan<- error // of those who wait for all that was queued before
	stats   Stats
}

func (q *queue) init(limit int) {
	q.limit, q.some, q.now = limit, make(chan struct{}, 1), make(chan struct{}, 1)
}

// signal wakes the writer, or leaves word for when it looks.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Record queues decisions. If the log is required it returns when all are durable, or with
// [ErrNotRecorded], or with the context's error, after which they may still be recorded.
// Else it returns at once and never fails: what finds no room is counted.
func (l *Log) Record(ctx context.Context, list ...Decision) error {
	if !l.options.Required {
		l.queue.add(list)
		return nil
	}
	return l.queue.await(ctx, list)
}

// Flush returns when all that was queued before is durable or dropped.
func (l *Log) Flush(ctx context.Context) error {
	err := l.queue.await(ctx, nil)
	if errors.Is(err, ErrNotRecorded) {
		return nil
	}
	return err
}

// Stats returns the counts so far.
func (l *Log) Stats() Stats {
	l.queue.mu.Lock()
	defer l.queue.mu.Unlock()
	stats := l.queue.stats
	stats.Queued = len(l.queue.waiting)
	return stats
}

// add queues decisions that nobody waits for, and drops those that find no room.
func (q *queue) add(list []Decision) {
	q.mu.Lock()
	defer q.mu.Unlock()
	room := 0
	if !q.closed {
		room = min(len(list), q.limit-len(q.waiting))
	}
	q.stats.Dropped += uint64(len(list) - room)
	q.waiting = append(q.waiting, list[:room]...)
	signal(q.some)
	if len(q.waiting) > q.limit/2 {
		signal(q.now)
	}
}

// await queues decisions and waits until they are durable, with all that was queued before.
func (q *queue) await(ctx context.Context, list []Decision) error {
	written := make(chan error, 1)
	if err := q.enter(list, written); err != nil {
		return err
	}
	select {
	case err := <-written:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (q *queue) enter(list []Decision, written chan<- error) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return fmt.Errorf("%w: the log is closed", ErrNotRecorded)
	case len(q.waiting)+len(list) > q.limit:
		return fmt.Errorf("%w: %d wait to be written already", ErrNotRecorded, len(q.waiting))
	}
	q.waiting, q.waiters = append(q.waiting, list...), append(q.waiters, written)
	signal(q.now)
	return nil
}

// take empties the queue.
func (q *queue) take() (list []Decision, waiters []chan<- error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	list, waiters = q.waiting, q.waiters
	q.waiting, q.waiters = nil, nil
	return list, waiters
}

// close makes the queue take no more.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}
