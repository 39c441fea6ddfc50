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
	var s selection
	var after, snapshot string
	var tuplesOnly bool
	var limit int32
	cmd := &cobra.Command{
		Use:     "watch",
		GroupID: groupTuples,
		Short:   "Print changes as they are made",
		Long: `Print every change of tuples and models as it is made, one a line, until interrupted.
Flags select the tuples. "create (new)" marks a subject that had nothing on the object
before.

Starts with the next change, or behind a token: of a write, of an answer, or of the
last change that was seen. The end of a watch prints the token to go on from. With
--snapshot it starts with the tuples there are: always, or if-behind, where there is no
token or the log no longer reaches back to it.`,
		Example: `  usher watch
  usher watch --object-type media --relation viewer --tuples-only
  usher watch --after TOKEN --snapshot if-behind --output json`,
		Args: exactly(),
	}
	s.addTo(cmd)
	cmd.Flags().StringVar(&after, "after", "", "start behind the revision of this `TOKEN`, instead of now")
	cmd.Flags().StringVar(&snapshot, "snapshot", "", "start with the tuples there are: `if-behind|always`")
	cmd.Flags().BoolVar(&tuplesOnly, "tuples-only", false, "leave out changes of the model")
	addLimitTo(cmd, &limit, "end after so many revisions that changed something, a snapshot being one; 0 for no end")
	complete(cmd, "snapshot", "if-behind", "always")
	return p.remote(cmd, func(ctx context.Context, c *client, _ []string) error {
		mode, err := parseMode(snapshot)
		if err != nil {
			return err
		}
		request := &usherv1.WatchRequest{
			Store: c.store, After: after, Heartbeat: durationpb.New(heartbeat(c.timeout)), TuplesOnly: tuplesOnly, Snapshot: mode,
		}
		if !s.isZero() {
			filter, err := s.filter()
			if err != nil {
				return err
			}
			request.Filters = []*usherv1.TupleFilter{filter}
		}
		token, revisions := "", int32(0)
		err = receive(ctx, c, c.tuples().Watch, request, func(piece *usherv1.WatchResponse) error {
			if piece.GetToken() != "" {
				token = piece.GetToken()
			}
			if err := c.print(piece, func() string { return snapshotText(piece) + changesText(piece) }); err != nil {
				return err
			}
			if piece.GetToken() != "" && (piece.GetChanges() != nil || piece.GetSnapshot() != nil) {
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

// parseMode reads the value of --snapshot.
func parseMode(text string) (usherv1.SnapshotMode, error) {
	switch text {
	case "":
		return usherv1.SnapshotMode_SNAPSHOT_MODE_UNSPECIFIED, nil
	case "if-behind":
		return usherv1.SnapshotMode_SNAPSHOT_MODE_IF_BEHIND, nil
	case "always":
		return usherv1.SnapshotMode_SNAPSHOT_MODE_ALWAYS, nil
	}
	return 0, fmt.Errorf("--snapshot %q is not known; use if-behind or always", text)
}

// heartbeat is how often the server has to show that it is there, so that a silence
// as long as the client's timeout means that it is not.
func heartbeat(timeout time.Duration) time.Duration {
	return min(max(timeout/2, time.Second), 15*time.Second)
}

// snapshotText writes the tuples of a part of a snapshot, one a line.
func snapshotText(piece *usherv1.WatchResponse) string {
	var b strings.Builder
	for _, tuple := range piece.GetSnapshot().GetTuples() {
		fmt.Fprintf(&b, "snapshot  revision %d  %s\n", piece.GetRevision(), tupleText(tuple))
	}
	return b.String()
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
		if change.GetNewlyGives() {
			operation += " (new)"
		}
		fmt.Fprintf(&b, "%s  %s  %s%s\n", start, operation, tupleText(change.GetTuple()), origin.String())
	}
	return b.String()
}
