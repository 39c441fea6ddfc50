package tuples_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/usher-authz/usher/tuples"
)

// check compares an error with what it must say; "" is for no error.
func check(t *testing.T, err error, says string) {
	t.Helper()
	var invalid *tuples.InvalidError
	switch {
	case says == "" && err != nil:
		t.Errorf("got %v, want no error", err)
	case says == "":
	case !errors.As(err, &invalid):
		t.Errorf("got %v, want an InvalidError that says %q", err, says)
	case !strings.Contains(err.Error(), says):
		t.Errorf("got %q, want it to say %q", err, says)
	case invalid.Violations[0].Remedy == "":
		t.Errorf("%q has no remedy", err)
	}
}

func TestIDs(t *testing.T) {
	for name, c := range map[string]struct {
		id   tuples.ID
		says string
	}{
		"plain":              {"logo", ""},
		"e-mail":             {"anna+1@example.org", ""},
		"path and signs":     {"a/b|c=d*e?f%g", ""},
		"other scripts":      {"日本語-ß", ""},
		"the longest":        {tuples.ID(strings.Repeat("x", tuples.MaxIDBytes)), ""},
		"empty":              {"", "is empty"},
		"too long":           {tuples.ID(strings.Repeat("x", tuples.MaxIDBytes+1)), "longer than 1024 bytes"},
		"hash":               {"a#b", `has '#'`},
		"colon":              {"a:b", `has ':'`},
		"blank":              {"a b", `has ' '`},
		"no-break space":     {"a\u00a0b", "cannot contain"},
		"line end":           {"a\n", `has '\n'`},
		"control character":  {"a\x00", "cannot contain"},
		"direction override": {"a\u202eb", "cannot contain"},
		"not UTF-8":          {"a\xff", "is not valid UTF-8"},
		"wildcard":           {"*", "cannot be a wildcard"},
	} {
		t.Run(name, func(t *testing.T) {
			check(t, tuples.Object{Type: "media", ID: c.id}.Validate(), c.says)
			if c.id != tuples.Wildcard {
				check(t, tuples.Subject{Type: "media", ID: c.id}.Validate(), c.says)
			}
		})
	}
}

func TestNames(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		says string
	}{
		"plain":       {"view_2-b", ""},
		"empty":       {"", "is empty"},
		"the longest": {strings.Repeat("x", tuples.MaxRelationBytes), ""},
		"too long":    {strings.Repeat("x", tuples.MaxTypeBytes+1), "is longer than"},
		"at":          {"a@b", `has '@'`},
		"star":        {"a*", `has '*'`},
		"hash":        {"a#", `has '#'`},
		"colon":       {"a:", `has ':'`},
		"blank":       {"a b", `has ' '`},
		"invisible":   {"a\u200b", "cannot contain"},
		"not UTF-8":   {"\xff", "is not valid UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			check(t, tuples.Object{Type: tuples.ObjectType(c.text), ID: "x"}.Validate(), c.says)
			check(t, tuples.Subject{Type: "t", ID: "x", Relation: tuples.Relation(orX(c.text))}.Validate(), emptyFor(c.text, c.says))
			check(t, tuples.Key{Object: tuples.Object{Type: "t", ID: "x"}, Relation: tuples.Relation(c.text), Subject: tuples.Subject{Type: "t", ID: "y"}}.Validate(), c.says)
		})
	}
	if tuples.ValidateRelation(tuples.Relation(strings.Repeat("x", tuples.MaxRelationBytes+1))) == nil {
		t.Error("a relation name may be longer than the limit")
	}
}

// A subject's relation may be empty, unlike other names.
func orX(text string) string {
	if text == "" {
		return "x"
	}
	return text
}

func emptyFor(text, says string) string {
	if text == "" {
		return ""
	}
	return says
}

func TestGrants(t *testing.T) {
	many := tuples.Attributes{}
	for i := range tuples.MaxAttributes + 1 {
		many[strings.Repeat("a", i+1)] = tuples.BoolValue(true)
	}
	for name, c := range map[string]struct {
		grant tuples.Grant
		says  string
	}{
		"bare":                   {tuples.Grant{}, ""},
		"condition":              {tuples.Grant{Condition: &tuples.Condition{Name: "hours", Context: tuples.Context{"a": 1.0}}}, ""},
		"condition without name": {tuples.Grant{Condition: &tuples.Condition{}}, "condition.name"},
		"large context":          {tuples.Grant{Condition: &tuples.Condition{Name: "c", Context: tuples.Context{"a": strings.Repeat("x", tuples.MaxContextBytes)}}}, "condition.context"},
		"last expiry":            {tuples.Grant{Expires: tuples.MaxTime}, ""},
		"expiry after it":        {tuples.Grant{Expires: tuples.MaxTime.Add(time.Millisecond)}, "expires_at"},
		"expiry before 1970":     {tuples.Grant{Expires: time.UnixMilli(0)}, "expires_at"},
		"too many attributes":    {tuples.Grant{Attributes: many}, "17 attributes"},
		"attribute without name": {tuples.Grant{Attributes: tuples.Attributes{"": tuples.BoolValue(true)}}, "attributes \"\": is empty"},
		"attribute of no value":  {tuples.Grant{Attributes: tuples.Attributes{"a": {}}}, "attributes.a \"\": has no value"},
		"not a number":           {tuples.Grant{Attributes: tuples.Attributes{"a": tuples.DoubleValue(math.NaN())}}, "attributes.a"},
		"infinite":               {tuples.Grant{Attributes: tuples.Attributes{"a": tuples.DoubleValue(math.Inf(-1))}}, "is not a finite number"},
		"long text":              {tuples.Grant{Attributes: tuples.Attributes{"a": tuples.StringValue(strings.Repeat("x", tuples.MaxAttributeBytes+1))}}, "is not a short text"},
		"text not UTF-8":         {tuples.Grant{Attributes: tuples.Attributes{"a": tuples.StringValue("\xff")}}, "is not a short text"},
	} {
		t.Run(name, func(t *testing.T) { check(t, c.grant.Validate(), c.says) })
	}
}

func TestViolationsSayWhereWhatAndWhy(t *testing.T) {
	long := strings.Repeat("ä", 100)
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"with field", tuples.Invalid("object.id", "a b", "has a blank", "drop it"), `object.id "a b": has a blank; drop it`},
		{"without field", tuples.Invalid("", "x", "is wrong", ""), `"x": is wrong`},
		{"moved below a prefix", tuples.Invalid("id", "x", "is wrong", "").Within("updates[3].tuple"), `updates[3].tuple.id "x": is wrong`},
		{"the prefix itself", tuples.Invalid("", "x", "is wrong", "").Within("updates[3]"), `updates[3] "x": is wrong`},
		{"several", &tuples.InvalidError{Violations: []tuples.Violation{{Value: "a", Reason: "is one"}, {Value: "b", Reason: "is two"}}}, "\"a\": is one\n\"b\": is two"},
		{"a long value is cut between characters", tuples.Invalid("f", long, "is long", ""), `f "` + long[:80] + `… (200 bytes)": is long`},
		{"precondition", &tuples.PreconditionError{Field: "preconditions[0]", Reason: "no tuple matches"}, "precondition preconditions[0] failed: no tuple matches"},
		{"existing tuple", &tuples.ExistsError{Index: 2, Key: tuples.Key{Object: tuples.Object{Type: "media", ID: "logo"}, Relation: "viewer", Subject: tuples.Subject{Type: "user", ID: "anna"}}},
			"updates[2]: tuple media:logo#viewer@user:anna exists; use touch to replace what it grants"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.err.Error(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	if cut := tuples.Shorten("x" + long); !strings.HasPrefix(cut, "x"+strings.Repeat("ä", 39)+"…") {
		t.Errorf("a character was cut in the middle: %q", cut)
	}
}

// ASCII is judged by a table, and the rest by runes. Both say the same: a letter beyond ASCII
// behind a name does not change whether it is one.
func TestASCIIIsJudgedLikeTheRest(t *testing.T) {
	for c := range rune(utf8.RuneSelf) {
		name := "a" + string(c)
		for what, validate := range map[string]func(name string) error{
			"id":   func(name string) error { return tuples.Object{Type: "media", ID: tuples.ID(name)}.Validate() },
			"type": func(name string) error { return tuples.Object{Type: tuples.ObjectType(name), ID: "logo"}.Validate() },
		} {
			if byTable, byRunes := validate(name), validate(name+"é"); (byTable == nil) != (byRunes == nil) {
				t.Errorf("%s with %q: %v, and with a letter behind it %v", what, c, byTable, byRunes)
			}
		}
	}
}
