package main

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// What read prints, write reads back, with condition, expiry and attributes.
func TestTupleTextRoundTrip(t *testing.T) {
	name := rapid.StringMatching(`[a-z][a-z0-9_-]{0,8}`)
	id := rapid.StringMatching(`[A-Za-z0-9@/|+=._-]{1,12}`)
	rapid.Check(t, func(t *rapid.T) {
		text := name.Draw(t, "type") + ":" + id.Draw(t, "id") + "#" + name.Draw(t, "relation") + "@"
		text += rapid.OneOf(
			rapid.Map(id, func(s string) string { return "user:" + s }),
			rapid.Just("user:*"),
			rapid.Map(id, func(s string) string { return "group:" + s + "#member" }),
		).Draw(t, "subject")
		text += rapid.SampledFrom([]string{"", " with tagged", ` with tagged {"at":[1,"a",null],"tag":"red"}`}).Draw(t, "condition")
		text += rapid.SampledFrom([]string{"", " expires 2030-01-02T03:04:05.678Z"}).Draw(t, "expiry")
		text += rapid.SampledFrom([]string{"", ` attributes {"a":true,"b":2048,"c":2.5,"d":"text"}`}).Draw(t, "attributes")

		message, err := parseTuple(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if got := tupleText(message); got != text {
			t.Errorf("%s is printed as %s", text, got)
		}
	})
}

func TestParseFilter(t *testing.T) {
	none, member := "", "member"
	tests := map[string]*usherv1.TupleFilter{
		"media:logo#viewer@user:anna": {
			ObjectType: "media", ObjectId: "logo", Relation: "viewer", SubjectType: "user", SubjectId: "anna", SubjectRelation: &none,
		},
		"media:logo#viewer@group:design#member": {
			ObjectType: "media", ObjectId: "logo", Relation: "viewer", SubjectType: "group", SubjectId: "design", SubjectRelation: &member,
		},
		"media:logo#viewer@group:design#?": {
			ObjectType: "media", ObjectId: "logo", Relation: "viewer", SubjectType: "group", SubjectId: "design",
		},
		"media:logo#viewer@group:?#member": {
			ObjectType: "media", ObjectId: "logo", Relation: "viewer", SubjectType: "group", SubjectRelation: &member,
		},
		"media:logo#viewer@group:?": {ObjectType: "media", ObjectId: "logo", Relation: "viewer", SubjectType: "group"},
		"media:logo#viewer@?":       {ObjectType: "media", ObjectId: "logo", Relation: "viewer"},
		"media:logo#viewer":         {ObjectType: "media", ObjectId: "logo", Relation: "viewer"},
		"media:logo":                {ObjectType: "media", ObjectId: "logo"},
		"media:?#owner@?":           {ObjectType: "media", Relation: "owner"},
		"?#owner@user:*":            {Relation: "owner", SubjectType: "user", SubjectId: "*", SubjectRelation: &none},
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			got, err := parseFilter(text)
			if err != nil {
				t.Fatal(err)
			}
			if !proto.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func TestParseTime(t *testing.T) {
	for text, want := range map[string]string{
		"2026-03-01":                "2026-03-01T00:00:00Z",
		"2026-03-01T12:00Z":         "2026-03-01T12:00:00Z",
		"2026-03-01T12:00:30Z":      "2026-03-01T12:00:30Z",
		"2026-03-01T12:00:30.5Z":    "2026-03-01T12:00:30.5Z",
		"2026-03-01T13:00+01:00":    "2026-03-01T12:00:00Z",
		"2026-03-01T13:00:30+01:00": "2026-03-01T12:00:30Z",
	} {
		got, err := parseTime("--at", text)
		if err != nil || got.AsTime().Format(time.RFC3339Nano) != want {
			t.Errorf("%s is read as %s, %v; want %s", text, got.AsTime(), err, want)
		}
	}
	for _, text := range []string{"now", "2026-03", "2026-03-32", "2026-03-01 12:00", "2026-03-01T12:00", "12:00Z"} {
		if got, err := parseTime("--at", text); err == nil {
			t.Errorf("%s is read as %s", text, got.AsTime())
		}
	}
}
