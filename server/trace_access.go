package server

import (
	"cmp"
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/usher-authz/usher/check"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// TraceAccess implements usher.v1.PermissionService.
func (s *permissionService) TraceAccess(ctx context.Context, r *usherv1.TraceAccessRequest) (*usherv1.TraceAccessResponse, error) {
	q, err := toQuestion(r.GetObject(), r.GetRelation(), r.GetSubject())
	if err != nil {
		return nil, err
	}
	h, err := s.handle(ctx, r.GetStore())
	if err != nil {
		return nil, err
	}
	given, err := toQuestionContext(r.GetContext())
	if err != nil {
		return nil, err
	}
	v, err := s.openAt(ctx, h, r.GetConsistency())
	if err != nil {
		return nil, err
	}
	defer v.close()
	t := &history{handle: h, question: q, context: given, budget: cmp.Or(s.options.WorkBudget, check.DefaultBudget)}
	a, decision, err := t.ask(ctx, v)
	if err != nil {
		return nil, err
	}
	answer := &usherv1.TraceAccessResponse{
		Outcome: fromOutcome(decision.Outcome), Token: v.newToken(), Revision: v.revision(),
	}
	if decision.Outcome == check.Allowed {
		// Before the explanation, which reads more than the answer rests on.
		since, older, err := t.since(ctx, a)
		if err != nil {
			return nil, err
		}
		answer.Since, answer.Older = since.message(), older
	}
	explanation, err := a.evaluator.Explain(ctx, q.on, q.subject)
	if err != nil {
		return nil, err
	}
	answer.Explanation = fromExplanation(explanation, a.version.ID)
	if decision.Outcome == check.Allowed {
		answer.Path, err = t.path(ctx, a, explanation.Root)
	}
	return answer, err
}

// path returns the tuples of the reasons of an allowed answer, each with the change that
// made it.
func (t *history) path(ctx context.Context, a *asked, r *check.Reason) (path []*usherv1.TracedTuple, err error) {
	if r.Tuple != nil {
		last, err := t.lastChange(ctx, a, []tuples.Filter{r.Tuple.Key.Filter()})
		if err != nil {
			return nil, err
		}
		traced := &usherv1.TracedTuple{Tuple: wire.FromTuple(*r.Tuple), Revision: uint64(last.Revision)}
		made, err := t.store.ChangeAt(ctx, last.Revision)
		if err == nil {
			traced.Made = fromAccessChange(made)
		} else if !isUnavailable(err) {
			return nil, err
		}
		path = append(path, traced)
	}
	for _, child := range r.Children {
		below, err := t.path(ctx, a, child)
		if err != nil {
			return nil, err
		}
		path = append(path, below...)
	}
	return path, nil
}

// fromAccessChange returns the message of a change without its mutations.
func fromAccessChange(c tuples.Change) *usherv1.AccessChange {
	change := &usherv1.AccessChange{
		Revision: uint64(c.Revision),
		Time:     timestamppb.New(c.Time),
		Caller:   c.Origin.Caller,
		Metadata: c.Origin.Metadata,
		ModelId:  string(c.Model),
	}
	if c.Origin.Actor != nil {
		change.Actor = wire.FromSubject(*c.Origin.Actor)
	}
	return change
}
