package index

import (
	"slices"
	"time"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// Closure is the usersets that one subject is in, directly or not, at one revision, as far as
// unconditional tuples without expiry decide it (Zanzibar section 3.2.5). It is immutable.
type Closure struct {
	ladder   *ladder
	subject  tuples.Node
	relation tuples.Symbol // 0 of a plain subject
	revision tuples.Revision
	now      time.Time
	groups   []group
	large    bool // there are more than maxClosure; groups is empty
	bytes    int64
}

// isOf reports whether it is a closure, and that of a subject.
func (c *Closure) isOf(subject tuples.Node, relation tuples.Symbol) bool {
	return c != nil && c.subject == subject && c.relation == relation
}

// orNil returns nil for a closure that is too large.
func (c *Closure) orNil() *Closure {
	if c.large {
		return nil
	}
	return c
}

// group is the objects in a step of which the subject is.
type group struct {
	step uint32
	// sure are those where it surely is; maybe those that a tuple with a condition or an
	// expiry leads to. Both ascend, and none is in both.
	sure, maybe []tuples.Node
}

// Membership is what a closure knows.
type Membership uint8

const (
	// Unknown memberships are not for a closure to decide: a condition, an expiry, an "and"
	// or a "but not" is on the way, or the step is none that closures hold.
	Unknown Membership = iota
	// In says that the subject is in the userset.
	In
	// Out says that it is not, and would not be with any context, or later.
	Out
)

// String returns "unknown", "in" or "out".
func (m Membership) String() string { return [...]string{"unknown", "in", "out"}[m] }

// In says whether the subject is in a step of an object. It costs a binary search.
func (c *Closure) In(object tuples.Node, step *model.Step) Membership {
	if g := c.group(step); g != nil {
		if _, found := slices.BinarySearch(g.sure, object); found {
			return In
		}
		if _, found := slices.BinarySearch(g.maybe, object); found {
			return Unknown
		}
	}
	if c.ladder.rungs[step.ID] == whole {
		return Out
	}
	return Unknown
}

// Candidates returns the objects in a step of which the subject can be: surely is, or may be.
// Both ascend, and are not to be changed. all says that there are no others.
func (c *Closure) Candidates(step *model.Step) (sure, maybe []tuples.Node, all bool) {
	all = c.ladder.rungs[step.ID] == whole
	if g := c.group(step); g != nil {
		return g.sure, g.maybe, all
	}
	return nil, nil, all
}

// Groups returns the objects in a step of which the subject surely is, in ascending order. The
// list is not to be changed.
func (c *Closure) Groups(step *model.Step) []tuples.Node {
	if g := c.group(step); g != nil {
		return g.sure
	}
	return nil
}

func (c *Closure) group(step *model.Step) *group {
	for i := range c.groups { // there are few kinds of groups
		if c.groups[i].step == step.ID {
			return &c.groups[i]
		}
	}
	return nil
}

const (
	sizeOfClosure = 120
	sizeOfGroup   = 56
)

// maxClosure is how many memberships a closure has at most: half a MiB. Whoever has more is
// remembered as such.
const maxClosure = 1 << 16
