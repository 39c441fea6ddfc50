package bolt

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/usher-authz/usher/tuples"
)

// A change is one entry of the log. Tuples are forward keys, in ascending order;
// names are never freed, so they resolve as long as the entry is kept.
//
//	change   = time ms(8) cause(1) model id text, origin, mutations
//	part     = mutations, of a change whose own are none
//	mutations = count(uvarint) { packed mutation }, see pack.go
//	origin   = caller text, actor: 0 | 1 type text id text relation text, count(uvarint) { key text value text }
type change struct {
	time      int64
	cause     tuples.Cause
	model     tuples.ModelID
	origin    tuples.Origin
	mutations []mutation
}

// mutation is what happened to one tuple. The grant of a delete is the one removed.
type mutation struct {
	op    tuples.Op
	key   edgeKey
	grant grant
}

func (c *change) encode() []byte {
	b := number(c.time)
	b = append(b, byte(c.cause))
	b = appendText(b, string(c.model))
	return appendMutations(appendOrigin(b, c.origin), c.mutations)
}

func appendOrigin(b []byte, o tuples.Origin) []byte {
	b = appendText(b, o.Caller)
	if o.Actor == nil {
		b = append(b, 0)
	} else {
		b = append(b, 1)
		b = appendText(b, string(o.Actor.Type))
		b = appendText(b, string(o.Actor.ID))
		b = appendText(b, string(o.Actor.Relation))
	}
	b = binary.AppendUvarint(b, uint64(len(o.Metadata)))
	for _, key := range slices.Sorted(maps.Keys(o.Metadata)) {
		b = appendText(appendText(b, key), o.Metadata[key])
	}
	return b
}

// decodeChange returns an entry of the log; its grants point into value.
func decodeChange(value []byte) (*change, error) {
	in := input{rest: value}
	c := in.changeHead()
	c.mutations = in.mutations()
	if in.failed || len(in.rest) > 0 {
		return nil, fmt.Errorf("change of %d bytes: %w", len(value), errDamaged)
	}
	return c, nil
}

// decodePart returns a part of a large change; its grants point into value.
func decodePart(value []byte) ([]mutation, error) {
	in := input{rest: value}
	mutations := in.mutations()
	if in.failed || len(in.rest) > 0 {
		return nil, fmt.Errorf("part of a change, of %d bytes: %w", len(value), errDamaged)
	}
	return mutations, nil
}

// decodeLog returns a row of the log: a whole change, or a part with mutations alone.
func decodeLog(key, value []byte) (tuples.Revision, *change, error) {
	revision := tuples.Revision(binary.BigEndian.Uint64(key))
	if len(key) == revisionLen {
		c, err := decodeChange(value)
		return revision, c, err
	}
	mutations, err := decodePart(value)
	return revision, &change{mutations: mutations}, err
}

// changeHead reads what an entry says of the whole change, in front of its mutations.
func (in *input) changeHead() *change {
	c := &change{time: int64(in.uint64()), cause: tuples.Cause(in.byte()), model: tuples.ModelID(in.text())}
	c.origin = in.origin()
	return c
}

// changeTime reads the time of an entry alone.
func changeTime(value []byte) int64 {
	in := input{rest: value}
	return int64(in.uint64())
}

func (in *input) origin() tuples.Origin {
	o := tuples.Origin{Caller: in.text()}
	if in.byte() == 1 {
		o.Actor = &tuples.Subject{
			Type:     tuples.ObjectType(in.text()),
			ID:       tuples.ID(in.text()),
			Relation: tuples.Relation(in.text()),
		}
	}
	if n := in.count(); n > 0 {
		o.Metadata = make(map[string]string, n)
		for range n {
			key := in.text()
			o.Metadata[key] = in.text()
		}
	}
	return o
}
