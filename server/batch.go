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
	results := make([]usherv1.BatchCheckResult, len(r.GetItems())) // in one piece
	for i, item := range r.GetItems() {
		response.Results[i] = &results[i]
		if err := a.checkItem(ctx, item, r.GetWithAttributes(), &results[i]); err != nil {
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
func (a *asked) checkItem(ctx context.Context, item *usherv1.BatchCheckItem, withAttributes bool, result *usherv1.BatchCheckResult) error {
	q, err := toQuestion(item.GetObject(), item.GetRelation(), item.GetSubject())
	if err != nil {
		result.Error, err = itemError(err)
		return err
	}
	decision, failed, err := a.checkOne(ctx, q)
	if err != nil || failed != nil {
		result.Error = failed
		return err
	}
	result.Outcome, result.MissingContext = fromOutcome(decision.Outcome), decision.Missing
	if withAttributes {
		result.Attributes, err = a.attributes(ctx, q)
	}
	return err
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
