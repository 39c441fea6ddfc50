package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// The groups that help lists commands in.
const (
	groupServer = "server"
	groupAsk    = "ask"
	groupTuples = "tuples"
	groupAdmin  = "admin"
)

// rootCommand returns the tree of all commands.
func (p *program) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "usher",
		Short: "Usher answers permission questions from relation tuples",
		Long: `Usher stores who shares what with whom as relation tuples, and answers
"may this subject do this to that object?", why, and for whom.

Objects are written media:logo, subjects user:anna, user:* or group:design#member,
and tuples media:logo#viewer@user:anna. Commands other than serve are clients of a
running server; USHER_ADDR and USHER_STORE set the defaults of --addr and --store.

Exit status: 0 success or allowed, 1 denied, 2 error, 3 conditional.`,
		Example: `  usher serve --example media-library
  usher write media:logo#viewer@user:anna
  usher check user:anna can_view media:logo --explain`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())
	})
	root.AddGroup(
		&cobra.Group{ID: groupServer, Title: "The server:"},
		&cobra.Group{ID: groupAsk, Title: "Questions:"},
		&cobra.Group{ID: groupTuples, Title: "Tuples:"},
		&cobra.Group{ID: groupAdmin, Title: "Models, stores and examples:"},
	)
	root.AddCommand(
		p.serveCommand(), p.benchCommand(), p.versionCommand(),
		p.checkCommand(), p.listRelationsCommand(), p.listObjectsCommand(), p.listSubjectsCommand(), p.expandCommand(),
		p.sharesCommand(), p.treeCommand(), p.decisionsCommand(), p.traceCommand(),
		p.writeCommand(), p.shareCommand(), p.deleteCommand(), p.deleteObjectCommand(), p.undoCommand(), p.readCommand(), p.watchCommand(),
		p.importCommand(), p.exportCommand(),
		p.modelCommand(), p.storeCommand(), p.exampleCommand(), p.testCommand(),
	)
	return root
}

// exactly is a check of a command's arguments that names the ones that are missing.
func exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		usage := cmd.Parent().CommandPath() + " " + cmd.Use
		switch {
		case len(args) < len(names):
			return fmt.Errorf("%s is missing; write %s", names[len(args)], usage)
		case len(args) > len(names):
			return fmt.Errorf("%q is one argument too many; write %s", args[len(names)], usage)
		}
		return nil
	}
}

// family makes cmd the parent of commands.
func family(cmd *cobra.Command, commands ...*cobra.Command) *cobra.Command {
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	cmd.AddCommand(commands...)
	return cmd
}

// complete lets the shell complete a flag from fixed words.
func complete(cmd *cobra.Command, flag string, words ...string) {
	err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic(err) // the flag was just defined
	}
}

// completeFiles lets the shell complete flags from the files there are.
func completeFiles(cmd *cobra.Command, flags ...string) {
	for _, flag := range flags {
		if err := cmd.MarkFlagFilename(flag); err != nil {
			panic(err) // the flag was just defined
		}
	}
}
