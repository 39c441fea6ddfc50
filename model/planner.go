package model

import (
	"cmp"
	"slices"
)

// planner makes the rules of a plan.
type planner struct {
	kind Kind
	// contents are the steps that a union consists of, by ID of the union.
	contents map[uint32]map[*Step]bool
	expenses map[uint32]expense
}

// written returns the rule of a step as it is compiled.
func (b *planner) written(s *Step) *Rule {
	rule := &Rule{Op: s.Op, Self: s.Root && b.is(s)}
	for i, operand := range s.Operands {
		rule.Parts = append(rule.Parts, Part{Kind: Ask, Step: operand, Negated: s.Op == OpExclusion && i == 1})
	}
	for _, alternative := range s.Alternatives {
		switch a := alternative.(type) {
		case *Same:
			if a.Target.Reaches(b.kind) {
				rule.Parts = append(rule.Parts, Part{Kind: Ask, Step: a.Target})
			}
		default:
			rule.Parts = b.reads(rule.Parts, s, alternative)
		}
	}
	return rule
}

// is reports whether a subject of the kind can be a step's own userset.
func (b *planner) is(s *Step) bool { return b.kind == Kind{s.Type, s.Relation} }

// reads appends what an alternative reads of the object's tuples.
func (b *planner) reads(parts []Part, s *Step, alternative Alternative) []Part {
	switch a := alternative.(type) {
	case *Direct:
		for _, accepts := range [][]Accept{a.Plain, a.Usersets} {
			for i := range accepts {
				if accepts[i].Kind == b.kind {
					parts = append(parts, Part{Kind: Lookup, Relation: s.Relation, Accept: &accepts[i]})
				}
			}
		}
		for i := range a.Usersets {
			parts = b.list(parts, Part{Kind: List, Relation: s.Relation, Accept: &a.Usersets[i]})
		}
	case *FromTupleset:
		for i := range a.Objects {
			parts = b.list(parts, Part{Kind: List, Relation: a.Tupleset, Accept: &a.Objects[i]})
		}
	}
	return parts
}

// list appends a list that can lead to the subject.
func (b *planner) list(parts []Part, list Part) []Part {
	if list.Step = list.Accept.Target; list.Step.Reaches(b.kind) {
		return append(parts, list)
	}
	return parts
}

// maxFlat is how many steps and parts are taken together at most. A union of more, which
// no person wrote, is worked out as it is written.
const maxFlat = 64

// flat returns the rule of a step with its parts flattened and in order.
func (b *planner) flat(s *Step) *Rule {
	rule := b.written(s)
	if s.Op == OpUnion {
		if flattened := b.flatten(s); flattened != nil {
			rule = flattened
		}
	}
	slices.SortStableFunc(rule.Parts, func(p, q Part) int { return cmp.Compare(b.expense(&p), b.expense(&q)) })
	return rule
}

// flatten returns the rule of a union together with those that it consists of, nil if they
// are too many.
func (b *planner) flatten(s *Step) *Rule {
	rule := &Rule{Op: OpUnion}
	steps := []*Step{s}
	for i := 0; i < len(steps); i++ {
		step := steps[i]
		if step.Op != OpUnion {
			rule.add(Part{Kind: Ask, Step: step})
			continue
		}
		rule.Self = rule.Self || step.Root && b.is(step)
		for _, alternative := range step.Alternatives {
			if same, ok := alternative.(*Same); ok {
				if same.Target.Reaches(b.kind) && !slices.Contains(steps, same.Target) {
					steps = append(steps, same.Target)
				}
				continue
			}
			for _, part := range b.reads(nil, step, alternative) {
				rule.add(part)
			}
		}
		if len(steps) > maxFlat || len(rule.Parts) > maxFlat {
			return nil
		}
	}
	rule.Parts = slices.DeleteFunc(slices.Clone(rule.Parts), func(p Part) bool { return b.redundant(rule.Parts, &p) })
	return rule
}

// add adds a part that is not there.
func (r *Rule) add(p Part) {
	if !slices.ContainsFunc(r.Parts, func(q Part) bool {
		return p.Kind == q.Kind && p.Step == q.Step && (p.Accept == q.Accept || p.readsAs(&q))
	}) {
		r.Parts = append(r.Parts, p)
	}
}

// readsAs reports whether two parts are about the same tuples.
func (p *Part) readsAs(q *Part) bool {
	return p.Accept != nil && q.Accept != nil && p.Relation == q.Relation &&
		p.Accept.Kind == q.Accept.Kind && p.Accept.Wildcard == q.Accept.Wildcard
}

// redundant reports whether another part of a union decides all that this one can decide:
// it reads the same tuples, and the step that they lead to contains this one's. A tuple
// that can have a condition would be a cause of its own beside each of them, so that both
// stay.
func (b *planner) redundant(parts []Part, p *Part) bool {
	if p.Kind != List || !p.Accept.unconditional() {
		return false
	}
	return slices.ContainsFunc(parts, func(q Part) bool {
		return q.Kind == List && q.Step != p.Step && p.readsAs(&q) && b.contentsOf(q.Step)[p.Step]
	})
}

// unconditional reports whether tuples of the kind never have a condition.
func (a *Accept) unconditional() bool {
	return !slices.ContainsFunc(a.Conditions, func(c *Condition) bool { return c != nil })
}

// contentsOf returns the steps of the same object whose members are all members of a step,
// because it is a union of them.
func (b *planner) contentsOf(s *Step) map[*Step]bool {
	if known, ok := b.contents[s.ID]; ok {
		return known
	}
	contents := make(map[*Step]bool)
	for stack := []*Step{s}; len(stack) > 0; {
		step := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for _, alternative := range step.Alternatives {
			if same, ok := alternative.(*Same); ok && !contents[same.Target] {
				contents[same.Target] = true
				stack = append(stack, same.Target)
			}
		}
	}
	if b.contents == nil {
		b.contents = make(map[uint32]map[*Step]bool)
	}
	b.contents[s.ID] = contents
	return contents
}

// expense orders the parts of a rule: what is cheap may decide it.
type expense uint8

const (
	oneRead    expense = iota // of one tuple
	groupReads                // and of lists of groups, whose members are known elsewhere
	farReads                  // and of lists that lead on to other objects
)

func (b *planner) expense(p *Part) expense {
	switch {
	case p.Kind == Lookup:
		return oneRead
	case p.Kind == List && p.Accept.Relation != 0:
		return groupReads
	case p.Kind == List:
		return farReads
	}
	return b.expenseOf(p.Step)
}

// expenseOf returns the expense of a step's dearest part.
func (b *planner) expenseOf(s *Step) expense {
	if known, ok := b.expenses[s.ID]; ok {
		return known
	}
	most := oneRead
	rule := b.written(s)
	for i := range rule.Parts {
		most = max(most, b.expense(&rule.Parts[i]))
	}
	if b.expenses == nil {
		b.expenses = make(map[uint32]expense)
	}
	b.expenses[s.ID] = most
	return most
}
