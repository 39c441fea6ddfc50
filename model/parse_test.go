package model

import (
	"strings"
	"testing"
)

// header begins every model of these tests: relations of doc come on line 6 and after.
const header = `model
  schema 1.1
type user
type doc
  relations
`

// parse returns the model of a text that must be valid, and its warnings.
func parse(t testing.TB, text string) (*Model, []Problem) {
	t.Helper()
	m, warnings, err := Parse(Source{DSL: text})
	if err != nil {
		t.Fatalf("Parse:\n%v\nin\n%s", err, text)
	}
	return m, warnings
}

// texts returns problems as lines.
func texts(problems []Problem) string {
	return (&Error{Problems: problems}).Error()
}

// wantLines compares problems with what they must begin with, line by line.
func wantLines(t *testing.T, got string, want []string) {
	t.Helper()
	lines := strings.Split(got, "\n")
	if got == "" {
		lines = nil
	}
	if len(lines) != len(want) {
		t.Fatalf("got %d problems, want %d:\n%s", len(lines), len(want), got)
	}
	for i, line := range lines {
		if !strings.Contains(line, want[i]) {
			t.Errorf("problem %d is\n%s\nwant in it\n%s", i, line, want[i])
		}
	}
}

func TestParseReportsSyntax(t *testing.T) {
	tests := map[string]struct {
		source string
		want   []string
	}{
		"nothing but a comment": {"# empty", []string{`1:1: unexpected end of the text; begin with "model"`}},
		"no header":             {"type user\n", []string{`1:1: unexpected "type"; begin with "model"`}},
		"schema in words":       {"model\n  schema one\ntype user\n", []string{`2:10: unexpected "one"; expected here: 1.1 or 1.2`}},
		"mixed operators": {header + "    define a: [user] or b and c\n",
			[]string{`6:27: unexpected "and"; put parentheses around each part`}},
		"two exclusions in a row": {header + "    define a: b but not c but not d\n",
			[]string{`6:27: unexpected "but not"; put parentheses`}},
		"direct types twice": {header + "    define a: [user] or [user]\n",
			[]string{`6:25: unexpected "["; direct types come first and once`}},
		"direct types second": {header + "    define a: b or [user]\n",
			[]string{`6:20: unexpected "["; direct types come first and once`}},
		"no direct types": {header + "    define a: []\n", []string{`6:16: unexpected "]"; list who can be related`}},
		"an id in a type": {header + "    define a: [user:anna]\n", []string{`6:21: unexpected "anna"`}},
		"no definition":   {header + "    define a:\n", []string{`6:14: unexpected end of the text; expected here: "[", "(", a name`}},
		"relation for relations": {"model\n  schema 1.1\ntype doc\n  relation\n    define a: [doc]\n",
			[]string{`4:3: unexpected "relation"; a relation reads`}},
		"every line of several": {header + "    define a [user]\n    define b: [user]\n    define ä: b\n",
			[]string{`6:14: unexpected "["; expected here: ":"`, `8:12: unexpected "ä"; names have letters`}},
		"unknown parameter type": {header + "    define a: [user with c]\ncondition c(x: strng) {\n  x == 1\n}\n",
			[]string{`7:16: unexpected "strng"; expected here: bool, string, int`}},
		"open condition": {header + "    define a: [user with c]\ncondition c(x: int) {\n  x == 1 &&\n",
			[]string{`8:12: unexpected end of the text; expected here: "}"`}},
		"condition without parameters": {header + "    define a: [user]\ncondition c() {\n}\n", []string{`7:13: unexpected ")"`, "8:1:"}},
		"deep parentheses": {header + "    define a: " + strings.Repeat("(", 60) + "b" + strings.Repeat(")", 60) + "\n",
			[]string{`6:65: parentheses are nested more than 50 deep; give parts`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := Parse(Source{DSL: test.source})
			if err == nil {
				t.Fatal("the text is accepted")
			}
			wantLines(t, err.Error(), test.want)
		})
	}
}

func TestParseIgnoresCommentsAndLineEnds(t *testing.T) {
	m, warnings := parse(t, strings.ReplaceAll(`# a model
model # of a library
  schema 1.1

  # people
type user
type doc
  relations
    # who reads
    define viewer: [user with c, # one
      user:*] or (owner and (editor))	# two
    define owner: [user]
    define editor: [user]

condition c(tag: string) {
  tag == "a #b" # not a comment in the text
  || tag == '\' #c'
}
`, "\n", "\r\n"))
	if got, want := Format(m.Relation("doc", "viewer").Rewrite, m.Relation("doc", "viewer").Direct), "[user with c, user:*] or (owner and editor)"; got != want {
		t.Errorf("viewer is %s, want %s", got, want)
	}
	if got, want := m.Condition("c").Expression, "tag == \"a #b\"\n  || tag == '\\' #c'"; got != want {
		t.Errorf("expression is %q, want %q", got, want)
	}
	if len(warnings) != 0 {
		t.Errorf("warnings: %v", warnings)
	}
}

func TestParseKeepsPlaces(t *testing.T) {
	m, _ := parse(t, header+"    define viewer: [user, doc#owner] or owner or viewer from parent\n"+
		"    define owner: [user]\n    define parent: [doc]\n")
	viewer := m.Relation("doc", "viewer")
	union := viewer.Rewrite.(Union)
	got := []Pos{
		m.Type("doc").Pos, viewer.Pos, viewer.Direct[1].Pos,
		union.Operands[1].(ComputedUserset).Pos, union.Operands[2].(TupleToUserset).Pos,
	}
	want := []Pos{{Line: 4, Column: 6}, {Line: 6, Column: 12}, {Line: 6, Column: 27}, {Line: 6, Column: 41}, {Line: 6, Column: 50}}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("place %d is %v, want %v", i, got[i], want[i])
		}
	}
}

func TestParseWantsOneSource(t *testing.T) {
	tests := map[string]struct {
		source Source
		want   string
	}{
		"none":      {Source{}, "model has 0 sources instead of one; give a DSL text"},
		"two":       {Source{DSL: "model", JSON: "{}"}, "model has 2 sources instead of one"},
		"too large": {Source{DSL: strings.Repeat("x", MaxSourceBytes+1)}, "model has 262145 bytes, more than the 262144 allowed"},
		"too large in files": {Source{Modules: &Modules{Files: map[string]string{"a.fga": strings.Repeat("x", MaxSourceBytes)}}},
			"model has 262149 bytes"},
		"a module alone": {Source{DSL: "module core\ntype user\n"}, "1:1: text is a module, not a model; begin with"},
		"an extension in no module": {Source{DSL: "model\n  schema 1.1\ntype user\nextend type user\n  relations\n    define a: [user]\n"},
			"4:13: type user is extended outside of a module"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := Parse(test.source)
			if err == nil {
				t.Fatal("the source is accepted")
			}
			wantLines(t, err.Error(), []string{test.want})
		})
	}
}

func TestSourceEncoding(t *testing.T) {
	for _, source := range []Source{
		{DSL: header},
		{JSON: `{"schema_version":"1.1"}`},
		{Modules: &Modules{Manifest: "schema: '1.2'", Files: map[string]string{"a.fga": "module a"}}},
	} {
		decoded, err := DecodeSource(source.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if string(decoded.Encode()) != string(source.Encode()) {
			t.Errorf("%s becomes %s", source.Encode(), decoded.Encode())
		}
	}
	if _, err := DecodeSource([]byte("{")); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged source gives %v", err)
	}
}
