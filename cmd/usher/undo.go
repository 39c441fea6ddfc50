package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

func (p *program) undoCommand() *cobra.Command {
	var w change
	var dryRun bool
	cmd := &cobra.Command{
		Use:     "undo TOKEN",
		GroupID: groupTuples,
		Short:   "Bring back the tuples that a change removed",
		Long: `Bring back the tuples that a change removed, in one step. TOKEN is what the command
printed that made the change: delete-object, delete, share or write.

What is there again by now, or would have expired, is left as it is.`,
		Example: `  usher undo $TOKEN --dry-run
  usher undo $TOKEN --actor user:anna --message 'deleted by mistake'`,
		Args: exactly("TOKEN"),
	}
	w.addTo(cmd)
	addDryRun(cmd, &dryRun)
	return patient(p.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		request := &usherv1.UndoDeleteRequest{Store: c.store, DeletedAt: args[0], DryRun: dryRun, RequestId: w.requestID}
		var err error
		if request.Actor, request.Metadata, err = w.parts(); err != nil {
			return err
		}
		if request.Preconditions, err = w.preconditions(); err != nil {
			return err
		}
		answer, err := call(ctx, c, c.tuples().UndoDelete, request)
		if err != nil {
			return w.placed(err, nil)
		}
		return c.print(answer, func() string { return restoredText(answer, dryRun) })
	}))
}

func restoredText(answer *usherv1.UndoDeleteResponse, dryRun bool) string {
	text := fmt.Sprintf("%d %s", answer.GetRestored(), doneOr(dryRun, "restored", "to restore"))
	if n := answer.GetSkipped(); n > 0 {
		text += fmt.Sprintf(", %d left as they are", n)
	}
	return text + outcomeEnd(answer, dryRun)
}
