package server_test

import (
	"context"
	"testing"

	"github.com/usher-authz/usher/server"
	"github.com/usher-authz/usher/tuples"
	"github.com/usher-authz/usher/tuples/bolt"
)

// faulty is a real database whose stores fail as told where a disk would: in Commit and
// in Snapshot. Functions that are not set change nothing.
type faulty struct {
	*bolt.DB
	commit   func() error
	snapshot func() error
	deadline func(context.Context) // sees the context of Snapshot
}

type faultyStore struct {
	tuples.Store
	db *faulty
}

func (db *faulty) Store(ctx context.Context, name string) (tuples.Store, error) {
	store, err := db.DB.Store(ctx, name)
	return &faultyStore{Store: store, db: db}, err
}

func (s *faultyStore) Commit(ctx context.Context, c tuples.Commit) (tuples.Committed, error) {
	if s.db.commit != nil {
		return tuples.Committed{}, s.db.commit()
	}
	return s.Store.Commit(ctx, c)
}

func (s *faultyStore) Snapshot(ctx context.Context, at tuples.At) (tuples.Snapshot, error) {
	if s.db.deadline != nil {
		s.db.deadline(ctx)
	}
	if s.db.snapshot != nil {
		if err := s.db.snapshot(); err != nil {
			return nil, err
		}
	}
	return s.Store.Snapshot(ctx, at)
}

// newFaulty starts a server over a database that fails as told.
func newFaulty(t *testing.T, options server.Options, db *faulty) *world {
	t.Helper()
	healthy := newLibrary(t)
	db.DB = healthy.db
	return serve(t, db, options)
}
