package examples_test

import (
	"slices"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/check/reference"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/scenario"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// summarize answers over the API in the form of [scenario.FormatShares].
func (r remote) summarize(q scenario.Shares) string {
	request := &usherv1.SummarizeSharesRequest{ContextualTuples: r.contextual, Context: r.context}
	for _, o := range q.Objects {
		request.Objects = append(request.Objects, wire.FromObject(o))
	}
	for _, relation := range q.Relations {
		request.Relations = append(request.Relations, string(relation))
	}
	stream, err := r.client.SummarizeShares(r.t.Context(), request)
	var recipients []check.RecipientShares
	for _, message := range receive(r.t, stream, err) {
		for _, summary := range message.GetRecipients() {
			recipient := check.RecipientShares{Subject: wire.ToSubject(summary.GetSubject())}
			for _, c := range summary.GetCounts() {
				recipient.Counts = append(recipient.Counts, check.ShareCount{
					Relation: tuples.Relation(c.GetRelation()), Objects: int(c.GetObjects()), Conditional: int(c.GetConditional()),
				})
			}
			recipients = append(recipients, recipient)
		}
	}
	return scenario.FormatShares(recipients)
}

// summarizeByReference answers in the same form.
func summarizeByReference(spec *reference.Spec, q scenario.Shares) string {
	var recipients []check.RecipientShares
	for _, shares := range spec.Shares(q.Objects, q.Relations) {
		recipient := check.RecipientShares{Subject: shares.Recipient}
		for _, relation := range append(slices.Clone(q.Relations), "") {
			count := check.ShareCount{Relation: relation}
			for _, right := range shares.On {
				if right.Relation == relation {
					count.Objects++
					if right.Answer.Outcome == reference.Conditional {
						count.Conditional++
					}
				}
			}
			if count.Objects > 0 {
				recipient.Counts = append(recipient.Counts, count)
			}
		}
		slices.SortFunc(recipient.Counts, func(a, b check.ShareCount) int {
			return slices.Index(q.Relations, b.Relation) - slices.Index(q.Relations, a.Relation)
		})
		recipients = append(recipients, recipient)
	}
	return scenario.FormatShares(recipients)
}
