package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// The pauses between attempts grow from the first to the longest.
const (
	firstPause   = 100 * time.Millisecond
	longestPause = 3 * time.Second
)

// addRetryFor adds the flag of commands that outlive a connection.
func addRetryFor(cmd *cobra.Command, limit *time.Duration) {
	cmd.Flags().DurationVar(limit, "retry-for", 30*time.Second, "how long to try again when the connection breaks; 0 for not at all")
}

// retry decides whether a stream that broke is followed by another one.
type retry struct {
	*client
	limit  time.Duration // without progress
	broken time.Time     // since when there is none
	pause  time.Duration
}

// after waits until it is time for the next attempt. It returns the failure if there must
// be none: after one that another attempt would not mend, or if there was no progress for
// too long.
func (r *retry) after(ctx context.Context, failure error, progress bool) error {
	if status.Code(failure) != codes.Unavailable || interrupted(ctx) {
		return failure
	}
	if progress || r.broken.IsZero() {
		r.broken, r.pause = time.Now(), firstPause
		if r.limit > 0 {
			r.note("the connection broke (%s); trying again for %s", reachText(status.Convert(failure).Message()), r.limit)
		}
	}
	if time.Since(r.broken)+r.pause > r.limit {
		return failure
	}
	select {
	case <-ctx.Done():
		return failure
	case <-time.After(r.pause):
	}
	r.pause = min(2*r.pause, longestPause)
	r.conn.ResetConnectBackoff() // the pauses are these
	return nil
}
