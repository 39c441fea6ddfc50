package main

import (
	"context"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

func (p *program) storeCommand() *cobra.Command {
	return family(&cobra.Command{
		Use:     "store",
		GroupID: groupAdmin,
		Short:   "Create, find and delete stores",
		Long: `Create, find and delete stores. A store holds the tuples and models of one library;
nothing of it is visible in another. These commands ignore USHER_STORE.`,
	}, p.storeCreateCommand(), p.storeGetCommand(), p.storeListCommand(), p.storeDeleteCommand())
}

func (p *program) storeCreateCommand() *cobra.Command {
	return p.remote(&cobra.Command{
		Use:     "create NAME",
		Short:   "Make an empty store",
		Example: "  usher store create archive",
		Args:    exactly("NAME"),
	}, func(ctx context.Context, c *client, args []string) error {
		answer, err := call(ctx, c, c.stores().CreateStore, &usherv1.CreateStoreRequest{Name: args[0]})
		if err != nil {
			return err
		}
		return c.print(answer, func() string { return storesText(answer.GetStore()) })
	})
}

func (p *program) storeGetCommand() *cobra.Command {
	return p.remote(&cobra.Command{
		Use:     "get NAME",
		Short:   "Print one store",
		Example: "  usher store get default",
		Args:    exactly("NAME"),
	}, func(ctx context.Context, c *client, args []string) error {
		answer, err := call(ctx, c, c.stores().GetStore, &usherv1.GetStoreRequest{Store: args[0]})
		if err != nil {
			return err
		}
		return c.print(answer, func() string { return storesText(answer.GetStore()) })
	})
}

func (p *program) storeListCommand() *cobra.Command {
	return p.remote(&cobra.Command{
		Use:     "list",
		Short:   "Print all stores, the oldest first",
		Example: "  usher store list",
		Args:    exactly(),
	}, func(ctx context.Context, c *client, _ []string) error {
		all := &usherv1.ListStoresResponse{}
		for request := (&usherv1.ListStoresRequest{PageSize: listPage}); ; {
			answer, err := call(ctx, c, c.stores().ListStores, request)
			if err != nil {
				return err
			}
			all.Stores = append(all.Stores, answer.GetStores()...)
			if request.Cursor = answer.GetCursor(); request.Cursor == "" {
				break
			}
		}
		return c.print(all, func() string { return storesText(all.GetStores()...) })
	})
}

// listPage is the largest page of stores and models that the server returns.
const listPage = 1000

func (p *program) storeDeleteCommand() *cobra.Command {
	return p.remote(&cobra.Command{
		Use:   "delete NAME",
		Short: "Remove a store with all it holds",
		Long: `Remove a store with all it holds: tuples, models and history. There is no way back.
The name is an argument, and has no default.`,
		Example: "  usher store delete archive",
		Args:    exactly("NAME"),
	}, func(ctx context.Context, c *client, args []string) error {
		answer, err := call(ctx, c, c.stores().DeleteStore, &usherv1.DeleteStoreRequest{Store: args[0]})
		if err != nil {
			return err
		}
		return c.print(answer, func() string { return "deleted store " + args[0] + "\n" })
	})
}

// storesText draws stores as a table.
func storesText(stores ...*usherv1.Store) string {
	rows := make([]table.Row, len(stores))
	for i, s := range stores {
		rows[i] = table.Row{s.GetName(), s.GetId(), s.GetRevision(), s.GetModelId(), timeText(s.GetCreatedAt())}
	}
	return columns(table.Row{"name", "id", "revision", "model", "created"}, rows)
}
