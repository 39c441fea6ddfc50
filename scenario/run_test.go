package scenario_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/usher-authz/usher/scenario"
)

// Each test is answered at its own time, under its own tuples and each entry's context.
func TestRun(t *testing.T) {
	file := load(t, `
-- a.fga.yaml --
model_file: model.fga
at: 2026-06-01T00:00:00Z
tuples:
  - { user: "user:a", relation: viewer, object: "doc:1", expires: 2026-07-01T00:00:00Z }
  - { user: "user:s", relation: viewer, object: "doc:1", condition: { name: sized, context: { limit: 5 } } }
  - { user: "folder:f", relation: parent, object: "doc:2" }
  - { user: "user:a", relation: viewer, object: "folder:f" }
tests:
  - name: before it expires
    check: [{ user: "user:a", objects: [doc:1, doc:2], assertions: { can_view: true } }]
    list_objects: [{ user: "user:a", type: doc, assertions: { can_view: [doc:2, doc:1] } }]
    explanations:
      - { user: "user:a", relation: can_view, object: "doc:2", granted_by: ["doc:2#parent@folder:f", "folder:f#viewer@user:a"] }
  - name: at the moment that it expires
    at: 2026-07-01T00:00:00Z
    check: [{ user: "user:a", object: "doc:1", assertions: { can_view: false } }]
    explanations:
      - { user: "user:a", relation: can_publish, object: "doc:1", would_grant: [] }
      - { user: "user:a", relation: viewer, object: "doc:1", would_grant: ["doc:1#viewer", "doc:1#editor", "doc:1#owner"] }
  - name: long before
    at: 2020-01-01T00:00:00Z
    check: [{ user: "user:a", object: "doc:1", assertions: { can_view: true } }]
  - name: with a tuple of its own
    tuples: [{ user: "user:b", relation: blocked, object: "doc:3" }, { user: "user:*", relation: viewer, object: "doc:3" }]
    list_users:
      - { object: "doc:3", user_filter: [{ type: user }], assertions: { can_view: { users: [user:*, user:b (denied)] } } }
    explanations:
      - { user: "group:g#member", relation: member, object: "group:g", granted_by: [] }
  - name: and without it
    check: [{ user: "user:b", object: "doc:3", assertions: { can_view: false, blocked: false } }]
  - name: within limits
    check:
      - { user: "user:s", object: "doc:1", context: { size: 5 }, assertions: { can_view: true } }
      - { user: "user:s", object: "doc:1", context: { size: 6 }, assertions: { can_view: false } }
      - { user: "user:s", object: "doc:1", assertions: { can_view: "conditional: size" } }
    list_objects:
      - { user: "user:s", type: doc, assertions: { can_view: ["doc:1 (conditional: size)"] } }
`)
	results, _ := run(t, file)
	for _, r := range results {
		for _, f := range r.Failures {
			t.Errorf("%s: line %d: %s = %s, want %s", r.Name, f.Line, f.Query, f.Got, f.Want)
		}
		if r.Passed == 0 {
			t.Errorf("%s: nothing passed", r.Name)
		}
	}
}

// A failure tells what was asked and why the answer is what it is.
func TestFailures(t *testing.T) {
	for name, tc := range map[string]struct{ test, got, why string }{
		"denied": {
			`check: [{ user: "user:b", object: "doc:1", assertions: { can_view: true } }]`,
			"user:b can_view doc:1 = denied, want allowed",
			"doc:1#can_view = viewer but not blocked → denied\n  doc:1#blocked = [user] → allowed\n    doc:1#blocked@user:b (direct) → allowed\nwould be granted by nothing",
		},
		"allowed": {
			`check: [{ user: "user:a", object: "doc:1", assertions: { owner: false } }]`,
			"user:a owner doc:1 = allowed, want denied",
			"doc:1#owner = [user] → allowed\n  doc:1#owner@user:a (direct) → allowed",
		},
		"conditional": {
			`check: [{ user: "user:c", object: "doc:1", assertions: { can_view: false } }]`,
			"user:c can_view doc:1 = conditional: size, want denied",
			"doc:1#viewer@user:c with sized {\"limit\":1} (direct) → conditional: size",
		},
		"an object is missing in a list": {
			`list_objects: [{ user: "user:a", type: doc, assertions: { can_publish: ["doc:1", "doc:2"] } }]`,
			"user:a can_publish doc:? = 1, want 1 2",
			"doc:2#can_publish = editor and approved → denied",
		},
		"an object is too many in a list": {
			`list_objects: [{ user: "user:a", type: doc, assertions: { owner: [] } }]`,
			"user:a owner doc:? = 1, want nothing",
			"doc:1#owner = [user] → allowed",
		},
		"a user fares differently": {
			`list_users: [{ object: "doc:1", user_filter: [{ type: user }], assertions: { viewer: { users: [user:a, user:b, user:c] } } }]`,
			"user:? viewer doc:1 = a b c(conditional: size), want a b c",
			"would be granted by doc:1#viewer, doc:1#editor, doc:1#owner",
		},
		"granted by other tuples": {
			`explanations: [{ user: "user:a", relation: viewer, object: "doc:1", granted_by: ["doc:1#editor@user:a"] }]`,
			"why user:a viewer doc:1 = allowed by doc:1#owner@user:a, want allowed by doc:1#editor@user:a",
			"doc:1#owner@user:a (direct) → allowed",
		},
		"a condition that fails": {
			"check: [{ user: \"user:c\", object: \"doc:1\", context: { size: many }, assertions: { can_view: true } }]",
			"user:c can_view doc:1 = failed: condition sized of tuple doc:1#viewer@user:c: ",
			"",
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := load(t, `
-- a.fga.yaml --
model_file: model.fga
tuples:
  - { user: "user:a", relation: owner, object: "doc:1" }
  - { user: "user:a", relation: approved, object: "doc:1" }
  - { user: "user:b", relation: viewer, object: "doc:1" }
  - { user: "user:b", relation: blocked, object: "doc:1" }
  - { user: "user:c", relation: viewer, object: "doc:1", condition: { name: sized, context: { limit: 1 } } }
tests:
  - name: one
    `+tc.test+"\n")
			results, _ := run(t, file)
			if len(results) != 1 || len(results[0].Failures) != 1 {
				t.Fatalf("results %+v, want one failure", results)
			}
			f := results[0].Failures[0]
			if got := f.Query + " = " + f.Got + ", want " + f.Want; !strings.HasPrefix(got, tc.got) {
				t.Errorf("failure %q, want %q", got, tc.got)
			}
			if why := strings.Join(f.Why, "\n"); !strings.Contains(why, tc.why) || (tc.why == "") != (why == "") {
				t.Errorf("because\n%s\nwant\n%s", why, tc.why)
			}
		})
	}
}

// A long explanation is cut, and says so.
func TestLongExplanationIsCut(t *testing.T) {
	var b strings.Builder
	b.WriteString("-- a.fga.yaml --\nmodel_file: model.fga\ntuple_file: t.txt\ntests:\n  - name: one\n    check: [{ user: \"user:z\", object: \"doc:1\", assertions: { viewer: true } }]\n-- t.txt --\n")
	for i := range 30 {
		b.WriteString("doc:1#parent@folder:" + string(rune('a'+i%26)) + strings.Repeat("x", i/26) + "\n")
	}
	results, _ := run(t, load(t, b.String()))
	why := results[0].Failures[0].Why
	if len(why) != 22 || !strings.HasPrefix(why[20], "… and ") || !strings.HasSuffix(why[20], " more steps") {
		t.Errorf("%d lines:\n%s", len(why), strings.Join(why, "\n"))
	}
}

// What cannot be run is an error, never a failed assertion.
func TestRunErrors(t *testing.T) {
	file := load(t, "-- a.fga.yaml --\nmodel_file: model.fga\ntests:\n  - name: one\n    check: [{ user: \"user:z\", object: \"doc:1\", assertions: { viewer: true } }]\n")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if results, err := scenario.Run(ctx, file, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a run that was interrupted ends with %+v, %v", results, err)
	}
	t.Setenv("TMPDIR", "/nowhere/at/all")
	if results, err := scenario.Run(t.Context(), file, nil); err == nil {
		t.Errorf("a run without a folder ends with %+v", results)
	}
}

// An open library answers one assertion after the other, whatever is wanted.
func TestAnswer(t *testing.T) {
	file := load(t, "-- a.fga.yaml --\nmodel_file: model.fga\nat: 2026-01-01T00:00:00Z\ntuples: [{ user: \"user:z\", relation: viewer, object: \"doc:1\" }]\ntests:\n  - name: one\n    check: [{ user: \"user:z\", object: \"doc:1\", assertions: { viewer: false } }]\n")
	l, err := scenario.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	test := file.Tests[0]
	if got, err := l.Answer(t.Context(), &test, test.Assertions[0]); err != nil || got != "allowed" {
		t.Errorf("answer %s, %v, want allowed", got, err)
	}
	test.At = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	if got, err := l.Answer(t.Context(), &test, test.Assertions[0]); err == nil {
		t.Errorf("answer %s at a time that no test of the file asks for, want an error", got)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}
