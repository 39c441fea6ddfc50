package storetest

import (
	"time"

	"github.com/usher-authz/usher/tuples"
)

// soon is a tuple that expires half an hour after a test begins.
const soon = anna + " expires 2026-03-14T09:30:00Z"

var expiryRules = []rule{
	{"an expired tuple is absent from every answer", func(h *harness) {
		h.create(soon, bert)
		h.wantTuples(soon, bert)
		h.wall.add(30 * time.Minute)
		h.wantTuples(bert)
		s := h.snapshot(tuples.At{})
		defer s.Close()
		key := edgeKey(h, s, h.tuple(soon).Key)
		_, there, err := s.Edge(h.ctx, key)
		h.must(err)
		equal(h, "edge", there, false)
		from, err := s.EdgesFrom(h.ctx, tuples.SubjectsOf{Object: key.Object, Relation: key.Relation, Type: key.Subject.Type()}, 0, make([]tuples.Edge, 0, 9))
		h.must(err)
		equal(h, "edges from", len(from), 1)
		to, err := s.EdgesTo(h.ctx, tuples.ObjectsOf{Subject: key.Subject, Type: key.Object.Type(), Relation: key.Relation}, 0, make([]tuples.Edge, 0, 9))
		h.must(err)
		equal(h, "edges to", len(to), 0)
	}},
	{"it is there until the last millisecond", func(h *harness) {
		h.create(soon)
		h.wall.add(30*time.Minute - time.Millisecond)
		h.wantTuples(soon)
	}},
	{"a tuple created past its expiry is stored and absent", func(h *harness) {
		h.wall.add(time.Hour)
		equal(h, "created", h.create(soon).Created, 1)
		h.wantTuples()
	}},
	{"create and touch take an expired tuple for absent", func(h *harness) {
		for _, op := range []tuples.Op{tuples.OpCreate, tuples.OpTouch} {
			h.touch(soon)
			h.wall.add(31 * time.Minute)
			got := h.commit(tuples.Commit{Mutations: h.mutations(op, anna)})
			equal(h, "created", got.Created, 1)
			h.wantTuples(anna)
			changes := h.changesUpTo(got.Revision)
			equal(h, "cause of the change before", changes[len(changes)-2].Cause, tuples.CauseExpired)
			equal(h, "operation in the log", changes[len(changes)-1].Mutations[0].Op, tuples.OpCreate)
			h.delete(anna)
			h.wall.add(-31 * time.Minute)
		}
	}},
	{"delete takes an expired tuple for absent", func(h *harness) {
		h.create(soon)
		h.wall.add(time.Hour)
		equal(h, "same", h.delete(anna).Same, 1)
		equal(h, "deleted by filter", h.commit(tuples.Commit{Delete: &tuples.DeleteMatching{Limit: 9}}).Deleted, 0)
	}},
	{"so do preconditions", func(h *harness) {
		h.create(soon)
		h.wall.add(time.Hour)
		h.wantGuard(filter("media:logo"), false, true)
		h.wantGuard(tuples.Filter{SubjectType: "user", SubjectID: "anna"}, true, false)
	}},
	{"collection is a change with cause expired", func(h *harness) {
		before := h.create(soon, bert).Revision
		h.collect()
		equal(h, "head before the expiry", h.store.Head(), before)
		h.wall.add(45 * time.Minute)
		h.collect()
		changes := h.changesUpTo(h.store.Head())
		last := changes[len(changes)-1]
		equal(h, "cause", last.Cause, tuples.CauseExpired)
		equal(h, "mutations", len(last.Mutations), 1)
		equal(h, "what expired", last.Mutations[0].Tuple.String(), h.tuple(soon).String())
		equal(h, "operation", last.Mutations[0].Op, tuples.OpDelete)
		h.wantTuples(bert)
	}},
	{"a read at a time before sees it, collected or not", func(h *harness) {
		h.create(soon)
		then := h.store.Now()
		h.wall.add(40 * time.Minute)
		for range 2 {
			s := h.snapshot(tuples.At{Time: then})
			h.wantIn(s, soon)
			s.Close()
			h.collect()
		}
	}},
	{"a new expiry replaces the old one", func(h *harness) {
		h.create(soon)
		later := anna + " expires 2026-03-14T11:00:00Z"
		equal(h, "updated", h.touch(later).Updated, 1)
		h.wall.add(time.Hour)
		h.collect()
		h.wantTuples(later)
		h.touch(anna)
		h.wall.add(2 * time.Hour)
		h.collect()
		h.wantTuples(anna)
	}},
}
