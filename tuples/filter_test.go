package tuples_test

import (
	"testing"
	"time"

	"github.com/usher-authz/usher/tuples"
	"pgregory.net/rapid"
)

var (
	none   = tuples.Relation("")
	member = tuples.Relation("member")
)

func key(t testing.TB, text string) tuples.Key {
	t.Helper()
	k, err := tuples.ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestFilterMatches(t *testing.T) {
	const anna, design, public = "media:logo#viewer@user:anna", "media:logo#viewer@group:design#member", "media:logo#viewer@user:*"
	for _, c := range []struct {
		name        string
		filter      tuples.Filter
		text        string
		matches     []string
		matchesNone []string
	}{
		{"nothing set", tuples.Filter{}, "?:?#?@?:?(#?)", []string{anna, design, public}, nil},
		{"object type", tuples.Filter{ObjectType: "media"}, "media:?#?@?:?(#?)", []string{anna}, []string{"folder:logo#viewer@user:anna"}},
		{"object", tuples.Filter{ObjectType: "media", ObjectID: "logo"}, "media:logo#?@?:?(#?)", []string{anna}, []string{"media:note#viewer@user:anna"}},
		{"relation", tuples.Filter{Relation: "viewer"}, "?:?#viewer@?:?(#?)", []string{anna}, []string{"media:logo#owner@user:anna"}},
		{"subject", tuples.Filter{SubjectType: "user", SubjectID: "anna"}, "?:?#?@user:anna(#?)", []string{anna}, []string{public, design}},
		{"wildcard alone", tuples.Filter{SubjectType: "user", SubjectID: tuples.Wildcard}, "?:?#?@user:*(#?)", []string{public}, []string{anna}},
		{"no usersets", tuples.Filter{SubjectRelation: &none}, "?:?#?@?:?", []string{anna, public}, []string{design}},
		{"usersets of a relation", tuples.Filter{SubjectRelation: &member}, "?:?#?@?:?#member", []string{design}, []string{anna, "media:logo#viewer@group:design#owner"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.filter.String(); got != c.text {
				t.Errorf("prints as %s, want %s", got, c.text)
			}
			if c.filter.IsZero() != (c.name == "nothing set") {
				t.Errorf("IsZero is %v", c.filter.IsZero())
			}
			for _, text := range c.matches {
				if !c.filter.Matches(key(t, text)) {
					t.Errorf("does not match %s", text)
				}
			}
			for _, text := range c.matchesNone {
				if c.filter.Matches(key(t, text)) {
					t.Errorf("matches %s", text)
				}
			}
		})
	}
}

func TestFilterSelectsByExpiry(t *testing.T) {
	at := time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC)
	f := tuples.Filter{ObjectType: "media", ExpiresBefore: at}
	if got, want := f.String(), "media:?#?@?:?(#?) expires before 2026-12-31T23:00:00Z"; got != want {
		t.Errorf("prints as %s, want %s", got, want)
	}
	if f.IsZero() || (tuples.Filter{ExpiresBefore: at}).IsZero() {
		t.Error("a filter by expiry is taken for none")
	}
	for _, c := range []struct {
		name, tuple string
		want        bool
	}{
		{"before", "media:logo#viewer@user:anna expires 2026-12-31T22:59:59.999Z", true},
		{"at that time", "media:logo#viewer@user:anna expires 2026-12-31T23:00:00Z", false},
		{"never", "media:logo#viewer@user:anna", false},
		{"before, of another type", "folder:logo#viewer@user:anna expires 2026-12-31T22:00:00Z", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			parsed, err := tuples.ParseTuple(c.tuple)
			if err != nil {
				t.Fatal(err)
			}
			if got := f.Selects(parsed); got != c.want {
				t.Errorf("selects %s: %v", parsed, got)
			}
		})
	}
}

func TestFilterOfAKeySelectsItAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k, other := drawTuple(t).Key, drawTuple(t).Key
		if f := k.Filter(); !f.Matches(k) || f.Matches(other) != (k == other) {
			t.Fatalf("the filter of %s is %s", k, f)
		}
	})
}

// A filter with any of a tuple's parts matches that tuple.
func TestFilterOfATuplesPartsMatchesIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := drawTuple(t).Key
		var f tuples.Filter
		if rapid.Bool().Draw(t, "object") {
			f.ObjectType, f.ObjectID = k.Object.Type, k.Object.ID
		}
		if rapid.Bool().Draw(t, "relation") {
			f.Relation = k.Relation
		}
		if rapid.Bool().Draw(t, "subject") {
			f.SubjectType, f.SubjectID = k.Subject.Type, k.Subject.ID
		}
		if rapid.Bool().Draw(t, "subject relation") {
			f.SubjectRelation = &k.Subject.Relation
		}
		if err := f.Validate(); err != nil {
			t.Fatalf("%s is refused: %v", f, err)
		}
		if !f.Matches(k) {
			t.Fatalf("%s does not match %s", f, k)
		}
		if other := drawTuple(t).Key; f.Matches(other) && f.ObjectID != "" && other.Object != k.Object {
			t.Fatalf("%s matches %s", f, other)
		}
	})
}

func TestFilterValidate(t *testing.T) {
	bad := tuples.Relation("a:b")
	for name, c := range map[string]struct {
		filter tuples.Filter
		says   string
	}{
		"nothing set":             {tuples.Filter{}, ""},
		"everything set":          {tuples.Filter{ObjectType: "media", ObjectID: "logo", Relation: "viewer", SubjectType: "user", SubjectID: tuples.Wildcard, SubjectRelation: &none}, ""},
		"object id without type":  {tuples.Filter{ObjectID: "logo"}, "object_id"},
		"subject id without type": {tuples.Filter{SubjectID: "anna"}, "subject_id"},
		"object type":             {tuples.Filter{ObjectType: "a b"}, "object_type"},
		"object id":               {tuples.Filter{ObjectType: "a", ObjectID: "b c"}, "object.id"},
		"wildcard object":         {tuples.Filter{ObjectType: "a", ObjectID: tuples.Wildcard}, "cannot be a wildcard"},
		"relation":                {tuples.Filter{Relation: bad}, "relation"},
		"subject type":            {tuples.Filter{SubjectType: "a b"}, "subject_type"},
		"subject id":              {tuples.Filter{SubjectType: "a", SubjectID: "b c"}, "subject.id"},
		"subject relation":        {tuples.Filter{SubjectRelation: &bad}, "subject_relation"},
		"last time":               {tuples.Filter{ExpiresBefore: tuples.MaxTime}, ""},
		"time after it":           {tuples.Filter{ExpiresBefore: tuples.MaxTime.Add(time.Millisecond)}, "expires_before"},
		"time before 1970":        {tuples.Filter{ExpiresBefore: time.UnixMilli(-1)}, "expires_before"},
	} {
		t.Run(name, func(t *testing.T) { check(t, c.filter.Validate(), c.says) })
	}
}
