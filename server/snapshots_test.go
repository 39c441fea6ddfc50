package server_test

import (
	"context"
	"sync/atomic"
	"testing"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server"
	"github.com/usher-authz/usher/tuples"
	"github.com/usher-authz/usher/tuples/bolt"
)

// counted is a real database that counts the snapshots that are open.
type counted struct {
	*bolt.DB
	opened, open atomic.Int64
}

type countedStore struct {
	tuples.Store
	db *counted
}

type countedSnapshot struct {
	tuples.Snapshot
	db     *counted
	closed bool
}

func (db *counted) Store(ctx context.Context, name string) (tuples.Store, error) {
	store, err := db.DB.Store(ctx, name)
	return &countedStore{Store: store, db: db}, err
}

func (s *countedStore) Snapshot(ctx context.Context, at tuples.At) (tuples.Snapshot, error) {
	snapshot, err := s.Store.Snapshot(ctx, at)
	if err != nil {
		return nil, err
	}
	s.db.opened.Add(1)
	s.db.open.Add(1)
	return &countedSnapshot{Snapshot: snapshot, db: s.db}, nil
}

func (s *countedSnapshot) Close() {
	if !s.closed {
		s.closed = true
		s.db.open.Add(-1)
	}
	s.Snapshot.Close()
}

// Every snapshot is closed, whichever way a request ends.
func TestSnapshotsAreClosed(t *testing.T) {
	healthy := newLibrary(t, "media:a#viewer@user:anna", "media:b#viewer@user:anna",
		`media:c#viewer@user:anna with office_hours {"hour":0,"opens":0}`)
	db := &counted{DB: healthy.db}
	w := serve(t, db, server.Options{})
	bad := &usherv1.Tuple{}
	objects := &usherv1.ListObjectsRequest{ObjectType: "media", Relation: "can_view", Subject: subject(t, "user:anna"), PageSize: 1}
	for name, call := range map[string]func() error{
		"check":               func() error { return w.tryCheck("user:anna can_view media:a", nil) },
		"check that fails":    func() error { return w.tryCheck("user:anna can_view media:c", nil) },
		"check of an unknown": func() error { return w.tryCheck("user:anna can_fly media:a", nil) },
		"guarded write": func() error {
			return w.tryWrite(touch, "media:a#viewer@user:anna", "", mustBeAllowed(t, "user:anna can_view media:a"))
		},
		"guarded write, refused": func() error {
			return w.tryWrite(touch, "media:a#viewer@user:anna", "", mustBeAllowed(t, "user:bert can_view media:a"))
		},
		"list that is left early": func() error { _, err := collect(w.permissions.ListObjects(w.ctx, objects)); return err },
		"check with a bad tuple": func() error {
			_, err := w.permissions.Check(w.ctx, &usherv1.CheckRequest{
				Object: object(t, "media:a"), Relation: "viewer", Subject: subject(t, "user:anna"), ContextualTuples: []*usherv1.Tuple{bad},
			})
			return err
		},
		"check by an unknown model": func() error {
			r := question(t, "user:anna can_view media:a")
			r.ModelId = "nowhere"
			_, err := w.permissions.Check(w.ctx, r)
			return err
		},
		"list that fails": func() error {
			_, err := collect(w.permissions.ListObjects(w.ctx, &usherv1.ListObjectsRequest{
				ObjectType: "media", Relation: "can_view", Subject: subject(t, "user:anna"),
			}))
			return err
		},
		"list behind nonsense": func() error {
			page, err := collect(w.permissions.ListObjects(w.ctx, objects))
			if err != nil {
				return err
			}
			_, err = collect(w.permissions.ListObjects(w.ctx, &usherv1.ListObjectsRequest{
				ObjectType: "media", Relation: "can_view", Subject: subject(t, "user:anna"),
				Resume: &usherv1.Resume{Cursor: page[0].GetCursor(), After: "nonsense"},
			}))
			return err
		},
		"read": func() error { _, err := collect(w.tuples.Read(w.ctx, &usherv1.ReadRequest{PageSize: 1})); return err },
		"dry run": func() error {
			_, err := w.models.WriteModel(w.ctx, &usherv1.WriteModelRequest{Source: dslSource(readers), DryRun: true})
			return err
		},
		"trace":               func() error { _, err := w.tryTrace("user:anna can_view media:a", nil); return err },
		"trace of an unknown": func() error { _, err := w.tryTrace("user:anna can_fly media:a", nil); return err },
		"preview": func() error {
			_, err := w.permissions.PreviewShares(w.ctx, previewShares(t, "can_view", 2, "viewer@user:bert"))
			return err
		},
		"preview that the model forbids": func() error {
			_, err := w.permissions.PreviewShares(w.ctx, previewShares(t, "can_fly", 2, "viewer@user:bert"))
			return err
		},
		"shares": func() error {
			_, err := collect(w.permissions.SummarizeShares(w.ctx, &usherv1.SummarizeSharesRequest{
				Objects: objectList(t, "media:a media:b"), Relations: []string{"viewer"},
			}))
			return err
		},
		"tree": func() error {
			_, err := collect(w.permissions.SummarizeTree(w.ctx, &usherv1.SummarizeTreeRequest{
				Roots: objectList(t, "media:a"), ContainedBy: []*usherv1.Containment{{Relation: "folder"}},
				Relations: []*usherv1.TreeRelation{{Relation: "viewer"}},
			}))
			return err
		},
		"guarded shares": func() error {
			r := setShares(t, "media:a", "viewer@user:bert")
			r.Actor, r.Guards = subject(t, "user:anna"), []*usherv1.ShareGuard{actorHas("can_view")}
			_, err := w.tuples.SetShares(w.ctx, r)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := db.opened.Load()
			err := call()
			if db.opened.Load() == before {
				t.Fatalf("opened none: %v", err)
			}
			if open := db.open.Load(); open != 0 {
				t.Errorf("%d are open after %v", open, err)
			}
		})
	}
}
