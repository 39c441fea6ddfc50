package server_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server"
)

func TestWriteCounts(t *testing.T) {
	w := newLibrary(t, "media:a#owner@user:anna", "media:b#owner@user:anna", "media:c#viewer@user:anna")
	r := &usherv1.WriteRequest{Updates: slices.Concat(
		updates(t, usherv1.Operation_OPERATION_CREATE, "media:d#owner@user:anna"),
		updates(t, usherv1.Operation_OPERATION_TOUCH,
			"media:e#owner@user:anna", "media:c#viewer@user:anna expires 2099-01-01T00:00:00Z", "media:b#owner@user:anna"),
		updates(t, usherv1.Operation_OPERATION_DELETE, "media:a#owner@user:anna", "media:z#owner@user:anna"),
	)}
	got := w.write(r)
	if got.GetCreated() != 2 || got.GetUpdated() != 1 || got.GetDeleted() != 1 || got.GetUnchanged() != 2 || got.GetRevision() != 3 {
		t.Errorf("got %v", got)
	}
	// A write that changes nothing returns the head.
	again := w.write(&usherv1.WriteRequest{Updates: updates(t, usherv1.Operation_OPERATION_TOUCH, "media:b#owner@user:anna")})
	if again.GetRevision() != 3 || again.GetUnchanged() != 1 {
		t.Errorf("got %v", again)
	}
}

// What goes in comes out: condition, expiry and attributes of every kind.
func TestTupleRoundTrip(t *testing.T) {
	w := newLibrary(t)
	in := tuple(t, `media:logo#viewer@user:anna with office_hours {"opens":9}`)
	in.ExpiresAt = timestamppb.New(time.Date(2099, 1, 2, 3, 4, 5, 6_999_999, time.UTC))
	in.Attributes = map[string]*usherv1.AttributeValue{
		"watermark":      {Kind: &usherv1.AttributeValue_BoolValue{BoolValue: true}},
		"max_image_size": {Kind: &usherv1.AttributeValue_IntValue{IntValue: 2048}},
		"ratio":          {Kind: &usherv1.AttributeValue_DoubleValue{DoubleValue: 0.5}},
		"note":           {Kind: &usherv1.AttributeValue_StringValue{StringValue: "für die Presse"}},
	}
	w.write(&usherv1.WriteRequest{Updates: []*usherv1.TupleUpdate{{Operation: usherv1.Operation_OPERATION_TOUCH, Tuple: in}}})
	out := w.read(&usherv1.ReadRequest{})
	if len(out) != 1 {
		t.Fatalf("got %v", out)
	}
	in.ExpiresAt = timestamppb.New(time.Date(2099, 1, 2, 3, 4, 5, 6_000_000, time.UTC)) // rounded down
	if out[0].String() != in.String() {
		t.Errorf("got  %v\nwant %v", out[0], in)
	}
}

func TestBadWrites(t *testing.T) {
	w := newLibrary(t)
	touch := func(change func(*usherv1.Tuple)) *usherv1.TupleUpdate {
		u := updates(t, usherv1.Operation_OPERATION_TOUCH, "media:logo#viewer@user:anna")[0]
		change(u.Tuple)
		return u
	}
	remove := func(change func(*usherv1.Tuple)) *usherv1.TupleUpdate {
		u := touch(change)
		u.Operation = usherv1.Operation_OPERATION_DELETE
		return u
	}
	manyAttributes := map[string]*usherv1.AttributeValue{}
	for i := range 17 {
		manyAttributes[fmt.Sprint(i)] = &usherv1.AttributeValue{Kind: &usherv1.AttributeValue_BoolValue{}}
	}
	for _, c := range []struct {
		name, field string
		update      *usherv1.TupleUpdate
	}{
		{"nothing", "operation", &usherv1.TupleUpdate{}},
		{"no tuple", "tuple.object.type", &usherv1.TupleUpdate{Operation: usherv1.Operation_OPERATION_CREATE}},
		{"an operation of the future", "operation", &usherv1.TupleUpdate{Operation: 99}},
		{"no object", "tuple.object.type", touch(func(m *usherv1.Tuple) { m.Object = nil })},
		{"no object id", "tuple.object.id", touch(func(m *usherv1.Tuple) { m.Object.Id = "" })},
		{"a wildcard object", "tuple.object.id", touch(func(m *usherv1.Tuple) { m.Object.Id = "*" })},
		{"a blank in the id", "tuple.object.id", touch(func(m *usherv1.Tuple) { m.Object.Id = "a b" })},
		{"a long id", "tuple.object.id", touch(func(m *usherv1.Tuple) { m.Object.Id = strings.Repeat("x", 1025) })},
		{"no relation", "tuple.relation", touch(func(m *usherv1.Tuple) { m.Relation = "" })},
		{"no subject", "tuple.subject.type", touch(func(m *usherv1.Tuple) { m.Subject = nil })},
		{"a wildcard userset", "tuple.subject.relation", touch(func(m *usherv1.Tuple) { m.Subject.Id, m.Subject.Relation = "*", "member" })},
		{"a condition without a name", "tuple.condition.name", touch(func(m *usherv1.Tuple) { m.Condition = &usherv1.Condition{} })},
		{"a context with infinity", "tuple.condition.context.opens", touch(func(m *usherv1.Tuple) {
			m.Condition = &usherv1.Condition{Name: "office_hours", Context: values(t, map[string]any{"opens": math.Inf(1)})}
		})},
		{"a context with a list with no number", "tuple.condition.context.opens", touch(func(m *usherv1.Tuple) {
			m.Condition = &usherv1.Condition{Name: "office_hours", Context: values(t, map[string]any{"opens": []any{map[string]any{"a": math.NaN()}}})}
		})},
		{"a long context", "tuple.condition.context", touch(func(m *usherv1.Tuple) {
			m.Condition = &usherv1.Condition{Name: "office_hours", Context: values(t, map[string]any{"opens": strings.Repeat("x", 32<<10)})}
		})},
		{"an expiry before 1970", "tuple.expires_at", touch(func(m *usherv1.Tuple) { m.ExpiresAt = timestamppb.New(time.Unix(-1, 0)) })},
		{"the zero time", "tuple.expires_at", touch(func(m *usherv1.Tuple) { m.ExpiresAt = timestamppb.New(time.Time{}) })},
		{"an expiry beyond time", "tuple.expires_at", touch(func(m *usherv1.Tuple) { m.ExpiresAt = &timestamppb.Timestamp{Seconds: math.MaxInt64} })},
		{"an attribute without a value", "tuple.attributes.size", touch(func(m *usherv1.Tuple) {
			m.Attributes = map[string]*usherv1.AttributeValue{"size": {}}
		})},
		{"17 attributes", "tuple.attributes", touch(func(m *usherv1.Tuple) { m.Attributes = manyAttributes })},
		{"a delete with a condition", "tuple.condition", remove(func(m *usherv1.Tuple) { m.Condition = &usherv1.Condition{Name: "x"} })},
		{"a delete with an expiry", "tuple.expires_at", remove(func(m *usherv1.Tuple) { m.ExpiresAt = timestamppb.Now() })},
		{"a delete with attributes", "tuple.attributes", remove(func(m *usherv1.Tuple) {
			m.Attributes = map[string]*usherv1.AttributeValue{"size": {}}
		})},
		{"a delete of no id", "tuple.subject.id", remove(func(m *usherv1.Tuple) { m.Subject.Id = "" })},
	} {
		t.Run(c.name, func(t *testing.T) {
			good := updates(t, usherv1.Operation_OPERATION_TOUCH, "media:good#viewer@user:anna")[0]
			_, err := w.tuples.Write(w.ctx, &usherv1.WriteRequest{Updates: []*usherv1.TupleUpdate{good, c.update}})
			wantRefusal(t, err, codes.InvalidArgument, "INVALID_FIELD", "updates[1]."+c.field)
		})
	}
	if stored := w.read(&usherv1.ReadRequest{}); len(stored) != 0 {
		t.Errorf("refused requests stored %v", stored)
	}
}

// The model in force decides which tuples there can be.
func TestForbiddenTuples(t *testing.T) {
	w := newLibrary(t)
	for _, c := range []struct{ name, line, reason, field string }{
		{"unknown object type", "video:a#viewer@user:anna", "UNKNOWN_TYPE", "tuple.object.type"},
		{"unknown subject type", "media:a#viewer@robot:r2", "UNKNOWN_TYPE", "tuple.subject.type"},
		{"unknown relation", "media:a#flyer@user:anna", "UNKNOWN_RELATION", "tuple.relation"},
		{"unknown subject relation", "media:a#viewer@group:design#boss", "UNKNOWN_RELATION", "tuple.subject.relation"},
		{"computed relation", "media:a#can_view@user:anna", "TUPLE_NOT_ALLOWED", "tuple.relation"},
		{"a kind of subject", "media:a#viewer@folder:acme", "TUPLE_NOT_ALLOWED", "tuple.subject"},
		{"a wildcard", "media:a#owner@user:*", "TUPLE_NOT_ALLOWED", "tuple.subject"},
		{"a condition", "media:a#owner@user:anna with office_hours", "TUPLE_NOT_ALLOWED", "tuple.condition.name"},
		{"unknown condition", "media:a#viewer@user:anna with moonlight", "TUPLE_NOT_ALLOWED", "tuple.condition.name"},
		{"a context value", `media:a#viewer@user:anna with office_hours {"opens":"noon"}`, "TUPLE_NOT_ALLOWED", "tuple.condition.context.opens"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := w.tuples.Write(w.ctx, &usherv1.WriteRequest{Updates: updates(t, usherv1.Operation_OPERATION_TOUCH, c.line)})
			wantRefusal(t, err, codes.InvalidArgument, c.reason, "updates[0]."+c.field)
		})
	}
	t.Run("a delete needs no model", func(t *testing.T) {
		w.remove("video:a#viewer@robot:r2")
	})
}

// All that is wrong is told at once, up to a bound.
func TestAllViolationsAtOnce(t *testing.T) {
	w := newLibrary(t)
	r := &usherv1.WriteRequest{
		Updates: append(updates(t, usherv1.Operation_OPERATION_TOUCH, "media:a#viewer@user:anna", "media:a#viewer@user:anna", "video:a#viewer@user:anna"),
			&usherv1.TupleUpdate{Operation: usherv1.Operation_OPERATION_TOUCH}),
		Preconditions: []*usherv1.Precondition{
			{},
			{Condition: &usherv1.Precondition_MustMatch{MustMatch: &usherv1.TupleFilter{ObjectId: "a"}}},
			mustBeAllowed(t, "user:anna can_view media:a"),
		},
		Actor:     &usherv1.Subject{Type: "user"},
		Metadata:  map[string]string{"message": strings.Repeat("x", 16<<10)},
		RequestId: strings.Repeat("x", 256),
	}
	for i := range 33 {
		r.Metadata[fmt.Sprint(i)] = ""
	}
	r.Preconditions[2].GetMustBeAllowed().Relation = ""
	_, err := w.tuples.Write(w.ctx, r)
	got := wantRefusal(t, err, codes.InvalidArgument, "INVALID_FIELD", "")
	want := []string{
		"updates[1].tuple", "updates[3].tuple.object.type",
		"preconditions[0]", "preconditions[1].must_match.object_id", "preconditions[2].must_be_allowed.relation",
		"actor.id", "metadata", "metadata", "request_id", "updates[2].tuple.object.type",
	}
	if !slices.Equal(got.fields, want) {
		t.Errorf("got  %q\nwant %q", got.fields, want)
	}
	bad := make([]*usherv1.TupleUpdate, 50)
	for i := range bad {
		bad[i] = &usherv1.TupleUpdate{}
	}
	_, err = w.tuples.Write(w.ctx, &usherv1.WriteRequest{Updates: bad})
	if got := wantRefusal(t, err, codes.InvalidArgument, "INVALID_FIELD", "updates[0].operation"); len(got.fields) != 20 {
		t.Errorf("got %d violations, want 20", len(got.fields))
	}
}

func TestWriteLimits(t *testing.T) {
	w := newLibrary(t)
	t.Run("no updates", func(t *testing.T) {
		_, err := w.tuples.Write(w.ctx, &usherv1.WriteRequest{})
		wantRefusal(t, err, codes.InvalidArgument, "INVALID_FIELD", "updates")
	})
	var lines []string
	for i := range 10_001 {
		lines = append(lines, fmt.Sprintf("media:%d#viewer@user:anna", i))
	}
	list := updates(t, usherv1.Operation_OPERATION_CREATE, lines...)
	t.Run("10,001 updates", func(t *testing.T) {
		_, err := w.tuples.Write(w.ctx, &usherv1.WriteRequest{Updates: list})
		wantRefusal(t, err, codes.InvalidArgument, "TOO_MANY_ITEMS", "updates")
	})
	t.Run("10,000 updates", func(t *testing.T) {
		if got := w.write(&usherv1.WriteRequest{Updates: list[:10_000]}); got.GetCreated() != 10_000 {
			t.Errorf("got %v", got)
		}
	})
	t.Run("1,001 preconditions in all", func(t *testing.T) {
		update := updates(t, usherv1.Operation_OPERATION_TOUCH, "media:a#viewer@user:anna")[0]
		r := &usherv1.WriteRequest{Updates: []*usherv1.TupleUpdate{update}}
		for i := range 1_001 {
			p := mustBeAllowed(t, "user:anna can_view media:a")
			if i < 600 {
				update.Preconditions = append(update.Preconditions, p)
			} else {
				r.Preconditions = append(r.Preconditions, p)
			}
		}
		_, err := w.tuples.Write(w.ctx, r)
		wantRefusal(t, err, codes.InvalidArgument, "TOO_MANY_ITEMS", "preconditions")
	})
}

// Within 24 hours the same id with the same request returns the first answer, whatever
// has become of the store since.
func TestRequestID(t *testing.T) {
	w := newLibrary(t, "media:logo#owner@user:anna")
	handOver := &usherv1.WriteRequest{
		RequestId: "hand-over-1",
		Updates: slices.Concat(
			updates(t, usherv1.Operation_OPERATION_CREATE, "media:logo#owner@user:bert"),
			updates(t, usherv1.Operation_OPERATION_DELETE, "media:logo#owner@user:anna"),
		),
		Preconditions: []*usherv1.Precondition{mustBeAllowed(t, "user:anna can_share media:logo")},
	}
	first := w.write(handOver)
	retried := w.write(handOver) // the guard would not hold, and the tuple exists
	if !retried.GetReplayed() || retried.GetRevision() != first.GetRevision() || retried.GetToken() != first.GetToken() || retried.GetCreated() != 1 {
		t.Errorf("got  %v\nwant %v", retried, first)
	}
	w.writeModel("model\n  schema 1.1\ntype user\n")
	if retried := w.write(handOver); !retried.GetReplayed() {
		t.Errorf("under a model that forbids it: %v", retried)
	}
	other := &usherv1.WriteRequest{RequestId: "hand-over-1", Updates: updates(t, usherv1.Operation_OPERATION_DELETE, "media:logo#owner@user:bert")}
	_, err := w.tuples.Write(w.ctx, other)
	wantRefusal(t, err, codes.AlreadyExists, "REQUEST_ID_REUSED", "")
	_, err = w.tuples.DeleteTuples(w.ctx, &usherv1.DeleteTuplesRequest{RequestId: "hand-over-1", Filter: &usherv1.TupleFilter{ObjectType: "media"}})
	wantRefusal(t, err, codes.AlreadyExists, "REQUEST_ID_REUSED", "")
	// Failures are not remembered.
	refused := &usherv1.WriteRequest{RequestId: "later", Updates: updates(t, usherv1.Operation_OPERATION_TOUCH, "media:x#owner@user:anna")}
	_, err = w.tuples.Write(w.ctx, refused)
	wantRefusal(t, err, codes.InvalidArgument, "UNKNOWN_TYPE", "")
	w.writeModel(library)
	if got := w.write(refused); got.GetReplayed() || got.GetCreated() != 1 {
		t.Errorf("got %v", got)
	}
}

func TestWriteWithoutAModel(t *testing.T) {
	w := newWorld(t, server.Options{})
	_, err := w.tuples.Write(w.ctx, &usherv1.WriteRequest{Updates: updates(t, usherv1.Operation_OPERATION_TOUCH, "media:a#viewer@user:anna")})
	wantRefusal(t, err, codes.FailedPrecondition, "NO_MODEL", "")
	if got := w.write(&usherv1.WriteRequest{Updates: updates(t, usherv1.Operation_OPERATION_DELETE, "media:a#viewer@user:anna")}); got.GetUnchanged() != 1 {
		t.Errorf("got %v", got)
	}
}

// read returns all tuples of a read.
func (w *world) read(r *usherv1.ReadRequest) []*usherv1.Tuple {
	w.t.Helper()
	messages, err := collect(w.tuples.Read(w.ctx, r))
	if err != nil {
		w.t.Fatal(err)
	}
	var all []*usherv1.Tuple
	for _, m := range messages {
		all = append(all, m.GetTuples()...)
	}
	return all
}
