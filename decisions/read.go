package decisions

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	bbolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/usher-authz/usher/tuples"
)

// Entry is a decision with its place in the log.
type Entry struct {
	Decision
	Position Position
}

const (
	// transactionSlice is how long a read transaction may stay open.
	transactionSlice = 50 * time.Millisecond
	// sliceEntries bounds what a slice finds, and so what it holds in memory.
	sliceEntries = 100
)

// Newest lists the decisions that a query selects, the newest first, behind a position
// (the zero Position for the beginning). It begins with every decision that was recorded
// before the call. A list that breaks off yields the error last: the context's or the disk's.
func (l *Log) Newest(ctx context.Context, q Query, behind Position) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		err := l.Flush(ctx)
		for more := true; more && err == nil; {
			var found []Entry
			if found, behind, more, err = l.slice(ctx, &q, behind); err != nil {
				break
			}
			for _, entry := range found {
				if !yield(entry, nil) {
					return
				}
			}
		}
		if err != nil {
			yield(Entry{}, err)
		}
	}
}

// slice reads for one slice of time, and returns how far it came.
func (l *Log) slice(ctx context.Context, q *Query, behind Position) (found []Entry, last Position, more bool, err error) {
	if ctx.Err() != nil {
		return nil, behind, false, context.Cause(ctx)
	}
	tx, err := l.bolt.Begin(false)
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return nil, behind, false, tuples.ErrClosed
	}
	if err != nil {
		return nil, behind, false, fmt.Errorf("read the decision log: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	end := time.Now().Add(transactionSlice)
	bucket, prefix := q.index()
	log := tx.Bucket(decisionsBucket)
	c := tx.Bucket(bucket).Cursor()
	last = behind
	for key := q.seek(c, prefix, behind); key != nil && bytes.HasPrefix(key, prefix); key, _ = c.Prev() {
		p := endOf(key)
		if p.time().Before(q.From) {
			break
		}
		d, err := decode(p, log.Get(p[:]))
		if err != nil {
			return nil, last, false, err
		}
		if last = p; q.matches(&d) {
			found = append(found, Entry{d, p})
		}
		if len(found) == sliceEntries || time.Now().After(end) {
			return found, last, true, nil
		}
	}
	return found, last, false, nil
}

// index returns the bucket that has least beside what the query selects, and what its
// keys begin with. The wildcard may have more decisions than any object.
func (q *Query) index() (bucket, prefix []byte) {
	hasObject, hasSubject := q.Object != (tuples.Object{}), q.Subject != (tuples.Subject{})
	switch {
	case hasSubject && !(hasObject && q.Subject.IsWildcard()):
		return subjectBucket, subjectPrefix(q.Store, q.Subject)
	case hasObject:
		return objectBucket, objectPrefix(q.Store, q.Object)
	}
	return decisionsBucket, nil
}

// seek moves a cursor to the newest key behind a position and before the query's end.
func (q *Query) seek(c *bbolt.Cursor, prefix []byte, behind Position) []byte {
	before := Position(bytes.Repeat([]byte{0xFF}, positionLen))
	if !q.Until.IsZero() {
		before = newPosition(q.Until, 0)
	}
	if behind != (Position{}) && bytes.Compare(behind[:], before[:]) < 0 {
		before = behind
	}
	key, _ := c.Seek(append(bytes.Clone(prefix), before[:]...))
	if key == nil {
		key, _ = c.Last()
		return key
	}
	key, _ = c.Prev()
	return key
}
