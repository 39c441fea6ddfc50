package decisions

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/usher-authz/usher/tuples"
)

// A record is what the log keeps of a decision; its time is in the key.
//
//	record = outcome(1) revision(uvarint) store id, object, relation, subject, caller,
//	         source address, model id, count(uvarint) { tuple }
//
// All texts are length(uvarint) bytes. Objects, subjects and tuples are in the text form of
// package tuples.

// errDamaged says that bytes of the file are not what was written there.
var errDamaged = errors.New("the file of the decision log is damaged (put it aside, and a new one is begun)")

func (d *Decision) encode() []byte {
	b := make([]byte, 0, 256)
	b = binary.AppendUvarint(append(b, byte(d.Outcome)), uint64(d.Revision))
	for _, text := range []string{
		string(d.Store), d.Object.String(), string(d.Relation), d.Subject.String(), d.Caller, d.SourceAddress, string(d.Model),
	} {
		b = appendText(b, text)
	}
	b = binary.AppendUvarint(b, uint64(len(d.GrantedBy)))
	for _, t := range d.GrantedBy {
		b = appendText(b, t.String())
	}
	return b
}

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// decode reads a record. Its texts are copies.
func decode(p Position, record []byte) (Decision, error) {
	in := input{rest: record}
	d := Decision{Time: p.time(), Outcome: Outcome(in.byte()), Revision: tuples.Revision(in.uvarint())}
	d.Store = tuples.StoreID(in.text())
	object, relation, subject := in.text(), in.text(), in.text()
	d.Relation, d.Caller, d.SourceAddress, d.Model = tuples.Relation(relation), in.text(), in.text(), tuples.ModelID(in.text())
	var errs [2]error
	d.Object, errs[0] = tuples.ParseObject(object)
	d.Subject, errs[1] = tuples.ParseSubject(subject)
	err := errors.Join(errs[:]...)
	for range in.count() {
		tuple, tupleErr := tuples.ParseTuple(in.text())
		d.GrantedBy, err = append(d.GrantedBy, tuple), errors.Join(err, tupleErr)
	}
	if in.failed || err != nil || len(in.rest) > 0 || d.Outcome < Denied || d.Outcome > Conditional {
		return Decision{}, fmt.Errorf("decision %x of %d bytes: %w", p, len(record), errDamaged)
	}
	return d, nil
}

// input reads what encode wrote. After a failure it returns zero values and remembers
// that it failed.
type input struct {
	rest   []byte
	failed bool
}

func (in *input) byte() byte {
	if len(in.rest) == 0 {
		in.failed = true
		return 0
	}
	b := in.rest[0]
	in.rest = in.rest[1:]
	return b
}

func (in *input) uvarint() uint64 {
	n, size := binary.Uvarint(in.rest)
	if size <= 0 {
		in.failed, in.rest = true, nil
		return 0
	}
	in.rest = in.rest[size:]
	return n
}

// count returns a number of things that take a byte each at least, so that damage cannot
// ask for more than the input has.
func (in *input) count() int {
	n := in.uvarint()
	if n > uint64(len(in.rest)) {
		in.failed = true
		return 0
	}
	return int(n)
}

func (in *input) text() string {
	n := in.count()
	text := string(in.rest[:n])
	in.rest = in.rest[n:]
	return text
}
