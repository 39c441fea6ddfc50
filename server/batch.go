package server

import (
	"context"

	"github.com/usher-authz/usher/check"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/tuples"
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
		decision, failed, err := a.checkItem(ctx, item)
		if err != nil {
			return nil, err
		}
		result := &usherv1.BatchCheckResult{Error: failed}
		if failed == nil {
			result.Outcome, result.MissingContext = fromOutcome(decision.Outcome), decision.Missing
		}
		response.Results[i] = result
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
	switch {
	case n == 0:
		return tuples.Invalid(field, "", "is empty", "send 1 to 10,000 items")
	case n > maxItems:
		return tooMany(field, n, maxItems)
	}
	return nil
}

// checkItem answers one item of a batch. An error concerns the whole batch.
func (a *asked) checkItem(ctx context.Context, item *usherv1.BatchCheckItem) (check.Decision, *usherv1.ItemError, error) {
	q, err := toQuestion(item.GetObject(), item.GetRelation(), item.GetSubject())
	if err != nil {
		failed, err := itemError(err)
		return check.Decision{}, failed, err
	}
	return a.checkOne(ctx, q)
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
