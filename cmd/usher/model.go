package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/server/wire"
)

func (p *program) modelCommand() *cobra.Command {
	return family(&cobra.Command{
		Use:     "model",
		GroupID: groupAdmin,
		Short:   "Write, read and validate authorization models",
		Long: `Write, read and validate authorization models in the OpenFGA modelling language.

FILE is a model in the language (schema 1.1 or 1.2), its JSON form if it ends in
.json, or a modular model if it is called fga.mod; - is stdin.`,
	}, p.modelWriteCommand(), p.modelReadCommand(), p.modelListCommand(), p.modelValidateCommand())
}

// modelFiles lets the shell complete the argument FILE.
var modelFiles = cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)

func (p *program) modelWriteCommand() *cobra.Command {
	var o origin
	var dryRun bool
	var replaces string
	cmd := &cobra.Command{
		Use:   "write FILE",
		Short: "Put a model in force",
		Long: `Put a model in force, and print what differs from the one before.

Stored tuples that the model forbids stay; questions do not see them until another
model allows them again. --dry-run writes nothing and lists such tuples.`,
		Example: `  usher model write model.fga --dry-run
  usher model write model.fga --replaces 01K7WJ3V9C5Q7YH1M3ZB4T8N2E`,
		Args:              exactly("FILE"),
		ValidArgsFunction: modelFiles,
	}
	o.addTo(cmd)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "print what would change and which tuples it would forbid; write nothing")
	cmd.Flags().StringVar(&replaces, "replaces", "", "write only if the version with this `ID` is in force")
	return p.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		source, err := p.readModel(args[0])
		if err != nil {
			return err
		}
		actor, metadata, err := o.parts()
		if err != nil {
			return err
		}
		answer, err := call(ctx, c, c.models().WriteModel, &usherv1.WriteModelRequest{
			Store: c.store, Source: wire.FromSource(source), DryRun: dryRun, Actor: actor, Metadata: metadata, Replaces: replaces,
		})
		if err != nil {
			return &placedError{err, func(message string) string { return problemLine.ReplaceAllString(message, args[0]+":$0") }}
		}
		for _, w := range answer.GetWarnings() {
			pos := model.Pos{File: w.GetFile(), Line: int(w.GetLine()), Column: int(w.GetColumn())}
			c.note("warning: %s", problemText(args[0], pos, w.GetMessage(), w.GetRemedy()))
		}
		return c.print(answer, func() string { return modelWrittenText(answer, dryRun) })
	})
}

// problemLine finds the problems of a refused model that name no file.
var problemLine = regexp.MustCompile(`(?m)^\d+:\d+: `)

// modelWrittenText tells what a new model changed or, in a dry run, would change.
func modelWrittenText(answer *usherv1.WriteModelResponse, dryRun bool) string {
	var b strings.Builder
	if dryRun {
		b.WriteString("dry run: nothing was written\n")
	} else {
		fmt.Fprintf(&b, "model %s is in force; revision %d, token %s\n", answer.GetModelId(), answer.GetRevision(), answer.GetToken())
	}
	for _, d := range answer.GetDifferences() {
		fmt.Fprintf(&b, "  %s: %s\n", d.GetSubject(), d.GetChange())
	}
	if dryRun && len(answer.GetDifferences()) == 0 {
		b.WriteString("  no difference\n")
	}
	if orphaned := answer.GetOrphaned(); orphaned.GetCount() > 0 {
		fmt.Fprintf(&b, "stored tuples that it would forbid, so that they count no more: %d, such as\n", orphaned.GetCount())
		for _, t := range orphaned.GetExamples() {
			b.WriteString("  " + tupleText(t) + "\n")
		}
	}
	return b.String()
}

func (p *program) modelReadCommand() *cobra.Command {
	var at state
	cmd := &cobra.Command{
		Use:   "read [ID]",
		Short: "Print a model: the one in force, or a version",
		Example: `  usher model read > model.fga
  usher model read --at 2026-11-01`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return exactly("ID")(cmd, args)
		},
	}
	at.addTo(cmd)
	return p.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		consistency, err := at.consistency()
		if err != nil {
			return err
		}
		answer, err := call(ctx, c, c.models().ReadModel, &usherv1.ReadModelRequest{
			Store: c.store, ModelId: strings.Join(args, ""), Consistency: consistency,
		})
		if err != nil {
			return err
		}
		return c.print(answer, func() string { return strings.TrimRight(answer.GetModel().GetDsl(), "\n") + "\n" })
	})
}

func (p *program) modelListCommand() *cobra.Command {
	var limit int32
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "Print the versions of the model, newest first",
		Example: "  usher model list --limit 5",
		Args:    exactly(),
	}
	addLimit(cmd, &limit)
	return p.remote(cmd, func(ctx context.Context, c *client, _ []string) error {
		all := &usherv1.ListModelsResponse{}
		for request := (&usherv1.ListModelsRequest{Store: c.store}); ; {
			request.PageSize = listPage
			if limit > 0 {
				request.PageSize = min(listPage, limit-int32(len(all.Models)))
			}
			answer, err := call(ctx, c, c.models().ListModels, request)
			if err != nil {
				return err
			}
			all.Models = append(all.Models, answer.GetModels()...)
			all.Token, all.Revision, all.Cursor = answer.GetToken(), answer.GetRevision(), answer.GetCursor()
			request.Cursor = answer.GetCursor()
			if request.Cursor == "" || limit > 0 && len(all.Models) >= int(limit) {
				break
			}
		}
		err := c.print(all, func() string { return modelsText(all.GetModels()) })
		return c.listEnd(err, all.GetCursor() != "")
	})
}

// modelsText draws versions as a table.
func modelsText(models []*usherv1.ModelSummary) string {
	rows := make([]table.Row, len(models))
	for i, m := range models {
		rows[i] = table.Row{m.GetId(), m.GetEffectiveRevision(), timeText(m.GetCreatedAt())}
	}
	return columns(table.Row{"id", "revision", "created"}, rows)
}

func (p *program) modelValidateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "validate FILE",
		Short: "Tell whether a model is valid, without a server",
		Long: `Tell whether a model is valid, without a server. Prints everything that is wrong or
suspicious as file:line:column, what, and what to do. Exit status: 0 valid, 2 not.`,
		Example:           "  usher model validate model.fga",
		Args:              exactly("FILE"),
		ValidArgsFunction: modelFiles,
		RunE: func(_ *cobra.Command, args []string) error {
			source, err := p.readModel(args[0])
			if err != nil {
				return err
			}
			_, warnings, err := model.Parse(source)
			if refused, ok := errors.AsType[*model.Error](err); ok {
				for _, problem := range refused.Problems {
					fmt.Fprintln(p.stdout, problemText(args[0], problem.Pos, problem.Message, problem.Remedy))
				}
				return fmt.Errorf("%s is not valid", args[0])
			}
			if err != nil {
				return err
			}
			for _, w := range warnings {
				fmt.Fprintln(p.stdout, problemText(args[0], w.Pos, "warning: "+w.Message, w.Remedy))
			}
			_, err = fmt.Fprintf(p.stdout, "%s is valid\n", args[0])
			return err
		},
	}
}
