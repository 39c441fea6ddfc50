package bolt

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/usher-authz/usher/tuples"
	"pgregory.net/rapid"
)

func TestRowsAreTheseBytes(t *testing.T) {
	expires := time.UnixMilli(1000)
	condition := &tuples.Condition{Name: "hours", Context: tuples.Context{"b": true, "a": 1.0}}
	attributes := tuples.Attributes{"i": tuples.IntValue(-2), "b": tuples.BoolValue(true), "d": tuples.DoubleValue(0.5), "t": tuples.StringValue("x")}
	for _, c := range []struct {
		name  string
		grant tuples.Grant
		want  string
	}{
		{"bare", tuples.Grant{}, "ac02 00"},
		{"expiry", tuples.Grant{Expires: expires}, "ac02 01 00000000000003e8"},
		{"condition", tuples.Grant{Condition: condition}, "ac02 02 05 686f757273 10 7b2261223a312c2262223a747275657d"},
		{"condition without context", tuples.Grant{Condition: &tuples.Condition{Name: "hours"}}, "ac02 02 05 686f757273 00"},
		{"attributes", tuples.Grant{Attributes: attributes}, "ac02 04 04 0162 01 01 0164 03 3fe0000000000000 0169 02 03 0174 04 01 78"},
	} {
		g, err := encodeGrant(c.grant)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := appendRow(nil, 300, g), unhex(t, c.want); !bytes.Equal(got, want) {
			t.Errorf("%s: got %x, want %x", c.name, got, want)
		}
	}
}

func TestChangesAreTheseBytes(t *testing.T) {
	c := change{
		time: 1000, cause: tuples.CauseWrite, model: "m",
		origin:    tuples.Origin{Caller: "c", Actor: &tuples.Subject{Type: "u", ID: "a"}, Metadata: map[string]string{"y": "2", "x": "1"}},
		mutations: []mutation{{op: tuples.OpDelete, key: forward.key(sample), grant: bare}},
	}
	want := "00000000000003e8 01 016d" + "0163 01 0175 0161 00 02 0178 0131 0179 0132" + "01 03 01 07 02 03 04 09"
	if got := c.encode(); !bytes.Equal(got, unhex(t, want)) {
		t.Errorf("got %x, want %s", got, want)
	}
}

func TestStagedRowsAreTheseBytes(t *testing.T) {
	expires, err := encodeGrant(tuples.Grant{Expires: time.UnixMilli(1000)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name             string
		staged           mutation
		forward, reverse string
		row              string // that it stands for at revision 300
	}{
		{"created", mutation{op: tuples.OpCreate, grant: bare}, "01 00", "01 00", "ac02 00"},
		{"replaced", mutation{op: tuples.OpTouch, grant: expires}, "02 01 00000000000003e8", "02 01", "ac02 01 00000000000003e8"},
		{"deleted", mutation{op: tuples.OpDelete, grant: expires}, "03", "03", ""},
	} {
		f, r := encodeStaged(forward, &c.staged), encodeStaged(reverse, &c.staged)
		if !bytes.Equal(f, unhex(t, c.forward)) || !bytes.Equal(r, unhex(t, c.reverse)) {
			t.Errorf("%s: got %x and %x, want %s and %s", c.name, f, r, c.forward, c.reverse)
		}
		if row, err := stagedRow(f, 300); err != nil || !bytes.Equal(row, unhex(t, c.row)) {
			t.Errorf("%s: stands for %x, %v, want %s", c.name, row, err, c.row)
		}
	}
	for _, b := range [][]byte{nil, {}, {0}, {1}, {2}, {3, 0}, {4, 0}} {
		if _, err := stagedRow(b, 300); !errors.Is(err, errDamaged) {
			t.Errorf("staged row %x: %v", b, err)
		}
	}
}

func drawGrant(t *rapid.T) tuples.Grant {
	text := rapid.StringN(0, 20, -1)
	var g tuples.Grant
	if rapid.Bool().Draw(t, "expires") {
		g.Expires = time.UnixMilli(rapid.Int64Range(1, tuples.MaxTime.UnixMilli()).Draw(t, "ms")).UTC()
	}
	if rapid.Bool().Draw(t, "condition") {
		g.Condition = &tuples.Condition{Name: text.Draw(t, "name")}
		for range rapid.IntRange(0, 3).Draw(t, "parameters") {
			if g.Condition.Context == nil {
				g.Condition.Context = tuples.Context{}
			}
			g.Condition.Context[text.Draw(t, "parameter")] = rapid.SampledFrom([]any{nil, true, 1.5, "x", []any{"y", 2.0}, map[string]any{"z": false}}).Draw(t, "value")
		}
	}
	values := rapid.OneOf(
		rapid.Map(rapid.Bool(), tuples.BoolValue), rapid.Map(rapid.Int64(), tuples.IntValue),
		rapid.Map(rapid.Float64(), tuples.DoubleValue), rapid.Map(text, tuples.StringValue),
	)
	g.Attributes = rapid.MapOfN(text, values, 0, 4).Draw(t, "attributes")
	return g
}

func TestGrantsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawGrant(t)
		stored, err := encodeGrant(g)
		if err != nil {
			t.Fatal(err)
		}
		back, err := stored.decode()
		if err != nil {
			t.Fatal(err)
		}
		if back == nil {
			back = &tuples.Grant{}
		}
		if !back.Equal(g) {
			t.Fatalf("%+v comes back as %+v", g, back)
		}
		again, err := encodeGrant(*back)
		if err != nil || !bytes.Equal(again, stored) {
			t.Fatalf("%x is %x again (%v): equal grants must have equal bytes", []byte(stored), []byte(again), err)
		}
	})
}

func TestChangesRoundTrip(t *testing.T) {
	text := rapid.StringN(0, 20, -1)
	rapid.Check(t, func(t *rapid.T) {
		c := change{
			time:  rapid.Int64Min(0).Draw(t, "time"),
			cause: tuples.Cause(rapid.IntRange(1, 6).Draw(t, "cause")),
			model: tuples.ModelID(text.Draw(t, "model")),
			origin: tuples.Origin{
				Caller:   text.Draw(t, "caller"),
				Metadata: rapid.MapOfN(text, text, 1, 3).Draw(t, "metadata"),
			},
			mutations: []mutation{},
		}
		if rapid.Bool().Draw(t, "actor") {
			c.origin.Actor = &tuples.Subject{Type: tuples.ObjectType(text.Draw(t, "type")), ID: tuples.ID(text.Draw(t, "id")), Relation: tuples.Relation(text.Draw(t, "relation"))}
		}
		for range rapid.IntRange(0, 3).Draw(t, "mutations") {
			g, err := encodeGrant(drawGrant(t))
			if err != nil {
				t.Fatal(err)
			}
			c.mutations = append(c.mutations, mutation{op: tuples.Op(rapid.IntRange(1, 3).Draw(t, "op")), key: forward.key(drawEdge(t)), grant: g})
		}
		back, err := decodeChange(c.encode())
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(*back, c) {
			t.Fatalf("%+v comes back as %+v", c, *back)
		}
	})
}

// Whatever bytes stand in the file, decoding them ends, and in an error unless they
// are what encoding would have written.
func FuzzDecode(f *testing.F) {
	g, err := encodeGrant(tuples.Grant{
		Expires: time.UnixMilli(1), Condition: &tuples.Condition{Name: "c", Context: tuples.Context{"a": 1.0}},
		Attributes: tuples.Attributes{"b": tuples.BoolValue(true), "d": tuples.DoubleValue(math.Pi), "i": tuples.IntValue(7), "s": tuples.StringValue("x")},
	})
	if err != nil {
		f.Fatal(err)
	}
	c := change{cause: tuples.CauseWrite, mutations: []mutation{{op: tuples.OpCreate, grant: g}}, origin: tuples.Origin{Actor: &tuples.Subject{}, Metadata: map[string]string{"k": "v"}}}
	r := request{outcome: tuples.Committed{Time: time.UnixMilli(5), Created: 300, More: true, Skipped: 2, Objects: map[tuples.ObjectType]int{"media": 1}}}
	f.Add(appendRow(nil, 300, g))
	f.Add(encodeStaged(forward, &mutation{op: tuples.OpTouch, grant: g}))
	f.Add(appendMutations(nil, c.mutations))
	f.Add(c.encode())
	f.Add(r.encode())
	f.Add((&modelHead{id: "m", source: []byte("s")}).encode())
	f.Add(state{head: 1}.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, g, err := splitRow(b); err == nil {
			g.expires()
			if _, err := g.decode(); err != nil && !errors.Is(err, errDamaged) {
				t.Fatalf("grant %x: %v", []byte(g), err)
			}
		}
		if c, err := decodeChange(b); err == nil && len(c.encode()) > len(b) {
			t.Fatalf("change %x is %x again", b, c.encode())
		}
		if m, err := decodeStaged(b); err == nil && !bytes.Equal(encodeStaged(forward, &m), b) {
			t.Fatalf("staged row %x is %x again", b, encodeStaged(forward, &m))
		}
		_, changeErr := decodeChange(b)
		_, partErr := decodePart(b)
		_, stagedErr := decodeStaged(b)
		_, requestErr := decodeRequest(b)
		_, modelErr := decodeModel(make([]byte, revisionLen), b)
		_, stateErr := decodeState(b)
		_, infoErr := decodeStoreInfo(nil, b)
		for _, err := range []error{changeErr, partErr, stagedErr, requestErr, modelErr, stateErr, infoErr} {
			if err != nil && !errors.Is(err, errDamaged) {
				t.Fatalf("%x: %v does not say that the file is damaged", b, err)
			}
		}
	})
}

func TestDamagedBytesAreErrors(t *testing.T) {
	full, err := encodeGrant(tuples.Grant{
		Expires: time.UnixMilli(1), Condition: &tuples.Condition{Name: "c", Context: tuples.Context{"a": 1.0}},
		Attributes: tuples.Attributes{"b": tuples.BoolValue(true), "i": tuples.IntValue(700), "d": tuples.DoubleValue(1), "s": tuples.StringValue("x")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for n := 2; n < len(full); n++ {
		if _, err := full[:n].decode(); !errors.Is(err, errDamaged) {
			t.Errorf("a grant cut to %d of %d bytes decodes (%v)", n, len(full), err)
		}
	}
	c := change{mutations: []mutation{{op: tuples.OpTouch, grant: full}}, origin: tuples.Origin{Actor: &tuples.Subject{Type: "user", ID: "anna"}}}
	for n := range c.encode() {
		if _, err := decodeChange(c.encode()[:n]); !errors.Is(err, errDamaged) {
			t.Errorf("a change cut to %d of %d bytes decodes (%v)", n, len(c.encode()), err)
		}
	}
	for name, b := range map[string]grant{
		"an attribute of no kind": {hasAttributes, 1, 1, 'a', 9},
		"bytes behind the grant":  append(bytes.Clone(full), 0),
		"a context that is text":  {hasCondition, 1, 'c', 1, 'x'},
	} {
		if _, err := b.decode(); !errors.Is(err, errDamaged) {
			t.Errorf("%s decodes (%v)", name, err)
		}
	}
	for _, row := range [][]byte{{}, {5}, {0x80}} {
		if _, _, err := splitRow(row); !errors.Is(err, errDamaged) {
			t.Errorf("row %x splits (%v)", row, err)
		}
	}
}
