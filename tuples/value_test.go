package tuples_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/usher-authz/usher/tuples"
	"pgregory.net/rapid"
)

func TestValues(t *testing.T) {
	for _, c := range []struct {
		value tuples.Value
		kind  tuples.ValueKind
		text  string
	}{
		{tuples.BoolValue(true), tuples.KindBool, "true"},
		{tuples.BoolValue(false), tuples.KindBool, "false"},
		{tuples.IntValue(-9007199254740993), tuples.KindInt, "-9007199254740993"},
		{tuples.DoubleValue(2), tuples.KindDouble, "2.0"},
		{tuples.DoubleValue(0.1), tuples.KindDouble, "0.1"},
		{tuples.DoubleValue(1e300), tuples.KindDouble, "1e+300"},
		{tuples.StringValue("say \"ä\""), tuples.KindString, `"say \"ä\""`},
		{tuples.Value{}, 0, "null"},
	} {
		text, err := json.Marshal(c.value)
		if err != nil || string(text) != c.text || c.value.String() != c.text || c.value.Kind() != c.kind {
			t.Errorf("got %s, %v of kind %d, want %s of kind %d", text, err, c.value.Kind(), c.text, c.kind)
		}
	}
	if !tuples.BoolValue(true).Bool() || tuples.IntValue(7).Int() != 7 || tuples.DoubleValue(0.5).Double() != 0.5 || tuples.StringValue("x").Text() != "x" {
		t.Error("a value is not what it was made of")
	}
	if tuples.IntValue(1) == tuples.DoubleValue(1) || tuples.IntValue(1) == tuples.BoolValue(true) {
		t.Error("values of different types are equal")
	}
}

func TestGrantsAreEqualWhenTheySayTheSame(t *testing.T) {
	dusk := time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC)
	full := func() tuples.Grant {
		return tuples.Grant{
			Condition:  &tuples.Condition{Name: "hours", Context: tuples.Context{"a": []any{1.0}}},
			Expires:    dusk,
			Attributes: tuples.Attributes{"n": tuples.IntValue(1)},
		}
	}
	for name, c := range map[string]struct {
		change func(*tuples.Grant)
		equal  bool
	}{
		"the same":                {func(*tuples.Grant) {}, true},
		"the same time elsewhere": {func(g *tuples.Grant) { g.Expires = dusk.In(time.FixedZone("CET", 3600)) }, true},
		"another condition":       {func(g *tuples.Grant) { g.Condition.Name = "days" }, false},
		"no condition":            {func(g *tuples.Grant) { g.Condition = nil }, false},
		"another context":         {func(g *tuples.Grant) { g.Condition.Context = tuples.Context{"a": []any{2.0}} }, false},
		"no context":              {func(g *tuples.Grant) { g.Condition.Context = nil }, false},
		"another expiry":          {func(g *tuples.Grant) { g.Expires = dusk.Add(1) }, false},
		"another attribute":       {func(g *tuples.Grant) { g.Attributes["n"] = tuples.IntValue(2) }, false},
		"no attributes":           {func(g *tuples.Grant) { g.Attributes = nil }, false},
	} {
		a, b := full(), full()
		c.change(&b)
		if a.Equal(b) != c.equal || b.Equal(a) != c.equal || b.IsZero() {
			t.Errorf("%s: equal is %v and %v, want %v", name, a.Equal(b), b.Equal(a), c.equal)
		}
	}
	empty := tuples.Grant{Attributes: tuples.Attributes{}}
	if !(tuples.Grant{}).Equal(empty) || !empty.IsZero() {
		t.Error("empty attributes differ from none")
	}
	if !(&tuples.Condition{Name: "c"}).Equal(&tuples.Condition{Name: "c", Context: tuples.Context{}}) {
		t.Error("an empty context differs from none")
	}
}

func TestExpiredAt(t *testing.T) {
	at := time.UnixMilli(1000)
	g := tuples.Grant{Expires: at}
	if g.ExpiredAt(at.Add(-time.Millisecond)) || !g.ExpiredAt(at) || !g.ExpiredAt(at.Add(time.Hour)) {
		t.Error("a tuple expires with its last millisecond, not before and not after")
	}
	if (tuples.Grant{}).ExpiredAt(tuples.MaxTime) {
		t.Error("a tuple without expiry expired")
	}
}

func TestContextText(t *testing.T) {
	for _, c := range []struct {
		context tuples.Context
		want    string
	}{
		{nil, "{}"},
		{tuples.Context{}, "{}"},
		{tuples.Context{"b": 1.0, "a": "x"}, `{"a":"x","b":1}`},
		{tuples.Context{"f": func() {}}, "!(json: unsupported type: func())"},
	} {
		if got := c.context.String(); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

// Keys are ordered as their parts are, and only equal ones compare as equal.
func TestKeysCompare(t *testing.T) {
	texts := []string{
		"folder:b#viewer@user:anna", "media:a#owner@user:anna", "media:a#viewer@group:design", "media:a#viewer@group:design#member",
		"media:a#viewer@user:anna", "media:a#viewer@user:bert", "media:b#owner@user:anna",
	}
	for i := range texts {
		for j := range texts {
			a, b := key(t, texts[i]), key(t, texts[j])
			if got := a.Compare(b); (got < 0) != (i < j) || (got == 0) != (i == j) {
				t.Errorf("%s compared with %s: %d", a, b, got)
			}
		}
	}
}

func TestSubjects(t *testing.T) {
	for text, c := range map[string]struct{ wildcard, userset bool }{
		"user:anna": {}, "user:*": {wildcard: true}, "group:design#member": {userset: true},
	} {
		s, err := tuples.ParseSubject(text)
		if err != nil || s.IsWildcard() != c.wildcard || s.IsUserset() != c.userset {
			t.Errorf("%s: wildcard %v, userset %v, %v", text, s.IsWildcard(), s.IsUserset(), err)
		}
	}
}

func TestNodes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind, ordinal := tuples.Symbol(rapid.Uint16().Draw(t, "type")), rapid.Uint32().Draw(t, "ordinal")
		n := tuples.NewNode(kind, ordinal)
		if n.Type() != kind || n.Ordinal() != ordinal || n.IsWildcard() != (kind != 0 && ordinal == 0) {
			t.Fatalf("node %#x of type %d and ordinal %d", uint64(n), kind, ordinal)
		}
		if tuples.WildcardNode(kind) != tuples.NewNode(kind, 0) {
			t.Fatalf("the wildcard of type %d is %#x", kind, uint64(tuples.WildcardNode(kind)))
		}
	})
}

func TestSymbols(t *testing.T) {
	s := tuples.NewSymbols("media", "viewer")
	if s.Lookup("media") != 1 || s.Lookup("viewer") != 2 || s.Lookup("x") != 0 || s.Lookup("") != 0 {
		t.Error("symbols are numbered from 1")
	}
	if s.Add("viewer") != 2 || s.Add("editor") != 3 || s.Len() != 3 {
		t.Error("a name is added once")
	}
	if s.Name(3) != "editor" || s.Name(0) != "" || s.Name(4) != "" {
		t.Error("a symbol has its name, and others none")
	}
	var adding sync.WaitGroup
	for i := range 8 {
		adding.Go(func() {
			for j := range 100 {
				name := fmt.Sprint((i*50 + j) % 300)
				if symbol := s.Add(name); s.Name(symbol) != name || s.Lookup(name) != symbol {
					t.Errorf("%s has symbol %d", name, symbol)
				}
			}
		})
	}
	adding.Wait()
	if s.Len() != 303 {
		t.Errorf("got %d names, want 303", s.Len())
	}
}

func TestNumbersThatAreWrittenDownHaveNames(t *testing.T) {
	var names []string
	for op := tuples.Op(0); op < 5; op++ {
		names = append(names, op.String())
	}
	for cause := tuples.Cause(0); cause < 8; cause++ {
		names = append(names, cause.String())
	}
	want := []string{"unknown", "create", "touch", "delete", "unknown", "unknown", "write", "delete", "model", "expired", "erase", "undo", "unknown"}
	if !slices.Equal(names, want) {
		t.Errorf("got %q, want %q: these numbers are part of the disk format", names, want)
	}
}
