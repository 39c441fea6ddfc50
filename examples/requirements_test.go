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

	"github.com/usher-authz/usher/examples"
	"github.com/usher-authz/usher/scenario"
)

//go:generate go test -run TestRequirementsTable . -update

var update = flag.Bool("update", false, "rewrite the table of requirements in README.md")

// show is a scenario, or a test of a table, that shows requirements.
type show struct {
	name      string // begins with their ids
	where     string // the file that it stands in
	rpcs      []string
	relations []string // those it asks for: "media#can_view"
}

// shows returns all scenarios, and all tests of the tables.
func shows(t *testing.T) []show {
	t.Helper()
	var all []show
	for _, e := range examples.All() {
		for _, s := range storeFileOf(t, e).Tests {
			one := show{name: s.Name, where: e.Name + "/" + e.Name + ".fga.yaml"}
			for _, a := range s.Assertions {
				one.asks(a.Query)
			}
			all = append(all, one)
		}
	}
	for _, c := range changes {
		one := show{name: c.name, where: "changes_test.go", rpcs: []string{"Write"}}
		for _, a := range c.answers {
			one.asks(parseQuestion(t, a.question))
		}
		all = append(all, one)
	}
	for _, w := range guardedWrites {
		one := show{name: w.name, where: "guards_test.go", rpcs: []string{"Write"}}
		for _, u := range w.updates {
			for _, guard := range u.guards {
				one.relations = append(one.relations, relationOf(parseQuestion(t, guard)))
			}
		}
		all = append(all, one)
	}
	for _, e := range events {
		one := show{name: e.name, where: "events_test.go", rpcs: []string{"Write", "Watch"}}
		one.asks(parseQuestion(t, e.notified))
		all = append(all, one)
	}
	for _, d := range downloads {
		one := show{name: d.name, where: "attributes_test.go"}
		one.asks(parseQuestion(t, d.question))
		all = append(all, one)
	}
	return all
}

// asks notes what a query asks for, and by which RPC.
func (s *show) asks(query scenario.Query) {
	var q scenario.Question
	switch x := query.(type) {
	case scenario.Question:
		q = x
	case scenario.Why:
		q = x.Question
	case scenario.Shares:
		s.rpcs = append(s.rpcs, "SummarizeShares")
		for _, r := range x.Relations {
			s.relations = append(s.relations, fmt.Sprintf("%s#%s", x.Objects[0].Type, r))
		}
		return
	}
	rpc := "Check"
	switch {
	case q.On.Object.ID == scenario.Asked:
		rpc = "ListObjects"
	case q.Subject.ID == scenario.Asked:
		rpc = "ListSubjects"
	}
	s.rpcs = append(s.rpcs, rpc)
	s.relations = append(s.relations, relationOf(q))
}

// Every requirement stands in the name of a scenario or of a test in one of the tables.
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
			places[s.where]++
			count(rpcs, s.rpcs)
			if own := examplesOf[r.id[0]]; !strings.HasSuffix(s.where, ".yaml") || strings.HasPrefix(s.where, own) {
				count(relations, s.relations)
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.id, r.statement,
			often(relations, maxRelations, func(name string, _ int) string { return "`" + name + "`" }),
			often(rpcs, len(rpcs), func(name string, _ int) string { return name }),
			often(places, len(places), placeText))
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

// often lists the names that are counted most.
func often(counts map[string]int, limit int, text func(name string, n int) string) string {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	var texts []string
	for _, name := range names[:min(limit, len(names))] {
		texts = append(texts, text(name, counts[name]))
	}
	if len(names) > limit {
		texts = append(texts, "…")
	}
	return strings.Join(texts, ", ")
}

// placeText links a file, with the number of its scenarios or tests.
func placeText(where string, n int) string {
	name, _, _ := strings.Cut(where, "/")
	return fmt.Sprintf("[%s](%s) ×%d", strings.TrimSuffix(name, "_test.go"), where, n)
}
