package bolt

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/usher-authz/usher/tuples"
	bbolt "go.etcd.io/bbolt"
)

// store is one store as published: what it says is durable.
type store struct {
	db      *DB
	info    tuples.StoreInfo
	symbols *tuples.Symbols

	head   atomic.Uint64
	oldest atomic.Uint64
	gone   atomic.Bool // deleted

	// merging is the revision whose staged rows are not merged yet, 0 for none. It
	// changes together with head, under mu.
	merging atomic.Uint64
	// staging holds a value while a commit is staged, merged or taken back: one at a time.
	staging chan struct{}
	// feed is the committer's own.
	feed feed
	// readers counts the Verify calls and stagings under way, which read the log and
	// history behind the head; neither is collected meanwhile.
	readers atomic.Int32

	mu      sync.Mutex
	changed chan struct{} // closed by the next publication; nil while nobody waits
	models  []modelHead   // oldest first
}

func (db *DB) newStore(info tuples.StoreInfo) *store {
	return &store{db: db, info: info, symbols: tuples.NewSymbols(), staging: make(chan struct{}, 1)}
}

// openStore reads what a store keeps in memory.
func (db *DB) openStore(tx *bbolt.Tx, info tuples.StoreInfo) (*store, error) {
	s := db.newStore(info)
	v, err := openView(tx, info.ID, s.symbols)
	if err != nil {
		return nil, err
	}
	s.head.Store(uint64(v.state.head))
	s.oldest.Store(uint64(v.state.oldest))
	s.merging.Store(uint64(v.state.merging))
	if first, _ := v.staged(forward).Cursor().First(); first != nil {
		db.unfinished = append(db.unfinished, s)
	}
	c := v.part(partSymbols).Cursor()
	for k, name := c.First(); k != nil; k, name = c.Next() {
		s.symbols.Add(string(name))
	}
	s.models, err = readModelHeads(&v)
	return s, err
}

// Info implements [tuples.Store].
func (s *store) Info() tuples.StoreInfo { return s.info }

// Symbols implements [tuples.Store].
func (s *store) Symbols() *tuples.Symbols { return s.symbols }

// Now implements [tuples.Store].
func (s *store) Now() time.Time { return millis(s.db.clock.now()) }

// Head implements [tuples.Store].
func (s *store) Head() tuples.Revision { return tuples.Revision(s.head.Load()) }

// Wait implements [tuples.Store].
func (s *store) Wait(ctx context.Context, revision tuples.Revision) error {
	for {
		changed := s.nextChange()
		if s.gone.Load() {
			return tuples.ErrStoreNotFound
		}
		if s.Head() >= revision {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-s.db.closing:
			return tuples.ErrClosed
		}
	}
}

// nextChange returns a channel that the next publication closes.
func (s *store) nextChange() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.changed
}

// wake ends the waits of nextChange. The caller holds mu.
func (s *store) wake() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// remove makes a deleted store invisible to those who hold it.
func (s *store) remove() {
	s.gone.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wake()
}

// Snapshot implements [tuples.Store].
func (s *store) Snapshot(ctx context.Context, at tuples.At) (tuples.Snapshot, error) {
	if s.gone.Load() {
		return nil, tuples.ErrStoreNotFound
	}
	head := s.Head() // before the clock: the state shown is never later than its time
	now := s.db.clock.now()
	snapshot := &snapshot{store: s, revision: head, now: now}
	if !at.Time.IsZero() {
		if snapshot.now = at.Time.UnixMilli(); snapshot.now > now {
			return nil, aheadOf("time", at.Time, millis(now))
		}
	}
	switch {
	case at.Revision > head:
		return nil, aheadOf("revision", at.Revision, head)
	case at.Revision != 0:
		snapshot.revision = at.Revision
	case !at.Time.IsZero():
		var err error
		if snapshot.revision, err = s.revisionAt(ctx, snapshot.now); err != nil {
			return nil, err
		}
	}
	if oldest := tuples.Revision(s.oldest.Load()); snapshot.revision < oldest {
		return nil, unavailable(snapshot.revision, oldest)
	}
	return snapshot, nil
}
