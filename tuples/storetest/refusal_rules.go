package storetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/usher-authz/usher/tuples"
)

var refusalRules = []rule{
	{"a commit that fails stores nothing", func(h *harness) {
		h.create(bert)
		for _, c := range []tuples.Commit{
			{Mutations: h.mutations(tuples.OpCreate, anna, "media:new#owner@user:new", bert)},
			{Mutations: append(h.mutations(tuples.OpTouch, anna), tuples.Mutation{Op: tuples.OpTouch})},
			{Mutations: h.mutations(tuples.OpTouch, anna), InForce: "other"},
			{Mutations: h.mutations(tuples.OpTouch, anna), Preconditions: []tuples.Precondition{{Filter: filter("media:none"), MustMatch: true}}},
		} {
			if _, err := h.store.Commit(h.ctx, c); err == nil {
				h.Fatalf("%+v was accepted", c)
			}
		}
		h.wantTuples(bert)
		equal(h, "symbol of a refused type name", h.store.Symbols().Lookup("new"), 0)
		equal(h, "head", h.store.Head(), 1)
	}},
	{"two updates of one tuple are refused and both are named", func(h *harness) {
		h.create(bert)
		for _, ms := range [][]tuples.Mutation{
			h.mutations(tuples.OpCreate, anna, design, anna),
			h.mutations(tuples.OpDelete, bert, design, bert),
			h.mutations(tuples.OpDelete, anna, design, anna),
			slices.Concat(h.mutations(tuples.OpDelete, anna, design), h.mutations(tuples.OpCreate, anna)),
			slices.Concat(h.mutations(tuples.OpTouch, bert, design), h.mutations(tuples.OpDelete, bert)),
		} {
			_, err := h.store.Commit(h.ctx, tuples.Commit{Mutations: ms})
			h.wantInvalid(err, "updates[2].tuple")
			h.wantInvalid(err, "is the tuple of updates[0] too")
		}
	}},
	{"what no tuple can be is refused by field", func(h *harness) {
		wild := tuples.Mutation{Op: tuples.OpTouch, Tuple: h.tuple(anna)}
		wild.Tuple.Object.ID = tuples.Wildcard
		nameless := tuples.Mutation{Op: tuples.OpDelete, Tuple: h.tuple(anna)}
		nameless.Tuple.Subject.ID = ""
		unspoken := tuples.Mutation{Op: tuples.OpCreate, Tuple: h.tuple(anna)}
		unspoken.Tuple.Condition = &tuples.Condition{Name: "c", Context: tuples.Context{"f": func() {}}}
		for says, m := range map[string]tuples.Mutation{
			"updates[0].tuple.object.id":         wild,
			"updates[0].tuple.subject.id":        nameless,
			"updates[0].tuple.op":                {Op: 9, Tuple: h.tuple(anna)},
			"updates[0].tuple.condition.context": unspoken,
		} {
			_, err := h.store.Commit(h.ctx, tuples.Commit{Mutations: []tuples.Mutation{m}})
			h.wantInvalid(err, says)
		}
	}},
	{"a filter, a limit or a model id that is none is refused", func(h *harness) {
		bad := tuples.Filter{ObjectID: "logo"}
		for says, c := range map[string]tuples.Commit{
			"p.object_id":      {Preconditions: []tuples.Precondition{{Field: "p", Filter: bad}}},
			"filter.object_id": {Delete: &tuples.DeleteMatching{Filter: bad, Limit: 1}},
			"limit":            {Delete: &tuples.DeleteMatching{}},
			"model.id":         {NewModel: &tuples.NewModel{}},
		} {
			_, err := h.store.Commit(h.ctx, c)
			h.wantInvalid(err, says)
		}
	}},
	{"a model in force other than the one validated against is a conflict", func(h *harness) {
		c := tuples.Commit{Mutations: h.mutations(tuples.OpTouch, anna), InForce: "m1"}
		_, err := h.store.Commit(h.ctx, c)
		h.wantError(err, tuples.ErrConflict)
		h.putModel("m1")
		h.commit(c)
		h.putModel("m2")
		_, err = h.store.Commit(h.ctx, c)
		h.wantError(err, tuples.ErrConflict)
	}},
	{"a read set holds until one of its lists changes", func(h *harness) {
		read := h.create(anna).Revision
		h.create("media:logo#owner@user:carl", "media:note#viewer@user:anna")
		list := func(text string) []tuples.Userset {
			u, err := tuples.ParseUserset(text)
			h.must(err)
			return []tuples.Userset{u}
		}
		guarded := tuples.Commit{
			Mutations: h.mutations(tuples.OpTouch, "media:x#viewer@user:x"),
			ReadSet:   &tuples.ReadSet{Revision: read, Lists: append(list("media:logo#viewer"), list("media:never#seen")...)},
		}
		h.commit(guarded)
		h.delete(anna)
		guarded.Mutations = h.mutations(tuples.OpTouch, "media:y#viewer@user:y")
		_, err := h.store.Commit(h.ctx, guarded)
		h.wantError(err, tuples.ErrConflict)
		guarded.ReadSet.Revision = h.store.Head()
		h.commit(guarded)
		guarded.ReadSet.Revision = h.store.Head() + 1
		_, err = h.store.Commit(h.ctx, guarded)
		h.wantError(err, tuples.ErrConflict)
	}},
	{"a read set ends when a tuple in it expires", func(h *harness) {
		until := h.store.Now().Add(time.Minute)
		h.create(anna + " expires " + until.Format(time.RFC3339))
		guarded := tuples.Commit{
			Mutations: h.mutations(tuples.OpTouch, bert),
			ReadSet:   &tuples.ReadSet{Revision: h.store.Head(), Lists: []tuples.Userset{{Object: h.tuple(anna).Object, Relation: "owner"}}, ValidUntil: until},
		}
		h.commit(guarded)
		h.wall.add(time.Minute)
		_, err := h.store.Commit(h.ctx, guarded)
		h.wantError(err, tuples.ErrConflict)
	}},
	{"the collection of what had expired already is no change of a read set", func(h *harness) {
		h.create(anna+" expires 2026-03-14T09:30:00Z", design)
		h.wall.add(time.Hour)
		read := h.store.Head()
		h.collect()
		h.commit(tuples.Commit{
			Mutations: h.mutations(tuples.OpTouch, bert),
			ReadSet:   &tuples.ReadSet{Revision: read, Lists: []tuples.Userset{{Object: h.tuple(anna).Object, Relation: "viewer"}}},
		})
	}},
	{"a precondition asks for a tuple, or for none, before the commit", func(h *harness) {
		h.create(anna)
		for _, f := range []tuples.Filter{{}, filter("media:logo"), {ObjectType: "media"}, {Relation: "viewer"}, {SubjectType: "user"}, {SubjectType: "user", SubjectID: "anna"}} {
			h.wantGuard(f, true, true)
			h.wantGuard(f, false, false)
		}
		for _, f := range []tuples.Filter{filter("media:none"), {ObjectType: "nothing"}, {SubjectType: "user", SubjectID: "bert"}, {ObjectType: "media", Relation: "owner"}} {
			h.wantGuard(f, true, false)
			h.wantGuard(f, false, true)
		}
	}},
	{"the parts of a commit are checked in order", func(h *harness) {
		h.create(anna)
		c := tuples.Commit{
			RequestID: "r", InForce: "other",
			ReadSet:       &tuples.ReadSet{Revision: 99},
			Preconditions: []tuples.Precondition{{Field: "p", MustMatch: false}},
			Mutations:     h.mutations(tuples.OpCreate, anna),
		}
		_, err := h.store.Commit(h.ctx, c)
		if !errors.Is(err, tuples.ErrConflict) || !strings.Contains(err.Error(), "other") {
			h.Fatalf("got %v, want a conflict with the model", err)
		}
		c.InForce = ""
		_, err = h.store.Commit(h.ctx, c)
		h.wantError(err, tuples.ErrConflict)
		c.ReadSet = nil
		_, err = h.store.Commit(h.ctx, c)
		var failed *tuples.PreconditionError
		if !errors.As(err, &failed) || failed.Field != "p" {
			h.Fatalf("got %v, want precondition p to fail", err)
		}
		c.Preconditions = nil
		_, err = h.store.Commit(h.ctx, c)
		var exists *tuples.ExistsError
		if !errors.As(err, &exists) {
			h.Fatalf("got %v, want an ExistsError", err)
		}
	}},
	{"a context that has ended writes nothing", func(h *harness) {
		ctx, cancel := context.WithCancel(h.ctx)
		cancel()
		_, err := h.store.Commit(ctx, tuples.Commit{Mutations: h.mutations(tuples.OpCreate, anna)})
		h.wantError(err, context.Canceled)
		h.wantTuples()
	}},
}

// wantGuard commits nothing under a precondition that must hold or must fail.
func (h *harness) wantGuard(f tuples.Filter, mustMatch, holds bool) {
	h.Helper()
	_, err := h.store.Commit(h.ctx, tuples.Commit{Preconditions: []tuples.Precondition{{Field: "preconditions[0]", Filter: f, MustMatch: mustMatch}}})
	var failed *tuples.PreconditionError
	switch {
	case holds:
		h.must(err)
	case !errors.As(err, &failed) || failed.Field != "preconditions[0]" || !strings.Contains(failed.Reason, f.String()):
		h.Fatalf("got %v, want the precondition on %s to fail", err, f)
	}
}

func (h *harness) putModel(id tuples.ModelID, symbols ...string) tuples.Committed {
	h.Helper()
	return h.commit(tuples.Commit{NewModel: &tuples.NewModel{ID: id, Source: []byte("source of " + id), Symbols: symbols}})
}
