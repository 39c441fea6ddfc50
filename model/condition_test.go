package model

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/usher-authz/usher/tuples"
)

// condition returns a condition of these parameters, "name: type, …". It goes by way
// of JSON, which has types that the modelling language has no words for.
func condition(t testing.TB, parameters, expression string) *Condition {
	t.Helper()
	c, problems := compileCondition(parameters, expression)
	if len(problems) > 0 {
		t.Fatalf("%s: %s", expression, texts(problems))
	}
	return c
}

func compileCondition(parameters, expression string) (*Condition, []Problem) {
	c := &Condition{Name: "c", Expression: expression}
	for parameter := range strings.SplitSeq(parameters, ", ") {
		name, kind, _ := strings.Cut(parameter, ": ")
		c.Parameters = append(c.Parameters, Parameter{Name: name, Type: kind})
	}
	m := &Model{Conditions: []*Condition{c}}
	m.index()
	var r report
	validateCondition(m, c, &r)
	return c, r.errors
}

func TestEvaluate(t *testing.T) {
	type values = tuples.Context
	tests := map[string]struct {
		parameters, expression string
		tuple, request         values
		met                    bool
		missing                string
	}{
		"met":                         {parameters: "x: string", expression: `x == "a"`, request: values{"x": "a"}, met: true},
		"not met":                     {parameters: "x: string", expression: `x == "a"`, request: values{"x": "b"}},
		"tuple before request":        {parameters: "x: string", expression: `x == "a"`, tuple: values{"x": "a"}, request: values{"x": "b"}, met: true},
		"tuple hides a wrong value":   {parameters: "x: string", expression: `x == "a"`, tuple: values{"x": "a"}, request: values{"x": 1.0}, met: true},
		"from both":                   {parameters: "x: int, y: int", expression: `x < y`, tuple: values{"y": 2.0}, request: values{"x": 1.0}, met: true},
		"other keys are ignored":      {parameters: "x: int", expression: `x == 1`, request: values{"x": 1.0, "z": "?"}, met: true},
		"missing":                     {parameters: "x: string, y: string", expression: `x == y`, missing: "x y"},
		"one missing":                 {parameters: "x: string, y: string", expression: `x == y`, request: values{"x": "a"}, missing: "y"},
		"decided without and":         {parameters: "x: bool, y: bool", expression: `x && y`, request: values{"x": false}},
		"decided without or":          {parameters: "x: bool, y: bool", expression: `x || y`, request: values{"y": true}, met: true},
		"needed by one branch":        {parameters: "x: bool, y: bool, z: bool", expression: `x ? y : z`, request: values{"x": false}, missing: "z"},
		"decided by none":             {parameters: "x: bool, y: bool, z: bool", expression: `x ? y : z`, missing: "x"},
		"unused is never missing":     {parameters: "x: bool, y: bool", expression: `x`, request: values{"x": true}, met: true},
		"a part of what is missing":   {parameters: "m: map<int>", expression: `m.a == 1`, missing: "m"},
		"a key that is missing":       {parameters: "m: map<int>, k: string", expression: `m[k] == 1`, request: values{"m": map[string]any{}}, missing: "k"},
		"missing within a macro":      {parameters: "l: list<string>, y: string", expression: `l.exists(e, e == y)`, request: values{"l": []any{"a"}}, missing: "y"},
		"an empty list needs nothing": {parameters: "l: list<string>, y: string", expression: `l.exists(e, e == y)`, request: values{"l": []any{}}},
		"unknown hides an error":      {parameters: "x: int, y: bool", expression: `1 / x == 1 || y`, request: values{"x": 0.0}, missing: "y"},
		"true hides an error":         {parameters: "x: int, y: bool", expression: `1 / x == 1 || y`, request: values{"x": 0.0, "y": true}, met: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := condition(t, test.parameters, test.expression).Evaluate(t.Context(), test.tuple, test.request)
			if err != nil {
				t.Fatal(err)
			}
			if got.Met != test.met || strings.Join(got.Missing, " ") != test.missing {
				t.Errorf("verdict is %+v, want met %t and missing %q", got, test.met, test.missing)
			}
		})
	}
}

func TestEvaluateFails(t *testing.T) {
	many := make([]any, 100)
	for i := range many {
		many[i] = 1.0
	}
	tests := map[string]struct {
		parameters, expression string
		request                tuples.Context
		want                   string
	}{
		"wrong type": {"x: string", `x == "a"`, tuples.Context{"x": 1.0}, "condition c failed: parameter x: 1 is not of type string"},
		"null":       {"x: string", `x == "a"`, tuples.Context{"x": nil}, "parameter x: null is not of type string"},
		"wrong type although decided": {"x: bool, y: bool", `x && y`, tuples.Context{"x": false, "y": 1.0},
			"parameter y: 1 is not of type bool"},
		"long value":       {"x: int", `x == 1`, tuples.Context{"x": strings.Repeat("a", 1000)}, `… (1002 bytes) is not of type int`},
		"division by zero": {"x: int", `1 / x == 1`, tuples.Context{"x": 0.0}, "division by zero"},
		"no such key":      {"m: map<int>", `m.a == 1`, tuples.Context{"m": map[string]any{"b": 1.0}}, "no such key: a"},
		"no network":       {"x: ipaddress", `x.in_cidr("10.0.0.0")`, tuples.Context{"x": "10.1.2.3"}, "10.0.0.0 is not a network"},
		"no address":       {"x: string", `ipaddress(x) == ipaddress(x)`, tuples.Context{"x": "there"}, `"there" is not of type ipaddress`},
		"too much work": {"l: list<int>", `l.all(a, l.all(b, l.all(c, a + b + c > 0)))`, tuples.Context{"l": many},
			"actual cost limit exceeded"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := condition(t, test.parameters, test.expression).Evaluate(t.Context(), nil, test.request)
			var failed *ConditionError
			if !errors.As(err, &failed) || failed.Condition != "c" || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want in it %s", err, test.want)
			}
			if errors.Unwrap(failed) == nil {
				t.Error("the error hides its cause")
			}
		})
	}
}

func TestEvaluateEndsWithItsContext(t *testing.T) {
	reason := errors.New("caller went away")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(reason)
	_, err := condition(t, "x: int", "x == 1").Evaluate(ctx, nil, tuples.Context{"x": 1.0})
	if !errors.Is(err, reason) {
		t.Errorf("error is %v, want %v", err, reason)
	}
}

func TestParameterTypes(t *testing.T) {
	tests := []struct {
		kind       string
		expression string
		met        []any // values of x for which the expression holds
		refused    []any
	}{
		{"bool", `x`, []any{true}, []any{"true", 1.0, nil, []any{}}},
		{"string", `x == "ä"`, []any{"ä"}, []any{1.0, true, nil}},
		{"int", `x == -9007199254740993`, []any{"-9007199254740993"}, []any{1.5, "1.5", "", "0x10", 1e300, "9223372036854775808", strings.Repeat("1", 65), true}},
		{"int", `x == 7`, []any{7.0, "7", "+7", "007"}, nil},
		{"uint", `x == 7u`, []any{7.0, "7"}, []any{-1.0, "-1", 1.5, "18446744073709551616", nil}},
		{"uint", `x == 18446744073709551615u`, []any{"18446744073709551615"}, nil},
		{"double", `x == 0.1`, []any{0.1, "0.1", "1e-1"}, []any{"a", true, strings.Repeat("1", 65)}},
		{"duration", `x == duration("90m")`, []any{"1h30m", "5400s", "1.5h"}, []any{"1 day", 90.0, ""}},
		{"timestamp", `x == timestamp("2026-01-02T03:04:05Z")`, []any{"2026-01-02T03:04:05Z", "2026-01-02T05:04:05+02:00"},
			[]any{"2026-01-02", 0.0, "now"}},
		{"ipaddress", `x.in_cidr("192.168.0.0/16") && x != ipaddress("192.168.1.1")`, []any{"192.168.0.1"}, []any{"192.168.0", 1.0, ""}},
		{"ipaddress", `x.in_cidr("2001:db8::/32") && x == ipaddress("2001:db8:0::1")`, []any{"2001:db8::1"}, nil},
		{"any", `x == 1 || x == "a" || x == null || x == [1, true] || x == {"k": 2.5}`,
			[]any{1.0, "a", nil, []any{1.0, true}, map[string]any{"k": 2.5}}, nil},
		{"list<string>", `x == ["a", "b"] && "a" in x && size(x) == 2`, []any{[]any{"a", "b"}}, []any{"a", []any{1.0}, map[string]any{}}},
		{"list<int>", `x[0] == 7`, []any{[]any{7.0}, []any{"7"}}, []any{[]any{7.5}}},
		{"list<list<uint>>", `x[0][1] == 2u`, []any{[]any{[]any{1.0, 2.0}}}, []any{[]any{1.0}}},
		{"map<string>", `x.a == "b" && x == {"a": "b"}`, []any{map[string]any{"a": "b"}}, []any{map[string]any{"a": 1.0}, []any{}, "a"}},
		{"map<timestamp>", `x["a"] < timestamp("2027-01-01T00:00:00Z")`, []any{map[string]any{"a": "2026-01-01T00:00:00Z"}}, []any{map[string]any{"a": "soon"}}},
		{"map<any>", `x.a.b == 1`, []any{map[string]any{"a": map[string]any{"b": 1.0}}}, []any{1.0}},
	}
	for _, test := range tests {
		t.Run(test.kind, func(t *testing.T) {
			c := condition(t, "x: "+test.kind, test.expression)
			for _, value := range test.met {
				got, err := c.Evaluate(t.Context(), nil, tuples.Context{"x": value})
				if err != nil || !got.Met {
					t.Errorf("%s is not met by %v: %v", test.expression, value, err)
				}
			}
			for _, value := range test.refused {
				_, err := c.Evaluate(t.Context(), nil, tuples.Context{"x": value})
				if err == nil || !strings.Contains(err.Error(), "is not of type") {
					t.Errorf("%v is taken for %s: %v", value, test.kind, err)
				}
			}
		})
	}
}

func TestParameterTypesThatAreNone(t *testing.T) {
	for _, kind := range []string{"", "text", "list", "list<>", "list<text>", "list<int", "set<int>", "map<string,int>", "unspecified"} {
		_, problems := compileCondition("x: "+kind, "true")
		wantLines(t, texts(problems), []string{fmt.Sprintf("parameter x of condition c has the unknown type %q; use one of bool, string", kind)})
	}
}

func TestIPAddressInExpressions(t *testing.T) {
	for _, expression := range []string{
		`type(x) == type(ipaddress("::1"))`, `type(dyn(x)) != string`,
		`x == dyn(x)`, `dyn(x) != "10.0.0.1"`, `x in [ipaddress("10.0.0.1")]`,
	} {
		got, err := condition(t, "x: ipaddress", expression).Evaluate(t.Context(), nil, tuples.Context{"x": "10.0.0.1"})
		if err != nil || !got.Met {
			t.Errorf("%s: %+v, %v", expression, got, err)
		}
	}
}

func TestEvaluateConcurrently(t *testing.T) {
	c := condition(t, "l: list<int>, x: int", "x in l && x > 0")
	var wait sync.WaitGroup
	for worker := range 8 {
		wait.Go(func() {
			for i := range 200 {
				x := float64((worker + i) % 4)
				got, err := c.Evaluate(t.Context(), tuples.Context{"l": []any{1.0, 2.0}}, tuples.Context{"x": x})
				if err != nil || got.Met != (x == 1 || x == 2) {
					t.Errorf("%v: %+v, %v", x, got, err)
				}
				open, err := c.Evaluate(t.Context(), nil, tuples.Context{"x": x})
				if err != nil || !slices.Equal(open.Missing, missingList(x)) {
					t.Errorf("%v without a list: %+v, %v", x, open, err)
				}
			}
		})
	}
	wait.Wait()
}

// missingList is what is open about "x in l && x > 0" without l.
func missingList(x float64) []string {
	if x > 0 {
		return []string{"l"}
	}
	return nil
}

func BenchmarkEvaluate(b *testing.B) {
	tests := map[string]struct {
		parameters, expression string
		request                tuples.Context
	}{
		"equal":   {"x: string", `x == "a"`, tuples.Context{"x": "a"}},
		"missing": {"x: string", `x == "a"`, nil},
		"time": {"now: timestamp, from: timestamp, length: duration", `now < from + length`,
			tuples.Context{"now": "2026-01-01T00:00:00Z", "from": "2026-01-01T00:00:00Z", "length": "1h"}},
	}
	for name, test := range tests {
		c := condition(b, test.parameters, test.expression)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Evaluate(b.Context(), nil, test.request); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func FuzzCondition(f *testing.F) {
	for _, seed := range []string{`x == "a"`, `l.exists(e, e > n)`, `m[x] == n || true`, `{"a": [x]}.a[0] == x`, `has(m.k)`, `x.matches("^(a+)+$")`, `(`, ``} {
		f.Add(seed, "a", int64(1))
	}
	f.Fuzz(func(t *testing.T, expression, x string, n int64) {
		c, problems := compileCondition("x: string, n: int, l: list<int>, m: map<int>", expression)
		if len(problems) > 0 {
			if c.program != nil {
				t.Error("a refused condition has a program")
			}
			return
		}
		number := fmt.Sprint(n)
		values := tuples.Context{"x": x, "n": number, "l": []any{number}, "m": map[string]any{x: number}}
		whole, err := c.Evaluate(t.Context(), values, nil)
		if err == nil && len(whole.Missing) > 0 {
			t.Errorf("nothing is missing, but %v is said to be", whole.Missing)
		}
		delete(values, "x")
		part, partErr := c.Evaluate(t.Context(), values, nil)
		if err == nil && partErr == nil && len(part.Missing) == 0 && part.Met != whole.Met {
			t.Errorf("decided without x, then decided otherwise with it: %+v, %+v", part, whole)
		}
	})
}

// What an evaluation cost is told whatever came of it.
func TestEvaluateTellsItsCost(t *testing.T) {
	c := condition(t, "l: list<int>, n: int", `l.all(a, l.all(b, a / n + b >= 0))`)
	list := func(n int) []any { return slices.Repeat([]any{1.0}, n) }
	for name, test := range map[string]struct {
		values      tuples.Context
		least, most int
	}{
		"nothing to loop over": {tuples.Context{"l": list(0), "n": 1.0}, 1, 20},
		"400 pairs":            {tuples.Context{"l": list(20), "n": 1.0}, 1_000, maxEvaluationCost},
		"missing":              {tuples.Context{"l": list(20)}, 1, maxEvaluationCost},
		"fails":                {tuples.Context{"l": list(1), "n": 0.0}, 1, 100},
		"too much":             {tuples.Context{"l": list(100), "n": 1.0}, maxEvaluationCost, 2 * maxEvaluationCost},
	} {
		got, err := c.Evaluate(t.Context(), test.values, nil)
		if got.Cost < test.least || got.Cost > test.most {
			t.Errorf("%s: cost %d (%v), want %d to %d", name, got.Cost, err, test.least, test.most)
		}
	}
}
