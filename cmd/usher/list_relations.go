package main

import (
	"context"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

func (p *program) listRelationsCommand() *cobra.Command {
	var q question
	cmd := &cobra.Command{
		Use:     "list-relations SUBJECT OBJECT [RELATION…]",
		GroupID: groupAsk,
		Short:   "List which relations a subject has to an object",
		Long: `List which relations a subject has to an object: of those named, or of all that the
model gives the object's type. Denied ones are listed too.

A relation whose condition fails to evaluate has an error instead of an answer, and
the exit status is 2 then.`,
		Example: `  usher list-relations user:anna media:logo
  usher list-relations user:anna media:logo can_view can_edit`,
		Args: func(cmd *cobra.Command, args []string) error {
			return exactly("SUBJECT", "OBJECT")(cmd, args[:min(len(args), 2)])
		},
	}
	q.addTo(cmd)
	q.addContextTo(cmd)
	return p.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		subject, err := parseSubject(args[0])
		if err != nil {
			return err
		}
		object, err := parseObject(args[1])
		if err != nil {
			return err
		}
		premises, err := q.premises()
		if err != nil {
			return err
		}
		answer, err := call(ctx, c, c.permissions().ListRelations, &usherv1.ListRelationsRequest{
			Store: c.store, ModelId: q.modelID, Object: object, Subject: subject, Relations: args[2:],
			ContextualTuples: premises.tuples, Context: premises.context, Consistency: premises.consistency,
		})
		if err != nil {
			return q.placed(err)
		}
		var rows []table.Row
		for _, result := range answer.GetResults() {
			text := answerText(result.GetOutcome(), result.GetMissingContext())
			if failure := result.GetError(); failure != nil {
				p.status = statusError
				text = "error: " + failure.GetMessage()
			}
			rows = append(rows, table.Row{result.GetRelation(), text})
		}
		return c.print(answer, func() string { return columns(table.Row{"relation", "answer"}, rows) })
	})
}
