package check

import (
	"context"

	"github.com/usher-authz/usher/model"
)

// arrivals are the objects that wait at a gate.
type arrivals struct {
	gate    *model.Step
	waiting nodeSet
}

// gate returns where objects wait for a step.
func (c *climb) gate(step *model.Step) *arrivals {
	for _, a := range c.arrived {
		if a.gate == step {
			return a
		}
	}
	a := &arrivals{gate: step}
	c.arrived = append(c.arrived, a)
	return a
}

// waits reports whether objects wait at gates.
func (c *climb) waits() bool {
	for _, a := range c.arrived {
		if len(a.waiting.words) > 0 {
			return true
		}
	}
	return false
}

// openGates lets the objects that wait at gates through, as far as the other operands
// allow.
func (c *climb) openGates(ctx context.Context) error {
	for _, a := range c.arrived {
		if len(a.waiting.words) == 0 {
			continue
		}
		set := a.waiting
		a.waiting = nodeSet{}
		rest, err := c.sift(ctx, a.gate, &set, a.gate.Gate.Driver)
		if err != nil {
			return err
		}
		if err := c.solveRest(ctx, a.gate, &set, rest); err != nil {
			return err
		}
		c.reachSet(a.gate, &set)
	}
	return nil
}
