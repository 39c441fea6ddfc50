package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

func (p *program) treeCommand() *cobra.Command {
	var q question
	var containedBy, relations []string
	var limit int32
	cmd := &cobra.Command{
		Use:     "tree OBJECT… --contained-by RELATION --relation RELATION[=INHERITS]",
		GroupID: groupAsk,
		Short:   "Show for whom each object of a tree is open",
		Long: `Show a tree of objects, and for whom each of them is open by each relation: public,
if everybody has it; invited, if anybody else has it whom a tuple names; or private. What
is inherited is shown with where it comes from.

--contained-by is the relation by which objects lie in one another, parent in
media:logo#parent@folder:press. With --relation RELATION=INHERITS an object inherits if
it has a tuple of the relation INHERITS; else it does if only tuples of other objects
open it. A relation that staff or owners have shows everything as invited: ask for one
that leaves them out.`,
		Example: `  usher tree folder:library --contained-by parent --relation viewer
  usher tree container:opera --contained-by parent --relation view_explicit=inherits --relation download_explicit=inherits`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return errors.New("OBJECT is missing; name where the tree begins, as in folder:library")
			case len(containedBy) == 0:
				return errors.New("--contained-by is missing; name how objects lie in one another, as in --contained-by parent")
			case len(relations) == 0:
				return errors.New("--relation is missing; name what to tell the state of, as in --relation viewer")
			}
			return nil
		},
	}
	q.addTo(cmd)
	q.addContextTo(cmd)
	addLimit(cmd, &limit)
	cmd.Flags().StringSliceVar(&containedBy, "contained-by", nil, "`RELATIONS` by which objects lie in one another, such as parent, or media#parent for one type")
	cmd.Flags().StringSliceVar(&relations, "relation", nil, "`RELATION` to tell the state of, or RELATION=INHERITS (repeatable)")
	return p.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		roots, err := parseObjects(args)
		if err != nil {
			return err
		}
		premises, err := q.premises()
		if err != nil {
			return err
		}
		request := &usherv1.SummarizeTreeRequest{
			Store: c.store, ModelId: q.modelID, Roots: roots,
			ContainedBy: toContents(containedBy), Relations: toTreeRelations(relations),
			ContextualTuples: premises.tuples, Context: premises.context, Consistency: premises.consistency,
			PageSize: limit,
		}
		return q.placedIn(c.tree(ctx, request), "roots", args)
	})
}

// toTreeRelations reads "viewer" and "viewer=inherits".
func toTreeRelations(texts []string) []*usherv1.TreeRelation {
	var all []*usherv1.TreeRelation
	for _, text := range texts {
		relation, inherits, _ := strings.Cut(text, "=")
		all = append(all, &usherv1.TreeRelation{Relation: relation, Inherits: inherits})
	}
	return all
}

// tree prints the objects of a tree as they come.
func (c *client) tree(ctx context.Context, request *usherv1.SummarizeTreeRequest) error {
	more := false
	err := receive(ctx, c, c.permissions().SummarizeTree, request, func(answer *usherv1.SummarizeTreeResponse) error {
		more = answer.GetMore()
		return c.print(answer, func() string {
			var b strings.Builder
			for _, object := range answer.GetObjects() {
				b.WriteString(treeLine(object, request.GetRelations()))
			}
			return b.String()
		})
	})
	return c.listEnd(err, more)
}

// treeLine is the line of one object, indented by its depth.
func treeLine(object *usherv1.TreeObject, relations []*usherv1.TreeRelation) string {
	line := strings.Repeat("  ", int(object.GetDepth())) + objectText(object.GetObject())
	for i, state := range object.GetStates() {
		if state.GetOpenness() != usherv1.Openness_OPENNESS_UNSPECIFIED {
			line += "  " + relations[i].GetRelation() + ": " + stateText(state)
		}
	}
	return line + "\n"
}

// stateText returns "public", "invited" or "private", and what that is inherited from.
func stateText(state *usherv1.ShareState) string {
	text := strings.ToLower(strings.TrimPrefix(state.GetOpenness().String(), "OPENNESS_"))
	switch origins := state.GetOrigins(); {
	case !state.GetInherited():
		return text
	case len(origins) == 0:
		return text + " (inherited)"
	default:
		from := make([]string, len(origins))
		for i, origin := range origins {
			from[i] = objectText(origin)
		}
		return fmt.Sprintf("%s (from %s)", text, strings.Join(from, ", "))
	}
}
