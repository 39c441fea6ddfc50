package model

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestParseRefuses(t *testing.T) {
	tests := map[string]struct {
		source string
		want   []string
	}{
		"schema 1.0": {"model\n  schema 1.0\ntype user\n", []string{`2:10: schema "1.0" is not supported; write schema 1.1 or 1.2`}},
		"no types":   {"model\n  schema 1.1\n", []string{"2:10: model has no types; define at least one"}},
		"reserved type": {"model\n  schema 1.1\ntype user\ntype self\ntype this\n",
			[]string{"4:6: type is called self, which is reserved", "5:6: type is called this"}},
		"type twice": {"model\n  schema 1.1\ntype user\ntype doc\ntype user\n",
			[]string{"5:6: type user is defined twice, first at 3:6; give it another name"}},
		"reserved relation": {header + "    define this: [user]\n", []string{"6:12: relation doc#this has a reserved name"}},
		"relation twice": {header + "    define a: [user]\n    define a: [user]\n",
			[]string{"7:12: relation doc#a is defined twice, first at 6:12"}},
		"long names": {header + "    define " + strings.Repeat("a", 51) + ": [user]\ntype " + strings.Repeat("b", 255) + "\n",
			[]string{"is longer than 50 bytes", "is longer than 254 bytes; use a shorter one"}},
		"unknown type in a restriction": {header + "    define a: [user, team, team:*, team#member]\n", []string{
			"6:22: doc#a lists team, and team is not a type; define the type, or use one of user, doc",
			"6:28: doc#a lists team:*", "6:36: doc#a lists team#member, and team is not a type"}},
		"unknown relation in a restriction": {header + "    define a: [doc#b]\n",
			[]string{"6:16: doc#a lists doc#b, and b is not a relation of doc; define it, or use one of a"}},
		"relation of a type that has none": {header + "    define a: [user#b]\n",
			[]string{"b is not a relation of user; define it"}},
		"restriction twice": {header + "    define a: [user, doc#a, user]\n", []string{"6:29: doc#a lists user twice"}},
		"unknown condition": {header + "    define a: [user with c]\n",
			[]string{"6:16: doc#a lists user with c, and c is not a condition; define the condition"}},
		"inline condition": {header + "    define a: [user with $expression]\n", []string{"$expression is not a condition"}},
		"itself":           {header + "    define a: [user] or a\n", []string{"6:25: doc#a is defined by itself; name another relation"}},
		"unknown relation": {header + "    define a: [user] and b\n",
			[]string{"6:26: doc#a names b, which is not a relation of doc; define it, or use one of a"}},
		"unknown tupleset": {header + "    define a: [user] or a from b\n", []string{"6:25: doc#a names b, which is not a relation of doc"}},
		"tupleset that follows from others": {header + "    define a: [user] or a from b\n    define b: [doc] or c\n    define c: [doc]\n",
			[]string{"6:25: doc#a looks through b, which follows from other relations; define b by direct types alone"}},
		"tupleset with a userset and a wildcard": {header + "    define a: [user] or a from b\n    define b: [doc, doc:*, doc#a]\n",
			[]string{"6:25: doc#a looks through b, which takes doc:*", "6:25: doc#a looks through b, which takes doc#a; let b take plain types only"}},
		"nobody behind a tupleset": {header + "    define a: [user] or c from b\n    define b: [doc, user]\n",
			[]string{"6:25: doc#a asks for c from b, and no type there has a relation c; define it in doc, user"}},
		"all at once": {header + "    define a: b\n    define c: [team]\ncondition d(x: int) {\n  x\n}\n", []string{
			"6:15: doc#a names b", "7:16: doc#c lists team", "9:3: condition d returns int instead of bool"}},
		"condition twice": {header + "    define a: [user with c]\ncondition c(x: bool) {\n  x\n}\ncondition c(x: bool) {\n  x\n}\n",
			[]string{"10:11: condition c is defined twice, first at 7:11"}},
		"parameter twice": {header + "    define a: [user with c]\ncondition c(x: bool, y: int, x: int) {\n  x\n}\n",
			[]string{"7:30: parameter x of condition c is declared twice"}},
		"unknown name in CEL": {header + "    define a: [user with c]\ncondition c(x: bool) {\n  x\n   || y # really\n}\n",
			[]string{"9:7: condition c: undeclared reference to 'y'"}},
		"wrong type in CEL": {header + "    define a: [user with c]\ncondition c(x: string) {\n  x == 1\n}\n",
			[]string{"8:5: condition c: found no matching overload for '_==_'"}},
		"wrong constant in CEL": {header + "    define a: [user with c]\ncondition c(x: string) {\n  x.matches(\"[\")\n}\n",
			[]string{"8:3: condition c: "}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := Parse(Source{DSL: test.source})
			if err == nil {
				t.Fatal("the model is accepted")
			}
			wantLines(t, err.Error(), test.want)
		})
	}
}

func TestParseRefusesWhatIsTooMuch(t *testing.T) {
	var types, conditions, parameters strings.Builder
	for i := range MaxTypes + 1 {
		fmt.Fprintf(&types, "type t%d\n", i)
	}
	for i := range MaxConditions + 1 {
		fmt.Fprintf(&conditions, "condition c%d(x: bool) {\n  x\n}\n", i)
	}
	for i := range MaxParameters + 1 {
		fmt.Fprintf(&parameters, "p%d: bool, ", i)
	}
	tests := map[string]struct{ source, want string }{
		"types":      {"model\n  schema 1.1\n" + types.String(), "103:6: model has 101 types, more than the 100 allowed"},
		"conditions": {"model\n  schema 1.1\ntype user\n" + conditions.String(), "79:11: model has 26 conditions, more than the 25 allowed"},
		"parameters": {"model\n  schema 1.1\ntype user\ncondition c(" + strings.TrimSuffix(parameters.String(), ", ") + ") {\n  p1\n}\n",
			"4:11: condition c has 26 parameters, more than the 25 allowed"},
		"expression": {"model\n  schema 1.1\ntype user\ncondition c(x: bool) {\n  x" + strings.Repeat(" || x", 120) + "\n}\n",
			"4:11: condition c has 601 bytes of CEL, more than the 512 allowed"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := Parse(Source{DSL: test.source})
			if err == nil {
				t.Fatal("the model is accepted")
			}
			wantLines(t, err.Error(), []string{test.want})
		})
	}
}

func TestEntrypoints(t *testing.T) {
	tests := map[string]struct {
		relations string
		want      []string // problems; none for a model that is accepted
	}{
		"nested groups":        {"define a: [user, doc#a]", nil},
		"a group of groups":    {"define a: [doc#a]", []string{"6:12: doc#a has no entrypoint: no tuple leads to [doc#a]; add direct types"}},
		"a wildcard is enough": {"define a: [user:*]", nil},
		"a tree":               {"define a: [user] or a from p\n    define p: [doc]", nil},
		"a tree with nobody":   {"define a: a from p\n    define p: [doc]", []string{"6:12: doc#a has no entrypoint: no tuple leads to a from p"}},
		"usersets of each other": {"define a: [doc#b]\n    define b: [doc#a]",
			[]string{"6:12: doc#a has no entrypoint: no tuple leads to [doc#b]", "7:12: doc#b has no"}},
		"one operand of or is enough":         {"define a: b or a from p\n    define b: [user]\n    define p: [doc]", nil},
		"every operand of and counts":         {"define a: b and c\n    define b: [user]\n    define c: [doc#c]", []string{"6:12: doc#a has no entrypoint: no tuple leads to c", "8:12: doc#c has no"}},
		"both operands of but not":            {"define a: b but not c\n    define b: [user]\n    define c: [doc#c]", []string{"6:12: doc#a has no entrypoint: no tuple leads to c", "8:12: doc#c has no"}},
		"one way in by two operands":          {"define x: a\n    define a: b and c\n    define b: d\n    define c: d\n    define d: [doc#e]\n    define e: [user]", nil},
		"recursion through but not":           {"define a: [user] but not b\n    define b: [user] or a from p\n    define p: [doc]", nil},
		"nothing but itself to subtract":      {"define a: [user] but not a from p\n    define p: [doc]", []string{"6:12: doc#a has no entrypoint: no tuple leads to a from p"}},
		"usersets through but not":            {"define a: [user] but not b\n    define b: [user, doc#a]", nil},
		"a circle":                            {"define a: [user] or b\n    define b: [user] or a", []string{"6:12: doc#a follows from itself: a → b → a; let one of them"}},
		"a circle without direct":             {"define a: b\n    define b: c\n    define c: a", []string{"6:12: doc#a follows from itself: a → b → c → a"}},
		"a circle through but not":            {"define a: [user] but not b\n    define b: [user] but not a", []string{"6:12: doc#a follows from itself: a → b → a"}},
		"a circle through and":                {"define a: [user] and (b or c)\n    define b: [user]\n    define c: [user] and a", []string{"6:12: doc#a follows from itself: a → c → a"}},
		"what leads to a circle is not in it": {"define x: a\n    define a: [user] or b\n    define b: [user] or a", []string{"7:12: doc#a follows from itself"}},
		"two circles":                         {"define a: [user] or b\n    define b: a\n    define c: [user] or d\n    define d: c", []string{"6:12: doc#a follows", "8:12: doc#c follows"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := Parse(Source{DSL: header + "    " + test.relations + "\n"})
			if err == nil {
				err = &Error{}
			}
			wantLines(t, err.Error(), test.want)
		})
	}
}

func TestParseWarns(t *testing.T) {
	tests := map[string]struct {
		source string
		want   []string
	}{
		"nothing": {header + "    define a: [user]\n", nil},
		"unused condition": {header + "    define a: [user]\ncondition c(x: bool) {\n  x\n}\n",
			[]string{"7:11: condition c is never used; use it, as in [user with c]"}},
		"unused type": {header + "    define a: [user]\ntype lost\n", []string{"7:6: type lost has no relations and is never a subject"}},
		"optional condition": {header + "    define a: [user, user with c, user:* with c]\ncondition c(x: bool) {\n  x\n}\n",
			[]string{"6:22: doc#a takes user with and without condition c"}},
		"recursion through but not": {header + "    define a: [user] but not b\n    define b: [user] or a from p\n    define p: [doc]\n",
			[]string{"6:12: doc#a subtracts what can depend on itself"}},
		"recursion through usersets and but not": {header + "    define a: [user] and (b but not c)\n    define b: [user]\n    define c: [user, doc#d]\n    define d: [doc#a]\n",
			[]string{"6:12: doc#a subtracts what can depend on itself"}},
		"recursion beside but not": {header + "    define a: ([user] or a from p) but not c\n    define c: [user]\n    define p: [doc]\n", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, warnings := parse(t, test.source)
			wantLines(t, texts(warnings), test.want)
		})
	}
}

// The generated lexer and parser have inputs for which they take minutes. None of
// these texts may reach them as it is.
func TestParseHostileTexts(t *testing.T) {
	const size = 100_000
	condition := "model\n  schema 1.1\ntype user\ncondition c(x: int) {"
	tests := map[string]struct{ source, want string }{
		"empty lines":           {header + strings.Repeat("\n", size) + "x", `100006:1: unexpected "x"`},
		"carriage returns":      {header + strings.Repeat("\r", size) + "x", `100006:1: unexpected "x"`},
		"form feeds":            {header + strings.Repeat("\f", size) + "x", `6:100001: unexpected "x"`},
		"comments":              {header + strings.Repeat("#\n", size) + "x", `100006:1: unexpected "x"`},
		"redundant parentheses": {header + strings.Repeat("    define a: "+strings.Repeat("(", 49)+"b"+strings.Repeat(")", 49)+"\n", 800), `6:64: doc#a names b`},
		"a long condition":      {condition + strings.Repeat("a ", size/2) + "}\n", `4:11: condition c has 99999 bytes of CEL`},
		"thousands of mistakes": {header + manyRelations(11_000, "x"), `6:16: doc#r0 names x`},
		"a long name":           {header + strings.Repeat("a", size), `6:1: unexpected "aaaa`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := Parse(Source{DSL: test.source})
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("error is %.200v, want %s", err, test.want)
			}
		})
	}
}

// manyRelations returns the lines of n relations that all are defined alike.
func manyRelations(n int, rewrite string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "    define r%d: %s\n", i, rewrite)
	}
	return b.String()
}

func TestParseReportsSoManyProblems(t *testing.T) {
	_, _, err := Parse(Source{DSL: header + strings.Repeat("    define a: b\n", 200)})
	refused := (*Error)(nil)
	if !errors.As(err, &refused) || len(refused.Problems) != MaxProblems+1 {
		t.Fatalf("error is %v", err)
	}
	// Each line but the first is wrong twice.
	if got, want := refused.Problems[MaxProblems].String(), "the model has 299 more problems; correct these first"; got != want {
		t.Errorf("the last problem is %q, want %q", got, want)
	}
}

// The largest models must not take long: nothing in the validation is quadratic in
// the number of relations.
func TestParseLargestModel(t *testing.T) {
	var b strings.Builder
	b.WriteString(header)
	const relations = 6000
	for i := range relations {
		fmt.Fprintf(&b, "    define r%d: [user] but not r%d\n", i, i+1)
	}
	fmt.Fprintf(&b, "    define r%d: [user]\n", relations)
	if _, warnings := parse(t, b.String()); len(warnings) != 0 {
		t.Errorf("warnings: %v", warnings)
	}
}
