package server_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/structpb"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

func TestContextualTuples(t *testing.T) {
	w := newLibrary(t, `media:logo#viewer@user:anna with office_hours {"opens":9}`)
	ask := func(text string, hour float64, lines ...string) string {
		r := question(t, text)
		for _, line := range lines {
			r.ContextualTuples = append(r.ContextualTuples, tuple(t, line))
		}
		if hour > 0 {
			r.Context = values(t, map[string]any{"hour": hour})
		}
		response, err := w.permissions.Check(w.ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		return outcome(response.GetOutcome())
	}
	for _, c := range []struct {
		name, question string
		hour           float64
		lines          []string
		want           string
	}{
		{"context that meets the condition", "user:anna can_view media:logo", 10, nil, "allowed"},
		{"context that does not", "user:anna can_view media:logo", 8, nil, "denied"},
		{"a contextual tuple replaces the stored one", "user:anna can_view media:logo", 0, []string{"media:logo#viewer@user:anna"}, "allowed"},
		{"a contextual tuple of an unknown object", "user:bert can_view media:new", 0,
			[]string{"media:new#folder@folder:new", "folder:new#viewer@user:bert"}, "allowed"},
		{"nothing of it is stored", "user:bert can_view media:new", 0, nil, "denied"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := ask(c.question, c.hour, c.lines...); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestListsSeeContextualObjects(t *testing.T) {
	w := newLibrary(t, "media:b#viewer@user:anna")
	objects, err := collect(w.permissions.ListObjects(w.ctx, &usherv1.ListObjectsRequest{
		ObjectType: "media", Relation: "can_view", Subject: subject(t, "user:anna"),
		ContextualTuples: []*usherv1.Tuple{tuple(t, "media:a#viewer@user:anna"), tuple(t, "media:c#viewer@user:anna")},
	}))
	if err != nil || len(objects) != 1 || !slices.Equal(ids(objects[0].GetObjects()), []string{"a", "b", "c"}) {
		t.Errorf("got %v, %v", objects, err)
	}
}

func TestBadContext(t *testing.T) {
	w := newLibrary(t)
	var many []string
	for i := range 101 {
		many = append(many, fmt.Sprintf("media:%d#viewer@user:anna", i))
	}
	for _, c := range []struct {
		name, reason, field string
		lines               []string
		context             *structpb.Struct
	}{
		{"101 tuples", "TOO_MANY_ITEMS", "contextual_tuples", many, nil},
		{"one tuple twice", "INVALID_FIELD", "contextual_tuples[2]", []string{
			"media:a#viewer@user:anna", "media:b#viewer@user:anna", "media:a#viewer@user:anna",
		}, nil},
		{"a forbidden tuple", "TUPLE_NOT_ALLOWED", "contextual_tuples[1].relation", []string{
			"media:a#viewer@user:anna", "media:a#can_view@user:anna",
		}, nil},
		{"an unknown type", "UNKNOWN_TYPE", "contextual_tuples[0].object.type", []string{"video:a#viewer@user:anna"}, nil},
		{"a context that is too long", "INVALID_FIELD", "context", nil, values(t, map[string]any{"hour": strings.Repeat("x", 32<<10)})},
		{"a context that is no JSON", "INVALID_FIELD", "context.hour", nil, values(t, map[string]any{"hour": math.NaN()})},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := question(t, "user:anna can_view media:a")
			r.Context = c.context
			for _, line := range c.lines {
				r.ContextualTuples = append(r.ContextualTuples, tuple(t, line))
			}
			_, err := w.permissions.Check(w.ctx, r)
			wantRefusal(t, err, codes.InvalidArgument, c.reason, c.field)
		})
	}
	t.Run("100 tuples", func(t *testing.T) {
		r := question(t, "user:anna can_view media:7")
		for _, line := range many[:100] {
			r.ContextualTuples = append(r.ContextualTuples, tuple(t, line))
		}
		if got, err := w.permissions.Check(w.ctx, r); err != nil || outcome(got.GetOutcome()) != "allowed" {
			t.Errorf("got %v, %v", got, err)
		}
	})
	t.Run("a tuple that is none", func(t *testing.T) {
		r := question(t, "user:anna can_view media:a")
		r.ContextualTuples = []*usherv1.Tuple{{}}
		_, err := w.permissions.Check(w.ctx, r)
		wantRefusal(t, err, codes.InvalidArgument, "INVALID_FIELD", "contextual_tuples[0].object.type")
	})
}
