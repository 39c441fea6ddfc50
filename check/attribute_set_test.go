package check

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-authz/usher/tuples"
)

// Two sets side by side come to the stricter in each place.
func TestJoinOfSets(t *testing.T) {
	i, f, s, yes := tuples.IntValue, tuples.DoubleValue, tuples.StringValue, tuples.BoolValue(true)
	for name, c := range map[string]struct {
		a, b tuples.Attributes
		want string
	}{
		"nothing and nothing":                  {nil, nil, "[]"},
		"nothing and something":                {nil, tuples.Attributes{"watermark": yes}, "[{watermark true}]"},
		"of max_ numbers the smaller":          {tuples.Attributes{"max_size": i(2048)}, tuples.Attributes{"max_size": i(800)}, "[{max_size 800}]"},
		"of min_ numbers the larger":           {tuples.Attributes{"min_age": i(16)}, tuples.Attributes{"min_age": i(18)}, "[{min_age 18}]"},
		"an int and a double, as numbers":      {tuples.Attributes{"max_fps": i(30)}, tuples.Attributes{"max_fps": f(29.97)}, "[{max_fps 29.97}]"},
		"a double beyond all ints":             {tuples.Attributes{"max_size": i(math.MaxInt64)}, tuples.Attributes{"max_size": f(1e300)}, "[{max_size 9223372036854775807}]"},
		"ints that one double would stand for": {tuples.Attributes{"max_size": i(1<<53 + 1)}, tuples.Attributes{"max_size": f(1 << 53)}, "[{max_size 9007199254740992}]"},
		"a whole double is an int":             {tuples.Attributes{"level": f(2)}, tuples.Attributes{"level": i(2)}, "[{level 2}]"},
		"false says nothing":                   {tuples.Attributes{"watermark": tuples.BoolValue(false)}, tuples.Attributes{"max_size": i(1)}, "[{max_size 1}]"},
		"false takes nothing back":             {tuples.Attributes{"watermark": tuples.BoolValue(false)}, tuples.Attributes{"watermark": yes}, "[{watermark true}]"},
		"other values all hold":                {tuples.Attributes{"notice": s("press")}, tuples.Attributes{"notice": s("crew")}, `[{notice "crew"} {notice "press"}]`},
		"numbers of other names all hold":      {tuples.Attributes{"level": i(1)}, tuples.Attributes{"level": f(2.5)}, "[{level 1} {level 2.5}]"},
		"one name, two kinds: both hold":       {tuples.Attributes{"max_size": i(800)}, tuples.Attributes{"max_size": s("thumbnail")}, `[{max_size 800} {max_size "thumbnail"}]`},
		"one name, true and a number":          {tuples.Attributes{"min_age": i(18)}, tuples.Attributes{"min_age": yes}, "[{min_age true} {min_age 18}]"},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := attributeSet(&tuples.Grant{Attributes: c.a}), attributeSet(&tuples.Grant{Attributes: c.b})
			if got := fmt.Sprint(a.join(b)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// Sets form a lattice, whose order within tells.
func TestSetsFormALattice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := drawSet(t), drawSet(t), drawSet(t)
		equal := func(law string, x, y AttributeSet) {
			if !slices.Equal(x, y) {
				t.Fatalf("%s: %v and %v of %v, %v, %v", law, x, y, a, b, c)
			}
		}
		equal("join is commutative", a.join(b), b.join(a))
		equal("join is associative", a.join(b).join(c), a.join(b.join(c)))
		equal("join is idempotent", a.join(a), a)
		equal("nothing is neutral", a.join(nil), a)
		if !slices.IsSortedFunc(a.join(b), Attribute.compare) {
			t.Fatalf("%v is not sorted", a.join(b))
		}
		if a.within(b) != slices.Equal(a.join(b), b) {
			t.Fatalf("%v within %v is %t, their join %v", a, b, a.within(b), a.join(b))
		}
		if a.within(b) && b.within(a) != slices.Equal(a, b) {
			t.Fatalf("%v and %v are within each other", a, b)
		}
	})
}

// Of the sets added to it an antichain keeps those that no other betters, whatever the
// order in which they come.
func TestAntichainKeepsTheBest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var added []AttributeSet
		var chain antichain
		for range rapid.IntRange(0, 12).Draw(t, "sets") {
			set := drawSet(t)
			added = append(added, set)
			before := slices.Clone(chain)
			if changed := chain.add(set); changed == slices.EqualFunc(before, chain, slices.Equal) {
				t.Fatalf("add of %v to %v tells %t", set, before, changed)
			}
		}
		var best []AttributeSet
		for _, set := range added {
			beaten := slices.ContainsFunc(added, func(s AttributeSet) bool { return s.within(set) && !set.within(s) })
			if !beaten {
				best = append(best, set)
			}
		}
		slices.SortFunc(best, AttributeSet.compare)
		slices.SortFunc(chain, AttributeSet.compare)
		if best = slices.CompactFunc(best, slices.Equal); !slices.EqualFunc(best, chain, slices.Equal) {
			t.Fatalf("of %v it keeps %v, want %v", added, chain, best)
		}
	})
}

// drawSet draws the set of a tuple, or the join of two: with several values of one name.
func drawSet(t *rapid.T) AttributeSet {
	value := rapid.OneOf(
		rapid.Map(rapid.Bool(), tuples.BoolValue),
		rapid.Map(rapid.SampledFrom([]int64{-1, 0, 2, 3, 1 << 53, 1<<53 + 1, math.MaxInt64}), tuples.IntValue),
		rapid.Map(rapid.SampledFrom([]float64{-0.5, math.Copysign(0, -1), 2, 2.5, 1 << 53, 1e300}), tuples.DoubleValue),
		rapid.Map(rapid.SampledFrom([]string{"", "x", "y"}), tuples.StringValue),
	)
	attributes := rapid.MapOfN(rapid.SampledFrom([]string{"max_size", "min_age", "watermark"}), value, 0, 3)
	draw := func() AttributeSet {
		return attributeSet(&tuples.Grant{Attributes: attributes.Draw(t, "attributes")})
	}
	if rapid.Bool().Draw(t, "joined") {
		return draw().join(draw())
	}
	return draw()
}
