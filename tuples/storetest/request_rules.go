package storetest

import (
	"fmt"
	"time"

	"github.com/usher-authz/usher/tuples"
)

var requestRules = []rule{
	{"the same request again returns the first outcome", func(h *harness) {
		c := h.request("r1", 'a', anna)
		first := h.commit(c)
		h.create(bert)
		again := h.commit(c)
		equal(h, "replayed", again.Replayed, true)
		again.Replayed = false
		equal(h, "outcome", fmt.Sprint(again), fmt.Sprint(first))
	}},
	{"it does so after a restart", func(h *harness) {
		c := h.request("r1", 'a', anna)
		first := h.commit(c)
		h.reopen()
		again := h.commit(c)
		equal(h, "replayed", again.Replayed, true)
		equal(h, "revision", again.Revision, first.Revision)
		equal(h, "time", again.Time.UnixMilli(), first.Time.UnixMilli())
	}},
	{"it does so whatever has changed since", func(h *harness) {
		c := h.request("r1", 'a', anna)
		c.Preconditions = []tuples.Precondition{{Field: "p", Filter: filter("media:logo")}}
		h.commit(c)
		equal(h, "replayed", h.commit(c).Replayed, true)
	}},
	{"another body under the same id is refused", func(h *harness) {
		h.commit(h.request("r1", 'a', anna))
		_, err := h.store.Commit(h.ctx, h.request("r1", 'b', bert))
		h.wantError(err, tuples.ErrRequestIDReused)
		h.wantTuples(anna)
	}},
	{"callers have ids of their own", func(h *harness) {
		h.commit(h.request("r1", 'a', anna))
		other := h.request("r1", 'b', bert)
		other.Origin.Caller = "portal"
		equal(h, "created", h.commit(other).Created, 1)
	}},
	{"a failure is not remembered", func(h *harness) {
		h.create(anna)
		c := h.request("r1", 'a', anna)
		if _, err := h.store.Commit(h.ctx, c); err == nil {
			h.Fatalf("a tuple was created twice")
		}
		h.delete(anna)
		equal(h, "created", h.commit(c).Created, 1)
	}},
	{"a request that changed nothing is remembered", func(h *harness) {
		h.create(anna)
		c := h.request("r1", 'a')
		first := h.commit(c)
		h.create(bert)
		again := h.commit(c)
		equal(h, "replayed", again.Replayed, true)
		equal(h, "revision", again.Revision, first.Revision)
	}},
	{"a partial delete's outcome is remembered whole", func(h *harness) {
		h.create(anna, bert, design)
		c := h.request("r1", 'a')
		c.Delete = &tuples.DeleteMatching{Limit: 1, Partial: true}
		equal(h, "more", h.commit(c).More, true)
		again := h.commit(c)
		equal(h, "deleted", again.Deleted, 1)
		equal(h, "more", again.More, true)
	}},
	{"an id is forgotten after 24 hours", func(h *harness) {
		h.commit(h.request("r1", 'a', anna))
		h.commit(h.request("r2", 'a', design))
		h.wall.add(24 * time.Hour)
		equal(h, "created", h.commit(h.request("r1", 'b', bert)).Created, 1)
		h.verify()
		h.collect()
		equal(h, "created after collection", h.commit(h.request("r2", 'b', public)).Created, 1)
		equal(h, "replayed", h.commit(h.request("r1", 'b', bert)).Replayed, true)
	}},
}

// request creates tuples under a request id and a body.
func (h *harness) request(id string, body byte, texts ...string) tuples.Commit {
	h.Helper()
	return tuples.Commit{Mutations: h.mutations(tuples.OpCreate, texts...), RequestID: id, BodyHash: [32]byte{body}}
}
