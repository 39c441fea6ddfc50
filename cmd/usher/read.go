package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

func (p *program) readCommand() *cobra.Command {
	var s selection
	var at state
	var limit int32
	cmd := &cobra.Command{
		Use:     "read",
		GroupID: groupTuples,
		Short:   "Print tuples",
		Long: `Print the tuples that flags select, or all: one a line, all of one revision, in the
form that usher write --file reads. A read with few flags can be long; it is complete.`,
		Example: `  usher read --object media:logo
  usher read --subject user:anna
  usher read --object-type media --relation viewer --limit 100
  usher read --expires-before 2026-04-01
  usher read --object media:logo --at 2026-03-01T12:00Z
  usher read > tuples.txt`,
		Args: exactly(),
	}
	s.addTo(cmd)
	s.addExpiryTo(cmd)
	at.addTo(cmd)
	addLimit(cmd, &limit)
	return p.remote(cmd, func(ctx context.Context, c *client, _ []string) error {
		filter, err := s.filter()
		if err != nil {
			return err
		}
		consistency, err := at.consistency()
		if err != nil {
			return err
		}
		request := &usherv1.ReadRequest{Store: c.store, Filter: filter, Consistency: consistency, PageSize: limit}
		more := false
		err = receive(ctx, c, c.tuples().Read, request, func(answer *usherv1.ReadResponse) error {
			more = answer.GetMore()
			return c.print(answer, func() string {
				var b strings.Builder
				for _, t := range answer.GetTuples() {
					b.WriteString(tupleText(t) + "\n")
				}
				return b.String()
			})
		})
		return c.listEnd(err, more)
	})
}
