package bolt

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/usher-authz/usher/tuples"
)

// A row is one version of a tuple:
//
//	row   = created revision(uvarint) grant
//	grant = flags(1) [ expires ms(8) ] [ condition: name text, context JSON text ] [ attributes ]
//	attributes = count(uvarint) { name text, kind(1), value }, by name
//	value = bool(1) | int(varint) | double(8) | text
//
// Equal grants have equal bytes. A row of the reverse order ends behind the flags.
const (
	hasExpiry byte = 1 << iota
	hasCondition
	hasAttributes
)

// grant is a [tuples.Grant] as it is stored.
type grant []byte

// bare is the zero Grant.
var bare = grant{0}

func appendRow(b []byte, created tuples.Revision, g grant) []byte {
	return append(binary.AppendUvarint(b, uint64(created)), g...)
}

// rows makes the rows of one revision. Those of the zero Grant, which most are, are the same
// bytes in memory: bbolt holds on to what it is given until it is written.
type rows struct {
	revision tuples.Revision
	bare     []byte
}

func newRows(revision tuples.Revision) rows { return rows{revision, appendRow(nil, revision, bare)} }

func (r rows) of(g grant) []byte {
	if g.isBare() {
		return r.bare
	}
	return appendRow(nil, r.revision, g)
}

// splitRow returns the parts of a row; a row that is cut short has no grant.
func splitRow(row []byte) (created tuples.Revision, g grant, err error) {
	n, size := binary.Uvarint(row)
	if size <= 0 || size == len(row) {
		return 0, nil, fmt.Errorf("row %x: %w", row, errDamaged)
	}
	return tuples.Revision(n), grant(row[size:]), nil
}

// isBare reports whether there is more to read than the flags.
func (g grant) isBare() bool { return g[0] == 0 }

// expires returns the time in ms from which on the tuple is absent, 0 for never.
func (g grant) expires() int64 {
	if g[0]&hasExpiry == 0 || len(g) < 9 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(g[1:]))
}

func (g grant) expiredAt(now int64) bool {
	expires := g.expires()
	return expires != 0 && expires <= now
}

// encodeGrant fails for a condition context that JSON cannot express.
func encodeGrant(g tuples.Grant) (grant, error) {
	if g.IsZero() {
		return bare, nil
	}
	b := []byte{0}
	if !g.Expires.IsZero() {
		b[0] |= hasExpiry
		b = binary.BigEndian.AppendUint64(b, uint64(g.Expires.UnixMilli()))
	}
	if g.Condition != nil {
		b[0] |= hasCondition
		b = appendText(b, g.Condition.Name)
		var context []byte
		if len(g.Condition.Context) > 0 {
			var err error
			if context, err = json.Marshal(g.Condition.Context); err != nil {
				return nil, tuples.Invalid("condition.context", g.Condition.Name, err.Error(), "use values that JSON has")
			}
		}
		b = appendText(b, string(context))
	}
	if len(g.Attributes) > 0 {
		b[0] |= hasAttributes
		b = appendAttributes(b, g.Attributes)
	}
	return b, nil
}

func appendAttributes(b []byte, attributes tuples.Attributes) []byte {
	b = binary.AppendUvarint(b, uint64(len(attributes)))
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		value := attributes[name]
		b = append(appendText(b, name), byte(value.Kind()))
		switch value.Kind() {
		case tuples.KindBool:
			flag := byte(0)
			if value.Bool() {
				flag = 1
			}
			b = append(b, flag)
		case tuples.KindInt:
			b = binary.AppendVarint(b, value.Int())
		case tuples.KindDouble:
			b = binary.BigEndian.AppendUint64(b, math.Float64bits(value.Double()))
		case tuples.KindString:
			b = appendText(b, value.Text())
		}
	}
	return b
}

// decode returns the grant, nil for the zero Grant.
func (g grant) decode() (*tuples.Grant, error) {
	if g.isBare() {
		return nil, nil
	}
	in := input{rest: g[1:]}
	var out tuples.Grant
	if g[0]&hasExpiry != 0 {
		out.Expires = millis(int64(in.uint64()))
	}
	if g[0]&hasCondition != 0 {
		out.Condition = &tuples.Condition{Name: in.text()}
		if context := in.bytes(in.count()); len(context) > 0 {
			if err := json.Unmarshal(context, &out.Condition.Context); err != nil {
				return nil, fmt.Errorf("condition context %q: %w (%v)", context, errDamaged, err)
			}
		}
	}
	if g[0]&hasAttributes != 0 {
		out.Attributes = in.attributes()
	}
	if in.failed || len(in.rest) > 0 {
		return nil, fmt.Errorf("grant %x: %w", []byte(g), errDamaged)
	}
	return &out, nil
}

func (in *input) attributes() tuples.Attributes {
	n := in.count()
	attributes := make(tuples.Attributes, n)
	for range n {
		name := in.text()
		switch kind := tuples.ValueKind(in.byte()); kind {
		case tuples.KindBool:
			attributes[name] = tuples.BoolValue(in.byte() == 1)
		case tuples.KindInt:
			attributes[name] = tuples.IntValue(in.varint())
		case tuples.KindDouble:
			attributes[name] = tuples.DoubleValue(math.Float64frombits(in.uint64()))
		case tuples.KindString:
			attributes[name] = tuples.StringValue(in.text())
		default:
			in.fail()
		}
	}
	return attributes
}

// millis returns a time in milliseconds since 1970 as package tuples has it.
func millis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
