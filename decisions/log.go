package decisions

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	bbolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Options are the settings of a log. The zero value is good for production.
type Options struct {
	// Retention is how long a decision is kept; 90 days if 0.
	Retention time.Duration
	// Required makes Record wait until decisions are durable, and fail if they cannot be.
	Required bool
	// Clock is the wall clock; nil for [time.Now].
	Clock func() time.Time
	// Logger gets drops and failures; nil for none.
	Logger *slog.Logger
	// NoSync leaves out fsync, so that a crash of the machine can destroy the file. It
	// is for tests.
	NoSync bool

	queue int // decisions that may wait to be written; 20,000 if 0
}

const (
	defaultRetention = 90 * 24 * time.Hour
	// defaultQueue has room for the largest BatchCheck, 10,000 items, beside others: a
	// required log takes a batch as a whole or not at all.
	defaultQueue = 20_000
	// mapSize is the address space reserved for the file. Growing beyond it waits for
	// every reader; reserving costs no memory.
	mapSize = 64 << 30
	// lockTimeout is how long Open waits for another process to let go of the file.
	lockTimeout = time.Second
	// format is the version of the layout in keys.go. A change of it counts up, and
	// brings the code that migrates from the version before.
	format = 1
)

// Log is a decision log. It is safe for concurrent use.
type Log struct {
	bolt    *bbolt.DB
	options Options
	queue   queue
	closing chan struct{} // closed by Close
	written chan struct{} // closed when the writer is done

	closeOnce sync.Once
	closeErr  error
}

// Open opens the log at path, and makes it if there is no file. A file can be open once at
// a time. It fails with an error that says what is wrong if the file is held by another
// process, is no decision log, or is of a newer format.
func Open(path string, options Options) (*Log, error) {
	if options.Retention == 0 {
		options.Retention = defaultRetention
	}
	if options.Clock == nil {
		options.Clock = time.Now
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.queue == 0 {
		options.queue = defaultQueue
	}
	file, err := bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout:         lockTimeout,
		NoSync:          options.NoSync,
		InitialMmapSize: mapSize,
		FreelistType:    bbolt.FreelistArrayType,
		NoStatistics:    true,
	})
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return nil, fmt.Errorf("open decision log %s: another process holds the file; stop it or choose another file", path)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrVersionMismatch), errors.Is(err, berrors.ErrChecksum):
		return nil, fmt.Errorf("open decision log %s: not a decision log, or damaged: %w; choose another file", path, err)
	case err != nil:
		return nil, fmt.Errorf("open decision log %s: %w", path, err)
	}
	if err := file.Update(prepare); err != nil {
		return nil, errors.Join(fmt.Errorf("open decision log %s: %w", path, err), file.Close())
	}
	l := &Log{bolt: file, options: options, closing: make(chan struct{}), written: make(chan struct{})}
	l.queue.init(options.queue)
	go l.write()
	return l, nil
}

// prepare checks the format of a file, or begins an empty one.
func prepare(tx *bbolt.Tx) error {
	if meta := tx.Bucket(metaBucket); meta != nil {
		value := meta.Get(formatKey)
		if len(value) != 2 {
			return fmt.Errorf("format version %x: %w", value, errDamaged)
		}
		if have := binary.BigEndian.Uint16(value); have != format {
			return fmt.Errorf("the file has format version %d, this program knows version %d; use the program that wrote it, or a newer one", have, format)
		}
		return nil
	}
	if name, _ := tx.Cursor().First(); name != nil {
		return fmt.Errorf("not a decision log: it is a bbolt file of something else, with bucket %q; choose another file", name)
	}
	for _, name := range [][]byte{metaBucket, decisionsBucket, objectBucket, subjectBucket} {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	return tx.Bucket(metaBucket).Put(formatKey, binary.BigEndian.AppendUint16(nil, format))
}

// Close writes what is queued and closes the file. Decisions that come later are dropped.
func (l *Log) Close() error {
	l.closeOnce.Do(func() {
		close(l.closing)
		<-l.written
		l.closeErr = l.bolt.Close()
	})
	return l.closeErr
}
