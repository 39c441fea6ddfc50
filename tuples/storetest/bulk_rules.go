package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/usher-authz/usher/tuples"
	"pgregory.net/rapid"
)

// bulk applies a bulk commit that must succeed.
func (h *harness) bulk(texts ...string) tuples.Committed {
	h.Helper()
	return h.commit(tuples.Commit{Bulk: true, Mutations: h.mutations(tuples.OpTouch, texts...)})
}

var bulkRules = []rule{
	{"a bulk commit adds and replaces at one revision", func(h *harness) {
		h.create(anna, bert)
		limited := bert + ` with office_hours {"from":9} expires 2027-01-01T00:00:00Z attributes {"size":2048}`
		got := h.bulk(anna, limited, design, public)
		equal(h, "created", got.Created, 2)
		equal(h, "updated", got.Updated, 1)
		equal(h, "same", got.Same, 1)
		equal(h, "revision", h.store.Head(), got.Revision)
		h.wantTuples(anna, limited, design, public)
		h.reopen()
		h.wantTuples(anna, limited, design, public)
	}},
	{"of several mutations of one key in a bulk commit the last counts", func(h *harness) {
		limited := anna + " expires 2027-01-01T00:00:00Z"
		got := h.bulk(anna, bert, limited, bert)
		equal(h, "created", got.Created, 2)
		equal(h, "same", got.Same, 2)
		h.wantTuples(limited, bert)
	}},
	{"a bulk commit again takes no revision and is not logged", func(h *harness) {
		first := h.bulk(anna, bert, design)
		again := h.bulk(design, anna, bert)
		equal(h, "same", again.Same, 3)
		equal(h, "revision", again.Revision, first.Revision)
		changes, err := h.store.Changes(h.ctx, tuples.LogPosition{}, 10)
		h.must(err)
		equal(h, "changes", len(changes), 1)
	}},
	{"a bulk commit of nothing names the head", func(h *harness) {
		head := h.create(anna).Revision
		equal(h, "revision", h.bulk().Revision, head)
	}},
	{"what a bulk commit replaces stays readable", func(h *harness) {
		before := h.create(anna).Revision
		h.bulk(anna+" expires 2027-01-01T00:00:00Z", bert)
		s := h.snapshot(tuples.At{Revision: before})
		defer s.Close()
		h.wantIn(s, anna)
	}},
	{"an expired tuple counts as absent for a bulk commit", func(h *harness) {
		h.create(anna + " expires 2026-03-14T09:01:00Z")
		h.wall.add(2 * time.Minute)
		got := h.bulk(anna)
		equal(h, "created", got.Created, 1)
		h.wantTuples(anna)
	}},
	{"a bulk commit is bound to the model in force", func(h *harness) {
		h.commit(tuples.Commit{NewModel: &tuples.NewModel{ID: "m1"}})
		_, err := h.store.Commit(h.ctx, tuples.Commit{Bulk: true, InForce: "m0", Mutations: h.mutations(tuples.OpTouch, anna)})
		if !errors.Is(err, tuples.ErrConflict) {
			h.Fatalf("got %v, want %v", err, tuples.ErrConflict)
		}
		h.wantTuples()
	}},
	{"a dry run of a bulk commit counts and writes nothing", func(h *harness) {
		head := h.create(anna).Revision
		got := h.commit(tuples.Commit{Bulk: true, DryRun: true, Mutations: h.mutations(tuples.OpTouch, anna, bert, bert)})
		equal(h, "created", got.Created, 1)
		equal(h, "same", got.Same, 2)
		equal(h, "revision", got.Revision, head)
		h.wantTuples(anna)
	}},
	{"what a bulk commit cannot have is refused", func(h *harness) {
		touch := h.mutations(tuples.OpTouch, anna)
		for what, c := range map[string]tuples.Commit{
			"is not an operation of a bulk commit": {Mutations: h.mutations(tuples.OpDelete, anna)},
			"with more than mutations":             {Mutations: touch, NewModel: &tuples.NewModel{ID: "m1"}},
			"are more than the 250000":             {Mutations: slices.Repeat(touch, 250_001)},
			"media:lo go":                          {Mutations: []tuples.Mutation{{Op: tuples.OpTouch, Tuple: tuples.Tuple{Key: tuples.Key{Object: tuples.Object{Type: "media", ID: "media:lo go"}}}}}},
		} {
			c.Bulk = true
			_, err := h.store.Commit(h.ctx, c)
			var invalid *tuples.InvalidError
			if !errors.As(err, &invalid) || !strings.Contains(err.Error(), what) {
				h.Errorf("got %v, want a refusal that says %q", err, what)
			}
		}
		h.wantTuples()
	}},
	{"the change of a large bulk commit comes in parts of one revision", func(h *harness) {
		const n = 25_000
		c := tuples.Commit{Bulk: true, Origin: tuples.Origin{Caller: "importer", Metadata: map[string]string{"file": "a"}}}
		for i := range n {
			c.Mutations = append(c.Mutations, h.mutations(tuples.OpTouch, fmt.Sprintf("media:m%d#viewer@user:u%d", i/7, i%5000))...)
		}
		revision := h.commit(c).Revision
		seen := map[tuples.Key]bool{}
		for after, parts := (tuples.LogPosition{}), 0; len(seen) < n; parts++ {
			changes, err := h.store.Changes(h.ctx, after, 1)
			h.must(err)
			equal(h, "parts read", len(changes), 1)
			part := changes[0]
			equal(h, "revision", part.Revision, revision)
			equal(h, "part", part.Part, parts)
			equal(h, "caller", part.Origin.Caller, "importer")
			for _, m := range part.Mutations {
				equal(h, "operation", m.Op, tuples.OpCreate)
				seen[m.Tuple.Key] = true
			}
			equal(h, "more", part.More, len(seen) < n)
			after = part.Position()
		}
	}},
}

// bulk commits touches, some of them of one key.
func (m *machine) bulk(t *rapid.T) {
	c := tuples.Commit{Bulk: true, DryRun: rapid.IntRange(0, 4).Draw(t, "dry run") == 0}
	now := m.h.store.Now()
	for range rapid.IntRange(0, 12).Draw(t, "mutations") {
		c.Mutations = append(c.Mutations, tuples.Mutation{Op: tuples.OpTouch, Tuple: tuples.Tuple{Key: drawKey(t), Grant: drawGrant(t, now)}})
	}
	m.drawGuard(t, &c)
	m.apply(t, &c)
}

// lastOfEach returns the last mutation of each key, and how many others there are.
func lastOfEach(mutations []tuples.Mutation) (last []tuples.Mutation, others int) {
	named := map[tuples.Key]bool{}
	for _, m := range slices.Backward(mutations) {
		if named[m.Tuple.Key] {
			others++
			continue
		}
		named[m.Tuple.Key] = true
		last = append(last, m)
	}
	return last, others
}
