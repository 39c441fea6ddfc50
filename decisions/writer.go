package decisions

import (
	"fmt"
	"time"

	bbolt "go.etcd.io/bbolt"
)

const (
	// gather is how long decisions that nobody waits for may gather before they are
	// written, so that some thousand a second cost ten fsyncs.
	gather = 100 * time.Millisecond
	// tendEvery is how often old decisions are removed and drops are told.
	tendEvery = time.Minute
)

// write is the writer: it records what is queued until the log is closed.
func (l *Log) write() {
	defer close(l.written)
	tick := time.NewTicker(tendEvery)
	defer tick.Stop()
	told := uint64(0) // of the drops
	for {
		select {
		case <-l.queue.some:
			l.gather()
		case <-l.queue.now:
		case <-tick.C:
			l.tend()
			told = l.tellDrops(told)
		case <-l.closing:
			l.queue.close()
			l.commit()
			l.tellDrops(told)
			return
		}
		l.commit()
	}
}

// gather waits for more, unless somebody is in a hurry.
func (l *Log) gather() {
	pause := time.NewTimer(gather)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-l.queue.now:
	case <-l.closing:
	}
}

// tellDrops logs that decisions were dropped since it was last told, and returns how
// many there are by now.
func (l *Log) tellDrops(told uint64) uint64 {
	dropped := l.Stats().Dropped
	if dropped > told {
		l.options.Logger.Warn("decisions were given and not recorded: the queue was full, or the disk failed",
			"since_last_told", dropped-told, "since_start", dropped)
	}
	return dropped
}

// commit writes what is queued in one transaction, and tells those who wait for it.
func (l *Log) commit() {
	list, waiters := l.queue.take()
	var err error
	if len(list) > 0 {
		if err = l.bolt.Update(func(tx *bbolt.Tx) error { return put(tx, list) }); err != nil {
			err = fmt.Errorf("%w: %w", ErrNotRecorded, err)
		}
	}
	l.count(len(list), err)
	for _, waiter := range waiters {
		waiter <- err
	}
}

// put adds decisions to the log and to its indexes.
func put(tx *bbolt.Tx, list []Decision) error {
	log, objects, subjects := tx.Bucket(decisionsBucket), tx.Bucket(objectBucket), tx.Bucket(subjectBucket)
	for i := range list {
		d := &list[i]
		sequence, err := log.NextSequence()
		if err != nil {
			return err
		}
		p := newPosition(d.Time, sequence)
		if err := log.Put(p[:], d.encode()); err != nil {
			return err
		}
		if err := objects.Put(append(objectPrefix(d.Store, d.Object), p[:]...), nil); err != nil {
			return err
		}
		if err := subjects.Put(append(subjectPrefix(d.Store, d.Subject), p[:]...), nil); err != nil {
			return err
		}
	}
	return nil
}

// count notes what became of decisions. Those of a required log are not given if they are
// not recorded, so they are not dropped.
func (l *Log) count(n int, err error) {
	if err != nil {
		l.options.Logger.Error("cannot write to the decision log", "decisions", n, "error", err)
	}
	l.queue.mu.Lock()
	defer l.queue.mu.Unlock()
	switch {
	case err == nil:
		l.queue.stats.Recorded += uint64(n)
	case !l.options.Required:
		l.queue.stats.Dropped += uint64(n)
	}
}

// rowsPerStep bounds the decisions that are removed in one transaction: some milliseconds,
// between which new ones are written.
const rowsPerStep = 1_000

// tend removes the decisions that are older than the retention.
func (l *Log) tend() {
	for more := true; more; {
		err := l.bolt.Update(func(tx *bbolt.Tx) (err error) {
			more, err = removeBefore(tx, l.options.Clock().Add(-l.options.Retention))
			return err
		})
		if err != nil {
			l.options.Logger.Error("cannot remove old decisions", "error", err)
			return
		}
		l.commit()
	}
}

// removeBefore removes a step's worth of the decisions before a time.
func removeBefore(tx *bbolt.Tx, cutoff time.Time) (more bool, err error) {
	log, objects, subjects := tx.Bucket(decisionsBucket), tx.Bucket(objectBucket), tx.Bucket(subjectBucket)
	c := log.Cursor()
	var old []Position
	for key, _ := c.First(); key != nil && endOf(key).time().Before(cutoff); key, _ = c.Next() {
		if len(old) == rowsPerStep {
			more = true
			break
		}
		old = append(old, endOf(key))
	}
	for _, p := range old {
		d, err := decode(p, log.Get(p[:]))
		if err != nil {
			return false, err
		}
		if err := objects.Delete(append(objectPrefix(d.Store, d.Object), p[:]...)); err != nil {
			return false, err
		}
		if err := subjects.Delete(append(subjectPrefix(d.Store, d.Subject), p[:]...)); err != nil {
			return false, err
		}
		if err := log.Delete(p[:]); err != nil {
			return false, err
		}
	}
	return more, nil
}
