package scenario_test

import (
	"fmt"
	"strings"
	"testing"
)

// coverages are what counts as covered, branch by branch: a model's relations, tuples of
// user:a, one check, and the gaps that are left.
var coverages = map[string]struct{ relations, tuples, question, gaps string }{
	"an alternative grants, another does not": {
		"define a: [user]\ndefine b: [user] or a", "doc:1#a", "b",
		"doc#b: [user] never grants",
	},
	"what denies covers no alternative": {
		"define a: [user]\ndefine b: [user] or a", "", "b",
		"doc#a: [user] never grants; doc#b: [user] never grants; doc#b: a never grants",
	},
	"a relation that is not come by": {
		"define a: [user]\ndefine b: [user]", "doc:1#a", "a",
		"doc#b: no test touches it",
	},
	"operands grant together": {
		"define a: [user]\ndefine b: [user] and a", "doc:1#a doc:1#b", "b",
		"doc#b: [user] never refuses; doc#b: a never refuses",
	},
	"an operand refuses alone": {
		"define a: [user]\ndefine b: [user] and a", "doc:1#b", "b",
		"doc#a: [user] never grants; doc#b: [user] neither grants nor refuses; doc#b: a never grants",
	},
	"two that refuse decide nothing": {
		"define a: [user]\ndefine b: [user] and a", "", "b",
		"doc#a: [user] never grants; doc#b: [user] neither grants nor refuses; doc#b: a neither grants nor refuses",
	},
	"sides of an exclusion grant": {
		"define a: [user]\ndefine b: [user] but not a", "doc:1#b", "b",
		"doc#a: [user] never grants; doc#b: [user] never refuses; doc#b: a never refuses",
	},
	"what is excluded refuses": {
		"define a: [user]\ndefine b: [user] but not a", "doc:1#b doc:1#a", "b",
		"doc#b: [user] neither grants nor refuses; doc#b: a never grants",
	},
	"an operand that excludes does not grant": {
		"define p: [doc]\ndefine a: [user]\ndefine b: [user] but not a from p", "doc:1#b doc:1#p@doc:2 doc:2#a", "b",
		"doc#b: [user] neither grants nor refuses; doc#b: a from p never grants",
	},
	"a tupleset is touched and grants": {
		"define p: [doc]\ndefine a: [user] or a from p", "doc:1#p@doc:2 doc:2#a", "a",
		"",
	},
	"parts of parts": {
		"define a: [user]\ndefine c: [user]\ndefine b: [user] or (a and (c or a))", "doc:1#a", "b",
		"doc#c: no test touches it; doc#b: [user] never grants; doc#b: a never refuses; doc#b: c or a never refuses; doc#b: c never grants",
	},
	"an entry of a list": {
		"define a: [user]\ndefine b: [user] or a", "doc:1#a", "list b",
		"doc#b: [user] never grants",
	},
}

func TestCoverage(t *testing.T) {
	for name, tc := range coverages {
		t.Run(name, func(t *testing.T) {
			_, summary := run(t, load(t, coverageFile(tc.relations, tc.tuples, tc.question)))
			var gaps []string
			branches := map[string]bool{}
			for _, g := range summary.Gaps {
				if g.Line == 0 {
					t.Errorf("%+v has no line", g)
				}
				if g.Branch != "" {
					branches[fmt.Sprint(g)] = true
					g.Relation += ": " + g.Branch
				} else {
					g.Relation += ":"
				}
				gaps = append(gaps, strings.TrimSuffix(g.Relation+" "+g.Missing, " "))
			}
			if got := strings.Join(gaps, "; "); got != tc.gaps {
				t.Errorf("gaps\n%s\nwant\n%s", got, tc.gaps)
			}
			if covered := summary.Branches - summary.Covered; summary.Touched == summary.Relations && covered != len(gaps) {
				t.Errorf("%d of %d branches are covered, and there are %d gaps", summary.Covered, summary.Branches, len(gaps))
			}
		})
	}
}

// coverageFile returns a file about type doc with one check, or one list, of user:a.
func coverageFile(relations, tuples, question string) string {
	model := "model\n  schema 1.1\ntype user\ntype doc\n  relations\n"
	for line := range strings.Lines(relations) {
		model += "    " + strings.TrimSpace(line) + "\n"
	}
	lines := ""
	for _, tuple := range strings.Fields(tuples) {
		if !strings.Contains(tuple, "@") {
			tuple += "@user:a"
		}
		lines += tuple + "\n"
	}
	entry := fmt.Sprintf(`check: [{ user: "user:a", object: "doc:1", assertions: { %s: true } }]`, question)
	if relation, ok := strings.CutPrefix(question, "list "); ok {
		entry = fmt.Sprintf(`list_objects: [{ user: "user:a", type: doc, assertions: { %s: ["doc:1"] } }]`, relation)
	}
	return "-- a.fga.yaml --\nmodel_file: m.fga\ntuple_file: t.txt\ntests:\n  - name: one\n    " + entry + "\n-- m.fga --\n" + model + "-- t.txt --\n" + lines
}
