package bolt

import (
	"encoding/binary"
	"slices"

	"github.com/usher-authz/usher/tuples"
)

// In the log, mutations stand in the order of their forward keys, and neighbours have much in
// common. So of each key only what follows the part that it shares with the one before is
// written, in five fields:
//
//	packed = tag(1) { field } [ length of the grant(uvarint) grant ]
//	tag    = operation(bits 0 and 1) | hasGrant(bit 2) | number of the first field(bits 3 to 5)
//
//	field 0   object type(uvarint)
//	field 1   object ordinal(uvarint)
//	field 2   relation(uvarint)
//	field 3   subject type(uvarint) subject relation(uvarint)
//	field 4   subject ordinal(uvarint)
//
// An ordinal that is the first field is written as the distance from the one before. A
// mutation without hasGrant has the zero Grant. Most take 4 to 9 bytes, where key, operation
// and grant take 19.
const (
	fieldObjectType = iota
	fieldObject
	fieldRelation
	fieldKind
	fieldSubject
)

const (
	opBits     byte = 1<<2 - 1
	hasGrant   byte = 1 << 2
	fieldShift      = 3

	packedLen = 9 // of most mutations, at most
)

// appendMutations appends mutations, each packed behind the one before.
func appendMutations(b []byte, mutations []mutation) []byte {
	b = binary.AppendUvarint(slices.Grow(b, packedLen*len(mutations)), uint64(len(mutations)))
	var before tuples.EdgeKey
	for i := range mutations {
		m := &mutations[i]
		tag, key := byte(m.op), forward.edge(m.key[:])
		if !m.grant.isBare() {
			tag |= hasGrant
		}
		first := firstField(before, key)
		b = append(b, tag|byte(first<<fieldShift))
		b = appendFields(b, first, before, key)
		if !m.grant.isBare() {
			b = append(binary.AppendUvarint(b, uint64(len(m.grant))), m.grant...)
		}
		before = key
	}
	return b
}

// firstField returns the first field in which two keys differ, the last one if none does.
func firstField(a, b tuples.EdgeKey) int {
	switch {
	case a.Object.Type() != b.Object.Type():
		return fieldObjectType
	case a.Object != b.Object:
		return fieldObject
	case a.Relation != b.Relation:
		return fieldRelation
	case a.Subject.Type() != b.Subject.Type() || a.SubjectRelation != b.SubjectRelation:
		return fieldKind
	}
	return fieldSubject
}

func appendFields(b []byte, first int, before, key tuples.EdgeKey) []byte {
	object, subject := key.Object.Ordinal(), key.Subject.Ordinal()
	switch first {
	case fieldObject:
		object -= before.Object.Ordinal()
	case fieldSubject:
		subject -= before.Subject.Ordinal()
	}
	if first <= fieldObjectType {
		b = binary.AppendUvarint(b, uint64(key.Object.Type()))
	}
	if first <= fieldObject {
		b = binary.AppendUvarint(b, uint64(object))
	}
	if first <= fieldRelation {
		b = binary.AppendUvarint(b, uint64(key.Relation))
	}
	if first <= fieldKind {
		b = binary.AppendUvarint(b, uint64(key.Subject.Type()))
		b = binary.AppendUvarint(b, uint64(key.SubjectRelation))
	}
	return binary.AppendUvarint(b, uint64(subject))
}

// mutations reads what appendMutations wrote; the grants stay part of the input.
func (in *input) mutations() []mutation {
	n := in.count()
	mutations := make([]mutation, 0, n)
	var key tuples.EdgeKey
	for range n {
		tag := in.byte()
		key = in.fields(int(tag>>fieldShift), key)
		m := mutation{op: tuples.Op(tag & opBits), key: forward.key(key), grant: bare}
		if tag&hasGrant != 0 {
			m.grant = grant(in.bytes(in.count()))
			if len(m.grant) == 0 || m.grant.isBare() { // which nobody writes
				in.fail()
			}
		}
		if in.failed || m.op < tuples.OpCreate {
			in.fail()
			return nil
		}
		mutations = append(mutations, m)
	}
	return mutations
}

func (in *input) fields(first int, before tuples.EdgeKey) tuples.EdgeKey {
	key := before
	objectType, object := before.Object.Type(), before.Object.Ordinal()
	subjectType, subject := before.Subject.Type(), uint32(0)
	switch first {
	case fieldObjectType, fieldObject, fieldRelation, fieldKind:
	case fieldSubject:
		subject = before.Subject.Ordinal()
	default:
		in.fail()
	}
	if first <= fieldObjectType {
		objectType, object = in.symbol(), 0
	}
	if first <= fieldObject {
		object += in.ordinal()
	}
	if first <= fieldRelation {
		key.Relation = in.symbol()
	}
	if first <= fieldKind {
		subjectType, key.SubjectRelation = in.symbol(), in.symbol()
	}
	key.Object = tuples.NewNode(objectType, object)
	key.Subject = tuples.NewNode(subjectType, subject+in.ordinal())
	return key
}

func (in *input) symbol() tuples.Symbol {
	n := in.uvarint()
	if n > tuples.MaxSymbols {
		in.fail()
	}
	return tuples.Symbol(n)
}

func (in *input) ordinal() uint32 {
	n := in.uvarint()
	if n > uint64(^uint32(0)) {
		in.fail()
	}
	return uint32(n)
}
