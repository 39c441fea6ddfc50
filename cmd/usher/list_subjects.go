package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/tuples"
)

func (p *program) listSubjectsCommand() *cobra.Command {
	var q question
	var limit int32
	cmd := &cobra.Command{
		Use:     "list-subjects OBJECT RELATION TYPE[#RELATION]",
		GroupID: groupAsk,
		Short:   "List all subjects of a kind that have a relation to an object",
		Long: `List all subjects of a kind that have a relation to an object, one a line, sorted
by id. The kind is a type, or usersets such as group#member.

Where the list has type:*, everybody has the relation but those that the list
names as denied.`,
		Example: `  usher list-subjects media:logo can_view user
  usher list-subjects media:logo viewer group#member
  usher list-subjects media:logo can_view user --at 2026-03-01`,
		Args: exactly("OBJECT", "RELATION", "TYPE"),
	}
	q.addTo(cmd)
	q.addContextTo(cmd)
	addLimit(cmd, &limit)
	return p.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		object, err := parseObject(args[0])
		if err != nil {
			return err
		}
		premises, err := q.premises()
		if err != nil {
			return err
		}
		kind, relation, _ := strings.Cut(args[2], "#")
		request := &usherv1.ListSubjectsRequest{
			Store: c.store, ModelId: q.modelID, Object: object, Relation: args[1], SubjectType: kind, SubjectRelation: relation,
			ContextualTuples: premises.tuples, Context: premises.context, Consistency: premises.consistency,
			PageSize: limit,
		}
		more := false
		err = receive(ctx, c, c.permissions().ListSubjects, request, func(answer *usherv1.ListSubjectsResponse) error {
			more = answer.GetMore()
			return c.print(answer, func() string {
				var b strings.Builder
				for _, s := range answer.GetSubjects() {
					b.WriteString(subjectLine(kind, relation, s))
				}
				return b.String()
			})
		})
		return q.placed(c.listEnd(err, more))
	})
}

// subjectLine is the line of one subject. A wildcard says that it means everybody,
// and an exclusion from it that it is one.
func subjectLine(kind, relation string, s *usherv1.ListedSubject) string {
	name := subjectText(&usherv1.Subject{Type: kind, Id: s.GetId(), Relation: relation})
	line := listedText(name, s.GetOutcome(), s.GetMissingContext())
	switch {
	case s.GetId() == string(tuples.Wildcard):
		return strings.TrimSuffix(line, "\n") + "  (every " + kind + " not named otherwise)\n"
	case s.GetOutcome() == usherv1.Outcome_OUTCOME_DENIED:
		return strings.TrimSuffix(line, "\n") + "  (excluded from " + kind + ":*)\n"
	}
	return line
}
