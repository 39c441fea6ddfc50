package storetest

import (
	"context"
	"strings"
	"time"

	"github.com/usher-authz/usher/tuples"
)

var catalogueRules = []rule{
	{"a store is found by name and by id", func(h *harness) {
		info := h.store.Info()
		equal(h, "name", info.Name, "default")
		for _, nameOrID := range []string{"default", string(info.ID)} {
			s, err := h.db.Store(h.ctx, nameOrID)
			h.must(err)
			equal(h, "info", s.Info(), info)
		}
		_, err := h.db.Store(h.ctx, "other")
		h.wantError(err, tuples.ErrStoreNotFound)
	}},
	{"a name is taken once", func(h *harness) {
		_, err := h.db.CreateStore(h.ctx, "default")
		h.wantError(err, tuples.ErrStoreExists)
	}},
	{"a name is short and no id", func(h *harness) {
		for _, name := range []string{"", strings.Repeat("x", 300), string(h.store.Info().ID)} {
			_, err := h.db.CreateStore(h.ctx, name)
			h.wantInvalid(err, "name")
		}
	}},
	{"stores are listed by id, in pages", func(h *harness) {
		for _, name := range []string{"b", "a", "c"} {
			_, err := h.db.CreateStore(h.ctx, name)
			h.must(err)
		}
		var names []string
		var after tuples.StoreID
		for {
			page, err := h.db.Stores(h.ctx, after, 3)
			h.must(err)
			if len(page) == 0 {
				break
			}
			for _, info := range page {
				if info.ID <= after {
					h.Fatalf("store %s follows %s", info.ID, after)
				}
				after = info.ID
				names = append(names, info.Name)
			}
		}
		equal(h, "stores", len(names), 4)
	}},
	{"stores hold nothing of each other", func(h *harness) {
		h.create(anna)
		_, err := h.db.CreateStore(h.ctx, "other")
		h.must(err)
		h.store, err = h.db.Store(h.ctx, "other")
		h.must(err)
		h.wantTuples()
		equal(h, "head", h.store.Head(), 0)
		h.create(bert)
		h.wantTuples(bert)
	}},
	{"a deleted store is gone for everyone", func(h *harness) {
		h.create(anna)
		h.putModel("m1")
		old := h.store
		s := h.snapshot(tuples.At{})
		defer s.Close()
		h.must(h.db.DeleteStore(h.ctx, old.Info().ID))
		_, err := h.db.Store(h.ctx, "default")
		h.wantError(err, tuples.ErrStoreNotFound)
		h.wantError(h.db.DeleteStore(h.ctx, old.Info().ID), tuples.ErrStoreNotFound)
		_, read := readAll(h, s, tuples.Filter{}, 1)
		_, snapshot := old.Snapshot(h.ctx, tuples.At{})
		_, commit := old.Commit(h.ctx, tuples.Commit{})
		_, changes := old.Changes(h.ctx, tuples.LogPosition{}, 1)
		_, modelAt := old.ModelAt(h.ctx, 1)
		_, model := old.Model(h.ctx, "m1")
		_, models := old.Models(h.ctx, "", 1)
		_, verify := old.Verify(h.ctx)
		for _, err := range []error{read, snapshot, commit, changes, modelAt, model, models, verify, old.Wait(h.ctx, 99)} {
			h.wantError(err, tuples.ErrStoreNotFound)
		}
		// Its name is free at once, and a new store of that name is another one.
		info, err := h.db.CreateStore(h.ctx, "default")
		h.must(err)
		if info.ID == old.Info().ID || info.Epoch == old.Info().Epoch {
			h.Fatalf("store %+v was created anew as %+v", old.Info(), info)
		}
		h.store, err = h.db.Store(h.ctx, "default")
		h.must(err)
		h.collect()
		h.wantTuples()
		h.reopen()
		_, err = h.db.Store(h.ctx, string(old.Info().ID))
		h.wantError(err, tuples.ErrStoreNotFound)
	}},
	{"the key of tokens stays", func(h *harness) {
		key := h.db.TokenKey()
		equal(h, "zero", key == [32]byte{}, false)
		h.reopen()
		equal(h, "key", h.db.TokenKey(), key)
	}},
}

var lifetimeRules = []rule{
	{"everything survives a restart", func(h *harness) {
		first := h.create(anna, design).Revision
		head := h.delete(design).Revision
		info := h.store.Info()
		h.reopen()
		equal(h, "info", h.store.Info(), info)
		equal(h, "head", h.store.Head(), head)
		h.wantTuples(anna)
		s := h.snapshot(tuples.At{Revision: first})
		defer s.Close()
		h.wantIn(s, anna, design)
		equal(h, "next revision", h.create(bert).Revision > head, true)
	}},
	{"the clock never goes back", func(h *harness) {
		h.wall.add(time.Hour)
		latest := h.store.Now()
		equal(h, "whole milliseconds", latest, latest.Truncate(time.Millisecond).UTC())
		h.wall.add(-2 * time.Hour)
		for range 2 {
			if now := h.store.Now(); now.Before(latest) {
				h.Fatalf("the clock went back from %s to %s", latest, now)
			}
			h.reopen()
		}
		if got := h.create(anna); got.Time.Before(latest) {
			h.Fatalf("a commit has time %s, before %s", got.Time, latest)
		}
	}},
	{"waiting ends with the revision", func(h *harness) {
		h.must(h.store.Wait(h.ctx, 0))
		done := make(chan error, 1)
		go func() { done <- h.store.Wait(h.ctx, 2) }()
		h.create(anna)
		h.create(bert)
		h.must(<-done)
		h.must(h.store.Wait(h.ctx, 1))
	}},
	{"waiting ends with the context", func(h *harness) {
		ctx, cancel := context.WithCancel(h.ctx)
		done := make(chan error, 1)
		go func() { done <- h.store.Wait(ctx, 1) }()
		cancel()
		h.wantError(<-done, context.Canceled)
	}},
	{"a closed database says so", func(h *harness) {
		h.create(anna)
		s := h.snapshot(tuples.At{})
		waited := make(chan error, 1)
		go func() { waited <- h.store.Wait(h.ctx, 99) }()
		h.close()
		_, list := h.db.Stores(h.ctx, "", 1)
		_, byName := h.db.Store(h.ctx, "default")
		_, create := h.db.CreateStore(h.ctx, "new")
		_, commit := h.store.Commit(h.ctx, tuples.Commit{})
		_, changes := h.store.Changes(h.ctx, tuples.LogPosition{}, 1)
		_, _, edge := s.Edge(h.ctx, tuples.EdgeKey{})
		_, at := h.store.Snapshot(h.ctx, tuples.At{Time: h.wall.read()})
		_, scanned := scan(h.ctx, s)
		_, follow := Follow(h.ctx, h.store)
		for _, err := range []error{list, byName, create, commit, changes, edge, at, scanned, follow, <-waited} {
			h.wantError(err, tuples.ErrClosed)
		}
		s.Close()
		h.close() // again does nothing
		h.open()
		var err error
		h.store, err = h.db.Store(h.ctx, "default")
		h.must(err)
	}},
}
