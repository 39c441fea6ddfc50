package model

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/usher-authz/usher/tuples"
)

// valueType is the type of a parameter: its name in the language, its CEL type, and
// how a value in the shape of JSON becomes one.
type valueType struct {
	name    string
	cel     *cel.Type
	convert func(value any) (ref.Val, error)
}

// typeNames lists, for remedies, the types that the modelling language can write. It
// has no word for any and none for lists of lists, which JSON models can have.
const typeNames = "bool, string, int, uint, double, duration, timestamp, ipaddress, list<…>, map<…>"

// simpleTypes are the types that contain no other.
var simpleTypes = map[string]*valueType{
	"any":       {"any", cel.DynType, convertAny},
	"bool":      {"bool", cel.BoolType, convertBool},
	"string":    {"string", cel.StringType, convertString},
	"int":       {"int", cel.IntType, convertInt},
	"uint":      {"uint", cel.UintType, convertUint},
	"double":    {"double", cel.DoubleType, convertDouble},
	"duration":  {"duration", cel.DurationType, convertDuration},
	"timestamp": {"timestamp", cel.TimestampType, convertTimestamp},
	"ipaddress": {"ipaddress", ipAddressType, convertIPAddress},
}

// parseType reads "string", "list<int>" or "map<list<string>>".
func parseType(name string) (*valueType, bool) {
	if simple := simpleTypes[name]; simple != nil {
		return simple, true
	}
	container, rest, ok := strings.Cut(name, "<")
	inner, closed := strings.CutSuffix(rest, ">")
	if !ok || !closed {
		return nil, false
	}
	element, ok := parseType(inner)
	if !ok {
		return nil, false
	}
	switch container {
	case "list":
		return &valueType{name, cel.ListType(element.cel), element.convertList}, true
	case "map":
		return &valueType{name, cel.MapType(cel.StringType, element.cel), element.convertMap}, true
	}
	return nil, false
}

func (t *valueType) convertList(value any) (ref.Val, error) {
	list, ok := value.([]any)
	if !ok {
		return nil, wrongType(value, "list<"+t.name+">")
	}
	elements := make([]ref.Val, len(list))
	for i, element := range list {
		converted, err := t.convert(element)
		if err != nil {
			return nil, fmt.Errorf("element %d: %w", i, err)
		}
		elements[i] = converted
	}
	return types.NewRefValList(types.DefaultTypeAdapter, elements), nil
}

func (t *valueType) convertMap(value any) (ref.Val, error) {
	object, ok := value.(map[string]any)
	if !ok {
		return nil, wrongType(value, "map<"+t.name+">")
	}
	entries := make(map[ref.Val]ref.Val, len(object))
	for key, entry := range object {
		converted, err := t.convert(entry)
		if err != nil {
			return nil, fmt.Errorf("entry %q: %w", key, err)
		}
		entries[types.String(key)] = converted
	}
	return types.NewRefValMap(types.DefaultTypeAdapter, entries), nil
}

func convertAny(value any) (ref.Val, error) {
	return types.DefaultTypeAdapter.NativeToValue(value), nil
}

func convertBool(value any) (ref.Val, error) {
	if v, ok := value.(bool); ok {
		return types.Bool(v), nil
	}
	return nil, wrongType(value, "bool")
}

func convertString(value any) (ref.Val, error) {
	if v, ok := value.(string); ok {
		return types.String(v), nil
	}
	return nil, wrongType(value, "string")
}

// convertInt takes a whole number, or its decimal text: JSON's numbers are exact to
// 2^53 only.
func convertInt(value any) (ref.Val, error) {
	if whole, ok := wholeNumber(value); ok && whole.IsInt64() {
		return types.Int(whole.Int64()), nil
	}
	return nil, wrongType(value, "int")
}

func convertUint(value any) (ref.Val, error) {
	if whole, ok := wholeNumber(value); ok && whole.IsUint64() {
		return types.Uint(whole.Uint64()), nil
	}
	return nil, wrongType(value, "uint")
}

// maxNumberText is how long the decimal text of a number can be.
const maxNumberText = 64

// wholeNumber reads a number without a fraction, exactly.
func wholeNumber(value any) (*big.Int, bool) {
	switch v := value.(type) {
	case float64:
		if v != math.Trunc(v) || math.Abs(v) > math.MaxUint64 {
			return nil, false
		}
		whole, _ := big.NewFloat(v).Int(nil)
		return whole, true
	case string:
		if len(v) > maxNumberText {
			return nil, false
		}
		return new(big.Int).SetString(v, 10)
	}
	return nil, false
}

func convertDouble(value any) (ref.Val, error) {
	switch v := value.(type) {
	case float64:
		return types.Double(v), nil
	case string:
		if len(v) > maxNumberText {
			break
		}
		if number, _, err := big.ParseFloat(v, 10, 64, big.ToNearestEven); err == nil {
			double, _ := number.Float64()
			return types.Double(double), nil
		}
	}
	return nil, wrongType(value, "double")
}

func convertDuration(value any) (ref.Val, error) {
	if text, ok := value.(string); ok {
		if d, err := time.ParseDuration(text); err == nil {
			return types.Duration{Duration: d}, nil
		}
	}
	return nil, wrongType(value, `duration, as in "1h30m"`)
}

func convertTimestamp(value any) (ref.Val, error) {
	if text, ok := value.(string); ok {
		if t, err := time.Parse(time.RFC3339, text); err == nil {
			return types.Timestamp{Time: t}, nil
		}
	}
	return nil, wrongType(value, `timestamp, as in "2026-12-31T23:59:59Z"`)
}

// wrongType says that a value is not what the parameter takes.
func wrongType(value any, want string) error {
	text, err := json.Marshal(value)
	if err != nil {
		text = fmt.Append(nil, value)
	}
	return fmt.Errorf("%s is not of type %s", tuples.Shorten(string(text)), want)
}
