package index

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/usher-authz/usher/tuples"
)

var (
	anna = tuples.NewNode(1, 1)
	logo = tuples.NewNode(2, 1)
	// annaViews and everybodyViews are media:logo#viewer@user:anna and …@user:*.
	annaViews      = tuples.EdgeKey{Object: logo, Relation: 7, Subject: anna}
	everybodyViews = tuples.EdgeKey{Object: logo, Relation: 7, Subject: tuples.WildcardNode(1)}
)

// small returns an index and a history of the same few tuples at revision 1.
func small(t *testing.T, all ...tuples.EdgeChange) machine {
	t.Helper()
	m := machine{index: New(1 << 20), history: newHistory()}
	for node, o := range map[tuples.Node]tuples.Object{anna: {Type: "user", ID: "anna"}, logo: {Type: "media", ID: "logo"}} {
		m.history.name(node, o)
		m.index.Intern(node, o)
	}
	m.history.commit(1, all)
	m.load(t)
	return m
}

func TestEdges(t *testing.T) {
	minute := &tuples.Grant{Expires: noon.Add(time.Minute)}
	for _, c := range []struct {
		name  string
		held  tuples.EdgeChange
		at    time.Time
		key   tuples.EdgeKey
		there bool
	}{
		{"a tuple", tuples.EdgeChange{Key: annaViews}, noon, annaViews, true},
		{"of another relation", tuples.EdgeChange{Key: annaViews}, noon, tuples.EdgeKey{Object: logo, Relation: 8, Subject: anna}, false},
		{"the wildcard is a subject like others", tuples.EdgeChange{Key: everybodyViews}, noon, everybodyViews, true},
		{"the wildcard is not everybody", tuples.EdgeChange{Key: everybodyViews}, noon, annaViews, false},
		{"a tuple that will expire", tuples.EdgeChange{Key: annaViews, Grant: minute}, noon, annaViews, true},
		{"a tuple that has expired", tuples.EdgeChange{Key: annaViews, Grant: minute}, noon.Add(time.Minute), annaViews, false},
		{"an object of the request's own", tuples.EdgeChange{Key: annaViews}, noon, tuples.EdgeKey{Object: tuples.NewNode(2, tuples.FirstTransient+1), Relation: 7, Subject: anna}, false},
		{"a subject of the request's own", tuples.EdgeChange{Key: annaViews}, noon, tuples.EdgeKey{Object: logo, Relation: 7, Subject: tuples.NewNode(1, tuples.FirstTransient+1)}, false},
		{"no tuple at all", tuples.EdgeChange{Key: annaViews}, noon, tuples.EdgeKey{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := small(t, c.held)
			store := m.history.snapshot(1, c.at)
			s := m.index.Over(store)
			edge, there, err := s.Edge(t.Context(), c.key)
			if err != nil || there != c.there || there && edge != (tuples.Edge{Node: c.key.Subject, Grant: c.held.Grant}) {
				t.Errorf("got %v, %v, %v, want %v", edge, there, err, c.there)
			}
			if reads := compare(t, m.index, m.history.snapshot(1, c.at), c.key, -1, 3); reads+store.reads != 0 {
				t.Errorf("%d reads went to the store", reads+store.reads)
			}
		})
	}
}

func TestNothingIsBehindTheLargestNode(t *testing.T) {
	m := small(t, tuples.EdgeChange{Key: annaViews}, tuples.EdgeChange{Key: everybodyViews})
	s := m.index.Over(m.history.snapshot(1, noon))
	page, err := s.EdgesFrom(t.Context(), tuples.SubjectsOf{Object: logo, Relation: 7, Type: 1}, tuples.NewNode(1, math.MaxUint32), make([]tuples.Edge, 0, 3))
	if err != nil || len(page) != 0 {
		t.Errorf("got %v, %v", page, err)
	}
}

func TestNamesOfASnapshot(t *testing.T) {
	m := small(t)
	bert := tuples.Object{Type: "device", ID: "bert"} // of a type that the index does not know
	m.history.name(tuples.NewNode(9, 4), bert)
	store := m.history.snapshot(1, noon)
	s := m.index.Over(store)
	objects := []tuples.Object{{Type: "user", ID: "anna"}, {Type: "user", ID: "nobody"}, bert, {Type: "user", ID: tuples.Wildcard}}
	nodes := make([]tuples.Node, len(objects))
	if err := s.Nodes(t.Context(), objects, nodes); err != nil {
		t.Fatal(err)
	}
	want := []tuples.Node{anna, 0, tuples.NewNode(9, 4), tuples.WildcardNode(1)}
	for i := range want {
		if nodes[i] != want[i] {
			t.Errorf("%s: got node %d, want %d", objects[i], nodes[i], want[i])
		}
	}
	nodes[1] = logo
	names := make([]tuples.Object, len(nodes))
	if err := s.Objects(t.Context(), nodes, names); err != nil {
		t.Fatal(err)
	}
	objects[1] = tuples.Object{Type: "media", ID: "logo"}
	for i := range objects {
		if names[i] != objects[i] {
			t.Errorf("node %d: got %s, want %s", nodes[i], names[i], objects[i])
		}
	}
	if store.reads != 2 || m.index.Stats().Fallbacks != 2 {
		t.Errorf("%d reads went to the store, counted %d, want 2", store.reads, m.index.Stats().Fallbacks)
	}
	if err := s.Objects(t.Context(), []tuples.Node{tuples.NewNode(1, 99)}, names); !errors.Is(err, errNoNode) {
		t.Errorf("a node that the store does not have: got %v", err)
	}
}

func TestRevisionsThatAreNotHeldAreTheStores(t *testing.T) {
	m := small(t)
	m.history.commit(3, []tuples.EdgeChange{{Key: annaViews, Op: tuples.OpCreate}})
	m.index.Apply(3, []tuples.EdgeChange{{Key: annaViews, Op: tuples.OpCreate}})
	ahead := m.history.snapshot(3, noon)
	if s := m.index.Over(ahead); s != tuples.Snapshot(ahead) {
		t.Errorf("a revision that is not published: got %T", s)
	}
	m.index.Publish(3)
	held := m.history.snapshot(1, noon)
	s := m.index.Over(held)
	if _, there, _ := s.Edge(t.Context(), annaViews); there || held.reads != 0 {
		t.Errorf("a tuple of revision 3 is in revision 1; %d reads went to the store", held.reads)
	}
	m.index.raise(3)
	if _, there, _ := s.Edge(t.Context(), annaViews); there || held.reads != 1 {
		t.Errorf("a snapshot below the floor: got %v, %d reads went to the store", there, held.reads)
	}
	below := m.history.snapshot(1, noon)
	if s := m.index.Over(below); s != tuples.Snapshot(below) {
		t.Errorf("a revision below the floor: got %T", s)
	}
}

func TestTheRestOfASnapshotIsTheStores(t *testing.T) {
	m := small(t)
	store := m.history.snapshot(1, noon)
	s := m.index.Over(store)
	if s.Revision() != 1 || !s.Time().Equal(noon) {
		t.Errorf("got revision %d at %s", s.Revision(), s.Time())
	}
	if rows, _, _, _ := s.Read(t.Context(), tuples.Filter{}, nil, nil); len(rows) != 1 || rows[0].Relation != readRow.Relation {
		t.Errorf("got rows %v", rows)
	}
	if last, _ := s.LastChange(t.Context(), nil); last.Revision != 1 {
		t.Errorf("got last change %+v", last)
	}
	s.Close()
	if !store.closed {
		t.Error("the store's snapshot is open")
	}
}

func TestASnapshotThatIsClosedSaysSo(t *testing.T) {
	s := small(t).index.Over(small(t).history.snapshot(1, noon))
	s.Close()
	ctx := t.Context()
	_, _, edge := s.Edge(ctx, annaViews)
	_, from := s.EdgesFrom(ctx, tuples.SubjectsOf{}, 0, nil)
	_, to := s.EdgesTo(ctx, tuples.ObjectsOf{}, 0, nil)
	nodes := s.Nodes(ctx, make([]tuples.Object, 1), make([]tuples.Node, 1))
	objects := s.Objects(ctx, make([]tuples.Node, 1), make([]tuples.Object, 1))
	for _, err := range []error{edge, from, to, nodes, objects} {
		if !errors.Is(err, errSnapshotClosed) {
			t.Errorf("got %v", err)
		}
	}
}
