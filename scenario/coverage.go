package scenario

import (
	"context"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/model"
)

// Coverage tells what of a model the answers to assertions rested on, as far as their
// explanations show it. Every check is explained, and every entry of every list; share
// summaries only touch their relations.
//
// A relation is touched if an assertion asks for it, or if an explanation comes by it.
//
// A branch is one alternative of a union, one operand of an intersection or one side of
// an exclusion; a relation that is none of these is one branch. It is covered if some
// explanation shows it as decisive:
//
//   - as granting: of an alternative, that what it belongs to holds by it; of operands and
//     sides, that what they belong to holds. A side behind "but not" grants by not excluding.
//   - of operands and sides also as refusing: it alone kept what it belongs to from holding.
//
// An explanation of an allowed answer shows one proof, not every one there is: a branch
// that is never needed is not covered, though it may hold.
type Coverage struct {
	branches *branches
	touched  map[place]bool
	grants   map[branchKey]bool
	refuses  map[branchKey]bool
}

// NewCoverage returns the coverage of a model that nothing has touched.
func NewCoverage(m *model.Model) *Coverage {
	return &Coverage{branchesOf(m), map[place]bool{}, map[branchKey]bool{}, map[branchKey]bool{}}
}

// Summary counts what is covered, and lists what is not.
type Summary struct {
	Relations int   `json:"relations"`
	Touched   int   `json:"touched"`  // relations
	Branches  int   `json:"branches"` // of all relations
	Covered   int   `json:"covered"`  // branches
	Gaps      []Gap `json:"gaps,omitempty"`
}

// Gap is a relation or a branch that no test covers.
type Gap struct {
	Relation string `json:"relation"`         // "media#can_view"
	Branch   string `json:"branch,omitempty"` // "viewer from parent"; empty for the relation
	Line     int    `json:"line,omitempty"`   // of the model's source
	Missing  string `json:"missing"`          // one of the constants below
}

// What a gap is.
const (
	NeverTouched = "no test touches it"
	NeverGrants  = "never grants"
	NeverRefuses = "never refuses"
	NeverDecides = "neither grants nor refuses"
)

// Summary returns what is covered so far, in the order of the model. Of a relation that
// is not touched it lists no branches.
func (c *Coverage) Summary() Summary {
	s := Summary{Relations: len(c.branches.relations), Branches: len(c.branches.all)}
	next := c.branches.all
	for _, at := range c.branches.relations {
		if c.touched[at] {
			s.Touched++
		} else {
			s.Gaps = append(s.Gaps, Gap{Relation: at.String(), Line: c.branches.lines[at], Missing: NeverTouched})
		}
		for ; len(next) > 0 && next[0].place == at; next = next[1:] {
			missing := c.missing(next[0])
			if missing == "" {
				s.Covered++
			} else if c.touched[at] {
				s.Gaps = append(s.Gaps, Gap{at.String(), next[0].text, next[0].line, missing})
			}
		}
	}
	return s
}

// missing returns what a branch lacks, "" if it is covered.
func (c *Coverage) missing(b branch) string {
	grants, refuses := c.grants[b.branchKey], c.refuses[b.branchKey] || !b.side
	switch {
	case grants && refuses:
		return ""
	case grants:
		return NeverRefuses
	case refuses:
		return NeverGrants
	}
	return NeverDecides
}

// add takes in what the answer to a query rested on; items are those of a list.
func (c *Coverage) add(ctx context.Context, e *check.Evaluator, query Query, items []Item) error {
	if shares, ok := query.(Shares); ok {
		for _, o := range shares.Objects {
			for _, r := range shares.Relations {
				c.touched[place{o.Type, r}] = true
			}
		}
		return nil
	}
	q, _ := questionOf(query)
	c.touched[placeOf(q.On)] = true
	if !q.IsList() {
		return c.explain(ctx, e, q)
	}
	for _, item := range items {
		if err := c.explain(ctx, e, q.naming(item.ID)); err != nil {
			return err
		}
	}
	return nil
}

func (c *Coverage) explain(ctx context.Context, e *check.Evaluator, q Question) error {
	x, err := explain(ctx, e, q)
	if x != nil {
		eachReason(x.Root, c.reason)
	}
	return err
}

// reason takes in one step of an explanation.
func (c *Coverage) reason(r *check.Reason) {
	at := placeOf(r.On)
	c.touched[at] = true
	holds := r.Decision.Outcome == check.Allowed
	if r.Tuple != nil {
		// The branch of its rule is the reason above's. The tuple of a tupleset is of
		// another relation, which it touches too.
		tupleset := place{r.Tuple.Object.Type, r.Tuple.Relation}
		c.touched[tupleset] = true
		if holds && tupleset != at {
			c.grants[branchKey{tupleset, c.branches.direct[tupleset]}] = true
		}
		return
	}
	key := branchKey{at, r.Rule}
	parts, sides := operands(c.branches.rewrites[key])
	switch {
	case !sides && holds && (parts != nil || !c.branches.sides[key]): // a union, or a simple relation
		for _, child := range r.Children { // the one proof
			c.grants[branchKey{at, c.text(r, child)}] = true
		}
	case sides && holds && len(r.Children) > 0: // not the subject itself
		for _, operand := range parts {
			c.grants[branchKey{at, model.Format(operand, c.branches.model.Relation(at.typ, at.relation).Direct)}] = true
		}
	case sides && r.Decision.Outcome == check.Denied && len(r.Children) == 1:
		c.refuses[branchKey{at, c.text(r, r.Children[0])}] = true
	}
}

// text returns the branch that leads from a step to one below it.
func (c *Coverage) text(r, child *check.Reason) string {
	switch {
	case child.Tuple != nil && child.Rule == "direct":
		return c.branches.direct[placeOf(r.On)]
	case child.Tuple == nil && child.On.Relation != r.On.Relation:
		return string(child.On.Relation)
	}
	return child.Rule
}
