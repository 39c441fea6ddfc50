package check

import (
	"cmp"
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/usher-authz/usher/tuples"
)

// AttributeSet is restrictions that hold together (requirement D9), sorted by name, then
// by value. The empty set restricts nothing. Sets are points of a product lattice, in
// which a stricter set is the higher one; it has a place for
//
//	a name that begins with "max_"   if its value is a number: the smaller is stricter
//	a name that begins with "min_"   if its value is a number: the larger is stricter
//	a name whose value is true       as in watermark=true; false says the same as nothing
//	any other value of a name        such as format="jpeg": each restricts, more are stricter
//
// Numbers count as numbers: 2 and 2.0 are one value, and a whole one is an int here.
// Values of one name that differ in kind have places of their own: max_size=800 and
// max_size="thumbnail" hold together.
type AttributeSet []Attribute

// Attribute is one restriction.
type Attribute struct {
	Name  string
	Value tuples.Value
}

// attributeSet returns what a tuple's grant adds to an answer.
func attributeSet(g *tuples.Grant) AttributeSet {
	if g == nil {
		return nil
	}
	var s AttributeSet
	for name, v := range g.Attributes {
		if v != tuples.BoolValue(false) {
			s = append(s, Attribute{Name: name, Value: whole(v)})
		}
	}
	slices.SortFunc(s, Attribute.compare)
	return s
}

// restricts reports whether a grant's attribute set is not empty.
func restricts(g *tuples.Grant) bool {
	if g == nil {
		return false
	}
	for _, v := range g.Attributes {
		if v != tuples.BoolValue(false) {
			return true
		}
	}
	return false
}

// whole returns a double that is a whole number as the int that it equals.
func whole(v tuples.Value) tuples.Value {
	if f := v.Double(); v.Kind() == tuples.KindDouble && f == math.Trunc(f) && f >= math.MinInt64 && f < math.MaxInt64 {
		return tuples.IntValue(int64(f))
	}
	return v
}

// join returns what holds if both sets do: the least set that is as strict as either.
func (s AttributeSet) join(t AttributeSet) AttributeSet {
	if len(s) == 0 {
		return t
	}
	if len(t) == 0 {
		return s
	}
	joined := make(AttributeSet, 0, len(s)+len(t))
	for len(s) > 0 && len(t) > 0 {
		switch c := s[0].comparePlace(t[0]); {
		case c < 0:
			joined, s = append(joined, s[0]), s[1:]
		case c > 0:
			joined, t = append(joined, t[0]), t[1:]
		default:
			stricter := s[0]
			if stricter.within(t[0]) {
				stricter = t[0]
			}
			joined, s, t = append(joined, stricter), s[1:], t[1:]
		}
	}
	return append(append(joined, s...), t...)
}

// within reports whether s is at most as strict as t: whatever t allows, s does.
func (s AttributeSet) within(t AttributeSet) bool {
	for len(s) > 0 {
		if len(t) == 0 {
			return false
		}
		switch c := s[0].comparePlace(t[0]); {
		case c < 0:
			return false
		case c == 0 && !s[0].within(t[0]):
			return false
		case c == 0:
			s = s[1:]
		}
		t = t[1:]
	}
	return true
}

func (s AttributeSet) compare(t AttributeSet) int { return slices.CompareFunc(s, t, Attribute.compare) }

// sense says which way a value restricts.
type sense uint8

const (
	byItself sense = iota
	atMost
	atLeast
)

func (a Attribute) sense() sense {
	if rank(a.Value) != rankNumber {
		return byItself
	}
	switch {
	case strings.HasPrefix(a.Name, "max_"):
		return atMost
	case strings.HasPrefix(a.Name, "min_"):
		return atLeast
	}
	return byItself
}

// within reports whether a is at most as strict as b, which has the same place.
func (a Attribute) within(b Attribute) bool {
	switch a.sense() {
	case atMost:
		return compareValues(a.Value, b.Value) >= 0
	case atLeast:
		return compareValues(a.Value, b.Value) <= 0
	}
	return true // the same value
}

// compare orders attributes by name and value.
func (a Attribute) compare(b Attribute) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), compareValues(a.Value, b.Value))
}

// comparePlace orders the places that attributes have in a set as [Attribute.compare]
// orders attributes; 0 if a and b have the same.
func (a Attribute) comparePlace(b Attribute) int {
	if a.Name == b.Name && a.sense() != byItself && b.sense() != byItself {
		return 0
	}
	return a.compare(b)
}

// compareValues orders truth values before numbers before texts. True is the only truth
// value in a set.
func compareValues(v, w tuples.Value) int {
	switch c := cmp.Compare(rank(v), rank(w)); {
	case c != 0:
		return c
	case rank(v) == rankNumber:
		return compareNumbers(v, w)
	}
	return strings.Compare(v.Text(), w.Text())
}

const (
	rankTruth = iota
	rankNumber
	rankText
)

func rank(v tuples.Value) int {
	switch v.Kind() {
	case tuples.KindInt, tuples.KindDouble:
		return rankNumber
	case tuples.KindString:
		return rankText
	}
	return rankTruth
}

// compareNumbers is exact: as a float64, large ints could not be told apart.
func compareNumbers(v, w tuples.Value) int {
	switch {
	case v.Kind() != w.Kind():
		return float(v).Cmp(float(w))
	case v.Kind() == tuples.KindInt:
		return cmp.Compare(v.Int(), w.Int())
	}
	return cmp.Compare(v.Double(), w.Double())
}

func float(v tuples.Value) *big.Float {
	if v.Kind() == tuples.KindInt {
		return new(big.Float).SetInt64(v.Int())
	}
	return big.NewFloat(v.Double())
}
