package tuples

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"strconv"
)

// Context holds values for condition parameters by name, in the shapes of JSON:
// nil, bool, float64, string, []any and map[string]any.
type Context map[string]any

// Equal reports whether two contexts hold the same values; nil equals empty.
func (c Context) Equal(d Context) bool {
	if len(c) == 0 || len(d) == 0 {
		return len(c) == len(d)
	}
	return reflect.DeepEqual(map[string]any(c), map[string]any(d))
}

// String returns the context as JSON with sorted keys.
func (c Context) String() string {
	if len(c) == 0 {
		return "{}"
	}
	text, err := json.Marshal(c)
	if err != nil {
		return fmt.Sprintf("!(%v)", err)
	}
	return string(text)
}

// Attributes are the small typed values of a tuple, by name.
type Attributes map[string]Value

// Equal reports whether two sets of attributes are the same; nil equals empty.
func (a Attributes) Equal(b Attributes) bool { return maps.Equal(a, b) }

// ValueKind tells which of the four types a [Value] has.
type ValueKind uint8

// The types of attribute values. Their numbers are part of the disk format.
const (
	KindBool ValueKind = iota + 1
	KindInt
	KindDouble
	KindString
)

// Value is one attribute value: a bool, an int64, a float64 or a string.
// Values are comparable; the zero Value is no value.
type Value struct {
	kind ValueKind
	bits uint64
	text string
}

// BoolValue returns v as an attribute value.
func BoolValue(v bool) Value {
	if v {
		return Value{kind: KindBool, bits: 1}
	}
	return Value{kind: KindBool}
}

// IntValue returns v as an attribute value.
func IntValue(v int64) Value { return Value{kind: KindInt, bits: uint64(v)} }

// DoubleValue returns v as an attribute value.
func DoubleValue(v float64) Value { return Value{kind: KindDouble, bits: math.Float64bits(v)} }

// StringValue returns v as an attribute value.
func StringValue(v string) Value { return Value{kind: KindString, text: v} }

// Kind returns the value's type; 0 for the zero Value.
func (v Value) Kind() ValueKind { return v.kind }

// Bool returns the value of a [KindBool].
func (v Value) Bool() bool { return v.bits == 1 }

// Int returns the value of a [KindInt].
func (v Value) Int() int64 { return int64(v.bits) }

// Double returns the value of a [KindDouble].
func (v Value) Double() float64 { return math.Float64frombits(v.bits) }

// Text returns the value of a [KindString].
func (v Value) Text() string { return v.text }

// String returns the value as JSON; doubles always show a fraction or an
// exponent, so that the text form keeps ints and doubles apart.
func (v Value) String() string {
	switch v.kind {
	case KindBool:
		return strconv.FormatBool(v.Bool())
	case KindInt:
		return strconv.FormatInt(v.Int(), 10)
	case KindDouble:
		return formatDouble(v.Double())
	case KindString:
		text, _ := json.Marshal(v.text) // a string always marshals
		return string(text)
	}
	return "null"
}

// MarshalJSON writes the value as a JSON bool, number or string.
func (v Value) MarshalJSON() ([]byte, error) { return []byte(v.String()), nil }

func formatDouble(f float64) string {
	text := strconv.FormatFloat(f, 'g', -1, 64)
	for _, c := range text {
		if c == '.' || c == 'e' || c == 'N' || c == 'I' {
			return text
		}
	}
	return text + ".0"
}
