package scenario_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usher-authz/usher/scenario"
)

// everyForm has every form that a file can have, and means what [everyMeaning] says.
const everyForm = `
-- a.fga.yaml --
name: forms
model_file: model.fga
tuples:
  - { user: "user:a", relation: owner, object: "doc:1", attributes: { size: 3, note: x } }
tuple_file: tuples.txt
tuple_files: [more/tuples.yaml, more/tuples.json]
at: 2026-01-01T00:00:00Z
tests:
  - name: every form
    description: what it is about
    at: 2027-01-01T00:00:00Z
    tuples:
      - { user: "user:a", relation: viewer, object: "doc:1", expires: 2028-01-01T00:00:00Z }
      - { user: "user:b", relation: viewer, object: "doc:1", condition: { name: sized, context: { limit: 2 } } }
    check:
      - users: [user:a, user:b]
        object: doc:1
        context: &small { size: 1, when: 2026-05-01T10:00:00Z }
        assertions: { viewer: true, editor: false, owner: "conditional: size, limit" }
      - user: group:g#member
        objects: [doc:1]
        assertions: { viewer: TRUE }
    list_objects:
      - user: user:a
        type: doc
        context: *small
        assertions:
          viewer: ["doc:2 (conditional: size)", "doc:1"]
          editor: []
    list_users:
      - object: doc:1
        user_filter: [{ type: user }]
        assertions:
          viewer: { users: ["user:b (denied)", "user:*"] }
      - object: doc:1
        user_filter: [{ type: group, relation: member }]
        assertions:
          viewer: { users: [group:g#member] }
    explanations:
      - { user: "user:a", relation: viewer, object: "doc:1", granted_by: ["doc:1#viewer@user:a"] }
      - { user: "user:c", relation: viewer, object: "doc:1", would_grant: ["doc:1#viewer", "doc:1#editor"] }
      - { user: "user:c", relation: can_view, object: "doc:1", would_grant: [] }
    attributes:
      - users: [user:a, user:b]
        object: doc:1
        context: *small
        assertions: { viewer: [max_size=2 b=true, a="x y"], editor: not restricted, owner: "conditional: size, limit" }
  - name: a time for the whole file
    tuple_file: own.txt
    check: [{ user: "user:a", object: "doc:1", assertions: { viewer: true } }]
-- tuples.txt --
# one tuple a line

doc:1#parent@folder:f
  doc:1#approved@user:a expires 2027-01-01T00:00:00Z
-- more/tuples.yaml --
- { user: "user:c", relation: viewer, object: "folder:f" }
- { user: "folder:f", relation: parent, object: "doc:1" } # once more
-- more/tuples.json --
[{"user": "group:g#member", "relation": "editor", "object": "doc:1"}]
-- own.txt --
doc:1#viewer@user:own
`

const small = ` given {"size":1,"when":"2026-05-01T10:00:00Z"}`

var everyMeaning = []string{
	`stored doc:1#owner@user:a attributes {"note":"x","size":3}`,
	"stored doc:1#parent@folder:f",
	"stored doc:1#approved@user:a expires 2027-01-01T00:00:00Z",
	"stored folder:f#viewer@user:c",
	"stored doc:1#editor@group:g#member",
	"every form at 2027, line 9",
	"doc:1#viewer@user:a expires 2028-01-01T00:00:00Z",
	`doc:1#viewer@user:b with sized {"limit":2}`,
	"19: user:a viewer doc:1 = allowed" + small,
	"19: user:a editor doc:1 = denied" + small,
	"19: user:a owner doc:1 = conditional: limit,size" + small,
	"19: user:b viewer doc:1 = allowed" + small,
	"19: user:b editor doc:1 = denied" + small,
	"19: user:b owner doc:1 = conditional: limit,size" + small,
	"22: group:g#member viewer doc:1 = allowed given {}",
	"28: user:a viewer doc:? = 1 2(conditional: size)" + small,
	"29: user:a editor doc:? = nothing" + small,
	"34: user:? viewer doc:1 = * b(denied) given {}",
	"38: group:?#member viewer doc:1 = g given {}",
	"40: why user:a viewer doc:1 = allowed by doc:1#viewer@user:a given {}",
	"41: why user:c viewer doc:1 = denied, would be granted by doc:1#viewer, doc:1#editor given {}",
	"42: why user:c can_view doc:1 = denied, would be granted by nothing given {}",
	`47: attributes of user:a viewer doc:1 = a="x y" | b=true max_size=2` + small,
	"47: attributes of user:a editor doc:1 = not restricted" + small,
	"47: attributes of user:a owner doc:1 = conditional: limit,size" + small,
	`47: attributes of user:b viewer doc:1 = a="x y" | b=true max_size=2` + small,
	"47: attributes of user:b editor doc:1 = not restricted" + small,
	"47: attributes of user:b owner doc:1 = conditional: limit,size" + small,
	"a time for the whole file at 2026, line 48",
	"doc:1#viewer@user:own",
	"50: user:a viewer doc:1 = allowed given {}",
}

func TestForms(t *testing.T) {
	file := load(t, everyForm)
	var got []string
	for _, tuple := range file.Tuples {
		got = append(got, "stored "+tuple.String())
	}
	for _, test := range file.Tests {
		got = append(got, fmt.Sprintf("%s at %s, line %d", test.Name, test.At.Format("2006"), test.Line))
		for _, tuple := range test.Tuples {
			got = append(got, tuple.String())
		}
		for _, a := range test.Assertions {
			got = append(got, fmt.Sprintf("%d: %s = %s given %s", a.Line, a.Query, a.Want, a.Context))
		}
	}
	if strings.Join(got, "\n") != strings.Join(everyMeaning, "\n") {
		t.Errorf("the file is read as\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(everyMeaning, "\n"))
	}
}

// The ways in which a model is named.
func TestModelForms(t *testing.T) {
	for name, model := range map[string]string{
		"in the file": "model: |\n  model\n    schema 1.1\n  type user\n  type doc\n    relations\n      define viewer: [user]\n",
		"JSON":        "model_file: m.json\n",
		"modules":     "model_file: fga.mod\n",
	} {
		t.Run(name, func(t *testing.T) {
			file := load(t, "-- a.fga.yaml --\n"+model+`
tests:
  - name: one
    check: [{ user: "user:a", object: "doc:1", assertions: { viewer: false } }]
-- m.json --
{"schema_version": "1.1", "type_definitions": [{"type": "user"}, {"type": "doc", "relations": {"viewer": {"this": {}}},
 "metadata": {"relations": {"viewer": {"directly_related_user_types": [{"type": "user"}]}}}}]}
-- fga.mod --
schema: '1.2'
contents:
  - core.fga
-- core.fga --
module core
type user
type doc
  relations
    define viewer: [user]
`)
			if results, _ := run(t, file); results[0].Passed != 1 {
				t.Errorf("results %+v", results)
			}
		})
	}
}

// test is a file with one test, of the lines given.
func test(lines string) string {
	return "model_file: model.fga\ntests:\n  - name: one\n    " + lines + "\n"
}

// mistakes are files, each with one thing wrong.
var mistakes = map[string]struct{ file, says string }{
	"no file":                    {"", "a.fga.yaml: no such file or directory; name a file that can be read"},
	"an empty file":              {"# nothing\n", "a.fga.yaml: the file is empty; write one document of YAML"},
	"not YAML":                   {"a: [\n", "a.fga.yaml: line 1: did not find expected node content"},
	"two documents":              {"tests: []\n---\ntests: []\n", `a.fga.yaml:2: "---": begins a second document`},
	"not a mapping":              {"- a\n", `a.fga.yaml:1: is not a mapping; write { key: value }`},
	"no model":                   {"tests: []\n", "a.fga.yaml:1: model stands there twice or not at all; write one of model and model_file"},
	"two models":                 {"model: x\nmodel_file: y\n", "a.fga.yaml:1: model stands there twice"},
	"a model that is not there":  {"model_file: cars.fga\n", `a.fga.yaml:1: model_file "cars.fga": no such file or directory; name a .fga`},
	"a model with a mistake":     {"model_file: bad.fga\n", "bad.fga:5: "},
	"a model in the file":        {"name: x\nmodel: |\n  model\n    schema 1.1\n  type doc\n    relations\n      define a: b\n", "a.fga.yaml:7: "},
	"a module with a mistake":    {"model_file: parts/fga.mod\n", "parts/core.fga:4: "},
	"no tests":                   {"model_file: model.fga\ntests: []\n", "a.fga.yaml:1: tests is empty or missing; write at least one test"},
	"tests are no list":          {"model_file: model.fga\ntests: { a: b }\n", "a.fga.yaml:2: tests is not a list"},
	"an unknown key":             {test("asserts: []"), "a.fga.yaml:4: tests[0].asserts is not a key of this place; write one of at, attributes, check, description, explanations, "},
	"a key twice":                {test("at: 2026-01-01T00:00:00Z\n    at: 2027-01-01T00:00:00Z"), "a.fga.yaml:5: tests[0].at stands there twice; keep one"},
	"a test without a name":      {"model_file: model.fga\ntests:\n  - check: []\n", "a.fga.yaml:3: tests[0].name is missing; write it"},
	"an empty name":              {"model_file: model.fga\ntests:\n  - name:\n", "a.fga.yaml:3: tests[0].name is not a text"},
	"not a time":                 {test("at: yesterday"), `a.fga.yaml:4: tests[0].at "yesterday": is not a time; write RFC 3339, as in 2026-12-31T23:59:59Z`},
	"nothing asserted":           {test("description: x"), "a.fga.yaml:3: tests[0].check has no entry: the test asserts nothing"},
	"nothing in the list":        {test("check: []"), "tests[0].check has no entry: the test asserts nothing"},
	"an empty entry":             {test(`check: [{ user: "user:a", object: "doc:1", assertions: {} }]`), "a.fga.yaml:4: tests[0].check[0].assertions is empty: the entry asserts nothing"},
	"no assertions":              {test(`check: [{ user: "user:a", object: "doc:1" }]`), "tests[0].check[0].assertions is missing"},
	"an unknown answer":          {test(`check: [{ user: "user:a", object: "doc:1", assertions: { viewer: maybe } }]`), `tests[0].check[0].assertions.viewer "maybe": is no answer; write true, false or "conditional: NAME,NAME"`},
	"user and users":             {test(`check: [{ user: "user:a", users: ["user:b"], object: "doc:1", assertions: { viewer: true } }]`), "tests[0].check[0].user stands there twice or not at all; write one of user and users"},
	"a user without a type":      {test(`check: [{ user: a, object: "doc:1", assertions: { viewer: true } }]`), `tests[0].check[0].user "a": has no ':'; write type:id`},
	"one of several users":       {test(`check: [{ users: ["user:a", b], object: "doc:1", assertions: { viewer: true } }]`), `tests[0].check[0].users[1] "b": has no ':'`},
	"an unknown object type":     {test(`check: [{ user: "user:a", object: "car:1", assertions: { viewer: true } }]`), "tests[0].check[0].assertions.viewer is asked of type car, which the model lacks"},
	"an unknown relation":        {test(`check: [{ user: "user:a", object: "doc:1", assertions: { veiwer: true } }]`), "tests[0].check[0].assertions.veiwer is not a relation of doc in the model"},
	"an unknown user type":       {test(`check: [{ user: "car:a", object: "doc:1", assertions: { viewer: true } }]`), "assertions.viewer is asked for type car, which the model lacks"},
	"an unknown userset":         {test(`check: [{ user: "group:a#owner", object: "doc:1", assertions: { viewer: true } }]`), "is asked for group#owner, which the model lacks"},
	"a context that is none":     {test(`check: [{ user: "user:a", object: "doc:1", context: 3, assertions: { viewer: true } }]`), `context "3": is not a mapping of names to values`},
	"a context beyond JSON":      {test(`check: [{ user: "user:a", object: "doc:1", context: { n: .nan }, assertions: { viewer: true } }]`), "use what JSON has"},
	"listed twice":               {test(`list_objects: [{ user: "user:a", type: doc, assertions: { viewer: ["doc:1", "doc:1"] } }]`), `viewer[1] "doc:1": is listed twice`},
	"listed without a type":      {test(`list_objects: [{ user: "user:a", type: doc, assertions: { viewer: ["1"] } }]`), `viewer[0] "1": has no ':'`},
	"listed of another type":     {test(`list_objects: [{ user: "user:a", type: doc, assertions: { viewer: ["folder:1"] } }]`), `viewer[0] "folder:1": is not of the kind that the list is of; list entries such as doc:?`},
	"listed with another answer": {test(`list_objects: [{ user: "user:a", type: doc, assertions: { viewer: ["doc:1 (perhaps)"] } }]`), `has an answer that no entry has`},
	"a list that is none":        {test(`list_objects: [{ user: "user:a", type: doc, assertions: { viewer: "doc:1" } }]`), `viewer "doc:1": is not a list`},
	"two user filters":           {test(`list_users: [{ object: "doc:1", user_filter: [{ type: user }, { type: group }], assertions: { viewer: { users: [] } } }]`), "tests[0].list_users[0].user_filter has not one entry"},
	"a list of users bare":       {test(`list_users: [{ object: "doc:1", user_filter: [{ type: user }], assertions: { viewer: [] } }]`), "assertions.viewer is not a mapping"},
	"explained both ways":        {test(`explanations: [{ user: "user:a", relation: viewer, object: "doc:1", granted_by: [], would_grant: [] }]`), "tests[0].explanations[0].granted_by and would_grant stand there both, or neither does"},
	"explained without relation": {test(`explanations: [{ user: "user:a", object: "doc:1", would_grant: [] }]`), "tests[0].explanations[0].relation is missing"},
	"not a userset":              {test(`explanations: [{ user: "user:a", relation: viewer, object: "doc:1", would_grant: ["doc:1"] }]`), `would_grant[0] "doc:1": has no '#'`},
	"not a granting tuple":       {test(`explanations: [{ user: "user:a", relation: viewer, object: "doc:1", granted_by: ["doc:1"] }]`), `granted_by[0] "doc:1": is not a tuple`},
	"not a tuple":                {test(`tuples: [{ user: "a", relation: viewer, object: "doc:1" }]`), `tests[0].tuples[0].user "a": has no ':'`},
	"a tuple of half":            {test(`tuples: [{ user: "user:a", object: "doc:1" }]`), `tests[0].tuples[0].relation is missing; write it`},
	"a tuple out of form":        {test(`tuples: [{ user: "user:a", relation: "a b", object: "doc:1" }]`), `tests[0].tuples[0].relation "a b": `},
	"a tuple of no model":        {test(`tuples: [{ user: "user:a", relation: can_view, object: "doc:1" }]`), `tests[0].tuples[0].relation "can_view": `},
	"a condition without a name": {test(`tuples: [{ user: "user:a", relation: viewer, object: "doc:1", condition: {} }]`), `tests[0].tuples[0].condition.name is missing`},
	"attributes of no type":      {test(`tuples: [{ user: "user:a", relation: viewer, object: "doc:1", attributes: { a: [1] } }]`), `is not a bool, number or string`},
	"attributes that are none":   {test(`tuples: [{ user: "user:a", relation: viewer, object: "doc:1", attributes: 3 }]`), `attributes "3": is not a mapping of names`},
	"metadata of a tuple":        {test(`tuples: [{ user: "user:a", relation: viewer, object: "doc:1", metadata: { reason: x } }]`), "a.fga.yaml:4: tests[0].tuples[0].metadata goes with a write into the change log, and no answer depends on it; leave it out; for what answers tell of a grant, write attributes of its tuple"},
	"metadata of a test":         {test("metadata: { reason: x }"), "a.fga.yaml:4: tests[0].metadata goes with a write into the change log, and no answer depends on it"},
	"a tuple twice, differently": {test("tuples:\n      - { user: user:a, relation: viewer, object: doc:1 }\n      - { user: user:a, relation: viewer, object: doc:1, condition: { name: sized } }"), `a.fga.yaml:6: tests[0].tuples[1] "doc:1#viewer@user:a with sized": stands there already`},
	"an expiry without a time":   {test(`tuples: [{ user: "user:a", relation: viewer, object: "doc:1", expires: 2028-01-01T00:00:00Z }]`), "a.fga.yaml:3: tests[0].at is missing: doc:1#viewer@user:a expires, so the answers depend on the day; write a time"},
	"a file of tuples, missing":  {"model_file: model.fga\ntuple_file: cars.txt\n", "cars.txt: no such file or directory"},
	"a file of no kind":          {"model_file: model.fga\ntuple_file: cars.csv\n", `a.fga.yaml:2: tuple_file "cars.csv": is no kind of file that tuples are read from; use .yaml, .json, or .txt`},
	"a file name that is none":   {"model_file: model.fga\ntuple_files: [[]]\n", `a.fga.yaml:2: tuple_files[0] is not a text`},
	"a bad line":                 {"model_file: model.fga\ntuple_file: bad.txt\n", `bad.txt:2: "doc:1#viewer": is not a tuple`},
	"a line of no model":         {"model_file: model.fga\ntuple_file: bad.txt\n", `bad.txt:3: "cars": is not a relation of doc`},
	"a bad entry":                {"model_file: model.fga\ntuple_file: bad.yaml\n", `bad.yaml:1: [0].object is missing`},
}

// What is wrong is named: the file, the line, the field, the reason.
func TestMistakes(t *testing.T) {
	for name, tc := range mistakes {
		t.Run(name, func(t *testing.T) {
			archive := "-- bad.txt --\n# x\ndoc:1#viewer\ndoc:1#cars@user:a\n-- bad.yaml --\n- { user: \"user:a\", relation: viewer }\n" +
				"-- bad.fga --\nmodel\n  schema 1.1\ntype doc\n  relations\n    define a: b\n" +
				"-- parts/fga.mod --\nschema: '1.2'\ncontents: [core.fga]\n-- parts/core.fga --\nmodule core\ntype doc\n  relations\n    define a: b\n"
			if tc.file != "" {
				archive += "-- a.fga.yaml --\n" + tc.file
			}
			where := folder(t, archive)
			_, err := scenario.Load(filepath.Join(where, "a.fga.yaml"))
			if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), where+string(filepath.Separator), ""), tc.says) {
				t.Errorf("the file fails with\n%v\nwant %s", err, tc.says)
			}
		})
	}
}

// Everything that is wrong is told at once, and nothing twice.
func TestAllMistakesAtOnce(t *testing.T) {
	where := folder(t, `
-- a.fga.yaml --
model_file: model.fga
tests:
  - name: one
    check: [{ users: ["user:a", "user:b"], object: "doc:1", assertions: { veiwer: true, viewer: maybe } }]
  - check: []
`)
	_, err := scenario.Load(filepath.Join(where, "a.fga.yaml"))
	if got := strings.Count(fmt.Sprint(err), "\n") + 1; got != 3 {
		t.Errorf("%d lines, want 3:\n%v", got, err)
	}
}

// No text makes the reader fail in another way than with an error; what it accepts asserts
// something.
func FuzzLoad(f *testing.F) {
	f.Add("model_file: model.fga\ntests:\n  - name: one\n    check: [{ user: 'user:a', object: 'doc:1', assertions: { viewer: true } }]\n")
	f.Add("tests: &a [*a]\nmodel_file: model.fga\n")
	f.Add("model_file: model.fga\ntests: [{ name: a, list_users: [{ object: 'doc:1', user_filter: [{ type: user }], assertions: { viewer: { users: ['user:* (denied)'] } } }] }]\n")
	f.Add("model_file: model.fga\ntests: [{ name: a, attributes: [{ user: 'user:a', object: 'doc:1', assertions: { viewer: ['max_size=1 format=\"jpeg\"'] } }] }]\n")
	f.Add("model_file: model.fga\ntests: [{ name: a, at: 2026-01-01T00:00:00Z, tuples: [{ user: 'user:a', relation: viewer, object: 'doc:1', expires: 2026-01-01T00:00:00Z }] }]\n")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "-- ") {
			return // would be another archive
		}
		file, err := scenario.Load(filepath.Join(folder(t, "-- a.fga.yaml --\n"+text), "a.fga.yaml"))
		if err != nil {
			return
		}
		for _, test := range file.Tests {
			for _, a := range test.Assertions {
				if a.Want == "" {
					t.Errorf("%s asserts nothing of %s", test.Name, a.Query)
				}
			}
			if len(test.Assertions) == 0 {
				t.Errorf("%s asserts nothing", test.Name)
			}
		}
	})
}

// A question reads back as it is written.
func TestQuestions(t *testing.T) {
	for _, text := range []string{"user:a viewer doc:1", "user:a viewer doc:?", "group:?#member viewer doc:1"} {
		if q, err := scenario.ParseQuestion(text); err != nil || q.String() != text || q.IsList() != strings.Contains(text, string(scenario.Asked)) {
			t.Errorf("%s reads as %s, a list: %t, %v", text, q, q.IsList(), err)
		}
	}
	for _, text := range []string{"user:a viewer", "a viewer doc:1", "user:a viewer doc"} {
		if q, err := scenario.ParseQuestion(text); err == nil {
			t.Errorf("%q reads as %+v, want an error", text, q)
		}
	}
}
