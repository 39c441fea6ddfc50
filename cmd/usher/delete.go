package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

func (p *program) deleteCommand() *cobra.Command {
	var w change
	var s selection
	var limit int32
	cmd := &cobra.Command{
		Use:     "delete TUPLE… | delete --object OBJECT …",
		GroupID: groupTuples,
		Short:   "Delete tuples",
		Long: `Delete tuples: the arguments, or those that flags select. usher read with the same
flags prints what would be deleted.

Deleting a tuple that is not there changes nothing. More than 10,000 selected
tuples are deleted in several requests.`,
		Example: `  usher delete media:logo#viewer@user:anna
  usher delete --object media:logo
  usher delete --subject user:anna --relation viewer`,
		Args: func(_ *cobra.Command, args []string) error {
			if (len(args) == 0) == s.isZero() {
				return errors.New("what to delete is not clear; give tuples as arguments, or select them by --object, --object-type, --relation, --subject, --subject-type or --expires-before")
			}
			return nil
		},
	}
	w.addTo(cmd)
	s.addTo(cmd)
	s.addExpiryTo(cmd)
	addLimitTo(cmd, &limit, "delete so many of the selected tuples at most; 0 for all")
	return p.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		if len(args) > 0 {
			tuples, err := argumentTuples(args)
			if err != nil {
				return err
			}
			return w.send(ctx, c, usherv1.Operation_OPERATION_DELETE, tuples)
		}
		filter, err := s.filter()
		if err != nil {
			return err
		}
		return w.deleteSelected(ctx, c, filter, limit)
	})
}

// deleteSelected deletes what a filter selects, up to limit unless that is 0, in as
// few requests as the server does it in.
func (w *change) deleteSelected(ctx context.Context, c *client, filter *usherv1.TupleFilter, limit int32) error {
	actor, metadata, err := w.parts()
	if err != nil {
		return err
	}
	preconditions, err := w.preconditions()
	if err != nil {
		return err
	}
	request := &usherv1.DeleteTuplesRequest{
		Store: c.store, Filter: filter, AllowPartial: true, Preconditions: preconditions,
		Actor: actor, Metadata: metadata,
	}
	for number, left := 1, limit; ; number++ {
		request.Limit = maxUpdates
		if limit > 0 {
			request.Limit = min(left, maxUpdates)
		}
		request.RequestId = w.requestIDOf(number)
		answer, err := call(ctx, c, c.tuples().DeleteTuples, request)
		if err != nil {
			return w.placed(err, nil)
		}
		if err := c.print(answer, func() string { return deletedText(answer) }); err != nil {
			return err
		}
		left -= answer.GetDeleted()
		switch {
		case !answer.GetMore():
			return nil
		case limit > 0 && left <= 0:
			c.note("more tuples match; raise --limit, or run the command again")
			return nil
		}
	}
}

func deletedText(answer *usherv1.DeleteTuplesResponse) string {
	return fmt.Sprintf("%d deleted", answer.GetDeleted()) + outcomeEnd(answer, false)
}
