package bolt

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/usher-authz/usher/tuples"
	bbolt "go.etcd.io/bbolt"
)

// draft is a store as the group under way is about to leave it. It becomes the
// published store after the fsync, or is dropped.
type draft struct {
	view   // of the write transaction, at its head
	store  *store
	group  *group
	before state

	// For the follower, see feed.go; the last two are nil without one.
	feed     feed
	interned []interned
	told     []told

	newSymbols []string
	symbols    map[string]tuples.Symbol // of newSymbols
	newModels  []modelHead
	ordinals   map[tuples.Symbol]uint32 // the last ordinal given out, by type
	scanned    int                      // rows that the filters of the commit under way have looked at
}

// draft returns the draft of a store in this group.
func (g *group) draft(s *store) (*draft, error) {
	if d := g.drafts[s]; d != nil {
		return d, nil
	}
	if g.tx.Bucket(storesBucket).Get([]byte(s.info.ID)) == nil {
		return nil, tuples.ErrStoreNotFound
	}
	d := &draft{store: s, group: g, feed: s.feed, symbols: map[string]tuples.Symbol{}, ordinals: map[tuples.Symbol]uint32{}}
	v, err := openView(g.tx, s.info.ID, d)
	if err != nil {
		return nil, err
	}
	v.now = g.now
	d.view, d.before = v, v.state
	g.drafts[s] = d
	return d, nil
}

// Lookup is the symbol of a name, with those that the group adds.
func (d *draft) Lookup(name string) tuples.Symbol {
	if symbol := d.store.symbols.Lookup(name); symbol != 0 {
		return symbol
	}
	return d.symbols[name]
}

// Name is the name of a symbol, with those that the group adds.
func (d *draft) Name(symbol tuples.Symbol) string {
	if name := d.store.symbols.Name(symbol); name != "" {
		return name
	}
	if i := int(symbol) - d.store.symbols.Len() - 1; i >= 0 && i < len(d.newSymbols) {
		return d.newSymbols[i]
	}
	return ""
}

// advance makes revision the head of the draft.
func (d *draft) advance(revision tuples.Revision) {
	d.state.head, d.state.time, d.at = revision, d.group.now, revision
}

func (d *draft) putState() error {
	if d.state == d.before {
		return nil
	}
	return d.bucket.Put(stateKey, d.state.encode())
}

// publish makes the draft what the follower knows and readers see.
func (d *draft) publish() {
	s := d.store
	d.inform()
	for _, name := range d.newSymbols {
		s.symbols.Add(name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(d.newModels) > 0 {
		s.models = append(forgetLatest(slices.Clone(s.models)), d.newModels...)
	}
	s.oldest.Store(uint64(d.state.oldest))
	s.head.Store(uint64(d.state.head))
	s.merging.Store(uint64(d.state.merging))
	s.wake()
}

// inForce is the model in force in the draft, "" for none.
func (d *draft) inForce() tuples.ModelID {
	if n := len(d.newModels); n > 0 {
		return d.newModels[n-1].id
	}
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	if n := len(d.store.models); n > 0 {
		return d.store.models[n-1].id
	}
	return ""
}

// lastOrdinal returns the last ordinal that a type's objects have.
func (d *draft) lastOrdinal(t tuples.Symbol) uint32 {
	if last, ok := d.ordinals[t]; ok {
		return last
	}
	last := uint32(0)
	c := d.part(partNodes).Cursor()
	key, _ := c.Seek(nodeKey(tuples.NewNode(t, ^uint32(0))))
	if key == nil {
		key, _ = c.Last()
	} else {
		key, _ = c.Prev()
	}
	if key != nil && decodeNode(key).Type() == t {
		last = decodeNode(key).Ordinal()
	}
	d.ordinals[t] = last
	return last
}

// newNames are the names that one commit would add. They are collected while it is
// checked and written when it is accepted.
type newNames struct {
	draft    *draft
	symbols  map[string]tuples.Symbol
	list     []string                      // of symbols, in order
	nodes    map[tuples.Object]tuples.Node // of those that node was asked for
	fresh    []interned                    // all that are new
	ordinals map[tuples.Symbol]uint32
}

func (d *draft) newNames() *newNames {
	return &newNames{
		draft: d, symbols: map[string]tuples.Symbol{},
		nodes: map[tuples.Object]tuples.Node{}, ordinals: map[tuples.Symbol]uint32{},
	}
}

// symbol returns the symbol of a name, a new one if need be.
func (n *newNames) symbol(name string) (tuples.Symbol, error) {
	if name == "" {
		return 0, nil
	}
	if symbol := n.draft.Lookup(name); symbol != 0 {
		return symbol, nil
	}
	if symbol := n.symbols[name]; symbol != 0 {
		return symbol, nil
	}
	next := n.draft.store.symbols.Len() + len(n.draft.newSymbols) + len(n.list) + 1
	if next > tuples.MaxSymbols {
		return 0, tuples.Invalid("", name, fmt.Sprintf("is one name more than the %d that a store can hold", tuples.MaxSymbols),
			"use the type and relation names there are, or another store")
	}
	n.symbols[name] = tuples.Symbol(next)
	n.list = append(n.list, name)
	return tuples.Symbol(next), nil
}

// node returns the node of an object or wildcard, a new one if need be.
func (n *newNames) node(o tuples.Object) (tuples.Node, error) {
	t, err := n.symbol(string(o.Type))
	if err != nil {
		return 0, err
	}
	if o.ID == tuples.Wildcard {
		return tuples.WildcardNode(t), nil
	}
	if node, err := n.draft.node(o); err != nil || node != 0 {
		return node, err
	}
	if node := n.nodes[o]; node != 0 {
		return node, nil
	}
	node, err := n.next(o, t)
	n.nodes[o] = node
	return node, err
}

// next returns a new node for an object of a type.
func (n *newNames) next(o tuples.Object, t tuples.Symbol) (tuples.Node, error) {
	last, ok := n.ordinals[t]
	if !ok {
		last = n.draft.lastOrdinal(t)
	}
	if last+1 >= tuples.FirstTransient {
		return 0, tuples.Invalid("", o.String(), fmt.Sprintf("is one object more than the %d of a type that a store can hold", tuples.FirstTransient-1),
			"use another store")
	}
	n.ordinals[t] = last + 1
	node := tuples.NewNode(t, last+1)
	n.fresh = append(n.fresh, interned{node, o})
	return node, nil
}

// edge returns a tuple's key in interned form.
func (n *newNames) edge(k tuples.Key) (edge tuples.EdgeKey, err error) {
	if edge.Object, err = n.node(k.Object); err != nil {
		return edge, err
	}
	if edge.Relation, err = n.symbol(string(k.Relation)); err != nil {
		return edge, err
	}
	if edge.Subject, err = n.node(k.Subject.Object()); err != nil {
		return edge, err
	}
	edge.SubjectRelation, err = n.symbol(string(k.Subject.Relation))
	return edge, err
}

// put writes the new names, in the order of their keys.
func (n *newNames) put() error {
	d := n.draft
	if len(n.list) > 0 || len(n.fresh) > 0 {
		d.group.write()
	}
	for _, name := range n.list {
		symbol := n.symbols[name]
		if err := d.part(partSymbols).Put(symbolKey(symbol), []byte(name)); err != nil {
			return err
		}
		d.symbols[name] = symbol
		d.newSymbols = append(d.newSymbols, name)
	}
	maps.Copy(d.ordinals, n.ordinals)
	return n.putNodes()
}

// putNodes writes the new nodes. A bulk commit has them in the order of their names already.
func (n *newNames) putNodes() error {
	d, ids := n.draft, n.draft.part(partIDs)
	if first, _ := ids.Cursor().First(); first == nil {
		ids = d.dense(partIDs)
	}
	slices.SortFunc(n.fresh, func(a, b interned) int { return a.object.Compare(b.object) })
	for _, f := range n.fresh {
		ordinal := binary.BigEndian.AppendUint32(nil, f.node.Ordinal())
		if err := ids.Put(idKey(f.node.Type(), f.object.ID), ordinal); err != nil {
			return err
		}
	}
	nodes := d.dense(partNodes)
	slices.SortFunc(n.fresh, func(a, b interned) int { return cmp.Compare(a.node, b.node) })
	for _, f := range n.fresh {
		if err := nodes.Put(nodeKey(f.node), []byte(f.object.ID)); err != nil {
			return err
		}
	}
	if d.feed.follower != nil {
		d.interned = append(d.interned, n.fresh...)
	}
	return nil
}

// dense returns a bucket that gets its rows in the order of their keys, packed accordingly.
func (d *draft) dense(p part) *bbolt.Bucket {
	b := d.part(p)
	b.FillPercent = 1
	return b
}
