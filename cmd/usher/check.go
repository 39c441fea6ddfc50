package main

import (
	"context"

	"github.com/spf13/cobra"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

func (p *program) checkCommand() *cobra.Command {
	var q question
	var explain, attributes, record bool
	var givenBy, address string
	cmd := &cobra.Command{
		Use:     "check SUBJECT RELATION OBJECT",
		GroupID: groupAsk,
		Short:   "Ask whether a subject has a relation to an object",
		Long: `Ask whether a subject has a relation to an object.

Prints allowed, denied, or conditional with the context values that the answer
depends on. Exit status: 0 allowed, 1 denied, 3 conditional, 2 error.

With --attributes, an allowed answer comes with its restrictions: a line for each
way in which it is granted, unless another way is less strict. Keep to all of one
line, and never mix two.

With --record the decision is kept in the server's decision log; usher decisions
prints it.`,
		Example: `  usher check user:anna can_view media:logo
  usher check user:anna can_view media:logo --explain
  usher check user:anna can_comment session:x --explain --given-by can_share
  usher check user:anna can_download media:logo --attributes
  usher check user:anna can_view media:logo --with group:design#member@user:anna
  usher check user:anna can_view media:logo --context '{"tag": "red"}'
  usher check user:anna can_view media:logo --at 2026-03-01T12:00Z
  usher check user:anna can_download media:logo --record --source-address 192.0.2.7`,
		Args: exactly("SUBJECT", "RELATION", "OBJECT"),
	}
	q.addTo(cmd)
	q.addContextTo(cmd)
	cmd.Flags().BoolVar(&attributes, "attributes", false, "tell what an allowed answer is restricted to, such as max_image_size=2048")
	cmd.Flags().BoolVar(&record, "record", false, "keep the decision in the decision log")
	cmd.Flags().StringVar(&address, "source-address", "", "where the subject asks from, for the record: an `ADDRESS` such as 192.0.2.7")
	cmd.Flags().BoolVar(&explain, "explain", false, "draw what grants it or, if nothing does, what was tried")
	cmd.Flags().StringVar(&givenBy, "given-by", "", "with --explain: who has this `RELATION`, such as can_share, and so can give what is missing")
	return p.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		request, err := q.check(args)
		if err != nil {
			return err
		}
		request.Store, request.Explain, request.GivenBy = c.store, explain, givenBy
		request.WithAttributes = attributes
		request.Record, request.SourceAddress = record, address
		answer, err := call(ctx, c, c.permissions().Check, request)
		if err != nil {
			return q.placed(err)
		}
		p.status = statusOf(answer.GetOutcome())
		return c.print(answer, func() string {
			text := answerText(answer.GetOutcome(), answer.GetMissingContext()) + "\n"
			text += attributesText(answer.GetAttributes())
			if explanation := answer.GetExplanation(); explanation != nil {
				text += explanationText(explanation, args[0], givenBy)
			}
			return text
		})
	})
}

// check returns the request for the arguments SUBJECT RELATION OBJECT.
func (q *question) check(args []string) (*usherv1.CheckRequest, error) {
	subject, err := parseSubject(args[0])
	if err != nil {
		return nil, err
	}
	object, err := parseObject(args[2])
	if err != nil {
		return nil, err
	}
	premises, err := q.premises()
	return &usherv1.CheckRequest{
		ModelId: q.modelID, Object: object, Relation: args[1], Subject: subject,
		ContextualTuples: premises.tuples, Context: premises.context, Consistency: premises.consistency,
	}, err
}

// statusOf returns the exit status for an outcome; one that this program does not
// know is an error, never a denial.
func statusOf(o usherv1.Outcome) int {
	switch o {
	case usherv1.Outcome_OUTCOME_ALLOWED:
		return statusOK
	case usherv1.Outcome_OUTCOME_DENIED:
		return statusDenied
	case usherv1.Outcome_OUTCOME_CONDITIONAL:
		return statusConditional
	}
	return statusError
}
