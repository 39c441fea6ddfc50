// Package wire is the form in which tuples and the sources of models go over the
// wire: To functions read messages of usher.v1, From functions make them. The server
// and its clients share it.
package wire

import (
	"math"
	"time"

	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/tuples"
)

// ToObject returns an object as it was sent; [tuples.Object.Validate] judges it.
func ToObject(o *usherv1.Object) tuples.Object {
	return tuples.Object{Type: tuples.ObjectType(o.GetType()), ID: tuples.ID(o.GetId())}
}

// FromObject returns the message of an object.
func FromObject(o tuples.Object) *usherv1.Object {
	return &usherv1.Object{Type: string(o.Type), Id: string(o.ID)}
}

// ToSubject returns a subject as it was sent; [tuples.Subject.Validate] judges it.
func ToSubject(s *usherv1.Subject) tuples.Subject {
	return tuples.Subject{
		Type:     tuples.ObjectType(s.GetType()),
		ID:       tuples.ID(s.GetId()),
		Relation: tuples.Relation(s.GetRelation()),
	}
}

// FromSubject returns the message of a subject.
func FromSubject(s tuples.Subject) *usherv1.Subject {
	return &usherv1.Subject{Type: string(s.Type), Id: string(s.ID), Relation: string(s.Relation)}
}

// ToKey returns a tuple's identity as it was sent; [tuples.Key.Validate] judges it.
func ToKey(t *usherv1.Tuple) tuples.Key {
	return tuples.Key{
		Object:   ToObject(t.GetObject()),
		Relation: tuples.Relation(t.GetRelation()),
		Subject:  ToSubject(t.GetSubject()),
	}
}

// ToTuple returns a valid tuple. The paths of its errors begin in the tuple.
func ToTuple(t *usherv1.Tuple) (tuples.Tuple, error) {
	tuple := tuples.Tuple{Key: ToKey(t)}
	var err error
	if tuple.Grant, err = ToGrant(t); err != nil {
		return tuple, err
	}
	return tuple, tuple.Validate()
}

// grant is what a message says of a tuple beyond its identity.
type grant interface {
	GetCondition() *usherv1.Condition
	GetExpiresAt() *timestamppb.Timestamp
	GetAttributes() map[string]*usherv1.AttributeValue
}

// ToGrant returns the grant of a tuple or of a share; [tuples.Grant.Validate] judges
// what is not wrong in its form already.
func ToGrant(m grant) (g tuples.Grant, err error) {
	if c := m.GetCondition(); c != nil {
		context, err := ToContext(c.GetContext())
		if err != nil {
			return g, tuples.Within("condition.context", err)
		}
		g.Condition = &tuples.Condition{Name: c.GetName(), Context: context}
	}
	if at := m.GetExpiresAt(); at != nil {
		if g.Expires, err = ToTime(at); err != nil {
			return g, tuples.Within("expires_at", err)
		}
	}
	if len(m.GetAttributes()) > 0 {
		g.Attributes = make(tuples.Attributes, len(m.GetAttributes()))
		for name, value := range m.GetAttributes() {
			g.Attributes[name] = ToValue(value)
		}
	}
	return g, nil
}

// FromTuple returns the message of a tuple.
func FromTuple(t tuples.Tuple) *usherv1.Tuple {
	out := &usherv1.Tuple{
		Object:   FromObject(t.Object),
		Relation: string(t.Relation),
		Subject:  FromSubject(t.Subject),
	}
	if c := t.Condition; c != nil {
		out.Condition = &usherv1.Condition{Name: c.Name, Context: FromContext(c.Context)}
	}
	if !t.Expires.IsZero() {
		out.ExpiresAt = timestamppb.New(t.Expires)
	}
	if len(t.Attributes) > 0 {
		out.Attributes = make(map[string]*usherv1.AttributeValue, len(t.Attributes))
		for name, value := range t.Attributes {
			out.Attributes[name] = FromValue(value)
		}
	}
	return out
}

// FromTuples returns the messages of tuples.
func FromTuples(list []tuples.Tuple) []*usherv1.Tuple {
	out := make([]*usherv1.Tuple, len(list))
	for i, t := range list {
		out[i] = FromTuple(t)
	}
	return out
}

// ToValue returns an attribute value, the zero Value if none was sent.
func ToValue(v *usherv1.AttributeValue) tuples.Value {
	switch kind := v.GetKind().(type) {
	case *usherv1.AttributeValue_BoolValue:
		return tuples.BoolValue(kind.BoolValue)
	case *usherv1.AttributeValue_IntValue:
		return tuples.IntValue(kind.IntValue)
	case *usherv1.AttributeValue_DoubleValue:
		return tuples.DoubleValue(kind.DoubleValue)
	case *usherv1.AttributeValue_StringValue:
		return tuples.StringValue(kind.StringValue)
	}
	return tuples.Value{} // refused by its Validate
}

// FromValue returns the message of an attribute value.
func FromValue(v tuples.Value) *usherv1.AttributeValue {
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
	return nil
}

// ToTime returns a time in whole milliseconds, from 1970 on.
func ToTime(at *timestamppb.Timestamp) (time.Time, error) {
	if err := at.CheckValid(); err != nil {
		return time.Time{}, tuples.Invalid("", at.String(), "is not a time", "send a time from 1970 to 9999")
	}
	t := at.AsTime().Truncate(time.Millisecond)
	if t.UnixMilli() <= 0 {
		return time.Time{}, tuples.Invalid("", t.Format(time.RFC3339), "is out of range", "send a time from 1970 to 9999")
	}
	return t, nil
}

// ToContext returns the values of a context. Numbers must be finite, as in JSON.
func ToContext(s *structpb.Struct) (tuples.Context, error) {
	if len(s.GetFields()) == 0 {
		return nil, nil
	}
	for name, value := range s.GetFields() {
		if !finite(value) {
			return nil, tuples.Invalid(name, value.String(), "has a number that is not finite", "send finite numbers")
		}
	}
	return s.AsMap(), nil
}

func finite(v *structpb.Value) bool {
	switch kind := v.GetKind().(type) {
	case *structpb.Value_NumberValue:
		return !math.IsNaN(kind.NumberValue) && !math.IsInf(kind.NumberValue, 0)
	case *structpb.Value_ListValue:
		for _, element := range kind.ListValue.GetValues() {
			if !finite(element) {
				return false
			}
		}
	case *structpb.Value_StructValue:
		for _, field := range kind.StructValue.GetFields() {
			if !finite(field) {
				return false
			}
		}
	}
	return true
}

// FromContext returns nil for no values. The shapes of a stored context are those of
// JSON, which a Struct can hold.
func FromContext(c tuples.Context) *structpb.Struct {
	if len(c) == 0 {
		return nil
	}
	s, err := structpb.NewStruct(c)
	if err != nil {
		panic(err) // contexts come from a Struct or from JSON
	}
	return s
}

// ToFilter returns a valid filter. The paths of its errors begin in the filter.
func ToFilter(f *usherv1.TupleFilter) (tuples.Filter, error) {
	filter := tuples.Filter{
		ObjectType:  tuples.ObjectType(f.GetObjectType()),
		ObjectID:    tuples.ID(f.GetObjectId()),
		Relation:    tuples.Relation(f.GetRelation()),
		SubjectType: tuples.ObjectType(f.GetSubjectType()),
		SubjectID:   tuples.ID(f.GetSubjectId()),
	}
	if f != nil && f.SubjectRelation != nil {
		relation := tuples.Relation(f.GetSubjectRelation())
		filter.SubjectRelation = &relation
	}
	if at := f.GetExpiresBefore(); at != nil {
		before, err := ToTime(at)
		if err != nil {
			return filter, tuples.Within("expires_before", err)
		}
		filter.ExpiresBefore = before
	}
	return filter, filter.Validate()
}
