package index

import (
	"hash/maphash"
	"maps"
	"sync"
	"sync/atomic"

	"github.com/usher-authz/usher/tuples"
)

// names is the ids of all objects. What a store once named it names for ever, so names
// have no revisions, and those that do not fit into memory are just left out.
type names struct {
	seed  maphash.Seed
	limit atomic.Int64 // bytes of memory
	bytes atomic.Int64
	count atomic.Int64
	types atomic.Pointer[nameTypes]
	// whole says that every object of the store has been seen. Then an id that is not
	// held, of a type without gaps, is no object.
	whole atomic.Bool

	writing sync.Mutex  // a load and a commit can name objects at the same time
	dropped bool        // some names were let go
	short   atomic.Bool // there was no room for some
}

// nameTypes is the types that have names. It is replaced when there is another one.
type nameTypes struct {
	byName   map[tuples.ObjectType]*typeNames
	bySymbol map[tuples.Symbol]*typeNames
}

// intern holds the name of a node, if it is new and there is room.
func (n *names) intern(node tuples.Node, object tuples.Object) {
	if node.IsWildcard() || node.Ordinal() >= tuples.FirstTransient {
		return
	}
	n.writing.Lock()
	defer n.writing.Unlock()
	t := n.typeOf(node.Type(), object.Type)
	if _, held := t.id(node.Ordinal()); held {
		return
	}
	if n.bytes.Load() >= n.limit.Load() {
		t.gaps.Store(true)
		n.short.Store(true)
		return
	}
	n.bytes.Add(int64(t.add(maphash.String(n.seed, string(object.ID)), node.Ordinal(), object.ID)))
	n.count.Add(1)
}

// full reports whether names that are all held would take more memory.
func (n *names) full() bool { return n.bytes.Load() >= n.limit.Load() && !n.short.Load() }

// drop lets go of all names. What comes later is held as far as there is room again, but of no
// type is it known any more that all of its names are.
func (n *names) drop() {
	n.writing.Lock()
	defer n.writing.Unlock()
	n.dropped = true
	n.short.Store(true)
	n.types.Store(&nameTypes{
		byName:   make(map[tuples.ObjectType]*typeNames),
		bySymbol: make(map[tuples.Symbol]*typeNames),
	})
	n.bytes.Store(0)
	n.count.Store(0)
}

// typeOf returns the names of a type, new if there are none.
func (n *names) typeOf(symbol tuples.Symbol, name tuples.ObjectType) *typeNames {
	types := n.types.Load()
	if t, ok := types.bySymbol[symbol]; ok {
		return t
	}
	t := newTypeNames(name, symbol)
	t.gaps.Store(n.dropped)
	more := &nameTypes{byName: maps.Clone(types.byName), bySymbol: maps.Clone(types.bySymbol)}
	more.byName[name], more.bySymbol[symbol] = t, t
	n.types.Store(more)
	n.bytes.Add(int64(t.size()))
	return t
}

// node returns the node of an object, 0 if it is none, and whether that is known.
func (n *names) node(o tuples.Object) (tuples.Node, bool) {
	whole := n.whole.Load() // first: an id that comes later is of a later revision
	t, ok := n.types.Load().byName[o.Type]
	switch {
	case !ok:
		return 0, false
	case o.ID == tuples.Wildcard:
		return tuples.WildcardNode(t.symbol), true
	}
	if ordinal := t.ordinal(maphash.String(n.seed, string(o.ID)), o.ID); ordinal != 0 {
		return tuples.NewNode(t.symbol, ordinal), true
	}
	return 0, whole && !t.gaps.Load()
}

// object returns the object of a node, and whether it is known.
func (n *names) object(node tuples.Node) (tuples.Object, bool) {
	t, ok := n.types.Load().bySymbol[node.Type()]
	if !ok {
		return tuples.Object{}, false
	}
	if node.IsWildcard() {
		return tuples.Object{Type: t.name, ID: tuples.Wildcard}, true
	}
	id, held := t.id(node.Ordinal())
	return tuples.Object{Type: t.name, ID: id}, held
}

// objects fills in the objects of many nodes, and reports whether all are known. Those that
// are not it leaves without a type.
func (n *names) objects(nodes []tuples.Node, objects []tuples.Object) bool {
	types, whole := n.types.Load(), true
	for len(nodes) > 0 {
		t, count := nodes[0].Type(), 1
		for count < min(len(nodes), idsAtOnce) && nodes[count].Type() == t {
			count++
		}
		if names, ok := types.bySymbol[t]; !ok {
			clear(objects[:count])
			whole = false
		} else if !names.objects(nodes[:count], objects) {
			whole = false
		}
		nodes, objects = nodes[count:], objects[count:]
	}
	return whole
}

// fit gives the tables the size that the names they hold take.
func (n *names) fit() {
	n.writing.Lock()
	defer n.writing.Unlock()
	for _, t := range n.types.Load().bySymbol {
		before := t.size()
		t.rehash(t.count + t.count/16 + 2)
		n.bytes.Add(int64(t.size() - before))
	}
}
