package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
)

func (p *program) traceCommand() *cobra.Command {
	var q question
	cmd := &cobra.Command{
		Use:     "trace SUBJECT RELATION OBJECT",
		GroupID: groupAsk,
		Short:   "Tell since when a subject has a relation to an object, and who granted it",
		Long: `Tell since when a subject has a relation to an object without a break, by what change
that began, and through which tuples it holds: one a line, with who made it and when.

If there is no access, the answer and what was tried. Exit status: 0 allowed,
1 denied, 3 conditional, 2 error.`,
		Example: `  usher trace user:anna can_view media:logo
  usher trace user:anna can_view media:logo --at 2026-03-01T12:00Z`,
		Args: exactly("SUBJECT", "RELATION", "OBJECT"),
	}
	q.state.addTo(cmd)
	q.addContextTo(cmd)
	return p.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		asked, err := q.check(args)
		if err != nil {
			return err
		}
		answer, err := call(ctx, c, c.permissions().TraceAccess, &usherv1.TraceAccessRequest{
			Store: c.store, Object: asked.GetObject(), Relation: asked.GetRelation(), Subject: asked.GetSubject(),
			Context: asked.GetContext(), Consistency: asked.GetConsistency(),
		})
		if err != nil {
			return err
		}
		p.status = statusOf(answer.GetOutcome())
		return c.print(answer, func() string { return traceText(answer, args) })
	})
}

// traceText tells the history of an access in a sentence, and its path below. question
// has the words asked with.
func traceText(answer *usherv1.TraceAccessResponse, question []string) string {
	text := strings.Join(question, " ")
	if answer.GetOutcome() != usherv1.Outcome_OUTCOME_ALLOWED {
		return text + ": " + outcomeText(answer.GetOutcome()) + "\n" + explanationText(answer.GetExplanation(), question[0], "")
	}
	switch since := answer.GetSince(); {
	case since == nil:
		text += " since before the history that is kept\n"
	case answer.GetOlder():
		text += " at least since " + changeMoment(since) + ", which is as far as could be looked; --at a time before that looks further\n"
	default:
		text += " since " + changeMoment(since) + beginningText(since) + "\n"
	}
	for _, step := range answer.GetPath() {
		text += "  " + tupleText(step.GetTuple())
		if made := step.GetMade(); made == nil {
			text += fmt.Sprintf(", of revision %d, before the history that is kept\n", step.GetRevision())
		} else {
			text += ", " + changeMoment(made) + originText(made, " by ") + "\n"
		}
	}
	if answer.GetExplanation().GetTruncated() {
		text += "the path is longer than this\n"
	}
	return text
}

// beginningText says what it was that an access began with.
func beginningText(c *usherv1.AccessChange) string {
	switch {
	case c.GetExpired() != nil:
		return ", when " + wire.ToKey(c.GetExpired()).String() + " expired"
	case c.GetModelId() != "":
		return ": by model " + c.GetModelId()
	}
	return originText(c, ": granted by ")
}

// originText says who made a change and with which message, "" if it names neither.
func originText(c *usherv1.AccessChange, by string) string {
	text := ""
	switch {
	case c.GetActor() != nil:
		text = by + subjectText(c.GetActor())
	case c.GetCaller() != "":
		text = by + c.GetCaller()
	}
	if message := c.GetMetadata()["message"]; message != "" {
		text += fmt.Sprintf(": %q", message)
	}
	return text
}

// changeMoment is when a change was made, in the shape that --at takes, and its revision.
func changeMoment(c *usherv1.AccessChange) string {
	return fmt.Sprintf("%s (revision %d)", timeText(c.GetTime()), c.GetRevision())
}
