package storetest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/usher-authz/usher/tuples"
)

var scanRules = []rule{
	{"a scan shows all of its revision, in order", func(h *harness) {
		first := h.create(anna, design, public, "media:logo#owner@user:bert", "folder:press#viewer@user:anna").Revision
		h.delete(anna, public)
		h.create(bert)
		for revision, want := range map[tuples.Revision]int{first: 5, h.store.Head(): 4} {
			s := h.snapshot(tuples.At{Revision: revision})
			all, err := scan(h.ctx, s) // which looks at the order too
			h.must(err)
			equal(h, "tuples", len(all), want)
			s.Close()
		}
	}},
	{"an empty store has nothing to visit", func(h *harness) {
		s := h.snapshot(tuples.At{})
		defer s.Close()
		h.must(s.EachName(h.ctx, func(tuples.Node, tuples.Object) error { return errors.New("a name") }))
		h.must(s.EachEdge(h.ctx, func(tuples.EdgeKey, *tuples.Grant) error { return errors.New("a tuple") }))
	}},
	{"names are visited, also those that no tuple has, and no wildcards", func(h *harness) {
		h.create(anna, public)
		h.delete(anna)
		s := h.snapshot(tuples.At{})
		defer s.Close()
		var nodes []tuples.Node
		var names []tuples.Object
		h.must(s.EachName(h.ctx, func(n tuples.Node, o tuples.Object) error {
			nodes, names = append(nodes, n), append(names, o)
			return nil
		}))
		equal(h, "names", fmt.Sprint(names), "[media:logo user:anna]")
		equal(h, "ascending", slices.IsSorted(nodes), true)
		want := make([]tuples.Node, len(nodes))
		h.must(s.Nodes(h.ctx, names, want))
		equal(h, "nodes", fmt.Sprint(nodes), fmt.Sprint(want))
	}},
	{"an error of visit ends the visits", func(h *harness) {
		h.create(anna, bert)
		s := h.snapshot(tuples.At{})
		defer s.Close()
		visits, enough := 0, errors.New("enough")
		h.wantError(s.EachName(h.ctx, func(tuples.Node, tuples.Object) error { visits++; return enough }), enough)
		h.wantError(s.EachEdge(h.ctx, func(tuples.EdgeKey, *tuples.Grant) error { visits++; return enough }), enough)
		equal(h, "visits", visits, 2)
	}},
}
