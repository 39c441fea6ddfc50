package model_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

const studio = `model
  schema 1.1
type user
type robot
type group
  relations
    define member: [user, group#member]
type folder
  relations
    define parent: [folder]
    define viewer: [user, user:*, group#member] or viewer from parent
type media
  relations
    define parent: [folder, group]
    define blocked: [user, robot]
    define approved: [user with by_day, user]
    define editor: [user]
    define viewer: [robot] or (viewer from parent or editor)
    define can_view: viewer but not blocked
    define can_publish: viewer and approved and (viewer from parent or editor)
condition by_day(hour: int) {
  hour < 18
}
`

// compile parses and compiles the model of a studio.
func compile(t *testing.T) (*model.Program, *tuples.Symbols) {
	t.Helper()
	m, _, err := model.Parse(model.Source{DSL: studio})
	if err != nil {
		t.Fatal(err)
	}
	symbols := tuples.NewSymbols(m.Symbols()...)
	program, err := model.Compile(m, symbols)
	if err != nil {
		t.Fatal(err)
	}
	return program, symbols
}

// outline returns a step as text: its operation, and what is directly below it.
func outline(p *model.Program, s *model.Step) string {
	name := func(s *model.Step) string {
		if !s.Root {
			return "(" + outline(p, s) + ")"
		}
		return p.Name(s.Type) + "#" + p.Name(s.Relation)
	}
	var parts []string
	for _, operand := range s.Operands {
		parts = append(parts, name(operand))
	}
	for _, alternative := range s.Alternatives {
		switch a := alternative.(type) {
		case *model.Direct:
			parts = append(parts, fmt.Sprintf("direct %d+%d", len(a.Plain), len(a.Usersets)))
		case *model.Same:
			parts = append(parts, name(a.Target))
		case *model.FromTupleset:
			var targets []string
			for _, accept := range a.Objects {
				targets = append(targets, name(accept.Target))
			}
			parts = append(parts, p.Name(a.Tupleset)+"→"+strings.Join(targets, "|"))
		}
	}
	return map[model.Op]string{
		model.OpUnion: "any of ", model.OpIntersection: "all of ", model.OpExclusion: "first not second of ",
	}[s.Op] + strings.Join(parts, ", ")
}

func TestCompileFlattensUnionsAndPutsLookupsFirst(t *testing.T) {
	program, _ := compile(t)
	for relation, want := range map[tuples.Relation]string{
		"blocked":     "any of direct 2+0",
		"viewer":      "any of direct 1+0, media#editor, parent→folder#viewer", // group has no viewer
		"can_view":    "first not second of media#viewer, media#blocked",
		"can_publish": "all of media#viewer, media#approved, (any of media#editor, parent→folder#viewer)",
	} {
		if got := outline(program, program.Relation("media", relation)); got != want {
			t.Errorf("%s: %s, want %s", relation, got, want)
		}
	}
}

func TestCompileKnowsWhoCanBeReached(t *testing.T) {
	program, symbols := compile(t)
	kind := func(t, r string) model.Kind { return model.Kind{Type: symbols.Lookup(t), Relation: symbols.Lookup(r)} }
	for _, tc := range []struct {
		object   tuples.ObjectType
		relation tuples.Relation
		kind     model.Kind
		want     bool
	}{
		{"group", "member", kind("user", ""), true},
		{"group", "member", kind("robot", ""), false},
		{"group", "member", kind("group", "member"), true}, // nested, and itself
		{"media", "viewer", kind("group", "member"), true}, // by the folder
		{"media", "viewer", kind("media", "viewer"), true}, // itself
		{"media", "viewer", kind("media", "can_view"), false},
		{"media", "can_view", kind("robot", ""), true},     // a viewer
		{"media", "can_publish", kind("robot", ""), false}, // no robot is ever approved
		{"media", "can_publish", kind("user", ""), true},
		{"media", "parent", kind("folder", ""), true},
	} {
		if got := program.Relation(tc.object, tc.relation).Reaches(tc.kind); got != tc.want {
			t.Errorf("%s#%s reaches %s#%s: %v, want %v", tc.object, tc.relation,
				program.Name(tc.kind.Type), program.Name(tc.kind.Relation), got, tc.want)
		}
	}
}

func TestCompileTurnsEveryWayDownIntoAWayUp(t *testing.T) {
	program, _ := compile(t)
	ways := 0
	for _, step := range program.Steps {
		for _, below := range step.Supports() {
			ways++
			if !slices.ContainsFunc(below.Uses, func(u model.Use) bool { return u.Step == step }) {
				t.Errorf("%s rests on %s, which does not lead back to it", step.Text, below.Text)
			}
		}
	}
	if ways == 0 {
		t.Error("no step rests on another")
	}
	if uses := program.Relation("media", "blocked").Uses; len(uses) != 0 {
		t.Errorf("blocked leads to %v; nobody is a member for being excluded", uses)
	}
}

func TestAcceptByCondition(t *testing.T) {
	program, _ := compile(t)
	accepts := program.Accepts("media", "approved")
	if len(accepts) != 1 {
		t.Fatalf("approved accepts %d kinds, want one: users, with and without a condition", len(accepts))
	}
	for name, want := range map[string]bool{"": true, "by_day": true, "by_night": false} {
		grant := &tuples.Grant{}
		if name != "" {
			grant.Condition = &tuples.Condition{Name: name}
		}
		condition, ok := accepts[0].Allows(grant)
		if ok != want || ok && (condition != nil) != (name != "") {
			t.Errorf("condition %q: %v, %v; want allowed %v", name, condition, ok, want)
		}
	}
	if _, ok := program.Accepts("media", "editor")[0].Allows(&tuples.Grant{Condition: &tuples.Condition{Name: "by_day"}}); ok {
		t.Error("editor accepts a tuple with a condition, which its type restriction does not name")
	}
}

func TestProgramKnowsItsNames(t *testing.T) {
	program, symbols := compile(t)
	if program.Type("media") != symbols.Lookup("media") || program.Type("film") != 0 {
		t.Error("types are not found by name")
	}
	if program.Relation("media", "owner") != nil || program.Accepts("media", "owner") != nil {
		t.Error("a relation is found that the model lacks")
	}
	if program.Name(0) != "" {
		t.Error("symbol 0 has a name")
	}
}

func TestCompileNeedsTheSymbolsOfTheStore(t *testing.T) {
	m, _, err := model.Parse(model.Source{DSL: studio})
	if err != nil {
		t.Fatal(err)
	}
	_, err = model.Compile(m, tuples.NewSymbols("user"))
	if err == nil || !strings.Contains(err.Error(), "no symbol") {
		t.Errorf("error %v, want one that names the missing symbol", err)
	}
}

// A chain of relations compiles in time that grows with the model, not with its cube.
func BenchmarkCompile(b *testing.B) {
	for _, n := range []int{200, 800, 3200} {
		b.Run(fmt.Sprintf("relations=%d", n), func(b *testing.B) {
			var source strings.Builder
			source.WriteString("model\n  schema 1.1\ntype user\ntype doc\n  relations\n    define p: [doc]\n")
			for i := range n {
				fmt.Fprintf(&source, "    define r%d: [user] or r%d from p\n", i, (i+1)%n)
			}
			m, _, err := model.Parse(model.Source{DSL: source.String()})
			if err != nil {
				b.Fatal(err)
			}
			symbols := tuples.NewSymbols(m.Symbols()...)
			for b.Loop() {
				if _, err := model.Compile(m, symbols); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
