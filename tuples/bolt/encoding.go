package bolt

import (
	"encoding/binary"
	"errors"
)

// errDamaged says that bytes of the file are not what was written there.
var errDamaged = errors.New("the database file is damaged (restore a backup, or run verify to see how far it goes)")

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// input reads what the append functions wrote. After a failure it returns zero
// values and remembers that it failed, so that callers check once at the end.
type input struct {
	rest   []byte
	failed bool
}

func (in *input) fail() {
	in.failed = true
	in.rest = nil
}

func (in *input) uvarint() uint64 {
	n, size := binary.Uvarint(in.rest)
	if size <= 0 {
		in.fail()
		return 0
	}
	in.rest = in.rest[size:]
	return n
}

func (in *input) varint() int64 {
	n, size := binary.Varint(in.rest)
	if size <= 0 {
		in.fail()
		return 0
	}
	in.rest = in.rest[size:]
	return n
}

// bytes returns the next n bytes, which stay part of the input.
func (in *input) bytes(n int) []byte {
	if n < 0 || n > len(in.rest) {
		in.fail()
		return nil
	}
	b := in.rest[:n:n]
	in.rest = in.rest[n:]
	return b
}

func (in *input) byte() byte {
	if b := in.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (in *input) uint64() uint64 {
	if b := in.bytes(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// count returns a number of things that take a byte each at least, so that
// damage cannot ask for more memory than the input has bytes.
func (in *input) count() int {
	n := in.uvarint()
	if n > uint64(len(in.rest)) {
		in.fail()
		return 0
	}
	return int(n)
}

func (in *input) text() string { return string(in.bytes(in.count())) }
