package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

func (p *program) listObjectsCommand() *cobra.Command {
	var q question
	var limit int32
	cmd := &cobra.Command{
		Use:     "list-objects SUBJECT RELATION TYPE",
		GroupID: groupAsk,
		Short:   "List all objects of a type that a subject has a relation to",
		Long: `List all objects of a type that a subject has a relation to, one a line, sorted by
id. An object that depends on missing context is listed with what it depends on.`,
		Example: `  usher list-objects user:anna can_view media
  usher list-objects user:anna can_edit folder --limit 10`,
		Args: exactly("SUBJECT", "RELATION", "TYPE"),
	}
	q.addTo(cmd)
	q.addContextTo(cmd)
	addLimit(cmd, &limit)
	return p.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		subject, err := parseSubject(args[0])
		if err != nil {
			return err
		}
		premises, err := q.premises()
		if err != nil {
			return err
		}
		request := &usherv1.ListObjectsRequest{
			Store: c.store, ModelId: q.modelID, ObjectType: args[2], Relation: args[1], Subject: subject,
			ContextualTuples: premises.tuples, Context: premises.context, Consistency: premises.consistency,
			PageSize: limit,
		}
		more := false
		err = receive(ctx, c, c.permissions().ListObjects, request, func(answer *usherv1.ListObjectsResponse) error {
			more = answer.GetMore()
			return c.print(answer, func() string {
				var b strings.Builder
				for _, o := range answer.GetObjects() {
					b.WriteString(listedText(args[2]+":"+o.GetId(), o.GetOutcome(), o.GetMissingContext()))
				}
				return b.String()
			})
		})
		return q.placed(c.listEnd(err, more))
	})
}

// listedText is the line of one item of a list: its name, and its outcome unless
// that is allowed.
func listedText(name string, outcome usherv1.Outcome, missing []string) string {
	if outcome == usherv1.Outcome_OUTCOME_ALLOWED {
		return name + "\n"
	}
	return name + "  " + answerText(outcome, missing) + "\n"
}

// listEnd says on stderr what the output cannot tell: that the list goes on behind
// the limit, or that it broke off.
func (c *client) listEnd(err error, more bool) error {
	switch {
	case err != nil && more:
		c.note("usher: the list above is not complete")
	case err == nil && more:
		c.note("the list goes on; raise --limit for more")
	}
	return err
}
