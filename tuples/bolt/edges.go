package bolt

import (
	"context"
	"encoding/binary"

	"github.com/usher-authz/usher/tuples"
)

// Nodes implements [tuples.Snapshot].
func (s *snapshot) Nodes(ctx context.Context, objects []tuples.Object, nodes []tuples.Node) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, object := range objects {
		v, err := s.open(ctx)
		if err != nil {
			return err
		}
		if nodes[i], err = v.node(object); err != nil {
			return err
		}
	}
	return nil
}

// Objects implements [tuples.Snapshot].
func (s *snapshot) Objects(ctx context.Context, nodes []tuples.Node, objects []tuples.Object) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, node := range nodes {
		v, err := s.open(ctx)
		if err != nil {
			return err
		}
		if objects[i], err = v.object(node); err != nil {
			return err
		}
	}
	return nil
}

// Edge implements [tuples.Snapshot].
func (s *snapshot) Edge(ctx context.Context, key tuples.EdgeKey) (tuples.Edge, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.open(ctx)
	if err != nil {
		return tuples.Edge{}, false, err
	}
	k := forward.key(key)
	row, err := v.row(forward, k[:])
	if err != nil || row == nil {
		return tuples.Edge{}, false, err
	}
	edge, there, err := v.edge(forward, k[:], row)
	return edge, there, err
}

// EdgesFrom implements [tuples.Snapshot].
func (s *snapshot) EdgesFrom(ctx context.Context, list tuples.SubjectsOf, after tuples.Node, buf []tuples.Edge) ([]tuples.Edge, error) {
	first := forward.key(tuples.EdgeKey{
		Object: list.Object, Relation: list.Relation,
		Subject: tuples.WildcardNode(list.Type), SubjectRelation: list.SubjectRelation,
	})
	return s.edges(ctx, forward, first, after, buf)
}

// EdgesTo implements [tuples.Snapshot].
func (s *snapshot) EdgesTo(ctx context.Context, list tuples.ObjectsOf, after tuples.Node, buf []tuples.Edge) ([]tuples.Edge, error) {
	first := reverse.key(tuples.EdgeKey{
		Subject: list.Subject, SubjectRelation: list.SubjectRelation,
		Object: tuples.NewNode(list.Type, 0), Relation: list.Relation,
	})
	return s.edges(ctx, reverse, first, after, buf)
}

// edges fills buf from the list whose keys begin like first.
func (s *snapshot) edges(ctx context.Context, o order, first edgeKey, after tuples.Node, buf []tuples.Edge) ([]tuples.Edge, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(buf) == cap(buf) || after.Ordinal() == ^uint32(0) {
		return buf, nil
	}
	from := first
	if after != 0 {
		binary.BigEndian.PutUint32(from[listLen:], after.Ordinal()+1)
	}
	err := s.scan(ctx, o, first[:listLen], from[:], func(v *view, key, row []byte) (bool, error) {
		if row == nil {
			return true, nil
		}
		edge, there, err := v.edge(o, key, row)
		if there {
			buf = append(buf, edge)
		}
		return len(buf) < cap(buf), err
	})
	return buf, err
}

// edge returns the tuple of a row as seen from the left side of its key; it is not
// there when it has expired.
func (v *view) edge(o order, key, row []byte) (tuples.Edge, bool, error) {
	g, expired, err := v.grantOf(o, key, row)
	if err != nil || expired {
		return tuples.Edge{}, false, err
	}
	edge := tuples.Edge{Node: tuples.NewNode(decodeSymbol(key[8:]), binary.BigEndian.Uint32(key[listLen:]))}
	edge.Grant, err = g.decode()
	return edge, err == nil, err
}
