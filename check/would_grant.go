package check

import (
	"context"
	"errors"
	"slices"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// maxTried bounds how many usersets are tried out for one explanation: each costs
// about as much as the question itself.
const maxTried = 50

// wouldGrant finds usersets in which one more tuple of the subject would change the
// answer to allowed (E9: which role is missing). It looks for candidates downwards
// from the atom, breadth first, and tries each out as a contextual tuple. If the budget
// ends on the way, complete is false: the question itself has its answer.
func (e *Evaluator) wouldGrant(
	ctx context.Context, s *solver, node tuples.Node, step *model.Step, on tuples.Userset, subject tuples.Subject,
) (grants []tuples.Userset, complete bool, err error) {
	candidates, err := e.grantCandidates(ctx, s, node, step)
	if errors.Is(err, ErrBudget) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	for _, candidate := range candidates {
		if e.graph.budget <= 0 {
			return grants, false, nil
		}
		trial := e.request
		trial.Budget = e.graph.budget
		trial.Contextual = append(slices.Clone(trial.Contextual), tuples.Tuple{
			Key: tuples.Key{Object: candidate.Object, Relation: candidate.Relation, Subject: subject},
		})
		t := New(trial)
		decision, err := t.Check(ctx, on, subject)
		e.graph.budget = t.graph.budget
		t.Close()
		var failed *ConditionError
		if err != nil && !errors.As(err, &failed) && !errors.Is(err, ErrBudget) {
			return nil, false, err
		}
		if decision.Outcome == Allowed {
			grants = append(grants, candidate)
		}
		if len(grants) == MaxWouldGrant {
			break
		}
	}
	return grants, e.graph.budget >= 0, nil
}

// grantCandidates lists usersets at and below an atom that take tuples of the
// subject without a condition.
func (e *Evaluator) grantCandidates(ctx context.Context, s *solver, node tuples.Node, step *model.Step) ([]tuples.Userset, error) {
	d := newDescent(e, s.subject.kind)
	d.reach(node, step, true)
	var found []tuples.Userset
	for len(d.queue) > 0 && len(found) < maxTried {
		a := d.queue[0]
		d.queue = d.queue[1:]
		for _, operand := range a.step.Operands {
			d.reach(a.node, operand, true)
		}
		for _, alternative := range a.step.Alternatives {
			if direct, ok := alternative.(*model.Direct); ok && s.subject.fits(direct) {
				names, err := e.graph.objects(ctx, []tuples.Node{a.node})
				if err != nil {
					return nil, err
				}
				relation := tuples.Relation(e.request.Program.Name(a.step.Relation))
				if u := (tuples.Userset{Object: names[0], Relation: relation}); !slices.Contains(found, u) {
					found = append(found, u)
				}
			}
			if err := d.descend(ctx, a, alternative); err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

// fits reports whether tuples without a condition may name the subject.
func (s *subject) fits(direct *model.Direct) bool {
	accepts := direct.Plain
	if s.kind.Relation != 0 {
		accepts = direct.Usersets
	}
	return slices.ContainsFunc(accepts, func(a model.Accept) bool {
		_, unconditional := a.Allows(nil)
		return a.Kind == s.kind && a.Wildcard == s.node.IsWildcard() && unconditional
	})
}
