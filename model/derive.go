package model

import "slices"

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
	for _, step := range c.program.Steps {
		step.reaches = make(map[Kind]bool)
		if step.Root {
			step.reaches[Kind{step.Type, step.Relation}] = true
		}
		for _, alternative := range step.Alternatives {
			if direct, ok := alternative.(*Direct); ok {
				for _, a := range direct.Plain {
					step.reaches[a.Kind] = true
				}
			}
		}
	}
	c.untilStable(func(step *Step) bool {
		before := len(step.reaches)
		switch step.Op {
		case OpUnion:
			for _, below := range step.Supports() {
				step.addReach(below)
			}
		case OpIntersection:
			step.addCommonReach()
		case OpExclusion:
			step.addReach(step.Operands[0])
		}
		return len(step.reaches) > before
	})
}

func (s *Step) addReach(from *Step) {
	for kind := range from.reaches {
		s.reaches[kind] = true
	}
}

func (s *Step) addCommonReach() {
	for kind := range s.Operands[0].reaches {
		common := true
		for _, operand := range s.Operands[1:] {
			common = common && operand.reaches[kind]
		}
		if common {
			s.reaches[kind] = true
		}
	}
}

// untilStable applies change to every step until it changes none.
func (c *compiler) untilStable(change func(*Step) bool) {
	for changed := true; changed; {
		changed = false
		for _, step := range c.program.Steps {
			if change(step) {
				changed = true
			}
		}
	}
}
