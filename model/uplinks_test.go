package model_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// A walk up to a step goes by as few ways as reach as far.
func TestUplinks(t *testing.T) {
	for _, c := range []struct {
		name, model, target string
		want                []string
	}{
		{
			"every rung of a ladder is entered, and the last leads on", `
type user
type folder
  relations
    define parent: [folder]
    define owner: [user]
    define editor: [user] or owner or editor from parent
    define viewer: [user, user:*] or editor or viewer from parent
    define can_edit: editor`, "folder#viewer",
			[]string{
				"folder#editor@user → folder#viewer", "folder#owner@user → folder#viewer",
				"folder#viewer by folder#parent → folder#viewer",
				"folder#viewer@user → folder#viewer", "folder#viewer@user:* → folder#viewer",
			},
		},
		{
			"a rung with a way of its own stays", `
type user
type folder
  relations
    define parent: [folder]
    define mirror: [folder]
    define editor: [user] or editor from mirror
    define viewer: editor or viewer from parent`, "folder#viewer",
			[]string{
				"folder#editor by folder#mirror → folder#editor", "folder#editor → folder#viewer",
				"folder#editor@user → folder#editor", "folder#viewer by folder#parent → folder#viewer",
			},
		},
		{
			"a way that only a condition opens is not a better one", `
type user
type folder
  relations
    define parent: [folder with late]
    define above: [folder]
    define editor: [user] or editor from above
    define viewer: editor or viewer from parent
condition late(hour: int) {
  hour > 22
}`, "folder#viewer",
			[]string{
				"folder#editor by folder#above → folder#editor", "folder#editor → folder#viewer",
				"folder#editor@user → folder#editor", "folder#viewer by folder#parent → folder#viewer",
			},
		},
		{
			"groups lead to every role by tuples of its own", `
type user
type group
  relations
    define member: [user, group#member]
type media
  relations
    define editor: [group#member]
    define viewer: [group#member] or editor`, "media#viewer",
			[]string{
				"group#member by group#member → group#member", "group#member by media#editor → media#viewer",
				"group#member by media#viewer → media#viewer", "group#member@user → group#member",
			},
		},
		{
			"what can be worked out by itself is a gate", `
type user
type media
  relations
    define blocked: [user]
    define viewer: [user] but not blocked
    define can_view: viewer or blocked`, "media#can_view",
			[]string{"gate of media#viewer → media#can_view", "media#blocked@user → media#can_view"},
		},
		{
			"a gate that leads back to itself is passed, by its driver", `
type user
type folder
  relations
    define parent: [folder]
    define blocked: [user]
    define given: [user] or viewer from parent
    define viewer: given but not blocked`, "folder#viewer",
			[]string{
				"folder#given → gate of folder#viewer", "folder#given@user → folder#given",
				"gate of folder#viewer by folder#parent → folder#given",
			},
		},
		{
			"a gate is not left out for a way around it, which tells less", `
type user
type folder
  relations
    define parent: [folder]
    define blocked: [folder#viewer]
    define given: [user] or viewer from parent
    define viewer: given or (given and blocked)`, "folder#viewer",
			[]string{
				"folder#given → folder#viewer", "folder#given → gate of folder#viewer", "folder#given@user → folder#given",
				"folder#viewer by folder#parent → folder#given", "gate of folder#viewer → folder#viewer",
			},
		},
		{
			"a type that leads nowhere is left out", `
type user
type team
  relations
    define member: [user]
type media
  relations
    define team: [team]
    define viewer: [user]
    define editor: member from team`, "media#viewer",
			[]string{"media#viewer@user → media#viewer"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := programOf(t, c.model)
			objectType, relation, _ := strings.Cut(c.target, "#")
			target := p.Relation(tuples.ObjectType(objectType), tuples.Relation(relation))
			u := p.Uplinks(target)
			if p.Uplinks(target) != u {
				t.Error("ways up are worked out twice")
			}
			if got := shownUplinks(p, u); !slices.Equal(got, c.want) {
				t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(c.want, "\n  "))
			}
		})
	}
}

// programOf compiles a model, of which the header is left out.
func programOf(t *testing.T, source string) *model.Program {
	t.Helper()
	m, _, err := model.Parse(model.Source{DSL: "model\n  schema 1.1" + source})
	if err != nil {
		t.Fatal(err)
	}
	p, err := model.Compile(m, tuples.NewSymbols(m.Symbols()...))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// shownUplinks returns one line for every way of a walk, sorted.
func shownUplinks(p *model.Program, u *model.Uplinks) []string {
	name := func(step *model.Step) string {
		name := p.Name(step.Type) + "#" + p.Name(step.Relation)
		if step.Gate != nil {
			return "gate of " + name
		}
		return name
	}
	var lines []string
	for _, entry := range u.Entries {
		who := p.Name(entry.Via.Type)
		if entry.Via.Wildcard {
			who += ":*"
		}
		lines = append(lines, fmt.Sprintf("%s#%s@%s → %s", p.Name(entry.Step.Type), p.Name(entry.Relation), who, name(entry.Step)))
	}
	for _, step := range u.Steps {
		for _, use := range u.Uses(step) {
			by := ""
			if use.Via != nil {
				by = fmt.Sprintf(" by %s#%s", p.Name(use.Step.Type), p.Name(use.Relation))
			}
			lines = append(lines, fmt.Sprintf("%s%s → %s", name(step), by, name(use.Step)))
		}
	}
	slices.Sort(lines)
	return lines
}

func TestGates(t *testing.T) {
	p := programOf(t, `
type user
type folder
  relations
    define parent: [folder]
    define blocked: [user]
    define alone: [user] but not blocked
    define round: (viewer from parent or blocked) but not blocked
    define viewer: round or alone
    define both: blocked and (both from parent or alone)
    define paradox: blocked but not (paradox from parent or alone)`)
	for _, c := range []struct {
		relation tuples.Relation
		want     model.Gate
	}{
		{"alone", model.Gate{Apart: []bool{true, true}}},
		{"round", model.Gate{Circular: true, Apart: []bool{false, true}}},
		{"both", model.Gate{Circular: true, Driver: 1, Apart: []bool{true, false}}},
		{"paradox", model.Gate{Circular: true, Apart: []bool{true, false}}},
	} {
		t.Run(string(c.relation), func(t *testing.T) {
			got := p.Relation("folder", c.relation).Gate
			if got.Circular != c.want.Circular || got.Driver != c.want.Driver || !slices.Equal(got.Apart, c.want.Apart) {
				t.Errorf("got %+v, want %+v", *got, c.want)
			}
		})
	}
	if gate := p.Relation("folder", "viewer").Gate; gate != nil {
		t.Errorf("a union has %+v", *gate)
	}
}
