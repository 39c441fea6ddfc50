package decisions

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/usher-authz/usher/tuples"
)

// sample is a download by an invited user (D11).
func sample(t testing.TB) Decision {
	t.Helper()
	d := decided(t, 0, "allowed: user:anna can_download media:logo")
	d.Caller, d.SourceAddress = "portal", "192.0.2.7"
	grant, err := tuples.ParseTuple(`media:logo#downloader@user:anna attributes {"max_image_size":2048}`)
	if err != nil {
		t.Fatal(err)
	}
	d.GrantedBy = []tuples.Tuple{grant}
	return d
}

func TestLayoutIsTheseBytes(t *testing.T) {
	d := sample(t)
	p := newPosition(d.Time, 258)
	text := func(s string) string { return hex.EncodeToString(append([]byte{byte(len(s))}, s...)) }
	for _, c := range []struct {
		name string
		got  []byte
		want string
	}{
		{"position", p[:], "0000019e830e1a00 0000000000000102"},
		{"object index", objectPrefix(d.Store, d.Object), hex.EncodeToString([]byte("01JSTORE\x00media:logo\x00"))},
		{"subject index", subjectPrefix(d.Store, tuples.Subject{Type: "group", ID: "a", Relation: "member"}), hex.EncodeToString([]byte("01JSTORE\x00group:a#member\x00"))},
		{"record", d.encode(), "02 07 " + text("01JSTORE") + text("media:logo") + text("can_download") + text("user:anna") +
			text("portal") + text("192.0.2.7") + text("01JMODEL") + "01" + text(`media:logo#downloader@user:anna attributes {"max_image_size":2048}`)},
	} {
		want, err := hex.DecodeString(strings.ReplaceAll(c.want, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(c.got, want) {
			t.Errorf("%s: got %x, want %x", c.name, c.got, want)
		}
	}
}

func TestRecordsRoundTrip(t *testing.T) {
	name := rapid.StringMatching(`[a-z_]{1,8}`)
	id := rapid.StringMatching(`[a-zA-Z0-9@.|/=+-]{1,12}`)
	rapid.Check(t, func(t *rapid.T) {
		key := func() tuples.Key {
			k := tuples.Key{
				Object:   tuples.Object{Type: tuples.ObjectType(name.Draw(t, "type")), ID: tuples.ID(id.Draw(t, "id"))},
				Relation: tuples.Relation(name.Draw(t, "relation")),
				Subject:  tuples.Subject{Type: tuples.ObjectType(name.Draw(t, "type")), ID: tuples.ID(id.Draw(t, "id"))},
			}
			if rapid.Bool().Draw(t, "userset") {
				k.Subject.Relation = tuples.Relation(name.Draw(t, "relation"))
			}
			return k
		}
		asked := key()
		d := Decision{
			Time: time.UnixMilli(rapid.Int64Range(0, 1<<42).Draw(t, "time")).UTC(), Store: store, Model: "01JMODEL",
			Object: asked.Object, Relation: asked.Relation, Subject: asked.Subject,
			Caller: id.Draw(t, "caller"), SourceAddress: rapid.String().Draw(t, "address"),
			Outcome:  Outcome(rapid.IntRange(1, 3).Draw(t, "outcome")),
			Revision: tuples.Revision(rapid.Uint64().Draw(t, "revision")),
		}
		for range rapid.IntRange(0, 3).Draw(t, "grants") {
			grant := tuples.Tuple{Key: key()}
			if rapid.Bool().Draw(t, "expires") {
				grant.Expires = time.UnixMilli(rapid.Int64Range(1, 1<<42).Draw(t, "expiry")).UTC()
			}
			if rapid.Bool().Draw(t, "restricted") {
				grant.Attributes = tuples.Attributes{"max_image_size": tuples.IntValue(rapid.Int64().Draw(t, "size"))}
			}
			d.GrantedBy = append(d.GrantedBy, grant)
		}
		back, err := decode(newPosition(d.Time, 1), d.encode())
		if err != nil || !reflect.DeepEqual(back, d) {
			t.Fatalf("%+v comes back as %+v, %v", d, back, err)
		}
	})
}

// What the damage has left must be a whole record, or it is none.
func TestDamagedRecords(t *testing.T) {
	whole := func() []byte { d := sample(t); return d.encode() }
	grant := len(`media:logo#downloader@user:anna attributes {"max_image_size":2048}`)
	for name, damage := range map[string]func([]byte) []byte{
		"nothing left":                 func([]byte) []byte { return nil },
		"the end lost":                 func(b []byte) []byte { return b[:len(b)-1] },
		"a byte more":                  func(b []byte) []byte { return append(b, 0) },
		"no outcome":                   func(b []byte) []byte { b[0] = 0; return b },
		"an outcome that there is not": func(b []byte) []byte { b[0] = byte(Conditional) + 1; return b },
		"a text longer than the rest":  func(b []byte) []byte { b[2] = 0x7F; return b },
		"a tuple that is none":         func(b []byte) []byte { b[len(b)-grant] = '#'; return b },
	} {
		t.Run(name, func(t *testing.T) {
			if d, err := decode(newPosition(noon, 1), damage(whole())); !errors.Is(err, errDamaged) {
				t.Errorf("got %+v, %v", d, err)
			}
		})
	}
}

// Damage is an error, never a panic or another decision.
func FuzzRecord(f *testing.F) {
	d := sample(f)
	whole := d.encode()
	for _, seed := range [][]byte{whole, whole[:1], whole[:len(whole)/2], append(whole, 0), {9}, {}} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		p := newPosition(noon, 1)
		d, err := decode(p, record)
		switch {
		case err != nil && !errors.Is(err, errDamaged):
			t.Fatalf("got %v", err)
		case err == nil:
			if again, err := decode(p, d.encode()); err != nil || !reflect.DeepEqual(again, d) {
				t.Fatalf("%+v comes back as %+v, %v", d, again, err)
			}
		}
	})
}
