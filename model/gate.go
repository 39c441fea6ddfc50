package model

// Gate is how a walk from subjects up to objects passes a step that combines operands: an
// "and", or a "but not".
type Gate struct {
	// Circular says that an operand depends on the step itself, so that it cannot be worked
	// out before the step is.
	Circular bool
	// Driver is the operand whose members are the candidates for the step's: the one that
	// depends on the step if there is one, so that the walk goes round through it. That is
	// never the second operand of an exclusion, of which no member comes.
	Driver int
	// Apart tells, by operand, which do not depend on the step.
	Apart []bool
}

// deriveGates fills [Step.Gate].
func (c *compiler) deriveGates() {
	asked := func(s *Step) []*Step { return append(s.Supports(), s.Operands...) }
	circles := components(c.program.Steps, asked)
	for _, step := range c.program.Steps {
		if step.Op == OpUnion {
			continue
		}
		step.Gate = &Gate{Apart: make([]bool, len(step.Operands))}
		for i, operand := range step.Operands {
			// A step depends on its operands: one in the same circle depends on it.
			step.Gate.Apart[i] = circles[operand] != circles[step]
			if !step.Gate.Apart[i] && !step.Gate.Circular {
				step.Gate.Circular = true
				if step.Op == OpIntersection {
					step.Gate.Driver = i
				}
			}
		}
	}
}
