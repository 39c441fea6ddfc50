package drive

import (
	"context"
	"fmt"

	"github.com/usher-authz/usher/bench/library"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
)

var outcomes = map[usherv1.Outcome]library.Outcome{
	usherv1.Outcome_OUTCOME_DENIED:      library.Denied,
	usherv1.Outcome_OUTCOME_ALLOWED:     library.Allowed,
	usherv1.Outcome_OUTCOME_CONDITIONAL: library.Conditional,
}

// judge compares the outcome of one question.
func judge(q library.Question, got usherv1.Outcome) error {
	if outcome, known := outcomes[got]; known && outcome == q.Want {
		return nil
	}
	return &WrongAnswerError{fmt.Sprintf("may %s %s", q.Subject, q.On), got.String(), q.Want.String()}
}

// Check asks one question in a request.
func (t *Target) Check(questions []library.Question) Operation {
	client := usherv1.NewPermissionServiceClient(t.connection)
	requests := make([]*usherv1.CheckRequest, len(questions))
	for i, q := range questions {
		requests[i] = &usherv1.CheckRequest{
			Store: t.store, Object: wire.FromObject(q.On.Object), Relation: string(q.On.Relation),
			Subject: wire.FromSubject(q.Subject), Context: wire.FromContext(q.Context),
		}
	}
	return Operation{Name: "Check", server: t, Ask: func(ctx context.Context, number int) error {
		i := number % len(requests)
		response, err := client.Check(ctx, requests[i])
		if err != nil {
			return err
		}
		return judge(questions[i], response.GetOutcome())
	}}
}

// BatchCheck asks the questions of a batch in a request. They have no context.
func (t *Target) BatchCheck(batches [][]library.Question) Operation {
	client := usherv1.NewPermissionServiceClient(t.connection)
	requests := make([]*usherv1.BatchCheckRequest, len(batches))
	for i, batch := range batches {
		requests[i] = &usherv1.BatchCheckRequest{Store: t.store}
		for _, q := range batch {
			requests[i].Items = append(requests[i].Items, &usherv1.BatchCheckItem{
				Object: wire.FromObject(q.On.Object), Relation: string(q.On.Relation), Subject: wire.FromSubject(q.Subject),
			})
		}
	}
	return Operation{Name: "BatchCheck", server: t, Ask: func(ctx context.Context, number int) error {
		i := number % len(requests)
		response, err := client.BatchCheck(ctx, requests[i])
		if err != nil {
			return err
		}
		if got, want := len(response.GetResults()), len(batches[i]); got != want {
			return &WrongAnswerError{"a batch", fmt.Sprintf("%d results", got), fmt.Sprint(want)}
		}
		for j, result := range response.GetResults() {
			if err := judge(batches[i][j], result.GetOutcome()); err != nil {
				return err
			}
		}
		return nil
	}}
}
