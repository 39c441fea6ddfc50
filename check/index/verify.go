package index

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/usher-authz/usher/tuples"
)

// Verified counts what [Index.Verify] compared: names, and tuples from both of their ends.
// What the index does not hold is not counted.
type Verified struct{ Names, Forward, Reverse int }

// Verify proves that the index shows what the store's own snapshot does, made at a revision that
// the index holds: every name that it has, every list in both directions and no other, and that
// no mask hides a list. The error names the first difference. It takes 8 bytes a tuple, and
// commits wait while it looks for lists that the store does not have.
func (x *Index) Verify(ctx context.Context, s tuples.Snapshot) (Verified, error) {
	v := verifier{index: x, revision: s.Revision(), unnamed: make(map[tuples.Node]bool)}
	err := s.EachName(ctx, v.name)
	if err == nil {
		err = s.EachEdge(ctx, v.tuple)
	}
	if err == nil {
		err = v.lists()
	}
	if head := x.head.Load(); uint64(v.revision) > head || uint64(v.revision) < x.floor.Load() {
		return v.count, fmt.Errorf("the index does not hold revision %d, or no longer: %w", v.revision, errNotHeld)
	}
	if err != nil {
		return v.count, fmt.Errorf("verify index at revision %d: %w", v.revision, err)
	}
	return v.count, nil
}

var errNotHeld = errors.New("verify at the head, and again if many commits come meanwhile")

// verifier is one comparison.
type verifier struct {
	index    *Index
	revision tuples.Revision
	count    Verified
	seen     [partitions]int // members of the store's lists
	// unnamed are the objects that the index takes for none. They can be of a commit that is
	// not published yet.
	unnamed map[tuples.Node]bool

	last     tuples.EdgeKey // visited; what follows is its list so far
	kind     kind
	ordinals []uint32
	grants   []*tuples.Grant
	reverse  []reverseLists // by kind
}

// name compares one name, both ways.
func (v *verifier) name(node tuples.Node, object tuples.Object) error {
	names := &v.index.names
	if held, known := names.object(node); known {
		v.count.Names++
		if held != object {
			return fmt.Errorf("node %d is %s, the store says %s", node, held, object)
		}
	}
	switch held, known := names.node(object); {
	case known && held == 0:
		v.unnamed[node] = true
	case known && held != node:
		return fmt.Errorf("%s is node %d, the store says %d", object, held, node)
	}
	return nil
}

// tuple adds one tuple to its lists, and compares the list before it when it is complete.
func (v *verifier) tuple(key tuples.EdgeKey, grant *tuples.Grant) error {
	if v.unnamed[key.Object] || v.unnamed[key.Subject] {
		return fmt.Errorf("the store has a tuple %+v, and the index takes an end of it for no object", key)
	}
	if !sameList(key, v.last) {
		if err := v.forward(); err != nil {
			return err
		}
		if v.kind = v.index.kinds.number(packKindOf(key)); v.kind == 0 {
			return fmt.Errorf("the store has a tuple %+v, and the index none of its kind", key)
		}
	}
	v.last = key
	v.ordinals, v.grants = append(v.ordinals, key.Subject.Ordinal()), append(v.grants, grant)
	for int(v.kind) >= len(v.reverse) {
		v.reverse = append(v.reverse, reverseLists{})
	}
	v.reverse[v.kind].add(key.Subject.Ordinal(), key.Object.Ordinal(), grant)
	return nil
}

// forward compares the list of the last tuple.
func (v *verifier) forward() error {
	if len(v.ordinals) == 0 {
		return nil
	}
	n, err := v.compare(forwardKey(v.kind, v.last.Object), v.ordinals, v.grants)
	v.count.Forward += n
	v.ordinals, v.grants = v.ordinals[:0], v.grants[:0]
	return err
}

// lists compares the lists that are left: the last one, those of the other direction, and those
// that the store does not have.
func (v *verifier) lists() error {
	err := v.forward()
	for k := range v.reverse {
		v.reverse[k].each(func(subject uint32, objects []uint32, grants []*tuples.Grant) {
			if err != nil {
				return
			}
			var n int
			n, err = v.compare(listKey(k)<<32|reverseBit|listKey(subject), objects, grants)
			v.count.Reverse += n
		})
	}
	if err != nil {
		return err
	}
	return v.others()
}

// compare compares one list, and returns how many members of it are held. grants can be nil.
func (v *verifier) compare(key listKey, ordinals []uint32, grants []*tuples.Grant) (int, error) {
	x := v.index
	e := x.kinds.of(key)
	if !e.masks.have(key.ordinal(), e.bit) {
		return 0, fmt.Errorf("a mask hides %s, which has %d members", key, len(ordinals))
	}
	var one [1]uint32
	list, held := x.list(e, key, v.revision, &one)
	if !held {
		return 0, nil
	}
	v.seen[x.kinds.hash(key)>>(64-partitionBits)] += len(ordinals)
	for i, ordinal := range ordinals {
		grant, there := list.find(ordinal, time.Time{})
		switch {
		case !there:
			return 0, fmt.Errorf("%s lacks %d", key, ordinal)
		case grants == nil && grant != nil, grants != nil && !sameGrant(grant, grants[i]):
			return 0, fmt.Errorf("%s has %d with another grant: %+v", key, ordinal, grant)
		}
	}
	if n := list.len(); n != len(ordinals) {
		return 0, fmt.Errorf("%s has %d members, the store says %d", key, n, len(ordinals))
	}
	return len(ordinals), nil
}

// others looks for lists that the store does not have: partitions that have more members than
// were compared.
func (v *verifier) others() error {
	x := v.index
	x.writing.Lock()
	defer x.writing.Unlock()
	inColumns := x.inColumns()
	for i := range x.parts {
		t := x.parts[i].table.Load()
		if t == nil {
			continue
		}
		held := inColumns[i]
		t.each(func(key listKey, _ []uint32, _ *version) {
			var one [1]uint32
			list := t.read(x.kinds.hash(key), key, v.revision, &one)
			held += list.len()
		})
		if held != v.seen[i] {
			return fmt.Errorf("partition %d has lists of %d members, the store says %d", i, held, v.seen[i])
		}
	}
	return nil
}

// String names the list for people, by numbers.
func (k listKey) String() string {
	direction := "forward"
	if k&reverseBit != 0 {
		direction = "reverse"
	}
	return fmt.Sprintf("the %s list of kind %d of ordinal %d", direction, k.kind(), k.ordinal())
}

func sameGrant(a, b *tuples.Grant) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(*b)
}

// len returns how many members the list has, at any time.
func (m *members) len() int {
	n := len(m.ordinals)
	for _, c := range m.chunks {
		n += len(c.ordinals)
	}
	return n
}
