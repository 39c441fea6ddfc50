package storetest

import (
	"fmt"
	"slices"

	"github.com/usher-authz/usher/tuples"
)

var edgeRules = []rule{
	{"objects have nodes and nodes have objects", func(h *harness) {
		h.create(anna, design, public)
		s := h.snapshot(tuples.At{})
		defer s.Close()
		objects := []tuples.Object{{Type: "media", ID: "logo"}, {Type: "user", ID: "anna"}, {Type: "group", ID: "design"}, {Type: "user", ID: tuples.Wildcard}}
		nodes := make([]tuples.Node, len(objects))
		h.must(s.Nodes(h.ctx, objects, nodes))
		back := make([]tuples.Object, len(nodes))
		h.must(s.Objects(h.ctx, nodes, back))
		if !slices.Equal(back, objects) {
			h.Fatalf("got %v, want %v", back, objects)
		}
		equal(h, "wildcard", nodes[3], tuples.WildcardNode(h.store.Symbols().Lookup("user")))
	}},
	{"an object never seen has no node", func(h *harness) {
		h.create(anna)
		s := h.snapshot(tuples.At{})
		defer s.Close()
		nodes := []tuples.Node{7, 7}
		h.must(s.Nodes(h.ctx, []tuples.Object{{Type: "media", ID: "film"}, {Type: "film", ID: "logo"}}, nodes))
		equal(h, "nodes", [2]tuples.Node(nodes), [2]tuples.Node{})
	}},
	{"a node that is none is an error", func(h *harness) {
		h.create(anna)
		s := h.snapshot(tuples.At{})
		defer s.Close()
		for _, node := range []tuples.Node{0, tuples.NewNode(1, tuples.FirstTransient), tuples.NewNode(999, 1)} {
			if err := s.Objects(h.ctx, []tuples.Node{node}, make([]tuples.Object, 1)); err == nil {
				h.Fatalf("node %#x has a name", node)
			}
		}
	}},
	{"a node keeps its object when its tuples are gone", func(h *harness) {
		h.create(anna)
		s := h.snapshot(tuples.At{})
		before := edgeKey(h, s, h.tuple(anna).Key)
		s.Close()
		h.delete(anna)
		h.reopen()
		h.create(bert, anna)
		s = h.snapshot(tuples.At{})
		defer s.Close()
		equal(h, "key", edgeKey(h, s, h.tuple(anna).Key), before)
	}},
	{"a list is ascending, the wildcard first, and goes on behind a node", func(h *harness) {
		var texts []string
		for i := range 10 {
			texts = append(texts, fmt.Sprintf("media:logo#viewer@user:u%d", i))
		}
		h.create(append(texts, public, design, "media:logo#owner@user:u1", "media:logo#viewer@group:design")...)
		s := h.snapshot(tuples.At{})
		defer s.Close()
		key := edgeKey(h, s, h.tuple(public).Key)
		list := tuples.SubjectsOf{Object: key.Object, Relation: key.Relation, Type: key.Subject.Type()}
		all, err := s.EdgesFrom(h.ctx, list, 0, make([]tuples.Edge, 0, 99))
		h.must(err)
		equal(h, "edges", len(all), 11)
		equal(h, "first", all[0].Node, key.Subject)
		for i, edge := range all {
			rest, err := s.EdgesFrom(h.ctx, list, edge.Node, make([]tuples.Edge, 0, 99))
			h.must(err)
			equal(h, "edges behind", len(rest), len(all)-i-1)
			if len(rest) > 0 {
				equal(h, "next", rest[0].Node, all[i+1].Node)
			}
		}
		last, err := s.EdgesFrom(h.ctx, list, tuples.NewNode(list.Type, ^uint32(0)), make([]tuples.Edge, 0, 1))
		h.must(err)
		equal(h, "edges behind the last node", len(last), 0)
	}},
	{"a buffer is appended to, up to its capacity", func(h *harness) {
		h.create(anna, bert)
		s := h.snapshot(tuples.At{})
		defer s.Close()
		key := edgeKey(h, s, h.tuple(anna).Key)
		list := tuples.ObjectsOf{Subject: key.Subject, Type: key.Object.Type(), Relation: key.Relation}
		kept := tuples.Edge{Node: 42}
		buf, err := s.EdgesTo(h.ctx, list, 0, append(make([]tuples.Edge, 0, 2), kept))
		h.must(err)
		equal(h, "edges", len(buf), 2)
		equal(h, "kept", buf[0], kept)
		full, err := s.EdgesTo(h.ctx, list, 0, buf)
		h.must(err)
		equal(h, "edges in a full buffer", len(full), 2)
	}},
	{"an edge carries its grant from both ends", func(h *harness) {
		text := anna + ` with office_hours {"from":9} attributes {"size":1}`
		h.create(text, bert)
		s := h.snapshot(tuples.At{})
		defer s.Close()
		key := edgeKey(h, s, h.tuple(anna).Key)
		edge, there, err := s.Edge(h.ctx, key)
		h.must(err)
		equal(h, "there", there, true)
		from, err := s.EdgesFrom(h.ctx, tuples.SubjectsOf{Object: key.Object, Relation: key.Relation, Type: key.Subject.Type()}, 0, make([]tuples.Edge, 0, 9))
		h.must(err)
		to, err := s.EdgesTo(h.ctx, tuples.ObjectsOf{Subject: key.Subject, Type: key.Object.Type(), Relation: key.Relation}, 0, make([]tuples.Edge, 0, 9))
		h.must(err)
		for _, e := range []tuples.Edge{edge, from[0], to[0]} {
			if e.Grant == nil || !e.Grant.Equal(h.tuple(text).Grant) {
				h.Fatalf("got grant %v, want that of %s", e.Grant, text)
			}
		}
		if from[1].Grant != nil {
			h.Fatalf("the zero grant of %s is %v", bert, from[1].Grant)
		}
	}},
}
