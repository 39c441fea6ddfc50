package model_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usher-authz/usher/examples"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

//go:generate go test -run TestPlansOfTheExamples . -update
var update = flag.Bool("update", false, "rewrite testdata/plans")

// The plans of the examples for users, as text, are in testdata/plans: read one to see what
// a Check does.
func TestPlansOfTheExamples(t *testing.T) {
	for _, example := range examples.All() {
		t.Run(example.Name, func(t *testing.T) {
			program := compiled(t, example.Model)
			var text strings.Builder
			for _, typ := range program.Model.Types {
				for _, r := range typ.Relations {
					step := program.Relation(typ.Name, r.Name)
					text.WriteString(planText(program, program.Plan(kindOf(program, "user")), step))
				}
			}
			file := filepath.Join("testdata", "plans", example.Name+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if text.String() != string(want) {
				t.Errorf("the plans differ from %s; if they should, go generate ./model:\n%s", file, text.String())
			}
		})
	}
}

func compiled(t *testing.T, source model.Source) *model.Program {
	t.Helper()
	m, _, err := model.Parse(source)
	if err != nil {
		t.Fatal(err)
	}
	program, err := model.Compile(m, tuples.NewSymbols(m.Symbols()...))
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// kindOf reads "user" or "group#member".
func kindOf(p *model.Program, text string) model.Kind {
	t, r, _ := strings.Cut(text, "#")
	kind := model.Kind{Type: p.Type(tuples.ObjectType(t))}
	if step := p.Relation(tuples.ObjectType(t), tuples.Relation(r)); step != nil {
		kind.Relation = step.Relation
	}
	return kind
}

// planText writes out the rule of a relation, and those of its operands that have no name.
func planText(p *model.Program, plan *model.Plan, step *model.Step) string {
	title := fmt.Sprintf("%s#%s", p.Name(step.Type), p.Name(step.Relation))
	if !step.Root {
		title += " (" + step.Text + ")"
	}
	rule := plan.Rule(step)
	if rule == nil {
		return title + ": nobody\n"
	}
	text := title + ": " + [...]string{"any of", "all of", "the one but not the other of"}[rule.Op] + "\n"
	if rule.Self {
		text += "    the object's own userset\n"
	}
	for _, part := range rule.Parts {
		text += "    " + partText(p, &part) + "\n"
	}
	for _, part := range rule.Parts {
		if part.Kind == model.Ask && !part.Step.Root {
			text += planText(p, plan, part.Step)
		}
	}
	return text
}

func partText(p *model.Program, part *model.Part) string {
	if part.Kind == model.Ask {
		text := p.Name(part.Step.Relation)
		if !part.Step.Root {
			text += " (" + part.Step.Text + ")"
		}
		if part.Negated {
			text = "not " + text
		}
		return text
	}
	subject := p.Name(part.Accept.Type)
	switch {
	case part.Accept.Wildcard:
		subject += ":*"
	case part.Accept.Relation != 0:
		subject += "#" + p.Name(part.Accept.Relation)
	}
	tuple := p.Name(part.Relation) + "@" + subject
	switch {
	case part.Kind == model.Lookup:
		return tuple
	case part.Accept.Relation != 0:
		return "each " + tuple
	}
	return "each " + tuple + ", its " + p.Name(part.Step.Relation)
}

const rules = `model
  schema 1.1
type user
type group
  relations
    define member: [user, group#member]
type folder
  relations
    define parent: [folder]
    define shortcut: [folder, folder with on]
    define editor: [user] or editor from parent
    define viewer: [user, user:*, group#member] or editor or viewer from parent
    define shown: editor from shortcut or viewer from shortcut
    define hidden: [user]
    define locked: [user:*] or hidden
    define approved: viewer from parent
    define can_see: viewer but not locked
    define can_print: approved and can_see and editor and locked
condition on(open: bool) {
  open
}
`

func TestPlans(t *testing.T) {
	program := compiled(t, model.Source{DSL: rules})
	for _, tc := range []struct{ name, kind, relation, want string }{
		{"a union reads what its unions read, each thing once, lookups first", "user", "viewer", `
    viewer@user
    viewer@user:*
    editor@user
    each viewer@group#member
    each parent@folder, its viewer
`},
		{"with tuples that can have a condition the lesser right stays", "user", "shown", `
    each shortcut@folder, its editor
    each shortcut@folder, its viewer
`},
		{"what costs one read comes first in a but not", "user", "can_see", `
    not locked
    viewer
`},
		{"and in an and", "user", "can_print", `
    locked
    approved
    can_see
    editor
`},
		{"only tuples that can lead to the kind of subject are read", "folder", "viewer", ""},
		{"a userset is named by tuples, or in what they name", "group#member", "viewer", `
    viewer@group#member
    each viewer@group#member
    each parent@folder, its viewer
`},
		{"a userset of the object itself is in the unions that hold it", "folder#editor", "viewer", `
    the object's own userset
    each parent@folder, its viewer
`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text := planText(program, program.Plan(kindOf(program, tc.kind)), program.Relation("folder", tuples.Relation(tc.relation)))
			if _, got, _ := strings.Cut(text, "\n"); got != strings.TrimPrefix(tc.want, "\n") {
				t.Errorf("got\n%swant%s", got, tc.want)
			}
		})
	}
}

// What is written out is found step by step.
func TestWrittenPlansFollowTheModel(t *testing.T) {
	program := compiled(t, model.Source{DSL: rules})
	got := planText(program, program.Written(kindOf(program, "user")), program.Relation("folder", "viewer"))
	const want = `folder#viewer: any of
    viewer@user
    viewer@user:*
    each viewer@group#member
    editor
    each parent@folder, its viewer
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// A ladder of rungs without end would make each plan as long as the model.
func TestUnionsOfVeryManyStepsAreNotFlattened(t *testing.T) {
	source := "model\n  schema 1.1\ntype user\ntype media\n  relations\n    define r0: [user]\n"
	for i := range 100 {
		source += fmt.Sprintf("    define r%d: [user] or r%d\n", i+1, i)
	}
	program := compiled(t, model.Source{DSL: source})
	plan := program.Plan(kindOf(program, "user"))
	if n := len(plan.Rule(program.Relation("media", "r60")).Parts); n != 61 {
		t.Errorf("r60 has %d parts, want 61: its own and those of r0 to r59", n)
	}
	if n := len(plan.Rule(program.Relation("media", "r100")).Parts); n != 2 {
		t.Errorf("r100 has %d parts, want 2: its own and r99", n)
	}
}

func TestPlansAreKept(t *testing.T) {
	program := compiled(t, model.Source{DSL: rules})
	user, viewer := kindOf(program, "user"), program.Relation("folder", "viewer")
	plan, written := program.Plan(user), program.Written(user)
	if plan != program.Plan(user) || written != program.Written(user) {
		t.Error("a plan is made anew when it is asked for again")
	}
	if plan == written {
		t.Error("the plan of a kind is the written one")
	}
	if rule := program.Plan(model.Kind{Type: viewer.Relation}).Rule(viewer); rule != nil {
		t.Errorf("a kind of which nothing is known has the rule %v, want none", rule)
	}
}
