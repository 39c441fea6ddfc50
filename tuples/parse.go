package tuples

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// The text form of a tuple, used by the command line, files, errors and logs:
//
//	tuple      = key [ " with " name [ " " json ] ] [ " expires " rfc3339 ] [ " attributes " json ]
//	key        = object "#" relation "@" subject
//	object     = type ":" id
//	subject    = object [ "#" relation ]
//
// Ids may contain '@' and '/': the first '#' ends the object, the first '@'
// after it ends the relation, and names contain neither.
const (
	withWord       = " with "
	expiresWord    = " expires "
	attributesWord = " attributes "
)

// String returns the text form, which [ParseTuple] reads back.
func (t Tuple) String() string {
	var b strings.Builder
	b.WriteString(t.Key.String())
	if t.Condition != nil {
		b.WriteString(withWord + t.Condition.Name)
		if len(t.Condition.Context) > 0 {
			b.WriteString(" " + t.Condition.Context.String())
		}
	}
	if !t.Expires.IsZero() {
		b.WriteString(expiresWord + t.Expires.UTC().Format(time.RFC3339Nano))
	}
	if len(t.Attributes) > 0 {
		text, err := json.Marshal(t.Attributes)
		if err != nil {
			text = fmt.Appendf(nil, "!(%v)", err)
		}
		b.WriteString(attributesWord)
		b.Write(text)
	}
	return b.String()
}

// ParseObject reads "media:logo".
func ParseObject(text string) (Object, error) {
	kind, id, ok := strings.Cut(text, ":")
	if !ok {
		return Object{}, Invalid("object", text, "has no ':'", "write type:id, as in media:logo")
	}
	object := Object{Type: ObjectType(kind), ID: ID(id)}
	return object, Within("object", object.Validate())
}

// ParseSubject reads "user:anna", "user:*" or "group:design#member".
func ParseSubject(text string) (Subject, error) {
	object, relation, userset := strings.Cut(text, "#")
	kind, id, ok := strings.Cut(object, ":")
	if !ok {
		return Subject{}, Invalid("subject", text, "has no ':'", "write type:id or type:id#relation, as in group:design#member")
	}
	if userset && relation == "" {
		return Subject{}, Invalid("subject", text, "has no relation after '#'", "write type:id#relation, or drop the '#'")
	}
	subject := Subject{Type: ObjectType(kind), ID: ID(id), Relation: Relation(relation)}
	return subject, Within("subject", subject.Validate())
}

// ParseUserset reads "group:design#member".
func ParseUserset(text string) (Userset, error) {
	object, relation, ok := strings.Cut(text, "#")
	if !ok {
		return Userset{}, Invalid("userset", text, "has no '#'", "write type:id#relation, as in group:design#member")
	}
	o, err := ParseObject(object)
	if err != nil {
		return Userset{}, err
	}
	if err := ValidateRelation(Relation(relation)); err != nil {
		return Userset{}, err.Within("relation")
	}
	return Userset{Object: o, Relation: Relation(relation)}, nil
}

// ParseKey reads "media:logo#viewer@user:anna".
func ParseKey(text string) (Key, error) {
	left, right, ok := strings.Cut(text, "#")
	relation, subject, ok2 := strings.Cut(right, "@")
	if !ok || !ok2 {
		return Key{}, Invalid("tuple", text, "is not a tuple", "write object#relation@subject, as in media:logo#viewer@user:anna")
	}
	o, err := ParseObject(left)
	if err != nil {
		return Key{}, err
	}
	if err := ValidateRelation(Relation(relation)); err != nil {
		return Key{}, err.Within("relation")
	}
	s, err := ParseSubject(subject)
	if err != nil {
		return Key{}, err
	}
	return Key{Object: o, Relation: Relation(relation), Subject: s}, nil
}

// ParseTuple reads a tuple's text form, see [Tuple.String].
func ParseTuple(text string) (Tuple, error) {
	text = strings.TrimSpace(text)
	end := strings.IndexByte(text, ' ')
	if end < 0 {
		end = len(text)
	}
	key, err := ParseKey(text[:end])
	if err != nil {
		return Tuple{}, err
	}
	t := Tuple{Key: key}
	rest := text[end:]
	for _, part := range []func(string, *Grant) (string, error){parseCondition, parseExpires, parseAttributes} {
		if rest, err = part(rest, &t.Grant); err != nil {
			return Tuple{}, err
		}
	}
	if strings.TrimSpace(rest) != "" {
		return Tuple{}, Invalid("tuple", rest, "is not understood",
			"after the subject come: with CONDITION {…}, expires TIME, attributes {…}, in this order")
	}
	return t, t.Validate()
}

func parseCondition(rest string, g *Grant) (string, error) {
	rest, ok := strings.CutPrefix(rest, withWord)
	if !ok {
		return rest, nil
	}
	end := strings.IndexByte(rest, ' ')
	if end < 0 {
		end = len(rest)
	}
	g.Condition = &Condition{Name: rest[:end]}
	rest = rest[end:]
	if !strings.HasPrefix(rest, " {") {
		return rest, nil
	}
	return parseJSON(rest, "condition.context", &g.Condition.Context)
}

func parseExpires(rest string, g *Grant) (string, error) {
	rest, ok := strings.CutPrefix(rest, expiresWord)
	if !ok {
		return rest, nil
	}
	end := strings.IndexByte(rest, ' ')
	if end < 0 {
		end = len(rest)
	}
	expires, err := time.Parse(time.RFC3339, rest[:end])
	if err != nil {
		return "", Invalid("expires_at", rest[:end], "is not a time", "write RFC 3339, as in 2026-12-31T23:59:59Z")
	}
	g.Expires = expires.UTC().Truncate(time.Millisecond)
	return rest[end:], nil
}

func parseAttributes(rest string, g *Grant) (string, error) {
	rest, ok := strings.CutPrefix(rest, attributesWord)
	if !ok {
		return rest, nil
	}
	var values map[string]any
	rest, err := parseJSON(rest, "attributes", &values)
	if err != nil {
		return "", err
	}
	g.Attributes, err = AttributesFromJSON(values)
	return rest, err
}

// AttributesFromJSON turns decoded JSON values into attributes. A [json.Number]
// without fraction and exponent is an int, every other number a double.
func AttributesFromJSON(values map[string]any) (Attributes, error) {
	attributes := make(Attributes, len(values))
	for name, value := range values {
		switch v := value.(type) {
		case bool:
			attributes[name] = BoolValue(v)
		case string:
			attributes[name] = StringValue(v)
		case float64:
			attributes[name] = DoubleValue(v)
		case json.Number:
			number, err := parseNumber(v)
			if err != nil {
				return nil, Invalid("attributes."+name, v.String(), "is out of range", "use a 64-bit number")
			}
			attributes[name] = number
		default:
			return nil, Invalid("attributes."+name, fmt.Sprint(value), "is not a bool, number or string", "use one of these")
		}
	}
	return attributes, nil
}

func parseNumber(n json.Number) (Value, error) {
	if !strings.ContainsAny(n.String(), ".eE") {
		i, err := n.Int64()
		return IntValue(i), err
	}
	f, err := n.Float64()
	return DoubleValue(f), err
}

// parseJSON reads one JSON value at the start of rest into target and returns
// what follows it. Numbers become [json.Number] inside map[string]any targets
// and float64 inside a Context.
func parseJSON(rest, field string, target any) (string, error) {
	decoder := json.NewDecoder(bytes.NewReader([]byte(rest)))
	if _, isContext := target.(*Context); !isContext {
		decoder.UseNumber()
	}
	if err := decoder.Decode(target); err != nil {
		return "", Invalid(field, rest, "is not a JSON object: "+err.Error(), `write an object, as in {"name": 1}`)
	}
	return rest[decoder.InputOffset():], nil
}
