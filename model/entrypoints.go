package model

import (
	"slices"
	"strings"
)

// validateEntrypoints refuses relations that no tuple can ever grant, and relations
// that follow from each other in a circle. It needs a model whose references are defined.
func validateEntrypoints(m *Model, r *report) {
	entered := entrypoints(m)
	circles := components(m.nodes(), m.computed)
	size := make(map[int]int)
	for _, component := range circles {
		size[component]++
	}
	reported := make(map[int]bool)
	for _, n := range m.nodes() {
		component := circles[n]
		switch {
		case size[component] > 1 && !reported[component]:
			reported[component] = true
			r.errorf(n.relation.Pos, "let one of them stand without the others",
				"%s#%s follows from itself: %s", n.typ.Name, n.relation.Name, circle(m, n, circles))
		case size[component] == 1 && !entered[n.relation]:
			r.errorf(n.relation.Pos, "add direct types that lead to it, as in [user]",
				"%s#%s has no entrypoint: no tuple leads to %s", n.typ.Name, n.relation.Name, Format(blame(m, n, n.relation.Rewrite, entered), n.relation.Direct))
		}
	}
}

// circle writes out a way from a relation back to itself, "a → b → a".
func circle(m *Model, start node, component map[node]int) string {
	previous := map[node]node{}
	queue := []node{start}
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		for _, next := range m.computed(n) {
			if next == start {
				return written(start, n, previous)
			}
			if _, seen := previous[next]; !seen && component[next] == component[start] {
				previous[next] = n
				queue = append(queue, next)
			}
		}
	}
	panic("model: a component without a circle")
}

// written follows the way back from last to start.
func written(start, last node, previous map[node]node) string {
	names := []string{string(start.relation.Name)}
	for n := last; n != start; n = previous[n] {
		names = append(names, string(n.relation.Name))
	}
	names = append(names, string(start.relation.Name))
	slices.Reverse(names)
	return strings.Join(names, " → ")
}

// entrypoints returns the relations that some tuples can make hold: the least set
// closed under the rewrites, in which both sides of "and" and of "but not" count: as
// OpenFGA does, it refuses "[user] but not viewer from parent" for viewer itself,
// although that could hold.
func entrypoints(m *Model) map[*Relation]bool {
	queue := m.nodes()
	dependents := make(map[node][]node)
	for _, n := range queue {
		for _, reference := range m.references(n, n.relation.Rewrite) {
			dependents[reference] = append(dependents[reference], n)
		}
	}
	entered := make(map[*Relation]bool)
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		if !entered[n.relation] && enters(m, n, n.relation.Rewrite, entered) {
			entered[n.relation] = true
			queue = append(queue, dependents[n]...)
		}
	}
	return entered
}

// blame returns the part of an expression for which it does not enter.
func blame(m *Model, n node, rewrite Rewrite, entered map[*Relation]bool) Rewrite {
	switch rewrite.(type) {
	case Intersection, Exclusion:
		for _, operand := range operands(rewrite) {
			if !enters(m, n, operand, entered) {
				return blame(m, n, operand, entered)
			}
		}
	}
	return rewrite
}

// enters reports whether an expression of a relation can hold, given the relations
// that can.
func enters(m *Model, n node, rewrite Rewrite, entered map[*Relation]bool) bool {
	holds := func(operand Rewrite) bool { return enters(m, n, operand, entered) }
	fails := func(operand Rewrite) bool { return !holds(operand) }
	switch rw := rewrite.(type) {
	case This:
		return slices.ContainsFunc(n.relation.Direct, func(r Restriction) bool {
			return r.Relation == "" || entered[m.Relation(r.Type, r.Relation)]
		})
	case ComputedUserset:
		return entered[n.typ.Relation(rw.Relation)]
	case TupleToUserset:
		return slices.ContainsFunc(n.typ.Relation(rw.Tupleset).Direct, func(r Restriction) bool {
			return entered[m.Relation(r.Type, rw.Computed)]
		})
	case Union:
		return slices.ContainsFunc(rw.Operands, holds)
	case Intersection:
		return !slices.ContainsFunc(rw.Operands, fails)
	case Exclusion:
		return holds(rw.Base) && holds(rw.Subtract)
	}
	panic("model: unknown rewrite")
}
