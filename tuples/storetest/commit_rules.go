package storetest

import (
	"errors"
	"slices"
	"strings"

	"github.com/usher-authz/usher/tuples"
)

// Tuples that many rules use.
const (
	anna   = "media:logo#viewer@user:anna"
	bert   = "media:logo#viewer@user:bert"
	design = "media:logo#viewer@group:design#member"
	public = "media:logo#viewer@user:*"
)

var commitRules = []rule{
	{"create adds tuples at one revision", func(h *harness) {
		got := h.create(anna, bert)
		equal(h, "created", got.Created, 2)
		equal(h, "head", h.store.Head(), got.Revision)
		h.wantTuples(anna, bert)
	}},
	{"create fails where there is a tuple and names it", func(h *harness) {
		h.create(bert)
		_, err := h.store.Commit(h.ctx, tuples.Commit{Mutations: h.mutations(tuples.OpCreate, anna, bert)})
		var exists *tuples.ExistsError
		if !errors.As(err, &exists) || exists.Index != 1 || exists.Key.String() != bert {
			h.Fatalf("got error %v, want the tuple of updates[1] to exist", err)
		}
		h.wantTuples(bert)
	}},
	{"touch adds or replaces", func(h *harness) {
		limited := anna + ` with office_hours {"from":9} expires 2027-01-01T00:00:00Z attributes {"size":2048}`
		equal(h, "created", h.touch(anna).Created, 1)
		equal(h, "updated", h.touch(limited).Updated, 1)
		h.wantTuples(limited)
	}},
	{"a touch of the same grant changes nothing", func(h *harness) {
		first := h.touch(anna + ` with office_hours {"from":9,"to":17}`)
		again := h.touch(anna + ` with office_hours {"to":17,"from":9}`)
		equal(h, "same", again.Same, 1)
		equal(h, "revision", again.Revision, first.Revision)
		equal(h, "head", h.store.Head(), first.Revision)
	}},
	{"delete removes and an absent tuple is the same", func(h *harness) {
		h.create(anna, bert)
		got := h.delete(anna, "media:unknown#viewer@user:nobody")
		equal(h, "deleted", got.Deleted, 1)
		equal(h, "same", got.Same, 1)
		h.wantTuples(bert)
	}},
	{"create, touch and delete go in one commit", func(h *harness) {
		h.create(anna)
		ms := slices.Concat(h.mutations(tuples.OpDelete, anna), h.mutations(tuples.OpCreate, bert), h.mutations(tuples.OpTouch, design))
		got := h.commit(tuples.Commit{Mutations: ms})
		equal(h, "created", got.Created, 2)
		equal(h, "deleted", got.Deleted, 1)
		h.wantTuples(bert, design)
	}},
	{"a user, a userset, the wildcard and other relations are different tuples", func(h *harness) {
		all := []string{anna, public, design, "media:logo#viewer@group:design", "media:logo#owner@user:anna", "folder:logo#viewer@user:anna"}
		equal(h, "created", h.create(all...).Created, len(all))
		h.wantTuples(all...)
	}},
	{"every part of a grant is kept", func(h *harness) {
		full := anna + ` with office_hours {"days":["mo"],"strict":true,"until":17.5,"zone":{"name":"CET"}} expires 2026-12-31T23:59:59.999Z` +
			` attributes {"max":-9007199254740993,"original":true,"quality":0.5,"note":"für Anna"}`
		h.create(full)
		h.wantTuples(full)
		h.reopen()
		h.wantTuples(full)
	}},
	{"an empty commit takes no revision", func(h *harness) {
		before := h.create(anna).Revision
		equal(h, "revision", h.commit(tuples.Commit{}).Revision, before)
	}},
	{"revisions increase and times do not go back", func(h *harness) {
		first := h.create(anna)
		h.wall.add(-1e9)
		second := h.create(bert)
		if second.Revision <= first.Revision || second.Time.Before(first.Time) {
			h.Fatalf("%d at %s follows %d at %s", second.Revision, second.Time, first.Revision, first.Time)
		}
	}},
	{"delete by filter removes what it selects", func(h *harness) {
		h.create(anna, bert, design, "media:note#viewer@user:anna")
		got := h.commit(tuples.Commit{Delete: &tuples.DeleteMatching{Filter: filter("media:logo"), Limit: 3}})
		equal(h, "deleted", got.Deleted, 3)
		equal(h, "more", got.More, false)
		h.wantTuples("media:note#viewer@user:anna")
	}},
	{"delete by filter refuses to go over its limit", func(h *harness) {
		h.create(anna, bert, design)
		_, err := h.store.Commit(h.ctx, tuples.Commit{Delete: &tuples.DeleteMatching{Filter: filter("media:logo"), Limit: 2}})
		h.wantInvalid(err, "selects more than 2 tuples")
		h.wantTuples(anna, bert, design)
	}},
	{"a partial delete stops at its limit and says so", func(h *harness) {
		h.create(anna, bert, design)
		c := tuples.Commit{Delete: &tuples.DeleteMatching{Filter: filter("media:logo"), Limit: 2, Partial: true}}
		got := h.commit(c)
		equal(h, "deleted", got.Deleted, 2)
		equal(h, "more", got.More, true)
		equal(h, "more at the end", h.commit(c).More, false)
		h.wantTuples()
	}},
	{"delete by filter takes grants along", func(h *harness) {
		h.create(anna+" expires 2027-01-01T00:00:00Z", bert+" with office_hours")
		got := h.commit(tuples.Commit{Delete: &tuples.DeleteMatching{Filter: tuples.Filter{SubjectType: "user", SubjectID: "anna"}, Limit: 10}})
		equal(h, "deleted", got.Deleted, 1)
		h.wantTuples(bert + " with office_hours")
	}},
	{"a tuple that a mutation names is left to it", func(h *harness) {
		h.create(anna, bert)
		got := h.commit(tuples.Commit{
			Mutations: h.mutations(tuples.OpTouch, anna, design),
			Delete:    &tuples.DeleteMatching{Filter: filter("media:logo"), Limit: 10},
		})
		equal(h, "created, deleted, same", [3]int{got.Created, got.Deleted, got.Same}, [3]int{1, 1, 1})
		h.wantTuples(anna, design)
	}},
}

// filter selects the tuples of one object.
func filter(object string) tuples.Filter {
	kind, id, _ := strings.Cut(object, ":")
	return tuples.Filter{ObjectType: tuples.ObjectType(kind), ObjectID: tuples.ID(id)}
}

// wantTuples compares what the head holds with texts.
func (h *harness) wantTuples(texts ...string) {
	h.Helper()
	s := h.snapshot(tuples.At{})
	defer s.Close()
	h.wantIn(s, texts...)
}

// wantIn compares what a snapshot shows with texts.
func (h *harness) wantIn(s tuples.Snapshot, texts ...string) {
	h.Helper()
	h.wantRead(s, tuples.Filter{}, texts...)
}

// wantRead compares what a filter selects with texts.
func (h *harness) wantRead(s tuples.Snapshot, f tuples.Filter, texts ...string) {
	h.Helper()
	all, err := readAll(h, s, f, 3)
	h.must(err)
	var got, want []string
	for key, grant := range all {
		got = append(got, tuples.Tuple{Key: key, Grant: grant}.String())
	}
	for _, text := range texts {
		want = append(want, h.tuple(text).String())
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		h.Fatalf("got %q, want %q", got, want)
	}
}

// wantInvalid fails unless err is an InvalidError that says so.
func (h *harness) wantInvalid(err error, says string) {
	h.Helper()
	var invalid *tuples.InvalidError
	if !errors.As(err, &invalid) || !strings.Contains(err.Error(), says) {
		h.Fatalf("got error %v, want an InvalidError that says %q", err, says)
	}
}

// wantError fails unless err is want.
func (h *harness) wantError(err, want error) {
	h.Helper()
	if !errors.Is(err, want) {
		h.Fatalf("got error %v, want %v", err, want)
	}
}
