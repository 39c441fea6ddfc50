package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/usher-authz/usher/examples"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/server/wire"
)

func (p *program) exampleCommand() *cobra.Command {
	return family(&cobra.Command{
		Use:     "example",
		GroupID: groupAdmin,
		Short:   "List the examples, and put one into a running server",
		Long: `List the models that ship with Usher, each with a small library, and put one into a
running server.`,
	}, p.exampleListCommand(), p.exampleLoadCommand())
}

func (p *program) exampleListCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "Print all examples",
		Example: "  usher example list",
		Args:    exactly(),
		RunE: func(*cobra.Command, []string) error {
			var rows []table.Row
			for _, e := range examples.All() {
				rows = append(rows, table.Row{e.Name, len(e.Tuples), headline(e.Model.DSL)})
			}
			_, err := fmt.Fprint(p.stdout, columns(table.Row{"name", "tuples", "what it is"}, rows))
			return err
		},
	}
}

// headline returns the first sentence of the comment that a model begins with.
func headline(dsl string) string {
	var text []string
	for line := range strings.Lines(dsl) {
		comment, ok := strings.CutPrefix(strings.TrimSpace(line), "#")
		if !ok {
			break
		}
		text = append(text, strings.TrimSpace(comment))
	}
	sentence, _, _ := strings.Cut(strings.Join(text, " "), ". ")
	return strings.TrimSuffix(sentence, ".")
}

func (p *program) exampleLoadCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "load NAME",
		Short: "Put an example into a running server",
		Long: `Put an example into a running server: into the store of --store, or else into one of
the example's name. The store is made if there is none. Its model becomes the one in
force, its tuples are added to those that are there, and loading it again changes nothing.`,
		Example: `  usher example load portal-visibility
  usher example load internal-shares --store trial`,
		Args: exactly("NAME"),
	}
	cmd = p.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		e, ok := examples.Find(args[0])
		if !ok {
			return fmt.Errorf("example %q is not known; see usher example list", args[0])
		}
		if !cmd.Flags().Changed("store") {
			c.store = e.Name
		}
		return c.load(ctx, e)
	})
	store := cmd.Flags().Lookup("store")
	store.Usage, store.DefValue = "`NAME` or id of the store; without it one of the example's name", ""
	return cmd
}

// load writes an example to the client's store.
func (c *client) load(ctx context.Context, e examples.Example) error {
	_, err := call(ctx, c, c.stores().CreateStore, &usherv1.CreateStoreRequest{Name: c.store})
	if err != nil && status.Code(err) != codes.AlreadyExists {
		return err
	}
	if err := c.loadModel(ctx, e.Model); err != nil {
		return err
	}
	request := &usherv1.WriteRequest{Store: c.store, Metadata: map[string]string{"message": "example " + e.Name}}
	for _, t := range wire.FromTuples(e.Tuples) {
		request.Updates = append(request.Updates, &usherv1.TupleUpdate{Operation: usherv1.Operation_OPERATION_TOUCH, Tuple: t})
	}
	answer, err := call(ctx, c, c.tuples().Write, request)
	if err != nil {
		return err
	}
	return c.print(answer, func() string {
		text := fmt.Sprintf("store %s has example %s: %s", c.store, e.Name, writtenText(answer))
		for _, command := range e.Try {
			text += fmt.Sprintf("  usher %s --store %s\n", command, c.store)
		}
		return text
	})
}

// loadModel puts a model in force, unless it is already.
func (c *client) loadModel(ctx context.Context, source model.Source) error {
	inForce, err := call(ctx, c, c.models().ReadModel, &usherv1.ReadModelRequest{Store: c.store})
	if err == nil && proto.Equal(inForce.GetModel().GetSource(), wire.FromSource(source)) {
		return nil
	}
	if err != nil && status.Code(err) != codes.FailedPrecondition { // it has no model yet
		return err
	}
	_, err = call(ctx, c, c.models().WriteModel, &usherv1.WriteModelRequest{
		Store: c.store, Source: wire.FromSource(source),
	})
	return err
}
