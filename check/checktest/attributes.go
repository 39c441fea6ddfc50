package checktest

import (
	"pgregory.net/rapid"

	"github.com/usher-authz/usher/tuples"
)

// RestrictedCases generates cases as [Cases] does, with attributes for most of their
// tuples: few names and values, so that sets are often comparable and often not.
func RestrictedCases() *rapid.Generator[Case] {
	return rapid.Custom(func(t *rapid.T) Case {
		c := drawCase(t)
		for _, commit := range c.Commits {
			for i := range commit {
				if commit[i].Op != tuples.OpDelete {
					commit[i].Tuple.Attributes = drawAttributes(t)
				}
			}
		}
		for i := range c.Contextual {
			c.Contextual[i].Attributes = drawAttributes(t)
		}
		return c
	})
}

// drawAttributes draws up to three attributes, of every sense that a name can have and
// of every kind of value.
func drawAttributes(t *rapid.T) tuples.Attributes {
	drawn := tuples.Attributes{}
	for range roll(t, 4) {
		switch roll(t, 6) {
		case 0, 1:
			drawn["max_size"] = pick(t, []tuples.Value{
				tuples.IntValue(1), tuples.IntValue(2), tuples.DoubleValue(2), tuples.DoubleValue(1.5), tuples.StringValue("small"),
			})
		case 2:
			drawn["min_age"] = pick(t, []tuples.Value{tuples.IntValue(16), tuples.DoubleValue(17.5), tuples.IntValue(18)})
		case 3, 4:
			drawn["watermark"] = pick(t, []tuples.Value{tuples.BoolValue(true), tuples.BoolValue(true), tuples.BoolValue(false)})
		case 5:
			drawn["notice"] = pick(t, []tuples.Value{tuples.StringValue("press"), tuples.StringValue("private"), tuples.IntValue(3)})
		}
	}
	return drawn
}
