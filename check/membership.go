package check

import (
	"context"
	"slices"

	"github.com/usher-authz/usher/check/index"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// memberships is what a solver knows of its subject's groups from their side.
type memberships struct {
	closures *index.Closures // nil where there are none, or they must not be used
	closure  *index.Closure
	asked    bool // for the closure
	sieve    *index.Sieve
}

// partsOf returns which of the first 64 parts of an atom's rule can find anything.
func (s *solver) partsOf(node tuples.Node, step *model.Step) uint64 {
	if s.sieve == nil {
		return allParts
	}
	return s.sieve.Parts(node, s.subject.node, step)
}

const allParts = ^uint64(0)

// membership tells what the closure knows of an object that the list names.
func (l *list) membership(object tuples.Node) index.Membership {
	if l.closure == nil {
		return index.Unknown
	}
	return l.closure.In(object, l.part.Step)
}

// meet has a list that turned out not to be empty meet the subject's groups, where they
// decide it. A list that is longer than the subject has groups is not read to its end.
func (s *solver) meet(ctx context.Context, f *frame) error {
	l := &f.list
	if s.closures == nil || !s.closures.Holds(l.part.Step) {
		return nil
	}
	if !s.asked {
		closure, visited, err := s.closures.Of(ctx, s.graph.snapshot, s.key.node, s.key.relation)
		if err != nil {
			return err
		}
		s.closure, s.asked = closure, true
		if err := s.graph.spend(ctx, visited); err != nil {
			return err
		}
	}
	l.closure = s.closure
	if !l.more || s.closure == nil {
		return nil
	}
	sure, maybe, all := s.closure.Candidates(l.part.Step)
	if !all || len(sure)+len(maybe) > l.read {
		return nil
	}
	l.more = false
	for _, groups := range [...][]tuples.Node{sure, maybe} {
		if err := s.lookUp(ctx, l, groups); err != nil {
			return err
		}
	}
	return nil
}

// lookUp adds those of the groups to a page that the list has behind it.
func (s *solver) lookUp(ctx context.Context, l *list, groups []tuples.Node) error {
	first, _ := slices.BinarySearch(groups, l.after+1)
	for _, group := range groups[first:] {
		edge, ok, err := s.graph.edge(ctx, l.key(group))
		if err != nil {
			return err
		}
		if ok {
			l.page = append(l.page, edge)
		}
	}
	return nil
}
