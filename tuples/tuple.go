package tuples

import (
	"strings"
	"time"
)

// Key is a tuple's identity. A store holds at most one live tuple of a key.
type Key struct {
	Object   Object
	Relation Relation
	Subject  Subject
}

// String returns the text form, "media:logo#viewer@user:anna".
func (k Key) String() string {
	return k.Object.String() + "#" + string(k.Relation) + "@" + k.Subject.String()
}

// Compare orders keys bytewise by object, relation, subject.
func (k Key) Compare(l Key) int {
	if c := k.Object.Compare(l.Object); c != 0 {
		return c
	}
	if c := strings.Compare(string(k.Relation), string(l.Relation)); c != 0 {
		return c
	}
	return k.Subject.Compare(l.Subject)
}

// Tuple is one relation tuple: its identity and what limits or decorates the grant.
type Tuple struct {
	Key
	Grant
}

// Grant is what a tuple says beyond its identity. The zero Grant is an
// unconditional grant for ever.
type Grant struct {
	// Condition must hold for the tuple to count; nil for no condition.
	Condition *Condition
	// Expires is the time from which on the tuple counts as absent, in whole
	// milliseconds UTC; the zero time for never. Requirements B4, D9.
	Expires time.Time
	// Attributes are small typed values that an allowed answer can return,
	// such as max_image_size=2048. Requirement D9.
	Attributes Attributes
}

// IsZero reports whether the grant is unconditional, without end and bare.
func (g Grant) IsZero() bool {
	return g.Condition == nil && g.Expires.IsZero() && len(g.Attributes) == 0
}

// ExpiredAt reports whether the tuple counts as absent at time t.
func (g Grant) ExpiredAt(t time.Time) bool {
	return !g.Expires.IsZero() && !t.Before(g.Expires)
}

// Equal reports whether two grants say the same.
func (g Grant) Equal(h Grant) bool {
	return g.Expires.Equal(h.Expires) && g.Condition.Equal(h.Condition) && g.Attributes.Equal(h.Attributes)
}

// Condition names a condition of the model and gives part of its parameters.
type Condition struct {
	Name    string
	Context Context
}

// Equal reports whether two references name the same condition with the same context.
func (c *Condition) Equal(d *Condition) bool {
	if c == nil || d == nil {
		return c == d
	}
	return c.Name == d.Name && c.Context.Equal(d.Context)
}
