package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"github.com/usher-authz/usher/tuples"
	"github.com/usher-authz/usher/tuples/bolt"
)

// measureWrites commits single tuples, from one caller and from many, in turns with
// single puts into a bbolt file of its own. All of them are durable.
func measureWrites(ctx context.Context, s settings, dir string, r *report) error {
	raw, err := bbolt.Open(filepath.Join(dir, "raw.db"), 0o600, nil)
	if err != nil {
		return err
	}
	defer raw.Close()
	db, err := bolt.Open(filepath.Join(dir, "writes.db"), bolt.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.CreateStore(ctx, "default"); err != nil {
		return err
	}
	store, err := db.Store(ctx, "default")
	if err != nil {
		return err
	}
	var puts, one, many rate
	var number atomic.Int64
	commit := func() error {
		return commitOne(ctx, store, number.Add(1))
	}
	for range s.rounds {
		err := errors.Join(
			puts.round(s.round, 1, func() error { return put(raw, number.Add(1)) }),
			one.round(s.round, 1, commit),
			many.round(s.round, callers, commit),
		)
		if err != nil {
			return err
		}
	}
	r.add("raw bbolt, single durable puts", puts.String(), "")
	r.add("durable writes, 1 caller", one.String(), fmt.Sprintf("%.2f × raw puts", one.perSecond()/puts.perSecond()))
	r.add("durable writes, 32 callers", many.String(), fmt.Sprintf("%.2f × raw puts", many.perSecond()/puts.perSecond()))
	return nil
}

func put(db *bbolt.DB, number int64) error {
	return db.Update(func(tx *bbolt.Tx) error {
		bucket, err := tx.CreateBucketIfNotExists([]byte("raw"))
		if err != nil {
			return err
		}
		key := binary.BigEndian.AppendUint64(nil, uint64(number))
		return bucket.Put(key, key)
	})
}

func commitOne(ctx context.Context, store tuples.Store, number int64) error {
	t, err := tuples.ParseTuple(fmt.Sprintf("media:m%d#viewer@user:u%d", number, number%1000))
	if err != nil {
		return err
	}
	_, err = store.Commit(ctx, tuples.Commit{Mutations: []tuples.Mutation{{Op: tuples.OpCreate, Tuple: t}}})
	return err
}

// rate counts calls over rounds.
type rate struct {
	calls   int64
	elapsed time.Duration
}

func (r *rate) round(length time.Duration, callers int, call func() error) error {
	start := time.Now()
	var group sync.WaitGroup
	var calls atomic.Int64
	var failed atomic.Pointer[error]
	for range callers {
		group.Go(func() {
			for time.Since(start) < length {
				if err := call(); err != nil {
					failed.Store(&err)
					return
				}
				calls.Add(1)
			}
		})
	}
	group.Wait()
	r.calls += calls.Load()
	r.elapsed += time.Since(start)
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

func (r *rate) perSecond() float64 { return float64(r.calls) / r.elapsed.Seconds() }

// String returns the rate for the report.
func (r *rate) String() string { return fmt.Sprintf("%.0f/s", r.perSecond()) }
