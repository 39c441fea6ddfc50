package storetest

import (
	"context"
	"time"

	"github.com/usher-authz/usher/tuples"
)

var snapshotRules = []rule{
	{"the zero At is the head now", func(h *harness) {
		got := h.create(anna)
		s := h.snapshot(tuples.At{})
		defer s.Close()
		equal(h, "revision", s.Revision(), got.Revision)
		equal(h, "time", s.Time(), h.store.Now())
	}},
	{"an empty store can be read", func(h *harness) { h.wantTuples() }},
	{"a revision is read as it was", func(h *harness) {
		first := h.create(anna, bert).Revision
		second := h.touch(anna + " with office_hours").Revision
		third := h.delete(anna, bert).Revision
		fourth := h.create(bert).Revision
		for revision, want := range map[tuples.Revision][]string{
			first:  {anna, bert},
			second: {anna + " with office_hours", bert},
			third:  {},
			fourth: {bert},
		} {
			s := h.snapshot(tuples.At{Revision: revision})
			h.wantIn(s, want...)
			h.wantRead(s, tuples.Filter{SubjectType: "user"}, want...)
			s.Close()
		}
	}},
	{"a time is read as it was then", func(h *harness) {
		h.create(anna)
		then := h.store.Now()
		h.wall.add(time.Minute)
		h.create(bert)
		for at, want := range map[time.Time][]string{
			then.Add(-time.Minute): {},
			then:                   {anna},
			then.Add(time.Second):  {anna},
			h.store.Now():          {anna, bert},
		} {
			s := h.snapshot(tuples.At{Time: at})
			h.wantIn(s, want...)
			equal(h, "time", s.Time().UnixMilli(), at.UnixMilli())
			s.Close()
		}
	}},
	{"a read at a time is the same for ever", func(h *harness) {
		h.create(anna)
		now := h.store.Now()
		s := h.snapshot(tuples.At{Time: now})
		h.create(bert) // while the wall clock stands still
		again := h.snapshot(tuples.At{Time: now})
		equal(h, "revision", again.Revision(), s.Revision())
	}},
	{"a revision and a time together", func(h *harness) {
		first := h.create(soon).Revision
		h.delete(anna)
		h.wall.add(time.Hour)
		s := h.snapshot(tuples.At{Revision: first, Time: h.store.Now().Add(-45 * time.Minute)})
		defer s.Close()
		h.wantIn(s, soon)
		late := h.snapshot(tuples.At{Revision: first})
		defer late.Close()
		h.wantIn(late)
	}},
	{"a revision or time to come is ahead", func(h *harness) {
		head := h.create(anna).Revision
		_, err := h.store.Snapshot(h.ctx, tuples.At{Revision: head + 1})
		h.wantError(err, tuples.ErrRevisionAhead)
		_, err = h.store.Snapshot(h.ctx, tuples.At{Time: h.store.Now().Add(time.Second)})
		h.wantError(err, tuples.ErrRevisionAhead)
	}},
	{"a snapshot does not see later writes", func(h *harness) {
		h.create(anna, design)
		s := h.snapshot(tuples.At{})
		defer s.Close()
		h.touch(anna + " with office_hours")
		h.delete(design)
		h.create(bert)
		h.wantIn(s, anna, design)
	}},
	{"what was acknowledged is in the next snapshot", func(h *harness) {
		for _, text := range []string{anna, bert, design} {
			h.create(text)
			s := h.snapshot(tuples.At{})
			_, there, err := s.Edge(h.ctx, edgeKey(h, s, h.tuple(text).Key))
			h.must(err)
			equal(h, text, there, true)
			s.Close()
		}
	}},
	{"history goes when the retention is over", func(h *harness) {
		first := h.create(anna).Revision
		second := h.touch(anna + " with office_hours").Revision
		h.wall.add(Retention / 2)
		third := h.delete(anna).Revision
		then := h.store.Now()
		held := h.snapshot(tuples.At{Revision: first})
		defer held.Close()
		h.wall.add(Retention/2 + time.Minute)
		h.collect()
		_, err := h.store.Snapshot(h.ctx, tuples.At{Revision: first})
		h.wantError(err, tuples.ErrRevisionUnavailable)
		_, err = h.store.Snapshot(h.ctx, tuples.At{Time: then.Add(-Retention)})
		h.wantError(err, tuples.ErrRevisionUnavailable)
		_, err = readAll(h, held, tuples.Filter{}, 10)
		h.wantError(err, tuples.ErrRevisionUnavailable)
		// The second one was in force until half a retention ago.
		s := h.snapshot(tuples.At{Revision: second})
		defer s.Close()
		h.wantIn(s, anna+" with office_hours")
		h.wall.add(Retention)
		h.collect()
		equal(h, "history left", h.verify().History, 0)
		head := h.snapshot(tuples.At{Revision: third})
		defer head.Close()
		h.wantIn(head)
	}},
	{"a closed snapshot says so", func(h *harness) {
		s := h.snapshot(tuples.At{})
		s.Close()
		s.Close()
		if _, _, err := s.Edge(h.ctx, tuples.EdgeKey{}); err == nil {
			h.Fatalf("a closed snapshot answers")
		}
	}},
	{"every method fails with the context's error", func(h *harness) {
		h.create(anna)
		s := h.snapshot(tuples.At{})
		defer s.Close()
		ctx, cancel := context.WithCancel(h.ctx)
		cancel()
		_, _, edge := s.Edge(ctx, tuples.EdgeKey{})
		_, from := s.EdgesFrom(ctx, tuples.SubjectsOf{}, 0, make([]tuples.Edge, 0, 1))
		_, to := s.EdgesTo(ctx, tuples.ObjectsOf{}, 0, make([]tuples.Edge, 0, 1))
		_, _, _, read := s.Read(ctx, tuples.Filter{}, nil, make([]tuples.Tuple, 0, 1))
		nodes := s.Nodes(ctx, make([]tuples.Object, 1), make([]tuples.Node, 1))
		objects := s.Objects(ctx, make([]tuples.Node, 1), make([]tuples.Object, 1))
		names := s.EachName(ctx, func(tuples.Node, tuples.Object) error { return nil })
		edges := s.EachEdge(ctx, func(tuples.EdgeKey, *tuples.Grant) error { return nil })
		for _, err := range []error{edge, from, to, read, nodes, objects, names, edges} {
			h.wantError(err, context.Canceled)
		}
	}},
}
