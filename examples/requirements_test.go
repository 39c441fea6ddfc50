package examples_test

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

//go:generate go test -run TestRequirementsTable . -update

var update = flag.Bool("update", false, "rewrite the table of requirements in README.md")

// Every requirement stands in the name of a scenario or of a test.
func TestEveryRequirementIsShown(t *testing.T) {
	shown := map[string]bool{}
	for _, s := range shows(t) {
		for _, id := range idsIn(s.name) {
			shown[id] = true
		}
	}
	for _, r := range requirements {
		if !shown[r.id] {
			t.Errorf("%s is shown nowhere: name a scenario or a test that shows it", r.id)
		}
		delete(shown, r.id)
	}
	for id := range shown {
		t.Errorf("%s stands in a name and is no requirement", id)
	}
}

// There are 59 requirements: A1 to A9, B1 to B16 …
func TestNoRequirementIsLeftOut(t *testing.T) {
	var want, got []string
	for _, system := range []struct {
		letter string
		count  int
	}{{"A", 9}, {"B", 16}, {"C", 11}, {"D", 13}, {"E", 10}} {
		for i := range system.count {
			want = append(want, fmt.Sprint(system.letter, i+1))
		}
	}
	for _, r := range requirements {
		got = append(got, r.id)
	}
	if !slices.Equal(got, want) {
		t.Errorf("requirements %q, want %q", got, want)
	}
}

var requirementID = regexp.MustCompile(`\b[A-E][0-9]+\b`)

// idsIn returns the ids in a name, such as "B8, B12: a status hides media".
func idsIn(name string) []string { return requirementID.FindAllString(name, -1) }

// The lines in README.md between which the table stands.
const (
	tableBegins = "<!-- The table is made by go generate ./examples: from the scenarios and tests. -->\n"
	tableEnds   = "<!-- end of the table -->\n"
)

// README.md has the table that the scenarios and tests make.
func TestRequirementsTable(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(text), tableBegins)
	had, after, ends := strings.Cut(rest, tableEnds)
	if !begins || !ends {
		t.Fatalf("README.md lacks the lines %q and %q", tableBegins, tableEnds)
	}
	table := requirementsTable(shows(t))
	if had == table {
		return
	}
	if !*update {
		t.Fatal("README.md has another table of requirements than the scenarios and tests make: run go generate ./examples")
	}
	if err := os.WriteFile("README.md", []byte(before+tableBegins+table+tableEnds+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// requirementsTable returns one row for each requirement.
func requirementsTable(all []show) string {
	var b strings.Builder
	b.WriteString("\n| | requirement | asked for | by | shown in |\n|---|---|---|---|---|\n")
	for _, r := range requirements {
		var mine []show
		for _, s := range all {
			if slices.Contains(idsIn(s.name), r.id) {
				mine = append(mine, s)
			}
		}
		relations, rpcs, places := map[string]int{}, map[string]int{}, map[string]int{}
		for _, s := range mine {
			places[placeText(s.where)]++
			count(rpcs, s.rpcs)
			if own := examplesOf[r.id[0]]; !strings.HasSuffix(s.where, ".yaml") || strings.HasPrefix(s.where, own) {
				count(relations, s.relations)
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.id, r.statement, often(relations),
			strings.Join(slices.Sorted(maps.Keys(rpcs)), ", "), strings.Join(slices.Sorted(maps.Keys(places)), ", "))
	}
	return b.String() + "\n"
}

// examplesOf names the example of each system, whose relations the table shows; those
// of the media library are many and shown there too.
var examplesOf = map[byte]string{
	'A': "organisation-shares", 'B': "internal-shares", 'C': "shared-folders", 'D': "portal-visibility", 'E': "session-roles",
}

// maxRelations is how many relations a row names: those that are asked for most.
const maxRelations = 3

func count(counts map[string]int, names []string) {
	for _, name := range names {
		counts[name]++
	}
}

// often names the relations that are counted most.
func often(counts map[string]int) string {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	var texts []string
	for _, name := range names[:min(maxRelations, len(names))] {
		texts = append(texts, "`"+name+"`")
	}
	if len(names) > maxRelations {
		texts = append(texts, "…")
	}
	return strings.Join(texts, ", ")
}

// placeText links a file by a short name: "internal-shares", "guards", "server/watch".
func placeText(where string) string {
	name := strings.TrimSuffix(strings.TrimPrefix(where, "../"), "_test.go")
	if folder, _, ok := strings.Cut(name, "/"); ok && strings.HasSuffix(where, ".yaml") {
		name = folder
	}
	return fmt.Sprintf("[%s](%s)", name, where)
}
