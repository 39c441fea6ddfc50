package storetest

import (
	"errors"
	"time"

	"github.com/usher-authz/usher/tuples"
)

var undoRules = []rule{
	{"undo brings back what an erase removed, with its grants", func(h *harness) {
		h.create(append(press, mentions...)...)
		erased := h.erase("folder:press", "#parent")
		got := h.undo(erased.Revision)
		equal(h, "created", got.Created, len(press))
		equal(h, "skipped", got.Skipped, 0)
		h.wantTuples(append(press, mentions...)...)
		h.wantLast(tuples.CauseUndo, tuples.OpCreate, len(press))
	}},
	{"undo brings back what a write and a delete by filter removed", func(h *harness) {
		h.create(anna, bert+" with office_hours", design)
		written := h.delete(anna).Revision
		filtered := h.commit(tuples.Commit{Delete: &tuples.DeleteMatching{Filter: filter("media:logo"), Limit: 10}}).Revision
		equal(h, "created", h.undo(written).Created, 1)
		equal(h, "created", h.undo(filtered).Created, 2)
		h.wantTuples(anna, bert+" with office_hours", design)
	}},
	{"what is there again is left as it is", func(h *harness) {
		h.create(press...)
		erased := h.erase("folder:press", "#parent").Revision
		h.create("folder:press#owner@user:anna with office_hours")
		got := h.undo(erased)
		equal(h, "created", got.Created, len(press)-1)
		equal(h, "skipped", got.Skipped, 1)
		h.wantTuples(append(press[1:], "folder:press#owner@user:anna with office_hours")...)
	}},
	{"a second undo finds everything there", func(h *harness) {
		h.create(press...)
		erased := h.erase("folder:press", "#parent").Revision
		undone := h.undo(erased).Revision
		again := h.undo(erased)
		equal(h, "skipped", again.Skipped, len(press))
		equal(h, "revision", again.Revision, undone)
	}},
	{"an undo removed nothing that could be brought back", func(h *harness) {
		h.create(press...)
		undone := h.undo(h.erase("folder:press", "#parent").Revision).Revision
		got := h.undo(undone)
		equal(h, "created and skipped", got.Created+got.Skipped, 0)
		h.wantTuples(press...)
	}},
	{"what would have expired stays away", func(h *harness) {
		h.create("media:logo#viewer@user:anna expires 2026-03-14T09:30:00Z", bert+" expires 2026-03-14T11:00:00Z")
		erased := h.erase("media:logo").Revision
		h.wall.add(time.Hour)
		got := h.undo(erased)
		equal(h, "created", got.Created, 1)
		equal(h, "skipped", got.Skipped, 1)
		h.wantTuples(bert + " expires 2026-03-14T11:00:00Z")
	}},
	{"what expired in its place counts as absent", func(h *harness) {
		h.create(anna)
		erased := h.erase("media:logo").Revision
		h.create(anna + " expires 2026-03-14T09:30:00Z")
		h.wall.add(time.Hour)
		equal(h, "created", h.undo(erased).Created, 1)
		h.wantTuples(anna)
	}},
	{"a grant that was replaced is not brought back", func(h *harness) {
		h.create(anna+" with office_hours", bert)
		got := h.commit(tuples.Commit{Mutations: append(h.mutations(tuples.OpTouch, anna), h.mutations(tuples.OpDelete, bert)...)})
		equal(h, "created", h.undo(got.Revision).Created, 1)
		h.wantTuples(anna, bert)
	}},
	{"a dry run counts and writes nothing", func(h *harness) {
		h.create(press...)
		erased := h.erase("folder:press", "#parent").Revision
		h.create("folder:press#owner@user:anna")
		got := h.commit(tuples.Commit{Undo: &tuples.Undo{Revision: erased}, DryRun: true})
		equal(h, "created and skipped", [2]int{got.Created, got.Skipped}, [2]int{len(press) - 1, 1})
		equal(h, "revision", got.Revision, erased+1)
		h.wantTuples("folder:press#owner@user:anna")
	}},
	{"the same request again returns the first outcome", func(h *harness) {
		h.create(press...)
		erased := h.erase("folder:press", "#parent").Revision
		h.create("folder:press#owner@user:anna")
		c := tuples.Commit{Undo: &tuples.Undo{Revision: erased}, RequestID: "r1"}
		h.commit(c)
		again := h.commit(c)
		equal(h, "replayed", again.Replayed, true)
		equal(h, "created and skipped", [2]int{again.Created, again.Skipped}, [2]int{len(press) - 1, 1})
	}},
	{"a change that left the history cannot be undone", func(h *harness) {
		h.create(press...)
		erased := h.erase("folder:press", "#parent").Revision
		h.wall.add(Retention + time.Minute)
		h.create(anna)
		h.collect()
		for _, dry := range []bool{true, false} {
			_, err := h.store.Commit(h.ctx, tuples.Commit{Undo: &tuples.Undo{Revision: erased}, DryRun: dry})
			h.wantError(err, tuples.ErrRevisionUnavailable)
		}
		h.wantTuples(anna)
	}},
	{"a revision that is no change is refused", func(h *harness) {
		h.create(anna)
		_, err := h.store.Commit(h.ctx, tuples.Commit{Undo: &tuples.Undo{}})
		h.wantInvalid(err, "revision")
		_, err = h.store.Commit(h.ctx, tuples.Commit{Undo: &tuples.Undo{Revision: 2}})
		h.wantError(err, tuples.ErrRevisionAhead)
		_, err = h.store.Commit(h.ctx, tuples.Commit{Undo: &tuples.Undo{Revision: 1}, NewModel: &tuples.NewModel{ID: "m1"}})
		h.wantInvalid(err, "beside something else")
	}},
}

var dryRunRules = []rule{
	{"a dry run of a write says what it would do", func(h *harness) {
		before := h.create(anna, bert).Revision
		c := tuples.Commit{DryRun: true, RequestID: "r1", Mutations: append(h.mutations(tuples.OpTouch, anna, design, bert+" with office_hours"), h.mutations(tuples.OpDelete, "media:note#viewer@user:anna", public)...)}
		got := h.commit(c)
		equal(h, "created, updated, deleted, same", [4]int{got.Created, got.Updated, got.Deleted, got.Same}, [4]int{1, 1, 0, 3})
		equal(h, "revision", got.Revision, before)
		equal(h, "head", h.store.Head(), before)
		h.wantTuples(anna, bert)
		c.DryRun = false
		equal(h, "replayed", h.commit(c).Replayed, false)
	}},
	{"a dry run fails as the write would", func(h *harness) {
		h.create(anna)
		_, err := h.store.Commit(h.ctx, tuples.Commit{DryRun: true, Mutations: h.mutations(tuples.OpCreate, "media:new#viewer@user:new", anna)})
		var exists *tuples.ExistsError
		if !errors.As(err, &exists) || exists.Index != 1 {
			h.Fatalf("got error %v, want the tuple of updates[1] to exist", err)
		}
		_, err = h.store.Commit(h.ctx, tuples.Commit{DryRun: true, Mutations: h.mutations(tuples.OpTouch, anna), InForce: "m1"})
		h.wantError(err, tuples.ErrConflict)
		equal(h, "symbol of a name of the dry run", h.store.Symbols().Lookup("new"), 0)
	}},
	{"a dry run of a delete by filter counts", func(h *harness) {
		h.create(anna, bert, design)
		got := h.commit(tuples.Commit{DryRun: true, Delete: &tuples.DeleteMatching{Filter: filter("media:logo"), Limit: 2, Partial: true}})
		equal(h, "deleted", got.Deleted, 2)
		equal(h, "more", got.More, true)
		h.wantTuples(anna, bert, design)
	}},
}

func (h *harness) undo(revision tuples.Revision) tuples.Committed {
	h.Helper()
	return h.commit(tuples.Commit{Undo: &tuples.Undo{Revision: revision}})
}
