package reference

import (
	"fmt"
	"maps"
	"slices"

	"github.com/usher-authz/usher/tuples"
)

// Outcome is how a question ends.
type Outcome string

const (
	Denied      Outcome = "denied"
	Allowed     Outcome = "allowed"
	Conditional Outcome = "conditional" // it depends on parameters that nobody gave
	Failed      Outcome = "failed"      // it depends on a condition that failed to evaluate
)

// Answer is an outcome and what it depends on.
type Answer struct {
	Outcome Outcome
	Missing []string     // of a Conditional: names of parameters, sorted
	Failed  []tuples.Key // of a Failed: the tuples whose conditions failed, sorted
}

// Check tells whether a subject has a relation to an object.
//
// The subject is surely in the userset, or not even possibly, or it is open. What
// is open waits for its causes: a failed condition fails the question, else missing
// parameters make it conditional; a bare paradox ("in, but not if in") is denied.
func (spec *Spec) Check(on tuples.Userset, s tuples.Subject) Answer {
	sol := spec.solution(s)
	switch {
	case sol.sure[on]:
		return Answer{Outcome: Allowed}
	case !sol.possible[on]:
		return Answer{Outcome: Denied}
	}
	why := sol.causes(member{on}, set{})
	slices.SortFunc(why.failed, tuples.Key.Compare)
	slices.Sort(why.missing)
	switch {
	case len(why.failed) > 0:
		return Answer{Outcome: Failed, Failed: slices.Compact(why.failed)}
	case len(why.missing) > 0:
		return Answer{Outcome: Conditional, Missing: slices.Compact(why.missing)}
	}
	return Answer{Outcome: Denied}
}

// solution returns the rules of a subject and what they come to.
func (spec *Spec) solution(s tuples.Subject) solution {
	sol, ok := spec.solved[s]
	if !ok {
		sol = solve(spec.ground(s))
		spec.solved[s] = sol
	}
	return sol
}

// set is a set of usersets: those that the subject is in.
type set map[tuples.Userset]bool

// solution is the well-founded model of a subject's rules.
type solution struct {
	rules          rules
	sure, possible set
}

// solve takes the alternating fixpoint (Van Gelder, "The alternating fixpoint of
// logic programs with negation", PODS 1989): the most that is possible follows from
// the least that is sure, and the least that is sure from the most that is possible,
// until nothing is added.
func solve(all rules) solution {
	sol := solution{rules: all, sure: set{}}
	for {
		sol.possible = least(all, reading{others: sol.sure, open: true})
		sure := least(all, reading{others: sol.possible, open: false})
		if maps.Equal(sure, sol.sure) {
			return sol
		}
		sol.sure = sure
	}
}

// least is the least set that the rules are closed under: who would be in by a
// cycle alone is out.
func least(all rules, r reading) set {
	r.in = set{}
	for grown := true; grown; {
		grown = false
		for on, rule := range all {
			if !r.in[on] && r.holds(rule) {
				r.in[on], grown = true, true
			}
		}
	}
	return r.in
}

// reading is one of the two readings of a formula: what is sure at least, or what is
// possible at most.
type reading struct {
	in     set  // the usersets that the subject is in, by this reading
	others set  // the same by the other reading: what "but not" looks at
	open   bool // whether open conditions hold
}

func (r reading) holds(f formula) bool {
	switch f := f.(type) {
	case and:
		return !slices.ContainsFunc(f, func(part formula) bool { return !r.holds(part) })
	case or:
		return slices.ContainsFunc(f, r.holds)
	case member:
		return r.in[f.Userset]
	case not:
		return !r.others[f.Userset]
	case open:
		return r.open
	case restrictions:
		return true
	}
	panic(fmt.Sprintf("reference: unknown formula %T", f))
}

// undecided reports whether the two readings of a formula differ. This makes and,
// or and not those of strong Kleene logic: what one part decides waits for no other.
func (sol solution) undecided(f formula) bool {
	return reading{in: sol.possible, others: sol.sure, open: true}.holds(f) &&
		!reading{in: sol.sure, others: sol.possible, open: false}.holds(f)
}

// causes are the open conditions that an undecided formula waits for: those of
// its undecided parts. Parts that are decided contribute nothing.
func (sol solution) causes(f formula, seen set) open {
	if !sol.undecided(f) {
		return open{}
	}
	var parts []formula
	switch f := f.(type) {
	case open:
		return f
	case and:
		parts = f
	case or:
		parts = f
	case member:
		parts = sol.once(f.Userset, seen)
	case not:
		parts = sol.once(f.Userset, seen)
	}
	var all open
	for _, part := range parts {
		found := sol.causes(part, seen)
		all.missing = append(all.missing, found.missing...)
		all.failed = append(all.failed, found.failed...)
	}
	return all
}

// once returns the rule of a userset, the first time that it is asked for.
func (sol solution) once(on tuples.Userset, seen set) []formula {
	if seen[on] {
		return nil
	}
	seen[on] = true
	return []formula{sol.rules[on]}
}
