package bolt

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/usher-authz/usher/tuples"
	bbolt "go.etcd.io/bbolt"
)

// Options are the settings of a database. The zero value is good for production.
type Options struct {
	// Retention is how long a superseded revision can still be read; 30 days if 0.
	Retention time.Duration
	// CollectEvery is how often expired tuples and outdated history are collected,
	// and so how late Changes may report an expiry; 1 minute if 0, never if negative.
	CollectEvery time.Duration
	// Clock is the wall clock; nil for [time.Now].
	Clock func() time.Time
	// Logger gets the failures of background work; nil for none.
	Logger *slog.Logger
	// NoSync leaves out fsync, so that a crash of the machine can destroy the file.
	// It is for tests.
	NoSync bool

	// openFile lets this package's tests break the file.
	openFile func(path string, flag int, mode os.FileMode) (*os.File, error)
	// limits lets them reach the limits with few tuples; nil for defaultLimits.
	limits *limits
}

// limits bound what one transaction does, while every other write waits.
type limits struct {
	// scanned bounds the rows that the filters of one commit look at, together.
	scanned int
	// whole bounds the rows that an erase or an undo looks at in one transaction, and
	// listed the mutations of one commit. A larger one is staged, in pieces of so many rows.
	whole, listed, piece int
}

// Scanning takes some 50 ms then, writing a whole erase 15 ms, a piece 2 ms of processor time
// (docs/decisions/0010). A list of mutations may take 100 ms: it is what one request can
// list, and staging it would cost its caller more than the others gain.
var defaultLimits = limits{scanned: 1 << 20, whole: 2000, listed: 10_000, piece: 500}

const (
	defaultRetention    = 30 * 24 * time.Hour
	defaultCollectEvery = time.Minute
)

// DB is a database file with its stores; it implements [tuples.Database].
type DB struct {
	bolt     *bbolt.DB
	options  Options
	clock    *clock
	tokenKey [32]byte
	limits   limits

	jobs    chan *job
	closing chan struct{} // closed by Close
	stopped chan struct{} // closed when the committer is done
	failure error         // why writes are refused; the committer's own

	mu     sync.RWMutex // of the stores that are published
	byID   map[tuples.StoreID]*store
	byName map[string]*store

	// unfinished are the stores that were found with staged rows; Open's own.
	unfinished []*store

	background sync.WaitGroup
	closeOnce  sync.Once
	closeErr   error
}

// Open opens the database at path, and makes it if there is no file. A file can be
// open once at a time. It fails with an error that says what is wrong if the file is
// held by another process, is no Usher database, or is of a newer format.
func Open(path string, options Options) (*DB, error) {
	if options.Retention == 0 {
		options.Retention = defaultRetention
	}
	if options.CollectEvery == 0 {
		options.CollectEvery = defaultCollectEvery
	}
	if options.Clock == nil {
		options.Clock = time.Now
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.limits == nil {
		options.limits = &defaultLimits
	}
	file, err := openFile(path, options)
	if err != nil {
		return nil, err
	}
	db := &DB{
		bolt: file, options: options, limits: *options.limits,
		jobs: make(chan *job, maxGroupJobs), closing: make(chan struct{}), stopped: make(chan struct{}),
		byID: map[tuples.StoreID]*store{}, byName: map[string]*store{},
	}
	if err := db.load(path); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	go db.commitLoop()
	for _, s := range db.unfinished {
		db.background.Go(s.resume)
	}
	db.background.Go(db.keepClock)
	if options.CollectEvery > 0 {
		db.background.Go(db.collectLoop)
	}
	return db, nil
}

// TokenKey implements [tuples.Database].
func (db *DB) TokenKey() [32]byte { return db.tokenKey }

// Close implements [tuples.Database]. Open snapshots end with [tuples.ErrClosed].
func (db *DB) Close() error {
	db.closeOnce.Do(func() {
		db.mu.Lock()
		close(db.closing)
		db.mu.Unlock()
		<-db.stopped
		db.background.Wait()
		if db.failure == nil {
			db.bolt.NoFreelistSync = false // the next Open finds the list
			db.closeErr = db.bolt.Update(func(tx *bbolt.Tx) error { return putClock(tx, db.clock.last.Load()) })
		}
		db.closeErr = errors.Join(db.closeErr, db.bolt.Close())
	})
	return db.closeErr
}

// spawn runs f in the background, unless the database is being closed.
func (db *DB) spawn(f func()) bool {
	db.mu.RLock()
	defer db.mu.RUnlock()
	select {
	case <-db.closing:
		return false
	default:
		db.background.Go(f)
		return true
	}
}

// complain logs a failure of background work, unless it is the consequence of one that
// was logged already or of Close.
func (db *DB) complain(what string, err error) {
	if !errors.Is(err, tuples.ErrClosed) && !errors.Is(err, tuples.ErrReadOnly) {
		db.options.Logger.Error(what, "error", err)
	}
}

// keepClock persists the clock's mark ahead of its readings while it is read.
func (db *DB) keepClock() {
	const every = time.Second
	tick := time.NewTicker(every)
	defer tick.Stop()
	var mark int64
	for {
		select {
		case <-db.closing:
			return
		case <-tick.C:
		}
		if !db.clock.used.Load() {
			continue
		}
		now := db.clock.now()
		db.clock.used.Store(false)
		if now+2*every.Milliseconds() < mark {
			continue
		}
		next := now + clockLease.Milliseconds()
		err := db.submit(context.Background(), 1, func(g *group) error { return putClock(g.write(), next) })
		switch {
		case err == nil:
			mark = next
		default:
			db.complain("cannot persist the clock", err)
		}
	}
}
