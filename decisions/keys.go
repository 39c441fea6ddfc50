package decisions

import (
	"encoding/binary"
	"time"

	"github.com/usher-authz/usher/tuples"
)

// The file is one bbolt database. Integers in keys are big endian, so that the order of
// bytes is the order of numbers. No name or id contains a zero byte, which so ends each.
//
//	decision-log   "format" → 2 bytes
//	decisions      position → record, see record.go
//	by-object      store id 0 object 0 position → nothing
//	by-subject     store id 0 subject 0 position → nothing
//
//	position = time ms(8) sequence(8)
//
// Sequences count the decisions of the file, so that those of one millisecond differ.
// Objects and subjects are in text form: "media:logo", "group:design#member".
var (
	metaBucket      = []byte("decision-log")
	decisionsBucket = []byte("decisions")
	objectBucket    = []byte("by-object")
	subjectBucket   = []byte("by-subject")

	formatKey = []byte("format")
)

// Position is a decision's place in the log. The zero Position is that of none.
type Position [positionLen]byte

const positionLen = 16

func newPosition(t time.Time, sequence uint64) (p Position) {
	binary.BigEndian.PutUint64(p[:], uint64(t.UnixMilli()))
	binary.BigEndian.PutUint64(p[8:], sequence)
	return p
}

func (p Position) time() time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(p[:]))).UTC()
}

// endOf returns the position part of an index key, or a key of the log as it is.
func endOf(key []byte) (p Position) {
	copy(p[:], key[max(0, len(key)-positionLen):])
	return p
}

// objectPrefix is what the index keys of one object begin with.
func objectPrefix(store tuples.StoreID, o tuples.Object) []byte {
	return indexPrefix(store, o.String())
}

// subjectPrefix is what the index keys of one subject begin with.
func subjectPrefix(store tuples.StoreID, s tuples.Subject) []byte {
	return indexPrefix(store, s.String())
}

func indexPrefix(store tuples.StoreID, text string) []byte {
	b := make([]byte, 0, len(store)+len(text)+2+positionLen)
	b = append(append(b, store...), 0)
	return append(append(b, text...), 0)
}
