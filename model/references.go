package model

import "github.com/usher-authz/usher/tuples"

// node is a relation together with its type: a node of the graph whose edges are
// the references between relations.
type node struct {
	typ      *Type
	relation *Relation
}

// nodes returns all relations in the order of the source.
func (m *Model) nodes() []node {
	var all []node
	for _, t := range m.Types {
		for _, relation := range t.Relations {
			all = append(all, node{t, relation})
		}
	}
	return all
}

// references returns the relations that an expression of a relation names, on the
// same object or on others. What is undefined is left out.
func (m *Model) references(n node, rewrite Rewrite) []node {
	var found []node
	add := func(t tuples.ObjectType, name tuples.Relation) {
		if relation := m.Relation(t, name); relation != nil {
			found = append(found, node{m.Type(t), relation})
		}
	}
	walk(rewrite, func(leaf Rewrite) {
		switch rw := leaf.(type) {
		case This:
			for _, r := range n.relation.Direct {
				if r.Relation != "" {
					add(r.Type, r.Relation)
				}
			}
		case ComputedUserset:
			add(n.typ.Name, rw.Relation)
		case TupleToUserset:
			if tupleset := n.typ.Relation(rw.Tupleset); tupleset != nil {
				for _, r := range tupleset.Direct {
					add(r.Type, rw.Computed)
				}
			}
		}
	})
	return found
}

// computed returns the relations of the same object that a relation names.
func (m *Model) computed(n node) []node {
	var found []node
	walk(n.relation.Rewrite, func(leaf Rewrite) {
		if rw, ok := leaf.(ComputedUserset); ok {
			found = append(found, node{n.typ, n.typ.Relation(rw.Relation)})
		}
	})
	return found
}

// walk calls visit for an expression and everything in it, from left to right.
func walk(rewrite Rewrite, visit func(Rewrite)) {
	visit(rewrite)
	for _, operand := range operands(rewrite) {
		walk(operand, visit)
	}
}

// operands returns what an operator combines; leaves have none.
func operands(rewrite Rewrite) []Rewrite {
	switch rw := rewrite.(type) {
	case Union:
		return rw.Operands
	case Intersection:
		return rw.Operands
	case Exclusion:
		return []Rewrite{rw.Base, rw.Subtract}
	case This, ComputedUserset, TupleToUserset:
		return nil
	}
	panic("model: unknown rewrite")
}

// components numbers the strongly connected components of a graph (Tarjan, SIAM
// Journal on Computing 1972): two nodes have the same number if each can be reached
// from the other.
func components[N comparable](nodes []N, next func(N) []N) map[N]int {
	t := tarjan[N]{next: next, index: make(map[N]int), low: make(map[N]int), component: make(map[N]int)}
	for _, n := range nodes {
		if t.index[n] == 0 {
			t.visit(n)
		}
	}
	return t.component
}

type tarjan[N comparable] struct {
	next       func(N) []N
	index, low map[N]int // in the order of visits, from 1
	stack      []N       // visited, and in no component yet
	component  map[N]int // from 1
	count      int
}

func (t *tarjan[N]) visit(n N) {
	t.index[n] = len(t.index) + 1
	t.low[n] = t.index[n]
	t.stack = append(t.stack, n)
	for _, m := range t.next(n) {
		switch {
		case t.index[m] == 0:
			t.visit(m)
			t.low[n] = min(t.low[n], t.low[m])
		case t.component[m] == 0:
			t.low[n] = min(t.low[n], t.index[m])
		}
	}
	if t.low[n] != t.index[n] {
		return
	}
	t.count++
	for {
		last := t.stack[len(t.stack)-1]
		t.stack = t.stack[:len(t.stack)-1]
		t.component[last] = t.count
		if last == n {
			return
		}
	}
}
