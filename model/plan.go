package model

import (
	"sync/atomic"

	"github.com/usher-authz/usher/tuples"
)

// Plan is how to find out whether subjects of one kind are in the steps of a program: for
// each step that they can be in, what to read and in which order. There are two plans for
// a kind, see [Program.Plan] and [Program.Written]. A plan is immutable.
type Plan struct {
	kind  Kind
	rules []*Rule // by step ID; nil where no such subject can be
}

// Kind returns the kind of subject that the plan is for.
func (p *Plan) Kind() Kind { return p.kind }

// Rule returns how to work a step out, nil if no subject of the kind can be a member.
func (p *Plan) Rule(s *Step) *Rule { return p.rules[s.ID] }

// Rule is one step of a plan. Its parts are combined by Op.
type Rule struct {
	Op Op
	// Self says that a subject which is a userset of the object itself is in the step:
	// media:logo#editor is in media:logo#editor, and in a viewer that holds all editors.
	Self  bool
	Parts []Part
}

// PartKind is what a part of a rule looks at.
type PartKind uint8

const (
	// Lookup asks for the tuple that names the subject, or the wildcard it falls under.
	Lookup PartKind = iota
	// List reads tuples that name something which the subject may be in.
	List
	// Ask is another step of the same object.
	Ask
)

// Part is one part of a rule.
type Part struct {
	Kind     PartKind
	Negated  bool          // of an Ask: the second operand of an exclusion
	Relation tuples.Symbol // of the tuples of a Lookup or List
	Accept   *Accept       // the kind of these tuples
	Step     *Step         // of a List, who the subject may be in; of an Ask, the step
}

// plansKept is how many kinds of subject a program keeps the plans of, each of both sorts.
// Requests are about few kinds: users, and the members of groups.
const plansKept = 32

// plans keeps the plans of one sort, by kind; a later one takes the place of another.
type plans [plansKept]atomic.Pointer[Plan]

// Plan returns the plan with which a subject of a kind is found soonest. A union is
// flattened: it reads what all unions of the same object read that it consists of, each
// thing once, and what a single read can answer first. It leaves out what another part
// decides too: an editor of the parent is a viewer of the parent. Operands of "and" and
// "but not" come cheapest first.
//
// It leads to the same answers as [Program.Written], with the same causes.
func (p *Program) Plan(k Kind) *Plan { return p.plan(&p.flat, k, (*planner).flat) }

// Written returns the plan that follows the model step by step, for those who want to tell
// what each step comes to.
func (p *Program) Written(k Kind) *Plan { return p.plan(&p.written, k, (*planner).written) }

func (p *Program) plan(kept *plans, k Kind, rule func(*planner, *Step) *Rule) *Plan {
	number, known := p.kinds[k]
	if !known {
		return &Plan{kind: k, rules: make([]*Rule, len(p.Steps))}
	}
	place := &kept[number%plansKept]
	if plan := place.Load(); plan != nil && plan.kind == k {
		return plan
	}
	plan := &Plan{kind: k, rules: make([]*Rule, len(p.Steps))}
	b := &planner{kind: k}
	for _, step := range p.Steps {
		if step.Reaches(k) {
			plan.rules[step.ID] = rule(b, step)
		}
	}
	place.Store(plan)
	return plan
}
