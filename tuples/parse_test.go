package tuples_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/usher-authz/usher/tuples"
	"pgregory.net/rapid"
)

func TestParseTuple(t *testing.T) {
	logo := tuples.Object{Type: "media", ID: "logo"}
	anna := tuples.Key{Object: logo, Relation: "viewer", Subject: tuples.Subject{Type: "user", ID: "anna"}}
	hours := &tuples.Condition{Name: "office_hours", Context: tuples.Context{"from": 9.0, "days": []any{"mo"}}}
	dusk := time.Date(2026, 12, 31, 23, 59, 59, 0, time.UTC)
	for _, c := range []struct {
		name, text string
		want       tuples.Tuple
	}{
		{"user", "media:logo#viewer@user:anna", tuples.Tuple{Key: anna}},
		{"userset", "media:logo#viewer@group:design#member", tuples.Tuple{Key: tuples.Key{Object: logo, Relation: "viewer", Subject: tuples.Subject{Type: "group", ID: "design", Relation: "member"}}}},
		{"wildcard", "media:logo#viewer@user:*", tuples.Tuple{Key: tuples.Key{Object: logo, Relation: "viewer", Subject: tuples.Subject{Type: "user", ID: tuples.Wildcard}}}},
		{"ids with @, / and other signs", "media:a@b/c|d+e=f#viewer@user:anna@example.org", tuples.Tuple{Key: tuples.Key{
			Object: tuples.Object{Type: "media", ID: "a@b/c|d+e=f"}, Relation: "viewer", Subject: tuples.Subject{Type: "user", ID: "anna@example.org"}}}},
		{"condition", "media:logo#viewer@user:anna with office_hours", tuples.Tuple{Key: anna, Grant: tuples.Grant{Condition: &tuples.Condition{Name: "office_hours"}}}},
		{"condition with context", `media:logo#viewer@user:anna with office_hours {"days":["mo"],"from":9}`, tuples.Tuple{Key: anna, Grant: tuples.Grant{Condition: hours}}},
		{"expiry", "media:logo#viewer@user:anna expires 2026-12-31T23:59:59Z", tuples.Tuple{Key: anna, Grant: tuples.Grant{Expires: dusk}}},
		{"attributes of all types", `media:logo#viewer@user:anna attributes {"b":true,"d":2.0,"i":2,"s":"2"}`, tuples.Tuple{Key: anna, Grant: tuples.Grant{Attributes: tuples.Attributes{
			"b": tuples.BoolValue(true), "d": tuples.DoubleValue(2), "i": tuples.IntValue(2), "s": tuples.StringValue("2")}}}},
		{"everything", `media:logo#viewer@user:anna with office_hours {"days":["mo"],"from":9} expires 2026-12-31T23:59:59Z attributes {"i":-1}`,
			tuples.Tuple{Key: anna, Grant: tuples.Grant{Condition: hours, Expires: dusk, Attributes: tuples.Attributes{"i": tuples.IntValue(-1)}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := tuples.ParseTuple(c.text)
			if err != nil {
				t.Fatal(err)
			}
			if got.Key != c.want.Key || !got.Grant.Equal(c.want.Grant) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if got.String() != c.text {
				t.Errorf("comes back as %q", got)
			}
		})
	}
}

func TestParseTupleTakesOtherFormsOfTheSame(t *testing.T) {
	for text, want := range map[string]string{
		"  media:logo#viewer@user:anna\n":                                                              "media:logo#viewer@user:anna",
		"media:logo#viewer@user:anna expires 2027-01-01T00:59:59.9999+01:00":                           "media:logo#viewer@user:anna expires 2026-12-31T23:59:59.999Z",
		`media:logo#viewer@user:anna with c {}`:                                                        "media:logo#viewer@user:anna with c",
		`media:logo#viewer@user:anna with c { "b": 1, "a": {"y":1,"x":2} }`:                            `media:logo#viewer@user:anna with c {"a":{"x":2,"y":1},"b":1}`,
		`media:logo#viewer@user:anna attributes {}`:                                                    "media:logo#viewer@user:anna",
		`media:logo#viewer@user:anna attributes {"d":1e3,"i":-9007199254740993}`:                       `media:logo#viewer@user:anna attributes {"d":1000.0,"i":-9007199254740993}`,
		`media:logo#viewer@user:anna with expires {"a":" expires x"} attributes {"a":" attributes {"}`: `media:logo#viewer@user:anna with expires {"a":" expires x"} attributes {"a":" attributes {"}`,
	} {
		got, err := tuples.ParseTuple(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got.String() != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestParseTupleNamesWhatIsWrong(t *testing.T) {
	const key = "media:logo#viewer@user:anna"
	for text, says := range map[string]string{
		"":                                              "is not a tuple",
		"media:logo":                                    "is not a tuple",
		"media:logo#viewer":                             "is not a tuple",
		"logo#viewer@user:anna":                         "object \"logo\": has no ':'",
		"media:#viewer@user:anna":                       "object.id",
		":logo#viewer@user:anna":                        "object.type",
		"media:*#viewer@user:anna":                      "an object cannot be a wildcard",
		"media:logo#@user:anna":                         "relation \"\": is empty",
		"media:logo#view:er@user:anna":                  "which a relation name cannot contain",
		"media:logo#viewer@anna":                        "subject \"anna\": has no ':'",
		"media:logo#viewer@user:":                       "subject.id",
		"media:logo#viewer@group:design#":               "has no relation after '#'",
		"media:logo#viewer@group:*#member":              "a wildcard subject cannot have a relation",
		"media:logo#viewer@group:d#a:b":                 "subject.relation",
		"media:logo#viewer@gro*up:d":                    "subject.type",
		key + " until tomorrow":                         "is not understood",
		key + " with":                                   "is not understood",
		key + " with ":                                  "is not understood",
		key + ` with c {"a"`:                            "is not a JSON object",
		key + ` with c [1]`:                             "is not understood",
		key + " with a:b":                               "condition.name",
		key + " expires tomorrow":                       "expires_at \"tomorrow\": is not a time",
		key + " expires 1969-01-01T00:00:00Z":           "is out of range",
		key + ` attributes {"a":[1]}`:                   "attributes.a",
		key + ` attributes {"a":null}`:                  "attributes.a",
		key + ` attributes {"a":9223372036854775808}`:   "is out of range",
		key + ` attributes {"a":1e999}`:                 "is out of range",
		key + ` attributes {"a b":1}`:                   "attributes",
		key + ` attributes 7`:                           "is not a JSON object",
		key + ` attributes {"a":1} with c`:              "is not understood",
		"media:" + strings.Repeat("x", 2000) + "#v@u:a": "is longer than 1024 bytes",
	} {
		_, err := tuples.ParseTuple(text)
		var invalid *tuples.InvalidError
		if !errors.As(err, &invalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v, want an InvalidError that says %q", text, err, says)
		} else if invalid.Violations[0].Remedy == "" {
			t.Errorf("%s: %v has no remedy", text, err)
		}
	}
}

func TestParseObjectSubjectAndUserset(t *testing.T) {
	if got, err := tuples.ParseObject("media:logo"); err != nil || got.String() != "media:logo" {
		t.Errorf("got %v, %v", got, err)
	}
	for _, text := range []string{"user:anna", "user:*", "group:design#member"} {
		if got, err := tuples.ParseSubject(text); err != nil || got.String() != text {
			t.Errorf("got %v, %v, want %s", got, err, text)
		}
	}
	got, err := tuples.ParseUserset("group:design#member")
	if err != nil || got.String() != "group:design#member" || got.Subject().String() != "group:design#member" || got.Subject().Object() != got.Object {
		t.Errorf("got %v, %v", got, err)
	}
	for _, text := range []string{"group:design", "group#member", "group:design#", "group:*#member", "group:a#b#c"} {
		if got, err := tuples.ParseUserset(text); err == nil {
			t.Errorf("%s is userset %v", text, got)
		}
	}
}

// drawName draws a valid name or id.
func drawName(t *rapid.T, what string) string {
	return rapid.StringOfN(rapid.RuneFrom([]rune("aZ09_-äß語/|+=.,{}\"'\\<>&")), 1, 12, 48).Draw(t, what)
}

func drawTuple(t *rapid.T) tuples.Tuple {
	id := func(what string) tuples.ID { return tuples.ID(drawName(t, what)) }
	kind := func(what string) tuples.ObjectType { return tuples.ObjectType(drawName(t, what)) }
	tuple := tuples.Tuple{Key: tuples.Key{
		Object:   tuples.Object{Type: kind("object type"), ID: id("object id")},
		Relation: tuples.Relation(drawName(t, "relation")),
		Subject:  tuples.Subject{Type: kind("subject type"), ID: id("subject id")},
	}}
	switch rapid.IntRange(0, 2).Draw(t, "kind of subject") {
	case 1:
		tuple.Subject.Relation = tuples.Relation(drawName(t, "subject relation"))
	case 2:
		tuple.Subject.ID = tuples.Wildcard
	}
	text := rapid.StringN(0, 10, -1).Filter(func(s string) bool { return strings.ToValidUTF8(s, "") == s })
	if rapid.Bool().Draw(t, "condition") {
		tuple.Condition = &tuples.Condition{Name: drawName(t, "condition name")}
		values := rapid.SampledFrom([]any{nil, true, 1.5, -0.25, "x", []any{}, []any{"y", 2.0}, map[string]any{"z": false}})
		if context := rapid.MapOfN(text, values, 0, 3).Draw(t, "context"); len(context) > 0 {
			tuple.Condition.Context = context
		}
	}
	if rapid.Bool().Draw(t, "expires") {
		tuple.Expires = time.UnixMilli(rapid.Int64Range(1, tuples.MaxTime.UnixMilli()).Draw(t, "ms")).UTC()
	}
	values := rapid.OneOf(
		rapid.Map(rapid.Bool(), tuples.BoolValue), rapid.Map(rapid.Int64(), tuples.IntValue),
		rapid.Map(rapid.Float64(), tuples.DoubleValue), rapid.Map(text, tuples.StringValue),
	)
	for range rapid.IntRange(0, 3).Draw(t, "attributes") {
		if tuple.Attributes == nil {
			tuple.Attributes = tuples.Attributes{}
		}
		tuple.Attributes[drawName(t, "attribute")] = values.Draw(t, "value")
	}
	return tuple
}

func TestTuplesRoundTripAsText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawTuple(t)
		if err := want.Validate(); err != nil {
			t.Fatalf("%+v is not valid: %v", want, err)
		}
		got, err := tuples.ParseTuple(want.String())
		if err != nil {
			t.Fatal(err)
		}
		if got.Key != want.Key || !got.Grant.Equal(want.Grant) {
			t.Fatalf("%+v comes back as %+v", want, got)
		}
	})
}

// What parses is valid and prints as what parses to the same.
func FuzzParseTuple(f *testing.F) {
	for _, text := range []string{
		"media:logo#viewer@user:anna", "collection:press#viewer@user:*", "media:logo#viewer@group:design#member",
		`media:logo#viewer@user:anna with hours {"from":9} expires 2026-12-31T23:59:59.999Z attributes {"a":1,"b":1.5,"c":"x","d":true}`,
		"media:a@b#viewer@user:c@d", "a:b#c@d:e with f {}", "#@:", "a:b#c@d:e expires 0000-01-01T00:00:00Z",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, err := tuples.ParseTuple(text)
		if err != nil {
			return
		}
		if err := first.Validate(); err != nil {
			t.Fatalf("%q parses to an invalid tuple: %v", text, err)
		}
		again, err := tuples.ParseTuple(first.String())
		if err != nil {
			t.Fatalf("%q prints as %q, which does not parse: %v", text, first, err)
		}
		if again.Key != first.Key || !again.Grant.Equal(first.Grant) {
			t.Fatalf("%q is %+v, and printed and parsed again %+v", text, first, again)
		}
	})
}
