package index

import (
	"context"
	"errors"
	"time"

	"github.com/usher-authz/usher/tuples"
)

// snapshot answers from memory what the index knows at the revision of a store's snapshot,
// and asks that one the rest.
type snapshot struct {
	tuples.Snapshot
	index    *Index
	revision tuples.Revision
	now      time.Time
	one      [1]uint32 // room for table.read
	closed   bool
}

// Over returns a snapshot that shows what the given one does, and answers from memory where
// it can. Closing it closes the given one. It is that one itself if the index cannot read
// its revision. Reads allocate nothing but where they go to the store, for which there is a
// count in [Stats]. Nor do they look at the context but there: who makes many does.
func (x *Index) Over(store tuples.Snapshot) tuples.Snapshot {
	revision := store.Revision()
	if uint64(revision) > x.head.Load() || uint64(revision) < x.floor.Load() {
		return store
	}
	return &snapshot{Snapshot: store, index: x, revision: revision, now: store.Time()}
}

// Close implements [tuples.Snapshot].
func (s *snapshot) Close() {
	s.closed = true
	s.Snapshot.Close()
}

var errSnapshotClosed = errors.New("snapshot is closed")

// Nodes implements [tuples.Snapshot].
func (s *snapshot) Nodes(ctx context.Context, objects []tuples.Object, nodes []tuples.Node) error {
	if s.closed {
		return errSnapshotClosed
	}
	for i, object := range objects {
		var known bool
		if nodes[i], known = s.index.names.node(object); known {
			continue
		}
		s.index.fallbacks.Add(1)
		if err := s.Snapshot.Nodes(ctx, objects[i:i+1], nodes[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}

// Objects implements [tuples.Snapshot].
func (s *snapshot) Objects(ctx context.Context, nodes []tuples.Node, objects []tuples.Object) error {
	if s.closed {
		return errSnapshotClosed
	}
	if s.index.names.objects(nodes, objects) {
		return nil
	}
	for i := range nodes {
		if objects[i].Type != "" {
			continue
		}
		s.index.fallbacks.Add(1)
		if err := s.Snapshot.Objects(ctx, nodes[i:i+1], objects[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}

// Edge implements [tuples.Snapshot].
func (s *snapshot) Edge(ctx context.Context, key tuples.EdgeKey) (tuples.Edge, bool, error) {
	if s.closed {
		return tuples.Edge{}, false, errSnapshotClosed
	}
	list, known := s.read(packKindOf(key), key.Object, 0)
	if !known {
		return s.Snapshot.Edge(ctx, key)
	}
	grant, there := list.find(key.Subject.Ordinal(), s.now)
	if !there {
		return tuples.Edge{}, false, nil
	}
	return tuples.Edge{Node: key.Subject, Grant: grant}, true, nil
}

// EdgesFrom implements [tuples.Snapshot].
func (s *snapshot) EdgesFrom(ctx context.Context, list tuples.SubjectsOf, after tuples.Node, buf []tuples.Edge) ([]tuples.Edge, error) {
	if s.closed {
		return nil, errSnapshotClosed
	}
	members, known := s.read(packKind(list.Object.Type(), list.Relation, list.Type, list.SubjectRelation), list.Object, 0)
	if !known {
		return s.Snapshot.EdgesFrom(ctx, list, after, buf)
	}
	return s.fill(&members, list.Type, after, buf), nil
}

// EdgesTo implements [tuples.Snapshot].
func (s *snapshot) EdgesTo(ctx context.Context, list tuples.ObjectsOf, after tuples.Node, buf []tuples.Edge) ([]tuples.Edge, error) {
	if s.closed {
		return nil, errSnapshotClosed
	}
	members, known := s.read(packKind(list.Type, list.Relation, list.Subject.Type(), list.SubjectRelation), list.Subject, reverseBit)
	if !known {
		return s.Snapshot.EdgesTo(ctx, list, after, buf)
	}
	return s.fill(&members, list.Type, after, buf), nil
}

func (s *snapshot) fill(list *members, t tuples.Symbol, after tuples.Node, buf []tuples.Edge) []tuples.Edge {
	from := uint32(0)
	if after != 0 {
		if from = after.Ordinal() + 1; from == 0 {
			return buf
		}
	}
	return list.fill(t, from, s.now, buf)
}

// read returns the list of a node, in the direction that a bit stands for, and whether it is
// known.
func (s *snapshot) read(packed uint64, node tuples.Node, direction listKey) (members, bool) {
	if node.Ordinal() >= tuples.FirstTransient {
		return members{}, true // never stored
	}
	x := s.index
	k := x.kinds.number(packed)
	if k == 0 {
		return members{}, true
	}
	key := forwardKey(k, node) | direction
	e := x.kinds.of(key)
	if !e.masks.have(node.Ordinal(), e.bit) {
		return members{}, true
	}
	list, held := x.list(e, key, s.revision, &s.one)
	if held && uint64(s.revision) >= x.floor.Load() {
		return list, true
	}
	x.fallbacks.Add(1)
	return members{}, false
}

// list returns a list at a revision, and whether it is held; one is room for a single member.
// What it returns counts only if the floor is not above the revision afterwards.
func (x *Index) list(e *end, key listKey, at tuples.Revision, one *[1]uint32) (members, bool) {
	if only := e.column.get(key.ordinal()); only != 0 {
		one[0] = only
		return members{run: run{ordinals: one[:]}}, true
	}
	hash := x.kinds.hash(key)
	t := x.part(hash).table.Load()
	if t == nil {
		return members{}, false
	}
	return t.read(hash, key, at, one), true
}
