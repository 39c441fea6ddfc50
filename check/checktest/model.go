package checktest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/usher-authz/usher/model"
)

// draft is a model under construction: first its names, then its rewrites.
type draft struct {
	types []*draftType
}

type draftType struct {
	name      string
	relations []*draftRelation
}

type draftRelation struct {
	name    string
	parents []string // the types that a tupleset names; nil of other relations
	text    string   // "[user] or editor"
	line    int      // of the model's source
}

// conditions are what random tuples can carry. They can be met, unmet, missing a
// parameter, or fail, by a division or by a value of the wrong type.
var conditions = []struct{ name, source string }{
	{"switched", "condition switched(on: bool) {\n  on\n}"},
	{"ratio", "condition ratio(level: int) {\n  10 / level > 3\n}"},
	{"tagged", "condition tagged(on: bool, tag: string) {\n  on && tag == \"x\"\n}"},
}

// everybody is the rewrite that a relation gets whose first one is refused.
const everybody = "[user, user:*]"

// drawModel draws a model that validation accepts: a relation that it refuses
// becomes a list of users.
func drawModel(t *rapid.T) (string, *model.Model) {
	draft := drawDraft(t)
	for {
		source := draft.source()
		m, _, err := model.Parse(model.Source{DSL: source})
		if err == nil {
			return source, m
		}
		var refused *model.Error
		if !errors.As(err, &refused) || !draft.simplify(refused) {
			t.Fatalf("model cannot be repaired: %v\n%s", err, source)
		}
	}
}

// simplify rewrites the first relation that has a problem and is not simple yet.
func (d *draft) simplify(refused *model.Error) bool {
	for _, problem := range refused.Problems {
		for _, typ := range d.types {
			for _, r := range typ.relations {
				if r.line == problem.Pos.Line && r.text != everybody {
					r.text, r.parents = everybody, nil
					return true
				}
			}
		}
	}
	return false
}

// drawDraft draws the type "user" and one to three more, each with one to three
// relations, and perhaps a tupleset. Three models in eight have a game of win and lose
// in them (the scenario "win-move"), for paradoxes seldom come about by chance.
func drawDraft(t *rapid.T) *draft {
	d := &draft{}
	for _, name := range []string{"group", "folder", "doc"}[:1+roll(t, 3)] {
		d.types = append(d.types, &draftType{name: name})
	}
	for _, typ := range d.types {
		for _, name := range []string{"member", "viewer", "editor"}[:1+roll(t, 3)] {
			typ.relations = append(typ.relations, &draftRelation{name: name})
		}
		// Where the tupleset comes first, the others can refer to it too.
		switch tupleset := d.drawTupleset(t); roll(t, 4) {
		case 0:
		case 1:
			typ.relations = slices.Insert(typ.relations, 0, tupleset)
		default:
			typ.relations = append(typ.relations, tupleset)
		}
	}
	if roll(t, 8) >= 5 {
		typ := d.types[0]
		typ.relations = slices.Insert(typ.relations, 0,
			&draftRelation{name: "won", text: "[user, " + typ.name + "#lost]"},
			&draftRelation{name: "lost", text: everybody + " but not won"})
	}
	for _, typ := range d.types {
		for i, r := range typ.relations {
			if r.text == "" {
				r.text = d.drawRewrite(t, typ, i, 2, true)
			}
		}
	}
	return d
}

func (d *draft) drawTupleset(t *rapid.T) *draftRelation {
	r := &draftRelation{name: "parent"}
	var restrictions []string
	for range 1 + roll(t, 2) {
		parent := pick(t, d.types).name
		if slices.Contains(r.parents, parent) {
			continue
		}
		r.parents = append(r.parents, parent)
		restrictions = append(restrictions, parent+drawCondition(t))
	}
	r.text = "[" + strings.Join(restrictions, ", ") + "]"
	return r
}

// drawRewrite draws the rewrite of relation i of a type. The language has direct
// types in the leftmost place only, which leftmost says. Computed usersets point to
// earlier relations, for the language refuses cycles of them; all other cycles go.
func (d *draft) drawRewrite(t *rapid.T, typ *draftType, i, depth int, leftmost bool) string {
	others := d.references(typ, i)
	if leftmost && len(others) == 0 {
		return d.drawDirect(t)
	}
	shape := 0
	if depth > 0 {
		shape = roll(t, 8)
	}
	operand := func(leftmost bool) string {
		text := d.drawRewrite(t, typ, i, depth-1, leftmost)
		if strings.Contains(text, " or ") || strings.Contains(text, " and ") || strings.Contains(text, " but not ") {
			return "(" + text + ")"
		}
		return text
	}
	join := func(word string) string {
		parts := []string{operand(leftmost), operand(false)}
		if roll(t, 4) == 3 {
			parts = append(parts, operand(false))
		}
		return strings.Join(parts, word)
	}
	switch shape {
	case 2, 3:
		return join(" or ")
	case 4:
		return join(" and ")
	case 5, 6, 7:
		return operand(leftmost) + " but not " + operand(false)
	}
	if leftmost && roll(t, 5) < 4 {
		return d.drawDirect(t)
	}
	return pick(t, others)
}

// references are what relation i of a type can refer to: earlier relations of the
// type, and any relation of its parents that one of them has.
func (d *draft) references(typ *draftType, i int) []string {
	var texts []string
	for _, r := range typ.relations[:i] {
		texts = append(texts, r.name)
	}
	for _, tupleset := range typ.relations {
		for _, parent := range d.types {
			if !slices.Contains(tupleset.parents, parent.name) {
				continue
			}
			for _, r := range parent.relations {
				text := r.name + " from " + tupleset.name
				if !slices.Contains(texts, text) {
					texts = append(texts, text)
				}
			}
		}
	}
	return texts
}

// drawDirect draws one to four restrictions, users first among them.
func (d *draft) drawDirect(t *rapid.T) string {
	restrictions := []string{"user" + drawCondition(t)}
	for range 1 + roll(t, 3) {
		typ := pick(t, d.types)
		var subject string
		switch roll(t, 8) {
		case 0, 1:
			subject = "user:*"
		case 2:
			subject = typ.name
		case 3:
			subject = typ.name + ":*"
		default:
			subject = typ.name + "#" + pick(t, typ.relations).name
		}
		subject += drawCondition(t)
		if !slices.Contains(restrictions, subject) {
			restrictions = append(restrictions, subject)
		}
	}
	return "[" + strings.Join(restrictions, ", ") + "]"
}

func drawCondition(t *rapid.T) string {
	if i := roll(t, 9) - 6; i >= 0 {
		return " with " + conditions[i].name
	}
	return ""
}

// source writes the model and notes the line of each relation.
func (d *draft) source() string {
	var b strings.Builder
	line := 0
	write := func(format string, args ...any) {
		text := fmt.Sprintf(format, args...)
		line += strings.Count(text, "\n") + 1
		b.WriteString(text + "\n")
	}
	write("model\n  schema 1.1")
	write("type user")
	for _, typ := range d.types {
		write("type %s\n  relations", typ.name)
		for _, r := range typ.relations {
			write("    define %s: %s", r.name, r.text)
			r.line = line
		}
	}
	for _, c := range conditions {
		if strings.Contains(b.String(), " with "+c.name) {
			write("%s", c.source)
		}
	}
	return b.String()
}
