package main

import (
	"context"
	"fmt"
	"strings"

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
		text, failed := relationsText(answer.GetResults())
		if err := c.print(answer, func() string { return text }); err != nil {
			return err
		}
		if len(failed) > 0 {
			return fmt.Errorf("no answer for %s; the list above says why", strings.Join(failed, ", "))
		}
		return nil
	})
}

// relationsText draws the answers as a table, and returns the relations without one.
func relationsText(results []*usherv1.RelationResult) (text string, failed []string) {
	rows := make([]table.Row, len(results))
	for i, result := range results {
		text := answerText(result.GetOutcome(), result.GetMissingContext())
		if failure := result.GetError(); failure != nil {
			text = "error: " + failure.GetMessage()
			failed = append(failed, result.GetRelation())
		}
		rows[i] = table.Row{result.GetRelation(), text}
	}
	return columns(table.Row{"relation", "answer"}, rows), failed
}
