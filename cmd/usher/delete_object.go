package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

func (p *program) deleteObjectCommand() *cobra.Command {
	var w change
	var contents []string
	var dryRun bool
	cmd := &cobra.Command{
		Use:     "delete-object OBJECT",
		GroupID: groupTuples,
		Short:   "Delete all tuples that name an object",
		Long: `Delete all tuples that name an object, on whichever side, in one step.

What lies in the object stays, unless --contents names the relations by which: the tuple
media:logo#parent@folder:press puts the media into the folder. Then the contents go too,
and what lies in them. usher undo brings everything back.`,
		Example: `  usher delete-object collection:spring
  usher delete-object folder:press --contents parent --dry-run
  usher delete-object folder:press --contents folder#parent,media#parent --actor user:anna`,
		Args: exactly("OBJECT"),
	}
	w.addTo(cmd)
	cmd.Flags().StringSliceVar(&contents, "contents", nil, "`RELATIONS` by which objects lie in one another, such as parent, or media#parent for one type")
	addDryRun(cmd, &dryRun)
	return patient(p.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		request := &usherv1.DeleteObjectRequest{Store: c.store, Contents: toContents(contents), DryRun: dryRun, RequestId: w.requestID}
		var err error
		if request.Object, err = parseObject(args[0]); err != nil {
			return err
		}
		if request.Actor, request.Metadata, err = w.parts(); err != nil {
			return err
		}
		if request.Preconditions, err = w.preconditions(); err != nil {
			return err
		}
		answer, err := call(ctx, c, c.tuples().DeleteObject, request)
		if err != nil {
			return w.placed(err, nil)
		}
		return c.print(answer, func() string { return deletedObjectText(answer, dryRun) })
	}))
}

// toContents reads "parent" and "media#parent".
func toContents(texts []string) (all []*usherv1.Containment) {
	for _, text := range texts {
		kind, relation, ofType := strings.Cut(text, "#")
		if !ofType {
			kind, relation = "", text
		}
		all = append(all, &usherv1.Containment{ObjectType: kind, Relation: relation})
	}
	return all
}

func deletedObjectText(answer *usherv1.DeleteObjectResponse, dryRun bool) string {
	var of []string
	for _, kind := range slices.Sorted(maps.Keys(answer.GetObjects())) {
		of = append(of, fmt.Sprintf("%d %s", answer.GetObjects()[kind], kind))
	}
	text := fmt.Sprintf("%d %s", answer.GetDeleted(), doneOr(dryRun, "deleted", "to delete"))
	if len(of) > 0 {
		text += ", of " + strings.Join(of, " and ")
	}
	return text + outcomeEnd(answer, dryRun)
}
