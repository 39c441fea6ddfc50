package model

import (
	"slices"

	"github.com/bits-and-blooms/bitset"
)

// deriveUses turns every way down into a way up. The second operand of an
// exclusion leads nowhere: nobody is a member for being in it.
func (c *compiler) deriveUses() {
	for _, step := range c.program.Steps {
		for _, alternative := range step.Alternatives {
			switch s := alternative.(type) {
			case *Direct:
				for i := range s.Usersets {
					a := &s.Usersets[i]
					a.Target.Uses = append(a.Target.Uses, Use{Step: step, Via: a, Relation: step.Relation})
				}
			case *Same:
				s.Target.Uses = append(s.Target.Uses, Use{Step: step})
			case *FromTupleset:
				for i := range s.Objects {
					a := &s.Objects[i]
					a.Target.Uses = append(a.Target.Uses, Use{Step: step, Via: a, Relation: s.Tupleset})
				}
			}
		}
		for _, operand := range step.supporting() {
			operand.Uses = append(operand.Uses, Use{Step: step})
		}
	}
}

// supporting returns the operands that can make a subject a member.
func (s *Step) supporting() []*Step {
	if s.Op == OpExclusion {
		return s.Operands[:1]
	}
	return s.Operands
}

// Supports returns the steps of which a subject must be in one at least to be in
// this one.
func (s *Step) Supports() []*Step {
	steps := slices.Clone(s.supporting())
	for _, alternative := range s.Alternatives {
		switch a := alternative.(type) {
		case *Direct:
			for _, accept := range a.Usersets {
				steps = append(steps, accept.Target)
			}
		case *Same:
			steps = append(steps, a.Target)
		case *FromTupleset:
			for _, accept := range a.Objects {
				steps = append(steps, accept.Target)
			}
		}
	}
	return steps
}

// deriveReach finds which kinds of subject can be members of each step: the least
// sets that hold each step's own kinds and those of what it asks. A userset is a
// member of itself.
func (c *compiler) deriveReach() {
	kinds := c.kinds()
	c.program.kinds = kinds
	for _, step := range c.program.Steps {
		step.kinds, step.reaches = kinds, bitset.New(uint(len(kinds)))
		for _, kind := range step.ownKinds() {
			step.reaches.Set(kinds[kind])
		}
	}
	// The last that grew goes first, so that a kind travels a chain in one go.
	stack := slices.Clone(c.program.Steps)
	waiting := make([]bool, len(stack))
	for len(stack) > 0 {
		step := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		waiting[step.ID] = false
		for _, use := range step.Uses {
			if use.Step.growBy(step) && !waiting[use.Step.ID] {
				waiting[use.Step.ID] = true
				stack = append(stack, use.Step)
			}
		}
	}
}

// kinds numbers all kinds of subject that the model knows.
func (c *compiler) kinds() map[Kind]uint {
	kinds := make(map[Kind]uint)
	for _, step := range c.program.Steps {
		for _, kind := range step.ownKinds() {
			if _, known := kinds[kind]; !known {
				kinds[kind] = uint(len(kinds))
			}
		}
	}
	return kinds
}

// ownKinds returns the kinds of subject that are in the step without another step.
func (s *Step) ownKinds() []Kind {
	var kinds []Kind
	if s.Root {
		kinds = append(kinds, Kind{s.Type, s.Relation})
	}
	for _, alternative := range s.Alternatives {
		if direct, ok := alternative.(*Direct); ok {
			for _, accept := range direct.Plain {
				kinds = append(kinds, accept.Kind)
			}
		}
	}
	return kinds
}

// growBy adds what a step reaches to one that it leads to, and reports whether that
// was news. Into an intersection only what all operands reach gets.
func (s *Step) growBy(below *Step) bool {
	before := s.reaches.Count()
	reached := below.reaches
	if s.Op == OpIntersection {
		reached = s.Operands[0].reaches.Clone()
		for _, operand := range s.Operands[1:] {
			reached.InPlaceIntersection(operand.reaches)
		}
	}
	s.reaches.InPlaceUnion(reached)
	return s.reaches.Count() > before
}
