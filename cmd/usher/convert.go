package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/tuples"
)

// The command line speaks the text form of package tuples; these are the way to the
// messages of the API and back.

func objectMessage(o tuples.Object) *usherv1.Object {
	return &usherv1.Object{Type: string(o.Type), Id: string(o.ID)}
}

func subjectMessage(s tuples.Subject) *usherv1.Subject {
	return &usherv1.Subject{Type: string(s.Type), Id: string(s.ID), Relation: string(s.Relation)}
}

// parseObject reads "media:logo".
func parseObject(text string) (*usherv1.Object, error) {
	o, err := tuples.ParseObject(text)
	return objectMessage(o), err
}

// parseSubject reads "user:anna", "user:*" or "group:design#member".
func parseSubject(text string) (*usherv1.Subject, error) {
	s, err := tuples.ParseSubject(text)
	return subjectMessage(s), err
}

// parseTuple reads a tuple in text form.
func parseTuple(text string) (*usherv1.Tuple, error) {
	t, err := tuples.ParseTuple(text)
	if err != nil {
		return nil, err
	}
	return tupleMessage(t)
}

func tupleMessage(t tuples.Tuple) (*usherv1.Tuple, error) {
	m := &usherv1.Tuple{Object: objectMessage(t.Object), Relation: string(t.Relation), Subject: subjectMessage(t.Subject)}
	if t.Condition != nil {
		m.Condition = &usherv1.Condition{Name: t.Condition.Name}
		if len(t.Condition.Context) > 0 {
			var err error
			if m.Condition.Context, err = structpb.NewStruct(t.Condition.Context); err != nil {
				return nil, fmt.Errorf("context of condition %s: %w", t.Condition.Name, err)
			}
		}
	}
	if !t.Expires.IsZero() {
		m.ExpiresAt = timestamppb.New(t.Expires)
	}
	for name, value := range t.Attributes {
		if m.Attributes == nil {
			m.Attributes = make(map[string]*usherv1.AttributeValue, len(t.Attributes))
		}
		m.Attributes[name] = attributeMessage(value)
	}
	return m, nil
}

func attributeMessage(v tuples.Value) *usherv1.AttributeValue {
	switch v.Kind() {
	case tuples.KindBool:
		return &usherv1.AttributeValue{Kind: &usherv1.AttributeValue_BoolValue{BoolValue: v.Bool()}}
	case tuples.KindInt:
		return &usherv1.AttributeValue{Kind: &usherv1.AttributeValue_IntValue{IntValue: v.Int()}}
	case tuples.KindDouble:
		return &usherv1.AttributeValue{Kind: &usherv1.AttributeValue_DoubleValue{DoubleValue: v.Double()}}
	case tuples.KindString:
		return &usherv1.AttributeValue{Kind: &usherv1.AttributeValue_StringValue{StringValue: v.Text()}}
	}
	return &usherv1.AttributeValue{}
}

func objectText(o *usherv1.Object) string { return o.GetType() + ":" + o.GetId() }

func usersetText(o *usherv1.Object, relation string) string { return objectText(o) + "#" + relation }

// subjectText returns the text form of a subject.
func subjectText(s *usherv1.Subject) string { return subjectOf(s).String() }

func subjectOf(s *usherv1.Subject) tuples.Subject {
	return tuples.Subject{Type: tuples.ObjectType(s.GetType()), ID: tuples.ID(s.GetId()), Relation: tuples.Relation(s.GetRelation())}
}

// tupleText returns the text form of a tuple, which [parseTuple] reads back.
func tupleText(m *usherv1.Tuple) string {
	t := tuples.Tuple{Key: tuples.Key{
		Object:   tuples.Object{Type: tuples.ObjectType(m.GetObject().GetType()), ID: tuples.ID(m.GetObject().GetId())},
		Relation: tuples.Relation(m.GetRelation()),
		Subject:  subjectOf(m.GetSubject()),
	}}
	if c := m.GetCondition(); c != nil {
		t.Condition = &tuples.Condition{Name: c.GetName(), Context: c.GetContext().AsMap()}
	}
	if m.GetExpiresAt() != nil {
		t.Expires = m.GetExpiresAt().AsTime()
	}
	for name, value := range m.GetAttributes() {
		if t.Attributes == nil {
			t.Attributes = make(tuples.Attributes, len(m.GetAttributes()))
		}
		t.Attributes[name] = attributeOf(value)
	}
	return t.String()
}

func attributeOf(m *usherv1.AttributeValue) tuples.Value {
	switch v := m.GetKind().(type) {
	case *usherv1.AttributeValue_BoolValue:
		return tuples.BoolValue(v.BoolValue)
	case *usherv1.AttributeValue_IntValue:
		return tuples.IntValue(v.IntValue)
	case *usherv1.AttributeValue_DoubleValue:
		return tuples.DoubleValue(v.DoubleValue)
	case *usherv1.AttributeValue_StringValue:
		return tuples.StringValue(v.StringValue)
	}
	return tuples.Value{}
}

// parseTime reads the value of a flag that is a point in time.
func parseTime(flag, text string) (*timestamppb.Timestamp, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return nil, fmt.Errorf("%s %q is not a time; write RFC 3339, as in 2026-12-31T23:59:59Z", flag, text)
	}
	return timestamppb.New(t), nil
}

// parseContext reads the value of --context, a JSON object; nil for "".
func parseContext(text string) (*structpb.Struct, error) {
	if text == "" {
		return nil, nil
	}
	values := map[string]any{}
	if err := json.Unmarshal([]byte(text), &values); err != nil {
		return nil, fmt.Errorf(`--context %s is not a JSON object: %w; write for example --context '{"tag": "red"}'`, tuples.Shorten(text), err)
	}
	return structpb.NewStruct(values)
}

// outcomeText returns "allowed", "denied" or "conditional".
func outcomeText(o usherv1.Outcome) string {
	return strings.ToLower(strings.TrimPrefix(o.String(), "OUTCOME_"))
}

// answerText returns an outcome and, if it is conditional, what it waits for.
func answerText(o usherv1.Outcome, missing []string) string {
	text := outcomeText(o)
	if len(missing) > 0 {
		text += ": depends on " + strings.Join(missing, ", ")
	}
	return text
}
