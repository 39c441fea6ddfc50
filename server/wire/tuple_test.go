package wire_test

import (
	"errors"
	"math"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

func TestTuplesGoOverTheWireUnchanged(t *testing.T) {
	for _, text := range []string{
		"media:logo#viewer@user:anna",
		"media:logo#viewer@user:*",
		"media:a/b|c+d=e@f#viewer@group:design#member",
		`media:logo#viewer@user:anna with office_hours`,
		`media:logo#viewer@user:anna with office_hours {"days":["mon",null],"hour":8.5,"strict":true}`,
		"media:logo#viewer@user:anna expires 2030-01-02T03:04:05.678Z",
		`media:logo#viewer@user:anna attributes {"a":true,"b":2048,"c":2.5,"d":"text"}`,
	} {
		want, err := tuples.ParseTuple(text)
		if err != nil {
			t.Fatal(err)
		}
		sent, err := proto.Marshal(wire.FromTuple(want))
		if err != nil {
			t.Fatal(err)
		}
		received := &usherv1.Tuple{}
		if err := proto.Unmarshal(sent, received); err != nil {
			t.Fatal(err)
		}
		got, err := wire.ToTuple(received)
		if err != nil || got.Key != want.Key || !got.Grant.Equal(want.Grant) {
			t.Errorf("%s arrives as %s, %v", want, got, err)
		}
	}
}

func TestWhatCannotBeATupleIsNamed(t *testing.T) {
	valid := func(change func(*usherv1.Tuple)) *usherv1.Tuple {
		m := &usherv1.Tuple{
			Object: &usherv1.Object{Type: "media", Id: "logo"}, Relation: "viewer",
			Subject: &usherv1.Subject{Type: "user", Id: "anna"},
		}
		change(m)
		return m
	}
	number := func(f float64) *structpb.Struct {
		return &structpb.Struct{Fields: map[string]*structpb.Value{"limits": structpb.NewListValue(&structpb.ListValue{
			Values: []*structpb.Value{structpb.NewStructValue(&structpb.Struct{
				Fields: map[string]*structpb.Value{"upper": structpb.NewNumberValue(f)},
			})},
		})}}
	}
	for name, tc := range map[string]struct {
		message *usherv1.Tuple
		field   string
	}{
		"nothing at all": {nil, "object.type"},
		"no subject":     {valid(func(m *usherv1.Tuple) { m.Subject = nil }), "subject.type"},
		"a number that is none": {valid(func(m *usherv1.Tuple) {
			m.Condition = &usherv1.Condition{Name: "within_limits", Context: number(math.NaN())}
		}), "condition.context.limits"},
		"an infinite number": {valid(func(m *usherv1.Tuple) {
			m.Condition = &usherv1.Condition{Name: "within_limits", Context: number(math.Inf(1))}
		}), "condition.context.limits"},
		"a time that is none": {valid(func(m *usherv1.Tuple) {
			m.ExpiresAt = &timestamppb.Timestamp{Nanos: -1}
		}), "expires_at"},
		"a time before 1970": {valid(func(m *usherv1.Tuple) {
			m.ExpiresAt = &timestamppb.Timestamp{Seconds: -1}
		}), "expires_at"},
		"an attribute without a value": {valid(func(m *usherv1.Tuple) {
			m.Attributes = map[string]*usherv1.AttributeValue{"watermark": {}}
		}), "attributes.watermark"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := wire.ToTuple(tc.message)
			var invalid *tuples.InvalidError
			if !errors.As(err, &invalid) || invalid.Violations[0].Field != tc.field {
				t.Errorf("error %v, want one about %s", err, tc.field)
			}
		})
	}
}

func TestFiltersTellUsersetsFromPlainSubjects(t *testing.T) {
	none, member := "", "member"
	for name, tc := range map[string]struct {
		message *usherv1.TupleFilter
		want    string
	}{
		"no filter":      {nil, "?:?#?@?:?(#?)"},
		"plain subjects": {&usherv1.TupleFilter{SubjectType: "user", SubjectRelation: &none}, "?:?#?@user:?"},
		"usersets":       {&usherv1.TupleFilter{ObjectType: "media", ObjectId: "logo", SubjectRelation: &member}, "media:logo#?@?:?#member"},
		"what expires": {
			&usherv1.TupleFilter{ObjectType: "media", ExpiresBefore: &timestamppb.Timestamp{Seconds: 1, Nanos: 5_999_999}},
			"media:?#?@?:?(#?) expires before 1970-01-01T00:00:01.005Z",
		},
	} {
		filter, err := wire.ToFilter(tc.message)
		if err != nil || filter.String() != tc.want {
			t.Errorf("%s: %s, %v; want %s", name, filter, err, tc.want)
		}
	}
	if _, err := wire.ToFilter(&usherv1.TupleFilter{ObjectId: "logo"}); err == nil {
		t.Error("a filter by id without a type is accepted")
	}
	_, err := wire.ToFilter(&usherv1.TupleFilter{ExpiresBefore: &timestamppb.Timestamp{Seconds: -1}})
	var invalid *tuples.InvalidError
	if !errors.As(err, &invalid) || invalid.Violations[0].Field != "expires_before" {
		t.Errorf("error %v, want one about expires_before", err)
	}
}
