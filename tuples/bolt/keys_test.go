package bolt

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/usher-authz/usher/tuples"
	"pgregory.net/rapid"
)

// sample is media(1):7 # viewer(2) @ group(3):9 # member(4).
var sample = tuples.EdgeKey{
	Object: tuples.NewNode(1, 7), Relation: 2,
	Subject: tuples.NewNode(3, 9), SubjectRelation: 4,
}

func TestKeysAreTheseBytes(t *testing.T) {
	forwardKey, reverseKey := forward.key(sample), reverse.key(sample)
	for _, c := range []struct {
		name string
		got  []byte
		want string
	}{
		{"forward", forwardKey[:], "0001 00000007 0002 0003 0004 00000009"},
		{"reverse", reverseKey[:], "0003 00000009 0004 0001 0002 00000007"},
		{"history", historyKey(forwardKey[:], 258), "0001 00000007 0002 0003 0004 00000009 0000000000000102"},
		{"expiry", expiryKey(1000, forwardKey[:]), "00000000000003e8 0001 00000007 0002 0003 0004 00000009"},
		{"node", nodeKey(sample.Object), "0001 00000007"},
		{"id", idKey(1, "logo"), "0001 6c6f676f"},
		{"symbol", symbolKey(300), "012c"},
		{"revision", number(tuples.Revision(258)), "0000000000000102"},
		{"part of a change", partKey(258, 3), "0000000000000102 00000003"},
		{"state", state{head: 3, time: 1000, oldest: 2, merging: 1}.encode(), "0000000000000003 00000000000003e8 0000000000000002 0000000000000001"},
		{"request", requestKey("a", "b"), "fa4a350f5906021e27b2caf19409319e1606cf68ca77624c56ea19168e156b25"},
	} {
		if want := unhex(t, c.want); !bytes.Equal(c.got, want) {
			t.Errorf("%s: got %x, want %x", c.name, c.got, want)
		}
	}
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(string(bytes.ReplaceAll([]byte(text), []byte(" "), nil)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestKeysRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := drawEdge(t)
		for _, o := range []order{forward, reverse} {
			key := o.key(k)
			if back := o.edge(key[:]); back != k {
				t.Fatalf("order %d: %+v comes back as %+v", o, k, back)
			}
			turned := o.turn(key[:])
			if want := (1 - o).key(k); turned != want {
				t.Fatalf("order %d: %x turns into %x, want %x", o, key, turned, want)
			}
		}
	})
}

func drawEdge(t *rapid.T) tuples.EdgeKey {
	symbol := rapid.Custom(func(t *rapid.T) tuples.Symbol { return tuples.Symbol(rapid.Uint16().Draw(t, "symbol")) })
	node := func(what string) tuples.Node {
		return tuples.NewNode(symbol.Draw(t, what+" type"), rapid.Uint32().Draw(t, what+" ordinal"))
	}
	return tuples.EdgeKey{
		Object: node("object"), Relation: symbol.Draw(t, "relation"),
		Subject: node("subject"), SubjectRelation: symbol.Draw(t, "subject relation"),
	}
}

// A list's edges are one run of keys, in the order of their nodes.
func TestKeysOfAListAreInOrderOfNodes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawEdge(t), drawEdge(t)
		b.Object, b.Relation, b.SubjectRelation = a.Object, a.Relation, a.SubjectRelation
		b.Subject = tuples.NewNode(a.Subject.Type(), b.Subject.Ordinal())
		ka, kb := forward.key(a), forward.key(b)
		if !bytes.Equal(ka[:listLen], kb[:listLen]) {
			t.Fatalf("%x and %x are of one list", ka, kb)
		}
		if (a.Subject < b.Subject) != (bytes.Compare(ka[:], kb[:]) < 0) {
			t.Fatalf("%x and %x are not in the order of their nodes", ka, kb)
		}
	})
}

func FuzzKey(f *testing.F) {
	key := forward.key(sample)
	f.Add(key[:])
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) != edgeLen {
			return
		}
		for _, o := range []order{forward, reverse} {
			if back := o.key(o.edge(b)); !bytes.Equal(back[:], b) {
				t.Fatalf("order %d: %x comes back as %x", o, b, back)
			}
		}
	})
}
