package scenario_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/usher-authz/usher/scenario"
)

// sharing is a file about three documents and with whom they are shared.
func sharing(entry string) string {
	return `
-- a.fga.yaml --
model_file: model.fga
tuples:
  - { user: "user:a", relation: owner, object: "doc:1" }
  - { user: "user:a", relation: viewer, object: "doc:2" }
  - { user: "user:a", relation: editor, object: "doc:3" }
  - { user: "group:g#member", relation: editor, object: "doc:1" }
  - { user: "group:g#member", relation: editor, object: "doc:2" }
  - { user: "group:g#member", relation: editor, object: "doc:3" }
  - { user: "user:c", relation: viewer, object: "doc:1", condition: { name: sized, context: { limit: 1 } } }
  - { user: "folder:f", relation: parent, object: "doc:2" }
  - { user: "user:f", relation: viewer, object: "folder:f" }
tests:
  - name: one
    share_summaries:
      - ` + entry + "\n"
}

func TestShareSummaries(t *testing.T) {
	for name, entry := range map[string]string{
		"A7 of one object": `{ object: "doc:1", relations: [viewer, editor, owner],
          recipients: { user:a: owner, "group:g#member": editor, user:c: viewer (1 conditional) } }`,
		"A8 of a selection, with the breakdown of what is mixed": `{ objects: [doc:1, doc:2, doc:3], relations: [viewer, editor],
          recipients: { user:c: "mixed (1 viewer (1 conditional), 2 none)", user:f: "mixed (1 viewer, 2 none)",
            user:a: "mixed (1 viewer, 2 editor)", "group:g#member": editor } }`,
		"under a context": `{ object: "doc:1", relations: [viewer], context: { size: 1 },
          recipients: { user:a: viewer, "group:g#member": viewer, user:c: viewer } }`,
		"nobody": `{ object: "doc:9", relations: [viewer], recipients: {} }`,
	} {
		t.Run(name, func(t *testing.T) {
			results, _ := run(t, load(t, sharing(entry)))
			for _, f := range results[0].Failures {
				t.Errorf("%s = %s, want %s", f.Query, f.Got, f.Want)
			}
		})
	}
}

// A summary that is not as it should be shows both; it touches the relations that it asks for.
func TestShareSummaryFails(t *testing.T) {
	results, summary := run(t, load(t, sharing(`{ objects: [doc:1, doc:2], relations: [owner], recipients: { user:a: owner } }`)))
	f := results[0].Failures[0]
	if f.Query != "shares of doc:1, doc:2 as owner" || f.Got != "user:a mixed (1 owner, 1 none)" || f.Want != "user:a owner" {
		t.Errorf("failure %+v", f)
	}
	for _, gap := range summary.Gaps {
		if gap.Relation == "doc#owner" && gap.Branch == "" {
			t.Errorf("doc#owner counts as untouched")
		}
	}
}

// A condition that fails is the answer, as it is to a check.
func TestShareSummaryOfAFailedCondition(t *testing.T) {
	results, _ := run(t, load(t, sharing(`{ object: "doc:1", relations: [viewer], context: { size: many }, recipients: {} }`)))
	if f := results[0].Failures[0]; !strings.HasPrefix(f.Got, "failed: condition sized of tuple doc:1#viewer@user:c") {
		t.Errorf("failure %+v", f)
	}
}

func TestShareSummaryMistakes(t *testing.T) {
	for name, tc := range map[string]struct{ entry, says string }{
		"no object":            {`{ relations: [viewer], recipients: {} }`, "share_summaries[0].object stands there twice or not at all"},
		"no objects":           {`{ objects: [], relations: [viewer], recipients: {} }`, "write 1 to 20 relations, the weakest first, and at least one object"},
		"no relations":         {`{ object: "doc:1", relations: [], recipients: {} }`, "share_summaries[0].relations are none or too many"},
		"an unknown relation":  {`{ object: "doc:1", relations: [cars], recipients: {} }`, "share_summaries[0].relations[0] is not a relation of doc"},
		"no recipients":        {`{ object: "doc:1", relations: [viewer] }`, "share_summaries[0].recipients is missing"},
		"not a recipient":      {`{ object: "doc:1", relations: [viewer], recipients: { a: viewer } }`, `recipients.a "a": has no ':'`},
		"a right not asked":    {`{ object: "doc:1", relations: [viewer], recipients: { user:a: editor } }`, `recipients.user:a "editor": is no right of a recipient`},
		"a breakdown of words": {`{ object: "doc:1", relations: [viewer], recipients: { user:a: mixed (all viewer) } }`, `is no right of a recipient`},
		"a bare mixed":         {`{ object: "doc:1", relations: [viewer], recipients: { user:a: mixed } }`, `is no right of a recipient`},
		"too few are told of":  {`{ objects: [doc:1, doc:2], relations: [viewer], recipients: { user:a: mixed (1 viewer) } }`, `is no right of a recipient on all objects`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := scenario.Load(filepath.Join(folder(t, sharing(tc.entry)), "a.fga.yaml"))
			if err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("the file fails with\n%v\nwant %s", err, tc.says)
			}
		})
	}
}
