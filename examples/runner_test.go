package examples_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every form that a scenario can have, and the questions and answers that it stands for.
func TestStoreFileForms(t *testing.T) {
	file := readText(t, `
name: forms
model_file: model.fga
tuple_file: tuples.txt
at: 2026-01-01T00:00:00Z
tests:
  - name: every form
    at: 2027-01-01T00:00:00Z
    tuples:
      - { user: "user:a", relation: viewer, object: "doc:1", expires: 2028-01-01T00:00:00Z }
      - { user: "user:b", relation: viewer, object: "doc:1", condition: { name: sized, context: { size: 2 } } }
    check:
      - users: [user:a, user:b]
        object: doc:1
        context: { size: 1, when: 2026-05-01T10:00:00Z }
        assertions: { viewer: true, editor: false, owner: "conditional: size,when" }
    list_objects:
      - user: user:a
        type: doc
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
`)
	s := file.Tests[0]
	var got []string
	for _, tuple := range entriesOf(t, s)[0].given.contextual {
		got = append(got, tuple.String())
	}
	for _, entry := range entriesOf(t, s) {
		for _, x := range entry.expected {
			got = append(got, fmt.Sprintf("%s = %s given %s", x.Question, x.Answer, entry.given.context))
		}
	}
	const context = ` given {"size":1,"when":"2026-05-01T10:00:00Z"}`
	want := []string{
		"doc:1#viewer@user:a expires 2028-01-01T00:00:00Z",
		`doc:1#viewer@user:b with sized {"size":2}`,
		"user:a editor doc:1 = denied" + context,
		"user:a owner doc:1 = conditional: size,when" + context,
		"user:a viewer doc:1 = allowed" + context,
		"user:b editor doc:1 = denied" + context,
		"user:b owner doc:1 = conditional: size,when" + context,
		"user:b viewer doc:1 = allowed" + context,
		"user:a editor doc:? = nothing given {}",
		"user:a viewer doc:? = 1 2(conditional: size) given {}",
		"user:? viewer doc:1 = * b(denied) given {}",
		"group:?#member viewer doc:1 = g given {}",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") || s.At.Year() != 2027 {
		t.Errorf("at %s:\n%s\nwant\n%s", s.At, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A scenario that would assert less than it seems to is refused.
func TestStoreFileMistakes(t *testing.T) {
	for name, test := range map[string]struct{ test, says string }{
		"an unknown key":        {"asserts: []", "field asserts not found"},
		"an unknown answer":     {`check: [{ user: "user:a", object: "doc:1", assertions: { viewer: maybe } }]`, `true, false or "conditional`},
		"nothing asserted":      {"check: []", "the scenario asserts nothing"},
		"an empty entry":        {`check: [{ user: "user:a", object: "doc:1" }]`, "an entry asserts nothing"},
		"user and users":        {`check: [{ user: "user:a", users: ["user:b"], object: "doc:1", assertions: { viewer: true } }]`, "one of user and users"},
		"listed twice":          {`list_objects: [{ user: "user:a", type: doc, assertions: { viewer: ["doc:1", "doc:1"] } }]`, "doc:1 is listed twice"},
		"listed without a type": {`list_objects: [{ user: "user:a", type: doc, assertions: { viewer: ["1"] } }]`, "has no ':'"},
		"two user filters":      {`list_users: [{ object: "doc:1", user_filter: [{ type: user }, { type: group }] }]`, "one entry in user_filter"},
		"not a tuple":           {`tuples: [{ user: "a", relation: viewer, object: "doc:1" }]`, "has no ':'"},
	} {
		file, err := readStoreFile(writeText(t, "tests:\n  - "+test.test))
		if err == nil {
			_, err = file.Tests[0].entries()
		}
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: error %v, want one that says %q", name, err, test.says)
		}
	}
}

func readText(t *testing.T, text string) storeFile {
	t.Helper()
	file, err := readStoreFile(writeText(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func writeText(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "forms.fga.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
