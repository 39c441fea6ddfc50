package storetest

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/usher-authz/usher/tuples"
)

var changeRules = []rule{
	{"a change says who, why and what", func(h *harness) {
		h.create(anna)
		origin := tuples.Origin{
			Caller: "portal", Actor: &tuples.Subject{Type: "group", ID: "design", Relation: "member"},
			Metadata: map[string]string{"message": "have a look", "ticket": ""},
		}
		c := tuples.Commit{Mutations: h.mutations(tuples.OpTouch, anna+" with office_hours", bert), Origin: origin}
		got := h.commit(c)
		changes := h.changesUpTo(h.store.Head())
		last := changes[len(changes)-1]
		if !reflect.DeepEqual(last.Origin, origin) {
			h.Fatalf("got origin %+v, want %+v", last.Origin, origin)
		}
		equal(h, "revision", last.Revision, got.Revision)
		equal(h, "time", last.Time, got.Time)
		equal(h, "cause", last.Cause, tuples.CauseWrite)
		ops := map[string]tuples.Op{}
		for _, m := range last.Mutations {
			ops[m.Tuple.String()] = m.Op
		}
		equal(h, "replaced", ops[anna+" with office_hours"], tuples.OpTouch)
		equal(h, "added", ops[bert], tuples.OpCreate)
	}},
	{"a delete carries the grant that it removed", func(h *harness) {
		text := anna + ` attributes {"size":1}`
		h.create(text)
		h.delete(anna)
		changes := h.changesUpTo(h.store.Head())
		equal(h, "removed", changes[1].Mutations[0].Tuple.String(), text)
	}},
	{"a model is a change", func(h *harness) {
		h.putModel("m1")
		last := h.changesUpTo(h.store.Head())[0]
		equal(h, "model", last.Model, "m1")
		equal(h, "cause", last.Cause, tuples.CauseModel)
	}},
	{"changes come in pages", func(h *harness) {
		for i := range 7 {
			h.create(fmt.Sprintf("media:m%d#viewer@user:anna", i))
		}
		equal(h, "changes in all", len(h.changes(0)), 7)
		var after tuples.Revision
		for _, want := range []int{3, 3, 1, 0} {
			page, err := h.store.Changes(h.ctx, tuples.LogPosition{Revision: after}, 3)
			h.must(err)
			equal(h, "changes", len(page), want)
			for _, c := range page {
				equal(h, "revision", c.Revision, after+1)
				after = c.Revision
			}
		}
	}},
	{"revisions to come are ahead", func(h *harness) {
		_, err := h.store.Changes(h.ctx, tuples.LogPosition{Revision: 1}, 1)
		h.wantError(err, tuples.ErrRevisionAhead)
	}},
	{"the log goes back as far as the history", func(h *harness) {
		h.create(anna)
		h.create(bert)
		h.wall.add(Retention + time.Minute)
		kept := h.create(design).Revision
		h.collect()
		_, err := h.store.Changes(h.ctx, tuples.LogPosition{}, 10)
		h.wantError(err, tuples.ErrRevisionUnavailable)
		page, err := h.store.Changes(h.ctx, tuples.LogPosition{Revision: kept - 1}, 10)
		h.must(err)
		equal(h, "changes", len(page), 1)
	}},
	{"a context that has ended is an error", func(h *harness) {
		h.create(anna)
		ctx, cancel := context.WithCancel(h.ctx)
		cancel()
		_, err := h.store.Changes(ctx, tuples.LogPosition{}, 1)
		h.wantError(err, context.Canceled)
	}},
}

var modelRules = []rule{
	{"the model in force is the latest at a revision", func(h *harness) {
		_, err := h.store.ModelAt(h.ctx, h.store.Head())
		h.wantError(err, tuples.ErrModelNotFound)
		first := h.putModel("m1").Revision
		between := h.create(anna).Revision
		second := h.putModel("m2").Revision
		for range 2 {
			for revision, want := range map[tuples.Revision]tuples.ModelID{first: "m1", between: "m1", second: "m2"} {
				got, err := h.store.ModelAt(h.ctx, revision)
				h.must(err)
				equal(h, "id", got.ID, want)
				equal(h, "source", string(got.Source), "source of "+string(want))
			}
			_, err = h.store.ModelAt(h.ctx, 0)
			h.wantError(err, tuples.ErrModelNotFound)
			_, err = h.store.ModelAt(h.ctx, second+1)
			h.wantError(err, tuples.ErrRevisionAhead)
			h.reopen()
		}
	}},
	{"a model is found by id", func(h *harness) {
		put := h.putModel("m1")
		h.putModel("m2")
		got, err := h.store.Model(h.ctx, "m1")
		h.must(err)
		equal(h, "revision", got.Revision, put.Revision)
		equal(h, "created", got.Created, put.Time)
		equal(h, "source", string(got.Source), "source of m1")
		_, err = h.store.Model(h.ctx, "m3")
		h.wantError(err, tuples.ErrModelNotFound)
	}},
	{"models are listed newest first, without source", func(h *harness) {
		for _, id := range []tuples.ModelID{"m1", "m2", "m3"} {
			h.putModel(id)
		}
		page, err := h.store.Models(h.ctx, "", 2)
		h.must(err)
		equal(h, "models", len(page), 2)
		equal(h, "first", page[0].ID, "m3")
		equal(h, "source", len(page[0].Source), 0)
		page, err = h.store.Models(h.ctx, page[1].ID, 2)
		h.must(err)
		equal(h, "models", len(page), 1)
		equal(h, "last", page[0].ID, "m1")
		_, err = h.store.Models(h.ctx, "m9", 2)
		h.wantError(err, tuples.ErrModelNotFound)
	}},
	{"its names are symbols", func(h *harness) {
		h.putModel("m1", "media", "viewer")
		symbol := h.store.Symbols().Lookup("viewer")
		equal(h, "name", h.store.Symbols().Name(symbol), "viewer")
		h.putModel("m2", "viewer", "media", "editor")
		equal(h, "symbols", h.store.Symbols().Len(), 3)
		h.reopen()
		equal(h, "symbol", h.store.Symbols().Lookup("viewer"), symbol)
	}},
	{"an id is used once", func(h *harness) {
		h.putModel("m1")
		_, err := h.store.Commit(h.ctx, tuples.Commit{NewModel: &tuples.NewModel{ID: "m1"}})
		h.wantInvalid(err, "is the id of another version")
	}},
	{"models outlive the history", func(h *harness) {
		h.putModel("m1")
		h.create(anna)
		h.wall.add(2 * Retention)
		h.collect()
		got, err := h.store.Model(h.ctx, "m1")
		h.must(err)
		equal(h, "id", got.ID, "m1")
	}},
}
