package scenario

import (
	"fmt"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// place is a relation of a type.
type place struct {
	typ      tuples.ObjectType
	relation tuples.Relation
}

func placeOf(u tuples.Userset) place { return place{u.Object.Type, u.Relation} }

// String returns "media#can_view".
func (p place) String() string { return fmt.Sprintf("%s#%s", p.typ, p.relation) }

// branchKey names a branch: a relation, and the branch's text in the modelling language.
type branchKey struct {
	place
	text string
}

// branch is one alternative of a union, one operand of an intersection, or one side of
// an exclusion. A relation that is none of these is one branch. Of an alternative that
// combines others these are the branches.
type branch struct {
	branchKey
	line int  // of the model's source, 0 if unknown
	side bool // it is an operand or a side, which refuses too
}

// branches are the branches of a model, and what its rewrites are made of.
type branches struct {
	model     *model.Model
	relations []place
	lines     map[place]int
	all       []branch
	rewrites  map[branchKey]model.Rewrite // of relations and of operands
	sides     map[branchKey]bool          // operands of intersections, sides of exclusions
	direct    map[place]string            // the list in square brackets
}

func branchesOf(m *model.Model) *branches {
	b := &branches{model: m, lines: map[place]int{}, rewrites: map[branchKey]model.Rewrite{}, sides: map[branchKey]bool{}, direct: map[place]string{}}
	for _, t := range m.Types {
		for _, r := range t.Relations {
			at := place{t.Name, r.Name}
			b.relations = append(b.relations, at)
			b.lines[at] = r.Pos.Line
			b.direct[at] = model.Format(model.This{}, r.Direct)
			b.part(at, r, r.Rewrite, false)
		}
	}
	return b
}

// part adds the branches of a rewrite: of a relation, or of an operand in it. side tells
// that it is an operand of an intersection or a side of an exclusion.
func (b *branches) part(at place, r *model.Relation, rewrite model.Rewrite, side bool) {
	key := branchKey{at, model.Format(rewrite, r.Direct)}
	b.rewrites[key] = rewrite
	parts, sides := operands(rewrite)
	if side || parts == nil {
		b.all = append(b.all, branch{key, r.Pos.Line, side})
		b.sides[key] = b.sides[key] || side
	}
	for _, operand := range parts {
		b.part(at, r, operand, sides)
	}
}

// operands returns what a rewrite combines, nil if it is simple, and whether these are
// operands or sides that refuse too.
func operands(rewrite model.Rewrite) (parts []model.Rewrite, sides bool) {
	switch w := rewrite.(type) {
	case model.Union:
		return w.Operands, false
	case model.Intersection:
		return w.Operands, true
	case model.Exclusion:
		return []model.Rewrite{w.Base, w.Subtract}, true
	case model.This, model.ComputedUserset, model.TupleToUserset:
		return nil, false
	}
	panic(fmt.Sprintf("scenario: unknown rewrite %T", rewrite))
}
