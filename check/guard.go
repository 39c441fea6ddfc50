package check

import (
	"cmp"
	"context"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// costPerUnit is how much of a condition's cost counts as one unit of work: 10,000 of it
// take about 1 ms.
const costPerUnit = 10

// guard tells whether a tuple counts: no if the model forbids it, else what its
// condition comes to. where is the tuple's key, for the report of a failure.
func (e *Evaluator) guard(ctx context.Context, accept *model.Accept, grant *tuples.Grant, where tuples.EdgeKey) (value, error) {
	condition, ok := accept.Allows(grant)
	if !ok || grant == expired {
		return value{truth: no}, nil
	}
	if condition == nil {
		return value{truth: yes}, nil
	}
	verdict, err := condition.Evaluate(ctx, grant.Condition.Context, e.request.Context)
	if err != nil && ctx.Err() != nil {
		return value{}, ctx.Err()
	}
	if err := e.graph.spend(ctx, verdict.Cost/costPerUnit); err != nil {
		return value{}, err
	}
	switch {
	case err != nil:
		failed := &failure{tuple: where, condition: condition.Name, err: err}
		return value{truth: open, causes: &causes{failed: failed}}, nil
	case len(verdict.Missing) > 0:
		return value{truth: open, causes: &causes{missing: verdict.Missing}}, nil
	case verdict.Met:
		return value{truth: yes}, nil
	}
	return value{truth: no}, nil
}

// guard is [Evaluator.guard] as the solver reads it.
func (s *solver) guard(ctx context.Context, accept *model.Accept, grant *tuples.Grant, where tuples.EdgeKey) (value, error) {
	v, err := s.evaluator.guard(ctx, accept, grant, where)
	if s.key.free && v.truth == yes && restricts(grant) {
		v.truth = open
	}
	return v, err
}

func compareEdgeKeys(a, b tuples.EdgeKey) int {
	return cmp.Or(
		cmp.Compare(a.Object, b.Object), cmp.Compare(a.Relation, b.Relation),
		cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.SubjectRelation, b.SubjectRelation),
	)
}
