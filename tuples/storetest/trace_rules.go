package storetest

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"time"

	"github.com/usher-authz/usher/tuples"
	"pgregory.net/rapid"
)

var traceRules = []rule{
	{"the last change of tuples is that of any of them", func(h *harness) {
		made := h.create(anna, bert).Revision
		other := h.create("media:note#viewer@user:anna").Revision
		replaced := h.touch(bert + " with office_hours").Revision
		removed := h.delete(anna).Revision
		again := h.create(anna).Revision
		head := h.create("folder:press#viewer@user:anna").Revision
		for _, c := range []struct {
			at      tuples.Revision
			filters []tuples.Filter
			want    tuples.Revision
		}{
			{made, h.filters(anna), made},
			{replaced, h.filters(anna), made},
			{removed, h.filters(anna), removed},
			{head, h.filters(anna), again},
			{removed, h.filters(bert), replaced},
			{head, h.filters(bert), replaced},
			{removed, h.filters(anna, bert), removed},
			{other, []tuples.Filter{{SubjectType: "user", SubjectID: "anna"}}, other},
			{head, []tuples.Filter{filter("media:logo")}, again},
			{head, []tuples.Filter{{}}, head},
			{head, []tuples.Filter{{ObjectType: "film"}, {SubjectType: "user", SubjectID: "nobody"}}, 0},
			{head, nil, 0},
		} {
			got := h.lastChange(tuples.At{Revision: c.at}, c.filters...)
			if got.Revision != c.want || got.Expired != nil {
				h.Fatalf("last change of %v at %d: got %+v, want %d", c.filters, c.at, got, c.want)
			}
		}
	}},
	{"what expired is told apart from what was changed", func(h *harness) {
		made := h.create(soon, "media:logo#viewer@user:carl expires 2026-03-14T09:20:00Z").Revision
		h.wall.add(time.Hour)
		uncollected := h.lastChange(tuples.At{}, filter("media:logo"))
		equal(h, "revision", uncollected.Revision, made)
		equal(h, "what expired last", uncollected.Expired.String(), h.tuple(soon).String())
		early := h.lastChange(tuples.At{Time: h.tuple(soon).Expires.Add(-time.Millisecond)}, filter("media:logo"))
		equal(h, "what had expired before", early.Expired.Subject.ID, "carl")
		h.collect()
		collected := h.lastChange(tuples.At{}, filter("media:logo"))
		equal(h, "revision of the collection", collected.Revision, h.store.Head())
		if collected.Expired != nil {
			h.Fatalf("%s is told to have expired after it was collected", collected.Expired)
		}
		before := h.lastChange(tuples.At{Revision: collected.Revision - 1}, filter("media:logo"))
		equal(h, "what expired last, before the collection", before.Expired.String(), h.tuple(soon).String())
	}},
	{"of a change before the history that is kept only its own tuple tells", func(h *harness) {
		h.create(bert)
		made := h.create(anna).Revision
		h.delete(bert)
		h.wall.add(2 * Retention)
		h.create(public)
		h.collect()
		equal(h, "revision that made a tuple", h.lastChange(tuples.At{}, h.filters(anna)...).Revision, made)
		equal(h, "revision that removed one", h.lastChange(tuples.At{}, h.filters(bert)...).Revision, 0)
	}},
	{"the last change of what is no filter is refused", func(h *harness) {
		s := h.snapshot(tuples.At{})
		defer s.Close()
		_, err := s.LastChange(h.ctx, []tuples.Filter{{SubjectID: "anna"}})
		h.wantInvalid(err, "subject_id")
	}},
	{"one change is read without its mutations", func(h *harness) {
		h.create(anna)
		origin := tuples.Origin{Caller: "portal", Actor: &tuples.Subject{Type: "user", ID: "bert"}, Metadata: map[string]string{"message": "have a look"}}
		got := h.commit(tuples.Commit{Mutations: h.mutations(tuples.OpCreate, bert, design), Origin: origin})
		change, err := h.store.ChangeAt(h.ctx, got.Revision)
		h.must(err)
		want := tuples.Change{Revision: got.Revision, Time: got.Time, Origin: origin, Cause: tuples.CauseWrite}
		if !reflect.DeepEqual(change, want) {
			h.Fatalf("got %+v, want %+v", change, want)
		}
		model := h.putModel("m1")
		change, err = h.store.ChangeAt(h.ctx, model.Revision)
		h.must(err)
		equal(h, "model", change.Model, "m1")
	}},
	{"a change that is not kept, or yet to come, is an error", func(h *harness) {
		first := h.create(anna).Revision
		h.wall.add(2 * Retention)
		h.delete(anna)
		h.wall.add(2 * Retention)
		last := h.create(anna).Revision
		h.collect()
		for _, gone := range []tuples.Revision{0, first} {
			_, err := h.store.ChangeAt(h.ctx, gone)
			h.wantError(err, tuples.ErrRevisionUnavailable)
		}
		_, err := h.store.ChangeAt(h.ctx, last+1)
		h.wantError(err, tuples.ErrRevisionAhead)
	}},
	{"tracing fails with the context's error", func(h *harness) {
		revision := h.create(anna).Revision
		s := h.snapshot(tuples.At{})
		defer s.Close()
		ctx, cancel := context.WithCancel(h.ctx)
		cancel()
		_, err := s.LastChange(ctx, h.filters(anna))
		h.wantError(err, context.Canceled)
		_, err = h.store.ChangeAt(ctx, revision)
		h.wantError(err, context.Canceled)
	}},
}

// filters makes one filter of each tuple's key.
func (h *harness) filters(texts ...string) []tuples.Filter {
	h.Helper()
	var all []tuples.Filter
	for _, text := range texts {
		all = append(all, h.tuple(text).Filter())
	}
	return all
}

// lastChange asks a state that must be there.
func (h *harness) lastChange(at tuples.At, filters ...tuples.Filter) tuples.LastChange {
	h.Helper()
	s := h.snapshot(at)
	defer s.Close()
	got, err := s.LastChange(h.ctx, filters)
	h.must(err)
	return got
}

// compareLastChange asks a snapshot for the last change of what random filters match.
func (m *machine) compareLastChange(t *rapid.T, s tuples.Snapshot) {
	filters := []tuples.Filter{drawFilter(t, s.Time()), drawKey(t).Filter()}
	got, err := s.LastChange(m.h.ctx, filters)
	if errors.Is(err, tuples.ErrRevisionUnavailable) && s.Revision() < m.gone {
		return
	}
	m.h.must(err)
	matches := func(k tuples.Key) bool {
		return slices.ContainsFunc(filters, func(f tuples.Filter) bool { return f.Matches(k) })
	}
	var revision tuples.Revision
	for _, state := range m.ref.states {
		touches := slices.ContainsFunc(state.change.Mutations, func(mutation tuples.Mutation) bool { return matches(mutation.Tuple.Key) })
		if touches && state.revision <= s.Revision() {
			revision = state.revision
		}
	}
	if got.Revision != revision && (revision > m.gone || got.Revision > revision) {
		t.Fatalf("last change of %v at %d: got %d, want %d", filters, s.Revision(), got.Revision, revision)
	}
	var expired time.Time
	for key, grant := range m.ref.at(s.Revision()).live {
		if matches(key) && grant.ExpiredAt(s.Time()) && grant.Expires.After(expired) {
			expired = grant.Expires
		}
	}
	if got.Expired == nil != expired.IsZero() || got.Expired != nil && !got.Expired.Expires.Equal(expired) {
		t.Fatalf("last expiry of %v at %d: got %v, want %s", filters, s.Revision(), got.Expired, expired)
	}
}
