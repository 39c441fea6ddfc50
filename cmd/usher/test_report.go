package main

import (
	"fmt"
	"strings"

	"github.com/usher-authz/usher/scenario"
)

// reportText draws a report for people: files with their tests, a summary, and what no
// test covers.
func reportText(report testReport) string {
	var b strings.Builder
	for _, f := range report.Files {
		if len(f.Tests) == 0 {
			continue // --run selects none of them
		}
		b.WriteString(f.File)
		if f.Name != "" {
			b.WriteString(": " + f.Name)
		}
		b.WriteByte('\n')
		for _, t := range f.Tests {
			writeTest(&b, f.File, t)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%d of %d tests passed, %d of %d assertions\n",
		report.Tests-report.Failed, report.Tests, report.Assertions-report.Unmet, report.Assertions)
	for _, c := range report.Coverage {
		fmt.Fprintf(&b, "\ncoverage of the model of %s: %d of %d relations, %d of %d branches\n",
			strings.Join(c.Files, ", "), c.Touched, c.Relations, c.Covered, c.Branches)
		for _, g := range c.Gaps {
			b.WriteString("  " + gapText(g) + "\n")
		}
	}
	return b.String()
}

func writeTest(b *strings.Builder, file string, t scenario.Result) {
	all := t.Passed + len(t.Failures)
	if len(t.Failures) == 0 {
		fmt.Fprintf(b, "  ✓ %s (%d)\n", t.Name, all)
		return
	}
	fmt.Fprintf(b, "  ✗ %s (%d of %d)\n", t.Name, t.Passed, all)
	for _, f := range t.Failures {
		fmt.Fprintf(b, "      %s:%d: %s\n        want %s\n        got  %s\n", file, f.Line, f.Query, f.Want, f.Got)
		for _, line := range f.Why {
			fmt.Fprintf(b, "          %s\n", line)
		}
	}
}

// gapText writes "media#can_view: viewer from parent, line 12: never grants".
func gapText(g scenario.Gap) string {
	text := g.Relation
	if g.Branch != "" {
		text += ": " + g.Branch
	}
	if g.Line > 0 {
		text += fmt.Sprintf(", line %d", g.Line)
	}
	return text + ": " + g.Missing
}
