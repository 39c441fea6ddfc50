package reference

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/usher-authz/usher/tuples"
)

// Attributes tells under which restrictions a subject has a relation to an object
// (requirement D9), as text such as "max_size=2 watermark=true", sorted: one for each way
// in which it surely has it, without ways that are more restricted than another. "" is no
// restriction.
func (spec *Spec) Attributes(on tuples.Userset, s tuples.Subject) []string {
	ways, ok := spec.ways[s]
	if !ok {
		ways = spec.solution(s).ways()
		spec.ways[s] = ways
	}
	var texts []string
	for _, way := range ways[on] {
		texts = append(texts, way.String())
	}
	return texts
}

// ways are the restrictions under which the subject is in each userset: what the rules
// come to, starting from no way at all, until nothing is added.
func (sol solution) ways() map[tuples.Userset][]restrictions {
	known := map[tuples.Userset][]restrictions{}
	for grown := true; grown; {
		grown = false
		for on, rule := range sol.rules {
			ways := best(sol.waysOf(rule, known))
			if !slices.EqualFunc(ways, known[on], maps.Equal) {
				known[on], grown = ways, true
			}
		}
	}
	return known
}

// waysOf gives the ways in which a formula surely holds.
func (sol solution) waysOf(f formula, known map[tuples.Userset][]restrictions) []restrictions {
	switch f := f.(type) {
	case and:
		all := []restrictions{{}}
		for _, part := range f {
			var both []restrictions
			for _, a := range all {
				for _, b := range sol.waysOf(part, known) {
					both = append(both, a.and(b))
				}
			}
			all = best(both)
		}
		return all
	case or:
		var each []restrictions
		for _, part := range f {
			each = append(each, sol.waysOf(part, known)...)
		}
		return each
	case member:
		return known[f.Userset]
	case not:
		if !sol.possible[f.Userset] {
			return []restrictions{{}}
		}
		return nil
	case open:
		return nil // perhaps it holds
	case restrictions:
		return []restrictions{f}
	}
	panic(fmt.Sprintf("reference: unknown formula %T", f))
}

// restrictions hold together. As a formula they always hold.
type restrictions map[restriction]bool

// restriction is an attribute with its value: a number as a fraction in lowest terms, so
// that 2 and 2.0 are the same, and anything else as JSON.
type restriction struct{ name, value string }

// restrictionsOf are those of a tuple. An attribute that is false asks for nothing.
func restrictionsOf(t tuples.Tuple) restrictions {
	found := restrictions{}
	for name, v := range t.Attributes {
		value := v.String()
		if number, ok := new(big.Rat).SetString(value); ok {
			value = number.RatString()
		}
		if value != "false" {
			found[restriction{name, value}] = true
		}
	}
	return found
}

// implies reports whether whoever keeps to r keeps to q.
func (r restriction) implies(q restriction) bool {
	x, number := new(big.Rat).SetString(r.value)
	y, numbers := new(big.Rat).SetString(q.value)
	switch {
	case r.name != q.name:
		return false
	case number && numbers && strings.HasPrefix(r.name, "max_"):
		return x.Cmp(y) <= 0
	case number && numbers && strings.HasPrefix(r.name, "min_"):
		return x.Cmp(y) >= 0
	}
	return r.value == q.value
}

// imply reports whether whoever keeps to all of a keeps to all of b.
func (a restrictions) imply(b restrictions) bool {
	for q := range b {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(a)), func(r restriction) bool { return r.implies(q) }) {
			return false
		}
	}
	return true
}

// and returns the restrictions of both, without those that another one implies.
func (a restrictions) and(b restrictions) restrictions {
	both := maps.Clone(a)
	maps.Copy(both, b)
	for q := range both {
		others := maps.Clone(both)
		delete(others, q)
		if others.imply(restrictions{q: true}) {
			delete(both, q)
		}
	}
	return both
}

// String lists the restrictions, sorted.
func (a restrictions) String() string {
	var texts []string
	for r := range a {
		texts = append(texts, r.name+"="+r.value)
	}
	slices.Sort(texts)
	return strings.Join(texts, " ")
}

// best returns the ways that are not more restricted than another, sorted by their text.
func best(ways []restrictions) []restrictions {
	var kept []restrictions
	for _, way := range ways {
		if slices.ContainsFunc(kept, way.imply) {
			continue
		}
		kept = append(slices.DeleteFunc(kept, func(k restrictions) bool { return k.imply(way) }), way)
	}
	slices.SortFunc(kept, func(a, b restrictions) int { return strings.Compare(a.String(), b.String()) })
	return kept
}
