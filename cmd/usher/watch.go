package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

func (p *program) watchCommand() *cobra.Command {
	var after string
	var limit int
	cmd := &cobra.Command{
		Use:     "watch",
		GroupID: groupTuples,
		Short:   "Print changes as they are made",
		Long: `Print every change of tuples and models as it is made, one a line, until interrupted.

Starts with the next change, or behind a token: of a write, of an answer, or of the
last change that was seen. The end of a watch prints the token to go on from.`,
		Example: `  usher watch
  usher watch --after TOKEN --output json`,
		Args: exactly(),
	}
	cmd.Flags().StringVar(&after, "after", "", "start behind the revision of this `TOKEN`, instead of now")
	cmd.Flags().IntVar(&limit, "limit", 0, "end after so many revisions that changed something; 0 for no end")
	return p.remote(cmd, func(ctx context.Context, c *client, _ []string) error {
		request := &usherv1.WatchRequest{Store: c.store, After: after, Heartbeat: durationpb.New(heartbeat(c.timeout))}
		token, revisions := "", 0
		err := receive(ctx, c, c.tuples().Watch, request, func(piece *usherv1.WatchResponse) error {
			if piece.GetToken() != "" {
				token = piece.GetToken()
			}
			if err := c.print(piece, func() string { return changesText(piece) }); err != nil {
				return err
			}
			if piece.GetChanges() != nil && piece.GetToken() != "" {
				revisions++
			}
			if limit > 0 && revisions == limit {
				return errStop
			}
			return nil
		})
		if token != "" {
			c.note("to go on: usher watch --after %s", token)
		}
		if interrupted(ctx) {
			return nil
		}
		return err
	})
}

// heartbeat is how often the server has to show that it is there, so that a silence
// as long as the client's timeout means that it is not.
func heartbeat(timeout time.Duration) time.Duration {
	return min(max(timeout/2, time.Second), 15*time.Second)
}

// changesText writes the changes of one revision, one a line; a heartbeat is no line.
func changesText(piece *usherv1.WatchResponse) string {
	set := piece.GetChanges()
	if set == nil {
		return ""
	}
	cause := strings.ToLower(strings.TrimPrefix(set.GetCause().String(), "CAUSE_"))
	start := fmt.Sprintf("%s  revision %d  %s", timeText(set.GetTime()), piece.GetRevision(), cause)
	var origin strings.Builder
	if set.GetCaller() != "" {
		origin.WriteString("  by " + set.GetCaller())
	}
	if set.GetActor() != nil {
		origin.WriteString("  for " + subjectText(set.GetActor()))
	}
	if message := set.GetMetadata()["message"]; message != "" {
		fmt.Fprintf(&origin, "  %q", message)
	}
	var b strings.Builder
	if set.GetModelId() != "" {
		fmt.Fprintf(&b, "%s  model %s%s\n", start, set.GetModelId(), origin.String())
	}
	for _, change := range set.GetTuples() {
		operation := strings.ToLower(strings.TrimPrefix(change.GetOperation().String(), "OPERATION_"))
		fmt.Fprintf(&b, "%s  %s  %s%s\n", start, operation, tupleText(change.GetTuple()), origin.String())
	}
	return b.String()
}
