package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	"google.golang.org/protobuf/proto"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

const (
	// maxUpdates is how many tuples the server takes in one request.
	maxUpdates = 10_000
	// maxTupleBytes is how large they are together at most: the server reads requests of
	// 16 MiB, which hold preconditions, metadata and what encoding adds to each tuple too.
	maxTupleBytes = 12 << 20
)

// operations are the values of --operation.
var operations = map[string]usherv1.Operation{
	"create": usherv1.Operation_OPERATION_CREATE,
	"touch":  usherv1.Operation_OPERATION_TOUCH,
	"delete": usherv1.Operation_OPERATION_DELETE,
}

func (p *program) writeCommand() *cobra.Command {
	var w change
	var file, operation string
	cmd := &cobra.Command{
		Use:     "write TUPLE…",
		GroupID: groupTuples,
		Short:   "Write tuples",
		Long: `Write tuples: the arguments, or the lines of a file.

A tuple is OBJECT#RELATION@SUBJECT, and may go on with a condition, an expiry and
attributes:

  media:logo#viewer@user:anna with office_hours {"from": 9} expires 2026-12-31T23:59:59Z attributes {"max_image_size": 2048}

In a file, empty lines and lines that begin with # are skipped. A request is all or
nothing. A file of more than 10,000 tuples, or 12 MiB, goes in several requests, each with the
preconditions, so it can end half written; with touch it is safe to write it again.`,
		Example: `  usher write media:logo#viewer@user:anna group:design#member@user:bert
  usher write --file tuples.txt
  usher read | usher write --store copy --file -
  usher write media:logo#viewer@user:bert --if-allowed 'user:anna can_share media:logo' --actor user:anna`,
		Args: func(_ *cobra.Command, args []string) error {
			if (len(args) == 0) == (file == "") {
				return errors.New("what to write is not clear; give tuples as arguments, or one --file")
			}
			return nil
		},
	}
	w.addTo(cmd)
	cmd.Flags().StringVarP(&file, "file", "f", "", "`FILE` of tuples, one a line; - for stdin")
	cmd.Flags().StringVar(&operation, "operation", "touch", "what to do with each tuple: `touch|create|delete`; create fails if it is there")
	completeFiles(cmd, "file")
	complete(cmd, "operation", "touch", "create", "delete")
	return p.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		op, ok := operations[operation]
		if !ok {
			return fmt.Errorf("--operation %q is not known; use touch, create or delete", operation)
		}
		tuples, err := p.tuplesToWrite(file, args)
		if err != nil {
			return err
		}
		return w.send(ctx, c, op, tuples)
	})
}

func (p *program) tuplesToWrite(file string, args []string) ([]placedTuple, error) {
	if file == "" {
		return argumentTuples(args)
	}
	tuples, err := p.fileTuples(file)
	if err == nil && len(tuples) == 0 {
		err = fmt.Errorf("%s has no tuples; write one a line, as in media:logo#viewer@user:anna", file)
	}
	return tuples, err
}

// send writes the tuples, in as few requests as the server takes them in.
func (w *change) send(ctx context.Context, c *client, op usherv1.Operation, tuples []placedTuple) error {
	actor, metadata, err := w.parts()
	if err != nil {
		return err
	}
	preconditions, err := w.preconditions()
	if err != nil {
		return err
	}
	parts := inRequests(tuples)
	if len(parts) > 1 {
		c.note("%d tuples go in %d requests; each is all or nothing", len(tuples), len(parts))
	}
	sent := 0
	for i, part := range parts {
		request := &usherv1.WriteRequest{
			Store: c.store, Updates: updates(op, part), Preconditions: preconditions,
			Actor: actor, Metadata: metadata, RequestId: w.requestIDOf(i + 1),
		}
		answer, err := call(ctx, c, c.tuples().Write, request)
		if err != nil {
			if sent > 0 {
				c.note("the first %d tuples are written, the others are not", sent)
			}
			return w.placed(err, part)
		}
		sent += len(part)
		if err := c.print(answer, func() string { return writtenText(answer) }); err != nil {
			return err
		}
		if len(parts) > 1 && isTerminal(c.stderr) {
			c.note("%d of %d tuples", sent, len(tuples))
		}
	}
	return nil
}

// inRequests cuts tuples into what one request can hold. The same tuples are cut in
// the same places, as the request ids of a retry need it.
func inRequests(tuples []placedTuple) (parts [][]placedTuple) {
	begin, bytes := 0, 0
	for i, t := range tuples {
		size := proto.Size(t.tuple)
		if i-begin == maxUpdates || (i > begin && bytes+size > maxTupleBytes) {
			parts = append(parts, tuples[begin:i])
			begin, bytes = i, 0
		}
		bytes += size
	}
	return append(parts, tuples[begin:])
}

func updates(op usherv1.Operation, tuples []placedTuple) []*usherv1.TupleUpdate {
	all := make([]*usherv1.TupleUpdate, len(tuples))
	for i, t := range tuples {
		all[i] = &usherv1.TupleUpdate{Operation: op, Tuple: t.tuple}
	}
	return all
}

// written is what a Write and a SetShares answer.
type written interface {
	changed
	GetCreated() int32
	GetUpdated() int32
	GetDeleted() int32
	GetUnchanged() int32
}

// writtenText says what a write changed.
func writtenText(answer written) string {
	var parts []string
	for _, count := range []struct {
		n    int32
		what string
	}{
		{answer.GetCreated(), "created"}, {answer.GetUpdated(), "updated"},
		{answer.GetDeleted(), "deleted"}, {answer.GetUnchanged(), "unchanged"},
	} {
		if count.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count.n, count.what))
		}
	}
	if len(parts) == 0 {
		parts = append(parts, "nothing to change")
	}
	return strings.Join(parts, ", ") + outcomeEnd(answer, false)
}

// isTerminal reports whether people watch what is written to w.
func isTerminal(w any) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
