package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/usher-authz/usher/tuples"
	"pgregory.net/rapid"
)

// Each mutation is packed behind the one before: the bytes show what of it is new.
func TestPackedMutationsAreTheseBytes(t *testing.T) {
	media, user, group := tuples.Symbol(1), tuples.Symbol(2), tuples.Symbol(3)
	viewer, editor, member := tuples.Symbol(4), tuples.Symbol(5), tuples.Symbol(6)
	logo, clip := tuples.NewNode(media, 700), tuples.NewNode(media, 705)
	var mutations []mutation
	var want []byte
	for _, c := range []struct {
		name  string
		op    tuples.Op
		key   tuples.EdgeKey
		grant grant
		bytes string
	}{
		{"the first", tuples.OpCreate, tuples.EdgeKey{Object: logo, Relation: viewer, Subject: tuples.NewNode(user, 300)}, bare, "01 01 bc05 04 02 00 ac02"},
		{"another subject", tuples.OpTouch, tuples.EdgeKey{Object: logo, Relation: viewer, Subject: tuples.NewNode(user, 302)}, bare, "22 02"},
		{"another kind", tuples.OpDelete, tuples.EdgeKey{Object: logo, Relation: viewer, Subject: tuples.NewNode(group, 9), SubjectRelation: member}, bare, "1b 03 06 09"},
		{"another relation", tuples.OpCreate, tuples.EdgeKey{Object: logo, Relation: editor, Subject: tuples.WildcardNode(user)}, bare, "11 05 02 00 00"},
		{"another object", tuples.OpCreate, tuples.EdgeKey{Object: clip, Relation: viewer, Subject: tuples.NewNode(user, 1)}, bare, "09 05 04 02 00 01"},
		{"another type, with a grant", tuples.OpCreate, tuples.EdgeKey{Object: tuples.NewNode(group, 1), Relation: member, Subject: tuples.NewNode(user, 1)}, grant{hasExpiry, 0, 0, 0, 0, 0, 0, 0, 7}, "05 03 01 06 02 00 01 09 010000000000000007"},
	} {
		mutations = append(mutations, mutation{op: c.op, key: forward.key(c.key), grant: c.grant})
		want = append(want, unhex(t, c.bytes)...)
		got := appendMutations(nil, mutations)
		if !bytes.Equal(got, append([]byte{byte(len(mutations))}, want...)) {
			t.Errorf("%s: got %x behind the count, want %x", c.name, got[1:], want)
		}
	}
}

// Mutations come back whatever their order, and any cut of their bytes is an error.
func TestPackedMutationsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var mutations []mutation
		for range rapid.IntRange(0, 8).Draw(t, "mutations") {
			m := mutation{op: tuples.Op(rapid.IntRange(int(tuples.OpCreate), int(tuples.OpDelete)).Draw(t, "op"))}
			m.key = forward.key(drawEdge(t))
			if n := len(mutations); n > 0 { // shares a part of the key with the one before
				copy(m.key[:rapid.IntRange(0, edgeLen).Draw(t, "shared")], mutations[n-1].key[:])
			}
			var err error
			if m.grant, err = encodeGrant(drawGrant(t)); err != nil {
				t.Fatal(err)
			}
			mutations = append(mutations, m)
		}
		packed := appendMutations(nil, mutations)
		back, err := decodePart(packed)
		if err != nil || len(back) != len(mutations) {
			t.Fatalf("%d mutations come back as %d: %v", len(mutations), len(back), err)
		}
		for i := range mutations {
			if m, b := &mutations[i], &back[i]; m.op != b.op || m.key != b.key || !bytes.Equal(m.grant, b.grant) {
				t.Fatalf("%+v comes back as %+v", *m, *b)
			}
		}
		cut := packed[:rapid.IntRange(0, len(packed)-1).Draw(t, "cut")]
		if _, err := decodePart(cut); !errors.Is(err, errDamaged) {
			t.Fatalf("%x, cut to %d bytes, is read: %v", packed, len(cut), err)
		}
	})
}

func TestPackedMutationsThatCannotBeAreErrors(t *testing.T) {
	for name, text := range map[string]string{
		"no operation":             "01 00 01 01 01 01 00 01",
		"a field that is none":     "01 29 01",
		"a relation out of range":  "01 11 80 80 04 01 00 01",
		"an ordinal out of range":  "01 21 80 80 80 80 10",
		"a grant without bytes":    "01 25 01 00",
		"a grant of nothing":       "01 25 01 02 00 30",
		"more bytes than are told": "00 00",
	} {
		if got, err := decodePart(unhex(t, text)); !errors.Is(err, errDamaged) {
			t.Errorf("%s: read as %+v, %v", name, got, err)
		}
	}
}

// What is read is written as the same mutations again.
func FuzzMutations(f *testing.F) {
	key := forward.key(sample)
	f.Add(appendMutations(nil, []mutation{{op: tuples.OpDelete, key: key, grant: bare}, {op: tuples.OpCreate, key: key, grant: grant{hasAttributes, 0}}}))
	f.Add(binary.AppendUvarint(nil, 1<<40))
	f.Fuzz(func(t *testing.T, b []byte) {
		first, err := decodePart(b)
		if err != nil {
			return
		}
		second, err := decodePart(appendMutations(nil, first))
		if err != nil || len(first) != len(second) {
			t.Fatalf("%x: %d mutations come back as %d, %v", b, len(first), len(second), err)
		}
		for i := range first {
			if first[i].op != second[i].op || first[i].key != second[i].key || !bytes.Equal(first[i].grant, second[i].grant) {
				t.Fatalf("%x: %+v comes back as %+v", b, first[i], second[i])
			}
		}
	})
}
