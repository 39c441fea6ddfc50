package storetest

import (
	"errors"
	"slices"
	"time"

	"github.com/usher-authz/usher/tuples"
	"pgregory.net/rapid"
)

// read opens a snapshot at head, at a revision or at a time and compares it.
func (m *machine) read(t *rapid.T) {
	if s := m.open(t); s != nil {
		defer s.Close()
		m.compare(t, s)
	}
}

// hold opens a snapshot and keeps it.
func (m *machine) hold(t *rapid.T) {
	if s := m.open(t); s != nil {
		m.held = append(m.held, s)
	}
}

func (m *machine) readHeld(t *rapid.T) {
	if len(m.held) == 0 {
		t.Skip("no snapshot is held")
	}
	m.compare(t, rapid.SampledFrom(m.held).Draw(t, "held"))
}

// open opens a random state; nil if that one may be collected and is.
func (m *machine) open(t *rapid.T) tuples.Snapshot {
	var at tuples.At
	now := m.h.store.Now()
	state := &m.ref.states[len(m.ref.states)-1]
	switch rapid.IntRange(0, 2).Draw(t, "at") {
	case 1:
		state = &m.ref.states[rapid.IntRange(0, len(m.ref.states)-1).Draw(t, "state")]
		at.Revision = state.revision
		if at.Revision == 0 {
			state = &m.ref.states[len(m.ref.states)-1] // a zero At is the head
		}
	case 2:
		at.Time = now.Add(-time.Duration(rapid.IntRange(0, 90).Draw(t, "minutes ago")) * time.Minute)
		state = m.ref.atTime(at.Time)
	}
	s, err := m.h.store.Snapshot(m.h.ctx, at)
	if errors.Is(err, tuples.ErrRevisionUnavailable) && state.revision < m.gone {
		return nil
	}
	m.h.must(err)
	earliest, latest := now, m.h.store.Now() // what the store does by itself may move its clock
	if !at.Time.IsZero() {
		earliest, latest = at.Time, at.Time
	}
	if s.Revision() != state.revision || s.Time().Before(earliest) || s.Time().After(latest) {
		t.Fatalf("snapshot at %+v: got revision %d, time %s, want %d, %s to %s", at, s.Revision(), s.Time(), state.revision, earliest, latest)
	}
	return s
}

// compare asks a snapshot everything and compares the answers with the reference.
func (m *machine) compare(t *rapid.T, s tuples.Snapshot) {
	want := visible(m.ref.at(s.Revision()).live, s.Time())
	filter, size := drawFilter(t, s.Time()), rapid.IntRange(1, 5).Draw(t, "page size")
	got, err := readAll(m.h, s, filter, size)
	if errors.Is(err, tuples.ErrRevisionUnavailable) && s.Revision() < m.gone {
		return // it was held until its revision was collected
	}
	m.h.must(err)
	for key := range want {
		if filter.Selects(tuples.Tuple{Key: key, Grant: want[key]}) {
			g, there := got[key]
			if !there || !g.Equal(want[key]) {
				t.Fatalf("read %s at %d: %s is %v, want %v", filter, s.Revision(), key, g, want[key])
			}
			delete(got, key)
		}
	}
	for key := range got {
		t.Fatalf("read %s at %d: %s should not be there", filter, s.Revision(), key)
	}
	m.compareScan(t, s)
	m.compareEdges(t, s, want, size)
	m.compareLastChange(t, s)
}

// readAll reads what a filter selects, page by page.
func readAll(h *harness, s tuples.Snapshot, filter tuples.Filter, size int) (map[tuples.Key]tuples.Grant, error) {
	all := map[tuples.Key]tuples.Grant{}
	var after *tuples.Key
	for {
		page, last, more, err := s.Read(h.ctx, filter, after, make([]tuples.Tuple, 0, size))
		if err != nil {
			return nil, err
		}
		for _, tuple := range page {
			if _, twice := all[tuple.Key]; twice {
				h.Fatalf("read %s: %s comes twice", filter, tuple)
			}
			all[tuple.Key] = tuple.Grant
		}
		if !more {
			return all, nil
		}
		if last == nil || after != nil && *last == *after {
			h.Fatalf("read %s: no progress behind %v", filter, after)
		}
		after = last
	}
}

// interned is a tuple of the reference with the store's ids.
type interned struct {
	edge  tuples.EdgeKey
	grant tuples.Grant
}

// intern resolves the tuples of a state.
func intern(h *harness, s tuples.Snapshot, state map[tuples.Key]tuples.Grant) []interned {
	var out []interned
	for key, grant := range state {
		out = append(out, interned{edgeKey(h, s, key), grant})
	}
	return out
}

func edgeKey(h *harness, s tuples.Snapshot, k tuples.Key) tuples.EdgeKey {
	h.Helper()
	nodes := make([]tuples.Node, 2)
	h.must(s.Nodes(h.ctx, []tuples.Object{k.Object, k.Subject.Object()}, nodes))
	symbols := h.store.Symbols()
	edge := tuples.EdgeKey{
		Object: nodes[0], Relation: symbols.Lookup(string(k.Relation)),
		Subject: nodes[1], SubjectRelation: symbols.Lookup(string(k.Subject.Relation)),
	}
	if edge.SubjectRelation == 0 && k.Subject.Relation != "" {
		edge.SubjectRelation = tuples.MaxSymbols // a name not seen yet; 0 would be no userset
	}
	return edge
}

// compareScan compares all tuples, expired or not, and looks for their names.
func (m *machine) compareScan(t *rapid.T, s tuples.Snapshot) {
	got, err := scan(m.h.ctx, s)
	m.h.must(err)
	names := map[tuples.Node]bool{}
	last := tuples.Node(0)
	m.h.must(s.EachName(m.h.ctx, func(n tuples.Node, _ tuples.Object) error {
		if n <= last || n.IsWildcard() {
			t.Fatalf("name of node %#x follows %#x", uint64(n), uint64(last))
		}
		last, names[n] = n, true
		return nil
	}))
	state := intern(m.h, s, m.ref.at(s.Revision()).live)
	for _, want := range state {
		g, there := got[want.edge]
		if !there || !g.Equal(want.grant) {
			t.Fatalf("scan at %d: %+v is %v, want %v", s.Revision(), want.edge, g, want.grant)
		}
		for _, n := range []tuples.Node{want.edge.Object, want.edge.Subject} {
			if !names[n] && !n.IsWildcard() {
				t.Fatalf("scan at %d: node %#x has no name", s.Revision(), uint64(n))
			}
		}
	}
	if len(got) != len(state) {
		t.Fatalf("scan at %d: %d tuples, want %d", s.Revision(), len(got), len(state))
	}
}

// compareEdges compares Edge, EdgesFrom and EdgesTo around one random tuple.
func (m *machine) compareEdges(t *rapid.T, s tuples.Snapshot, state map[tuples.Key]tuples.Grant, size int) {
	key := drawKey(t)
	edge := edgeKey(m.h, s, key)
	got, there, err := s.Edge(m.h.ctx, edge)
	m.h.must(err)
	if want, wantThere := state[key]; there != wantThere || there && (got.Node != edge.Subject || !grantEqual(got.Grant, want)) {
		t.Fatalf("edge %s at %d: got %v %v, want %v %v", key, s.Revision(), there, got, wantThere, want)
	}
	var from, to []tuples.Edge
	for _, in := range intern(m.h, s, state) {
		grant := in.grant
		e := in.edge
		if e.Object == edge.Object && e.Relation == edge.Relation && e.Subject.Type() == edge.Subject.Type() && e.SubjectRelation == edge.SubjectRelation {
			from = append(from, tuples.Edge{Node: e.Subject, Grant: &grant})
		}
		if e.Subject == edge.Subject && e.SubjectRelation == edge.SubjectRelation && e.Object.Type() == edge.Object.Type() && e.Relation == edge.Relation {
			to = append(to, tuples.Edge{Node: e.Object, Grant: &grant})
		}
	}
	compareList(t, "EdgesFrom", from, size, func(after tuples.Node, buf []tuples.Edge) ([]tuples.Edge, error) {
		return s.EdgesFrom(m.h.ctx, tuples.SubjectsOf{Object: edge.Object, Relation: edge.Relation, Type: edge.Subject.Type(), SubjectRelation: edge.SubjectRelation}, after, buf)
	})
	compareList(t, "EdgesTo", to, size, func(after tuples.Node, buf []tuples.Edge) ([]tuples.Edge, error) {
		return s.EdgesTo(m.h.ctx, tuples.ObjectsOf{Subject: edge.Subject, SubjectRelation: edge.SubjectRelation, Type: edge.Object.Type(), Relation: edge.Relation}, after, buf)
	})
}

// compareList reads a list page by page and compares it with the one wanted.
func compareList(t rapid.TB, what string, want []tuples.Edge, size int, read func(tuples.Node, []tuples.Edge) ([]tuples.Edge, error)) {
	slices.SortFunc(want, func(a, b tuples.Edge) int { return int(int64(a.Node) - int64(b.Node)) })
	var got []tuples.Edge
	for after := tuples.Node(0); ; {
		page, err := read(after, make([]tuples.Edge, 0, size))
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		got = append(got, page...)
		if len(page) < size {
			break
		}
		after = page[len(page)-1].Node
	}
	same := slices.EqualFunc(got, want, func(g, w tuples.Edge) bool { return g.Node == w.Node && grantEqual(g.Grant, *w.Grant) })
	if !same {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// grantEqual compares an edge's grant, nil for the zero Grant.
func grantEqual(got *tuples.Grant, want tuples.Grant) bool {
	if got == nil {
		return want.IsZero()
	}
	return !got.IsZero() && got.Equal(want)
}
