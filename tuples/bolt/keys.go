package bolt

import (
	"cmp"
	"encoding/binary"

	"github.com/usher-authz/usher/tuples"
)

// The file is one bbolt database. Integers in keys are big endian, so that the
// order of bytes is the order of numbers. A node is type(2) ordinal(4).
//
//	meta           "format" → 2 bytes, "token-key" → 32 bytes, "clock" → ms(8)
//	stores         store id → created ms(8) epoch(8) name
//	store-names    name → store id
//	deleted        store id → nothing: its data is yet to be removed
//	<store id>     one bucket per store:
//	    "state"            head(8) time of the head in ms(8) oldest readable revision(8) revision being merged(8)
//	    symbols            symbol(2) → name of a type or relation
//	    ids                type(2) id → ordinal(4)
//	    nodes              type(2) ordinal(4) → id
//	    forward            object node(6) relation(2) | subject type(2) relation(2) ordinal(4) → row
//	    reverse            subject node(6) relation(2) | object type(2) relation(2) ordinal(4) → row without its grant
//	    forward-history    forward key(16) deleted revision(8) → row
//	    reverse-history    reverse key(16) deleted revision(8) → row without its grant
//	    staged-forward     forward key(16) → staged row, see staged.go
//	    staged-reverse     reverse key(16) → staged row without its grant
//	    expiries           ms(8) forward key(16) → nothing, of live rows
//	    log                revision(8) → change; of a large one, without mutations; see change.go
//	                       revision(8) part(4) → some mutations of a large change, from part 0
//	    models             revision(8) → created ms(8) id text, source
//	    model-ids          id → revision(8)
//	    requests           SHA-256 of caller and request id(32) → outcome, see request.go
//	    request-times      ms(8) key of requests(32) → nothing
//
// The right half of a tuple's key has its kind (types and relation) before the
// ordinal: the subjects of one kind in a list, and the objects of one type in a
// reverse list, are one contiguous run in ascending order of their nodes.
const (
	nodeLen     = 6
	edgeLen     = 16 // of a key in forward and reverse
	listLen     = 12 // of the part of it that all edges of one list share
	revisionLen = 8
	partLen     = revisionLen + 4
	historyLen  = edgeLen + revisionLen
)

// order is one of the two orders that tuples are kept in.
type order int

const (
	forward order = iota // by object, for the subjects of a list
	reverse              // by subject, for the objects of a reverse list
)

// edgeKey is a tuple's key in one of the orders.
type edgeKey [edgeLen]byte

// key returns the key of a tuple in this order.
func (o order) key(k tuples.EdgeKey) edgeKey {
	if o == forward {
		return halves(k.Object, k.Relation, k.Subject.Type(), k.SubjectRelation, k.Subject.Ordinal())
	}
	return halves(k.Subject, k.SubjectRelation, k.Object.Type(), k.Relation, k.Object.Ordinal())
}

// edge returns the tuple of a key in this order; the key has edgeLen bytes.
func (o order) edge(key []byte) tuples.EdgeKey {
	left := decodeNode(key)
	leftRelation := decodeSymbol(key[6:])
	right := tuples.NewNode(decodeSymbol(key[8:]), binary.BigEndian.Uint32(key[12:]))
	rightRelation := decodeSymbol(key[10:])
	if o == forward {
		return tuples.EdgeKey{Object: left, Relation: leftRelation, Subject: right, SubjectRelation: rightRelation}
	}
	return tuples.EdgeKey{Subject: left, SubjectRelation: leftRelation, Object: right, Relation: rightRelation}
}

// turn returns a key of this order in the other one.
func (o order) turn(key []byte) edgeKey { return (1 - o).key(o.edge(key)) }

// compareKeys orders keys bytewise.
func compareKeys(a, b *edgeKey) int {
	if c := cmp.Compare(binary.BigEndian.Uint64(a[:]), binary.BigEndian.Uint64(b[:])); c != 0 {
		return c
	}
	return cmp.Compare(binary.BigEndian.Uint64(a[8:]), binary.BigEndian.Uint64(b[8:]))
}

func halves(left tuples.Node, leftRelation, rightType, rightRelation tuples.Symbol, rightOrdinal uint32) edgeKey {
	var key edgeKey
	putNode(key[:], left)
	binary.BigEndian.PutUint16(key[6:], uint16(leftRelation))
	binary.BigEndian.PutUint16(key[8:], uint16(rightType))
	binary.BigEndian.PutUint16(key[10:], uint16(rightRelation))
	binary.BigEndian.PutUint32(key[12:], rightOrdinal)
	return key
}

func putNode(b []byte, n tuples.Node) {
	binary.BigEndian.PutUint16(b, uint16(n.Type()))
	binary.BigEndian.PutUint32(b[2:], n.Ordinal())
}

func nodeKey(n tuples.Node) []byte {
	key := make([]byte, nodeLen)
	putNode(key, n)
	return key
}

func decodeNode(b []byte) tuples.Node {
	return tuples.NewNode(decodeSymbol(b), binary.BigEndian.Uint32(b[2:]))
}

func decodeSymbol(b []byte) tuples.Symbol { return tuples.Symbol(binary.BigEndian.Uint16(b)) }

func symbolKey(s tuples.Symbol) []byte { return binary.BigEndian.AppendUint16(nil, uint16(s)) }

// idKey is the key of an object's id among those of its type.
func idKey(t tuples.Symbol, id tuples.ID) []byte {
	key := make([]byte, 0, 2+len(id))
	return append(binary.BigEndian.AppendUint16(key, uint16(t)), id...)
}

// number is the key or value of a revision or of a time in milliseconds.
func number[N ~uint64 | ~int64](n N) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

func historyKey(key []byte, deleted tuples.Revision) []byte {
	b := make([]byte, 0, historyLen)
	return binary.BigEndian.AppendUint64(append(b, key...), uint64(deleted))
}

func deletedAt(historyKey []byte) tuples.Revision {
	return tuples.Revision(binary.BigEndian.Uint64(historyKey[edgeLen:]))
}

// partKey is the key of a part of a large change in the log.
func partKey(revision tuples.Revision, part int) []byte {
	return binary.BigEndian.AppendUint32(number(revision), uint32(part))
}

func expiryKey(expires int64, key []byte) []byte { return append(number(expires), key...) }
