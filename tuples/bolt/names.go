package bolt

import (
	"encoding/binary"
	"fmt"

	"github.com/usher-authz/usher/tuples"
)

// names resolves the symbols of a store: [tuples.Symbols] for readers, and a draft,
// which knows the names that a group is about to add, for the committer.
type names interface {
	Lookup(name string) tuples.Symbol
	Name(symbol tuples.Symbol) string
}

// node returns the node of an object or of a wildcard, 0 if the store has none.
func (v *view) node(o tuples.Object) (tuples.Node, error) {
	t := v.names.Lookup(string(o.Type))
	if t == 0 {
		return 0, nil
	}
	if o.ID == tuples.Wildcard {
		return tuples.WildcardNode(t), nil
	}
	value := v.part(partIDs).Get(idKey(t, o.ID))
	if value == nil {
		return 0, nil
	}
	return decodeOrdinal(o, t, value)
}

// decodeOrdinal returns the node of an object that an entry of ids is about.
func decodeOrdinal(o tuples.Object, t tuples.Symbol, value []byte) (tuples.Node, error) {
	if len(value) != 4 {
		return 0, fmt.Errorf("ordinal %x of %s: %w", value, o, errDamaged)
	}
	return tuples.NewNode(t, binary.BigEndian.Uint32(value)), nil
}

// object returns the object of a node, or the wildcard.
func (v *view) object(n tuples.Node) (tuples.Object, error) {
	t := tuples.ObjectType(v.names.Name(n.Type()))
	if t == "" {
		return tuples.Object{}, fmt.Errorf("node %#x: the store has no type %d", uint64(n), n.Type())
	}
	if n.IsWildcard() {
		return tuples.Object{Type: t, ID: tuples.Wildcard}, nil
	}
	id := v.part(partNodes).Get(nodeKey(n))
	if id == nil {
		return tuples.Object{}, fmt.Errorf("node %#x: the store has no %s of ordinal %d", uint64(n), t, n.Ordinal())
	}
	return tuples.Object{Type: t, ID: tuples.ID(id)}, nil
}

// edgeKey returns a tuple's key in interned form; ok is false if the store has
// never seen one of its names, and so cannot hold it.
func (v *view) edgeKey(k tuples.Key) (edge tuples.EdgeKey, ok bool, err error) {
	edge.Relation = v.names.Lookup(string(k.Relation))
	edge.SubjectRelation = v.names.Lookup(string(k.Subject.Relation))
	if edge.Relation == 0 || (edge.SubjectRelation == 0) != (k.Subject.Relation == "") {
		return edge, false, nil
	}
	if edge.Object, err = v.node(k.Object); err != nil || edge.Object == 0 {
		return edge, false, err
	}
	edge.Subject, err = v.node(k.Subject.Object())
	return edge, edge.Subject != 0, err
}

// lastName is the name that was found last: tuples come by object or by subject, many of each.
type lastName struct {
	node   tuples.Node
	object tuples.Object
}

func (l *lastName) of(v *view, n tuples.Node) (tuples.Object, error) {
	if l.node == n {
		return l.object, nil
	}
	o, err := v.object(n)
	if err == nil {
		*l = lastName{n, o}
	}
	return o, err
}

// key returns a tuple's key with names.
func (v *view) key(edge tuples.EdgeKey) (k tuples.Key, err error) {
	if k.Object, err = v.lastObject.of(v, edge.Object); err != nil {
		return k, err
	}
	subject, err := v.lastSubject.of(v, edge.Subject)
	if err != nil {
		return k, err
	}
	k.Relation = tuples.Relation(v.names.Name(edge.Relation))
	k.Subject = tuples.Subject{Type: subject.Type, ID: subject.ID}
	if edge.SubjectRelation != 0 {
		k.Subject.Relation = tuples.Relation(v.names.Name(edge.SubjectRelation))
	}
	if k.Relation == "" || (edge.SubjectRelation != 0) != (k.Subject.Relation != "") {
		return k, fmt.Errorf("tuple of %s: relation %d or %d has no name: %w", k.Object, edge.Relation, edge.SubjectRelation, errDamaged)
	}
	return k, nil
}
