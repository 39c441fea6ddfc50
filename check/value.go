package check

import (
	"slices"

	"github.com/usher-authz/usher/tuples"
)

// truth is what an atom came to. While its component is being worked on, an atom
// is pending; afterwards it is one of the other three.
type truth uint8

const (
	pending truth = iota
	no
	yes
	// open: neither, for want of context, for a failed condition, or in a paradox.
	open
)

// value is a truth and, where it is open, what keeps it so.
type value struct {
	truth  truth
	causes *causes // nil unless open; nil with open is a paradox
}

// causes is why a value is open. It is immutable.
type causes struct {
	missing []string // names of missing condition parameters, sorted
	failed  *failure // the least of the failed conditions
}

// failure is one condition that could not be evaluated.
type failure struct {
	tuple     tuples.EdgeKey
	condition string
	err       error
}

// join returns all causes of both.
func (c *causes) join(d *causes) *causes {
	switch {
	case c == nil || c == d:
		return d
	case d == nil || c.covers(d):
		return c
	}
	missing := slices.Concat(c.missing, d.missing)
	slices.Sort(missing)
	return &causes{missing: slices.Compact(missing), failed: lesser(c.failed, d.failed)}
}

// covers reports whether joining d adds nothing.
func (c *causes) covers(d *causes) bool {
	if lesser(c.failed, d.failed) != c.failed {
		return false
	}
	for _, name := range d.missing {
		if _, found := slices.BinarySearch(c.missing, name); !found {
			return false
		}
	}
	return true
}

// lesser picks the failure that is reported, so that the order in which failures
// are met does not show.
func lesser(a, b *failure) *failure {
	switch {
	case a == nil:
		return b
	case b == nil || compareEdgeKeys(a.tuple, b.tuple) <= 0:
		return a
	}
	return b
}

// and returns the value of "v and w", in strong Kleene logic.
func (v value) and(w value) value {
	switch {
	case v.truth == no || w.truth == no:
		return value{truth: no}
	case w.truth == yes:
		return v
	case v.truth == yes:
		return w
	}
	return value{truth: open, causes: v.causes.join(w.causes)}
}

// or returns the value of "v or w", in strong Kleene logic.
func (v value) or(w value) value {
	switch {
	case v.truth == yes || w.truth == yes:
		return value{truth: yes}
	case w.truth == no:
		return v
	case v.truth == no:
		return w
	}
	return value{truth: open, causes: v.causes.join(w.causes)}
}

// not returns the value of "not v".
func (v value) not() value {
	switch v.truth {
	case yes:
		return value{truth: no}
	case no:
		return value{truth: yes}
	}
	return v
}
