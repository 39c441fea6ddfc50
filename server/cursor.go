package server

import (
	"crypto/sha256"
	"encoding/binary"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/tuples"
)

// A cursor, before base64url (stamp as in a token):
//
//	version(1) | stamp model(length 1, text) query(16) leaf(uvarint) after(rest) | mac(16)
//
// It holds a list to its state, model and question. Where the list goes on stands
// beside it (Resume.after), so that one cursor serves every item. Only lists that take
// no Resume keep the place in it: Expand (leaf, after), ListModels and ListStores (after).
type cursor struct {
	stamp
	model tuples.ModelID
	query queryHash
	leaf  int
	after string
}

// queryHash is the hash of a question with all that decides what it lists.
type queryHash [16]byte

// notHashed are the fields of a request that may differ from page to page. The store is
// in the cursor, and may be called by its name or by its id.
var notHashed = []protoreflect.Name{"store", "consistency", "page_size", "resume", "cursor"}

// hashQuery returns the hash of the question that a request asks.
func hashQuery(r proto.Message) (q queryHash, err error) {
	question := proto.Clone(r)
	m := question.ProtoReflect()
	for _, name := range notHashed {
		if field := m.Descriptor().Fields().ByName(name); field != nil {
			m.Clear(field)
		}
	}
	data, err := canonical(question)
	if err != nil {
		return q, err
	}
	sum := sha256.Sum256(data)
	copy(q[:], sum[:])
	return q, nil
}

// canonical returns a message as bytes that are the same for equal messages, and
// different for messages of different types.
func canonical(m proto.Message) ([]byte, error) {
	name := append([]byte(m.ProtoReflect().Descriptor().FullName()), 0)
	return proto.MarshalOptions{Deterministic: true}.MarshalAppend(name, m)
}

func (s *Server) sealCursor(c cursor) string {
	b := c.stamp.append(make([]byte, 0, 128))
	b = appendText(b, string(c.model))
	b = append(b, c.query[:]...)
	b = binary.AppendUvarint(b, uint64(c.leaf))
	return s.cursors.seal(append(b, c.after...))
}

// unsealCursor reads a cursor without asking whose it is.
func (s *Server) unsealCursor(field, text string) (cursor, error) {
	data, err := s.cursors.unseal(text)
	if err != nil {
		return cursor{}, refuseSealed(field, text, err)
	}
	p := payload{rest: data}
	c := cursor{stamp: p.stamp(), model: tuples.ModelID(p.text())}
	copy(c.query[:], p.bytes(len(c.query)))
	c.leaf = int(p.uvarint())
	c.after = string(p.rest)
	if p.bad {
		return cursor{}, refuseSealed(field, text, errForged)
	}
	return c, nil
}

// readCursor returns a cursor of this store and question.
func (s *Server) readCursor(info tuples.StoreInfo, field, text string, query queryHash) (cursor, error) {
	c, err := s.unsealCursor(field, text)
	if err != nil {
		return cursor{}, err
	}
	if err := c.belongs(info, field, text); err != nil {
		return cursor{}, err
	}
	if c.query != query {
		return cursor{}, refuse(usherv1.ErrorReason_ERROR_REASON_CURSOR_MISMATCH, field, text, "is of another question",
			"send the fields of the request that the cursor came with; page_size alone may differ")
	}
	return c, nil
}
