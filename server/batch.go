package server

import (
	"context"

	"github.com/usher-authz/usher/check"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// BatchCheck implements usher.v1.PermissionService.
func (s *permissionService) BatchCheck(ctx context.Context, r *usherv1.BatchCheckRequest) (*usherv1.BatchCheckResponse, error) {
	if err := validateCount("items", len(r.GetItems())); err != nil {
		return nil, err
	}
	recording, err := s.recording(r)
	if err != nil {
		return nil, err
	}
	a, err := s.ask(ctx, r, r.GetContext())
	if err != nil {
		return nil, err
	}
	defer a.close()
	response := &usherv1.BatchCheckResponse{
		Results:  make([]*usherv1.BatchCheckResult, len(r.GetItems())),
		Token:    a.newToken(),
		Revision: a.revision(),
	}
	for i, item := range r.GetItems() {
		if response.Results[i], err = a.checkItem(ctx, item, r.GetWithAttributes()); err != nil {
			return nil, err
		}
	}
	if err := recording.addBatch(ctx, a, r.GetItems(), response.GetResults()); err != nil {
		return nil, err
	}
	if err := recording.keep(ctx); err != nil {
		return nil, err
	}
	return response, nil
}

// validateCount refuses a list of items that is empty or too long.
func validateCount(field string, n int) error {
	var p problems
	p.addCount(field, n, maxItems)
	return p.err()
}

// checkItem answers one item of a batch. An error concerns the whole batch.
func (a *asked) checkItem(ctx context.Context, item *usherv1.BatchCheckItem, withAttributes bool) (*usherv1.BatchCheckResult, error) {
	q, err := toQuestion(item.GetObject(), item.GetRelation(), item.GetSubject())
	if err != nil {
		failed, err := itemError(err)
		return &usherv1.BatchCheckResult{Error: failed}, err
	}
	decision, failed, err := a.checkOne(ctx, q)
	if err != nil || failed != nil {
		return &usherv1.BatchCheckResult{Error: failed}, err
	}
	result := &usherv1.BatchCheckResult{Outcome: fromOutcome(decision.Outcome), MissingContext: decision.Missing}
	if withAttributes {
		result.Attributes, err = a.attributes(ctx, q)
	}
	return result, err
}

// checkOne answers one valid question of many.
func (a *asked) checkOne(ctx context.Context, q question) (check.Decision, *usherv1.ItemError, error) {
	decision, err := a.evaluator.Check(ctx, q.on, q.subject)
	if err != nil {
		failed, err := itemError(locate(a.program.Model, err, q.names()...))
		return check.Decision{}, failed, err
	}
	return decision, nil, nil
}
