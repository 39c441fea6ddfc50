package server_test

import (
	"context"
	"sync/atomic"

	"github.com/usher-authz/usher/tuples"
	"github.com/usher-authz/usher/tuples/bolt"
)

// split is a real database whose log comes in parts of one mutation each, as a large
// revision comes from any store, and fails as told.
type split struct {
	*bolt.DB
	unwritten  atomic.Int64                 // so often the log is behind the head
	fail       atomic.Pointer[func() error] // instead of Changes, once
	failBehind atomic.Int64                 // so many parts of a revision
}

type splitStore struct {
	tuples.Store
	db *split
}

func (db *split) Store(ctx context.Context, name string) (tuples.Store, error) {
	store, err := db.DB.Store(ctx, name)
	return &splitStore{Store: store, db: db}, err
}

// Changes cuts what the log has. All parts of a revision but the first say how many of
// it lie behind.
func (s *splitStore) Changes(ctx context.Context, after tuples.LogPosition, limit int) ([]tuples.Change, error) {
	if after.Parts >= int(s.db.failBehind.Load()) {
		if fail := s.db.fail.Swap(nil); fail != nil {
			return nil, (*fail)()
		}
	}
	if after.Revision < s.Head() && s.db.unwritten.Add(-1) >= 0 {
		return nil, nil
	}
	from := after.Revision
	if after.Parts > 0 {
		from--
	}
	whole, err := s.Store.Changes(ctx, tuples.LogPosition{Revision: from}, limit)
	var parts []tuples.Change
	for _, change := range whole {
		mutations := change.Mutations
		for i := range max(1, len(mutations)) {
			part := change
			part.Part, part.More = i, i+1 < len(mutations)
			part.Mutations = mutations[i:min(i+1, len(mutations))]
			if change.Revision != after.Revision || i >= after.Parts {
				parts = append(parts, part)
			}
		}
	}
	return parts[:min(len(parts), limit)], err
}
