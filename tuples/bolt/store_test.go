package bolt

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/usher-authz/usher/tuples"
	"github.com/usher-authz/usher/tuples/storetest"
)

// Most commits are small; the random test drives large ones piece by piece.
func TestStore(t *testing.T) {
	e := engine(&limits{scanned: defaultLimits.scanned, whole: defaultLimits.whole, listed: defaultLimits.listed, piece: 2})
	e.Stage = func(s tuples.Store, c tuples.Commit) (storetest.Staged, error) { return stageTest(s.(*store), c) }
	storetest.Run(t, e)
}

// Where every commit of mutations, every erase and every undo is staged, in pieces of two
// rows, nothing else is different.
func TestStoreThatStagesEverything(t *testing.T) {
	storetest.Run(t, engine(stagingLimits(0, 2)))
}

func engine(l *limits) storetest.Engine {
	return storetest.Engine{
		Open: func(dir string, clock func() time.Time) (tuples.Database, error) {
			return Open(filepath.Join(dir, "usher.db"), Options{
				Retention: storetest.Retention, CollectEvery: -1, Clock: clock, NoSync: true, limits: l,
			})
		},
		Collect: func(ctx context.Context, db tuples.Database) error { return db.(*DB).Collect(ctx) },
	}
}

// stagedTest is a large commit that a test drives.
type stagedTest struct {
	store *store
	*staging
}

func stageTest(s *store, c tuples.Commit) (*stagedTest, error) {
	w, err := prepare(&c)
	if err != nil {
		return nil, err
	}
	if err := s.reserve(context.Background()); err != nil {
		return nil, err
	}
	s.readers.Add(1)
	return &stagedTest{s, newStaging(w)}, s.tidy(context.Background())
}

// Next implements [storetest.Staged].
func (t *stagedTest) Next() (outcome tuples.Committed, done bool, err error) {
	done, err = t.next(t.store)
	switch {
	case errors.Is(err, errMoved):
		t.staging = newStaging(t.write)
		return outcome, false, t.store.tidy(context.Background())
	case err == nil && !done:
		return outcome, false, nil
	case err != nil || t.store.merging.Load() == 0:
		err = errors.Join(err, t.store.tidy(context.Background()))
	}
	t.store.readers.Add(-1)
	t.store.release()
	return t.outcome, true, err
}

// Merge implements [storetest.Staged].
func (t *stagedTest) Merge() error {
	if err := t.store.reserve(context.Background()); err != nil {
		return err
	}
	defer t.store.release()
	return t.store.db.submit(context.Background(), 1, func(g *group) error {
		_, err := g.tidy(t.store)
		return err
	})
}
