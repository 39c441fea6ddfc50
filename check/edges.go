package check

import (
	"context"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// eachEdge reads a list and calls visit for its tuples, until that returns false. accept
// says by which kind the model accepts a tuple, nil for not at all; tuples that count as
// absent are left out. page is room for one read.
func (e *Evaluator) eachEdge(
	ctx context.Context, list tuples.SubjectsOf, page []tuples.Edge,
	accept func(tuples.Edge) *model.Accept, visit func(tuples.Edge, value) bool,
) error {
	var after tuples.Node
	for {
		read, err := e.graph.edgesFrom(ctx, list, after, page[:0])
		if err != nil {
			return err
		}
		for _, edge := range read {
			by := accept(edge)
			if by == nil {
				continue
			}
			key := tuples.EdgeKey{
				Object: list.Object, Relation: list.Relation,
				Subject: edge.Node, SubjectRelation: list.SubjectRelation,
			}
			guard, err := e.guard(ctx, by, edge.Grant, key)
			if err != nil {
				return err
			}
			if guard.truth != no && !visit(edge, guard) {
				return nil
			}
		}
		if len(read) < cap(read) {
			return nil
		}
		after = read[len(read)-1].Node
	}
}

// concreteOnly accepts every tuple by the same kind, except one that names a wildcard.
func concreteOnly(accept *model.Accept) func(tuples.Edge) *model.Accept {
	return func(edge tuples.Edge) *model.Accept {
		if edge.Node.IsWildcard() {
			return nil
		}
		return accept
	}
}
