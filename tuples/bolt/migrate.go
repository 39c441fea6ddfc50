package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/usher-authz/usher/tuples"
	bbolt "go.etcd.io/bbolt"
)

// migrations bring a store from the format of their place, counted from 1, to the next one.
var migrations = [format - 1]func(store *bbolt.Bucket) error{addStaging, packLog}

// migrate brings a file of an older format to this one, in one transaction.
func migrate(tx *bbolt.Tx, meta *bbolt.Bucket) error {
	value := meta.Get(formatKey)
	if len(value) != 2 {
		return fmt.Errorf("format version %x: %w", value, errDamaged)
	}
	have := binary.BigEndian.Uint16(value)
	switch {
	case have == format:
		return nil
	case have == 0 || have > format:
		return fmt.Errorf("the file has format version %d, this program knows version %d and those before; use the program that wrote it, or a newer one", have, format)
	}
	for _, step := range migrations[have-1:] {
		err := tx.Bucket(storesBucket).ForEach(func(id, _ []byte) error {
			store := tx.Bucket(id)
			if store == nil {
				return fmt.Errorf("store %s has no data: %w", id, errDamaged)
			}
			return step(store)
		})
		if err != nil {
			return err
		}
	}
	return meta.Put(formatKey, binary.BigEndian.AppendUint16(nil, format))
}

// addStaging brings a store of format 1 to format 2: it had no staged rows, and no word
// about them in its state.
func addStaging(store *bbolt.Bucket) error {
	for _, o := range []order{forward, reverse} {
		if _, err := store.CreateBucket([]byte(partNames[partStagedForward+part(o)])); err != nil {
			return err
		}
	}
	old := store.Get(stateKey)
	return store.Put(stateKey, append(bytes.Clone(old), number(tuples.Revision(0))...))
}

// packLog brings a store of format 2 to format 3: its log had mutations that were not packed.
func packLog(store *bbolt.Bucket) error {
	log := store.Bucket([]byte(partNames[partLog]))
	log.FillPercent = 1
	var keys [][]byte // a cursor does not go on behind a Put
	if err := log.ForEach(func(key, _ []byte) error {
		keys = append(keys, bytes.Clone(key))
		return nil
	}); err != nil {
		return err
	}
	for _, key := range keys {
		value := log.Get(key)
		in := input{rest: value}
		if len(key) == revisionLen {
			in.changeHead()
		}
		head := value[:len(value)-len(in.rest)]
		mutations := in.unpacked()
		if in.failed || len(in.rest) > 0 {
			return fmt.Errorf("log entry %x of %d bytes: %w", key, len(value), errDamaged)
		}
		if err := log.Put(key, appendMutations(bytes.Clone(head), mutations)); err != nil {
			return err
		}
	}
	return nil
}

// unpacked reads mutations as formats 1 and 2 had them:
//
//	count(uvarint) { op(1) forward key(16) length of the grant(uvarint) grant }
func (in *input) unpacked() []mutation {
	n := in.count()
	mutations := make([]mutation, 0, n)
	for range n {
		m := mutation{op: tuples.Op(in.byte())}
		copy(m.key[:], in.bytes(edgeLen))
		m.grant = grant(in.bytes(in.count()))
		if len(m.grant) == 0 || m.op < tuples.OpCreate || m.op > tuples.OpDelete {
			in.fail()
			break
		}
		mutations = append(mutations, m)
	}
	return mutations
}
