package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

func (p *program) sharesCommand() *cobra.Command {
	var q question
	var relations []string
	var recipient string
	var limit int32
	cmd := &cobra.Command{
		Use:     "shares OBJECT… --relations RELATION,…",
		GroupID: groupAsk,
		Short:   "Summarize with whom objects are shared, and as what",
		Long: `Summarize with whom objects are shared: for each user, group or other recipient that
a tuple names the strongest of the relations that it has, or how they are mixed where
they differ from object to object. Of one object it is told where the right comes from,
and when the last of what gives it expires.

Members of a group are no recipients for that. With --recipient the objects are listed
one by one.`,
		Example: `  usher shares media:logo --relations viewer,editor,owner
  usher shares media:logo media:film --relations viewer,editor
  usher shares media:logo media:film --relations viewer,editor --recipient user:anna`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return errors.New("OBJECT is missing; name what is shared, as in media:logo")
			case len(relations) == 0:
				return errors.New("--relations is missing; name the rights to tell apart, as in --relations viewer,editor")
			}
			return nil
		},
	}
	q.addTo(cmd)
	q.addContextTo(cmd)
	addLimit(cmd, &limit)
	cmd.Flags().StringSliceVar(&relations, "relations", nil, "the `RELATIONS` to tell apart, the weakest first, separated by commas")
	cmd.Flags().StringVar(&recipient, "recipient", "", "`SUBJECT` to break the summary down for")
	return p.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		objects, err := parseObjects(args)
		if err != nil {
			return err
		}
		premises, err := q.premises()
		if err != nil {
			return err
		}
		request := &usherv1.SummarizeSharesRequest{
			Store: c.store, ModelId: q.modelID, Objects: objects, Relations: relations,
			ContextualTuples: premises.tuples, Context: premises.context, Consistency: premises.consistency,
			PageSize: limit,
		}
		if recipient != "" {
			if request.Recipient, err = parseSubject(recipient); err != nil {
				return fmt.Errorf("--recipient: %w", err)
			}
		}
		return q.placedIn(c.shares(ctx, request), "objects", args)
	})
}

// shares prints a summary.
func (c *client) shares(ctx context.Context, request *usherv1.SummarizeSharesRequest) error {
	more := false
	var recipients []*usherv1.RecipientSummary
	err := receive(ctx, c, c.permissions().SummarizeShares, request, func(answer *usherv1.SummarizeSharesResponse) error {
		more = answer.GetMore()
		return c.print(answer, func() string {
			recipients = append(recipients, answer.GetRecipients()...)
			return ""
		})
	})
	if c.output == "table" && len(recipients) > 0 {
		text := sharesText(recipients, len(request.GetObjects()))
		if request.GetRecipient() != nil {
			text = breakdownText(recipients[0], request.GetObjects())
		}
		if _, err := io.WriteString(c.stdout, text); err != nil {
			return err
		}
	}
	return c.listEnd(err, more)
}

// parseObjects reads the objects of a selection.
func parseObjects(args []string) ([]*usherv1.Object, error) {
	objects := make([]*usherv1.Object, len(args))
	for i, arg := range args {
		var err error
		if objects[i], err = parseObject(arg); err != nil {
			return nil, err
		}
	}
	return objects, nil
}
