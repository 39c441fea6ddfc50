package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// addDryRun adds the flag of commands that can be tried out.
func addDryRun(cmd *cobra.Command, dryRun *bool) {
	cmd.Flags().BoolVar(dryRun, "dry-run", false, "change nothing; tell what would be changed")
}

// doneOr chooses the words for what was done, or would be.
func doneOr(dryRun bool, done, tried string) string {
	if dryRun {
		return tried
	}
	return done
}

// changed is what the answers to all changes have.
type changed interface {
	GetToken() string
	GetRevision() uint64
	GetReplayed() bool
}

// outcomeEnd ends the line about a change.
func outcomeEnd(answer changed, dryRun bool) string {
	switch {
	case dryRun:
		return fmt.Sprintf("; nothing was changed, revision %d\n", answer.GetRevision())
	case answer.GetReplayed():
		return fmt.Sprintf(", by the first request of this id; revision %d, token %s\n", answer.GetRevision(), answer.GetToken())
	}
	return fmt.Sprintf("; revision %d, token %s\n", answer.GetRevision(), answer.GetToken())
}
