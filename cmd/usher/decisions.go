package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

func (p *program) decisionsCommand() *cobra.Command {
	var s decisionSelection
	cmd := &cobra.Command{
		Use:     "decisions",
		GroupID: groupAsk,
		Short:   "Print recorded decisions, the newest first",
		Long: `Print the decisions that flags select, or all, the newest first, one a line: when,
the outcome, who was to do what to which object, from which address, and by which
tuples it was allowed.

Recorded are checks that ask for it (usher check --record) and those of the relations
that the server is told to record (usher serve --decision-log-relations).`,
		Example: `  usher decisions --object media:logo --relation can_download
  usher decisions --subject user:anna --from 2026-11-01 --until 2026-12-01
  usher decisions --subject 'user:*' --outcome allowed --limit 100`,
		Args: exactly(),
	}
	s.addTo(cmd)
	return p.remote(cmd, func(ctx context.Context, c *client, _ []string) error {
		request, err := s.request()
		if err != nil {
			return err
		}
		request.Store = c.store
		more, dropped := false, uint64(0)
		err = receive(ctx, c, c.decisions().ListDecisions, request, func(answer *usherv1.ListDecisionsResponse) error {
			more, dropped = answer.GetCursor() != "", answer.GetDropped()
			return c.print(answer, func() string {
				var b strings.Builder
				for _, d := range answer.GetDecisions() {
					b.WriteString(decisionText(d) + "\n")
				}
				return b.String()
			})
		})
		if dropped > 0 {
			c.note("%d decisions of this server, of whatever store, are not in its log: they were dropped", dropped)
		}
		return c.listEnd(err, more)
	})
}

// decisionSelection is the flags that select decisions.
type decisionSelection struct {
	object, relation, subject, outcome, from, until string
	limit                                           int32
}

func (s *decisionSelection) addTo(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&s.object, "object", "", "about this `OBJECT`, such as media:logo")
	flags.StringVar(&s.relation, "relation", "", "about this `RELATION`")
	flags.StringVar(&s.subject, "subject", "", "about this `SUBJECT`, such as user:anna; 'user:*' for public and password access")
	flags.StringVar(&s.outcome, "outcome", "", "with this outcome: `allowed|denied|conditional`")
	flags.StringVar(&s.from, "from", "", "made at this `TIME` or later, such as 2026-11-01 or 2026-11-01T12:00:00Z")
	flags.StringVar(&s.until, "until", "", "made before this `TIME`")
	addLimit(cmd, &s.limit)
	complete(cmd, "outcome", "allowed", "denied", "conditional")
}

// request returns what the flags select.
func (s *decisionSelection) request() (r *usherv1.ListDecisionsRequest, err error) {
	r = &usherv1.ListDecisionsRequest{Relation: s.relation, PageSize: s.limit}
	if s.object != "" {
		if r.Object, err = parseObject(s.object); err != nil {
			return nil, fmt.Errorf("--object: %w", err)
		}
	}
	if s.subject != "" {
		if r.Subject, err = parseSubject(s.subject); err != nil {
			return nil, fmt.Errorf("--subject: %w", err)
		}
	}
	if s.outcome != "" {
		number, ok := usherv1.Outcome_value["OUTCOME_"+strings.ToUpper(s.outcome)]
		if !ok || number == 0 {
			return nil, fmt.Errorf("--outcome %q is not known; use allowed, denied or conditional", s.outcome)
		}
		r.Outcome = usherv1.Outcome(number)
	}
	if s.from != "" {
		if r.From, err = parseTime("--from", s.from); err != nil {
			return nil, err
		}
	}
	if s.until != "" {
		if r.Until, err = parseTime("--until", s.until); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// decisionText writes a decision as one line.
func decisionText(d *usherv1.Decision) string {
	text := fmt.Sprintf("%s  %s  %s %s %s", timeText(d.GetTime()), outcomeText(d.GetOutcome()),
		subjectText(d.GetSubject()), d.GetRelation(), objectText(d.GetObject()))
	if d.GetCaller() != "" {
		text += "  asked by " + d.GetCaller()
	}
	if d.GetSourceAddress() != "" {
		text += "  from " + d.GetSourceAddress()
	}
	for i, t := range d.GetGrantedBy() {
		if i == 0 {
			text += "  by "
		} else {
			text += ", "
		}
		text += tupleText(t)
	}
	return text
}
