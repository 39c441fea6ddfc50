package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// maxLeafTuples is the largest page of one leaf that the server returns.
const maxLeafTuples = 10_000

func (p *program) expandCommand() *cobra.Command {
	var q question
	var limit int32
	cmd := &cobra.Command{
		Use:     "expand OBJECT RELATION",
		GroupID: groupAsk,
		Short:   "Draw by which tree a relation to an object is held",
		Long: `Draw by which tree of usersets a relation to an object is held, one level deep:
the rule of the model with the tuples that it reads.`,
		Example: `  usher expand media:logo can_view
  usher expand media:logo viewer --limit 20`,
		Args: exactly("OBJECT", "RELATION"),
	}
	q.addTo(cmd)
	addLimitTo(cmd, &limit, "how many tuples to show of each leaf; 0 for all")
	return p.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		object, err := parseObject(args[0])
		if err != nil {
			return err
		}
		premises, err := q.premises()
		if err != nil {
			return err
		}
		answer, err := expand(ctx, c, limit, &usherv1.ExpandRequest{
			Store: c.store, ModelId: q.modelID, Object: object, Relation: args[1],
			ContextualTuples: premises.tuples, Consistency: premises.consistency,
		})
		if err != nil {
			return q.placed(err)
		}
		return c.print(answer, func() string {
			return drawTree(branch{
				text:     usersetText(object, args[1]),
				children: []branch{expandBranch(answer.GetTree())},
			})
		})
	})
}

// expand asks for a tree and, unless there is a limit, goes on with every leaf that
// was cut, until the tree is whole.
func expand(ctx context.Context, c *client, limit int32, request *usherv1.ExpandRequest) (*usherv1.ExpandResponse, error) {
	request.PageSize = limit
	if limit == 0 {
		request.PageSize = maxLeafTuples
	}
	answer, err := call(ctx, c, c.permissions().Expand, request)
	if err != nil || limit != 0 {
		return answer, err
	}
	leaves := leavesOf(answer.GetTree())
	for i, leaf := range leaves {
		for *leaf.cursor != "" {
			request.Cursor, request.Consistency = *leaf.cursor, nil
			more, err := call(ctx, c, c.permissions().Expand, request)
			if err != nil {
				return nil, err
			}
			next := leavesOf(more.GetTree())
			if len(next) != len(leaves) {
				return nil, fmt.Errorf("%s sent another tree to go on with; run the command again", c.addr)
			}
			*leaf.tuples = append(*leaf.tuples, *next[i].tuples...)
			*leaf.cursor = *next[i].cursor
		}
	}
	return answer, nil
}

// leaf is the tuples of one leaf of a tree, and where to go on with them.
type leaf struct {
	tuples *[]*usherv1.Tuple
	cursor *string
}

// leavesOf returns the leaves that have tuples, in the order of the tree.
func leavesOf(n *usherv1.ExpandNode) []leaf {
	switch node := n.GetNode().(type) {
	case *usherv1.ExpandNode_Direct:
		return []leaf{{&node.Direct.Tuples, &node.Direct.Cursor}}
	case *usherv1.ExpandNode_TupleToUserset:
		return []leaf{{&node.TupleToUserset.Tuples, &node.TupleToUserset.Cursor}}
	}
	var leaves []leaf
	for _, child := range childrenOf(n) {
		leaves = append(leaves, leavesOf(child)...)
	}
	return leaves
}

func childrenOf(n *usherv1.ExpandNode) []*usherv1.ExpandNode {
	switch node := n.GetNode().(type) {
	case *usherv1.ExpandNode_Union:
		return node.Union.GetChildren()
	case *usherv1.ExpandNode_Intersection:
		return node.Intersection.GetChildren()
	case *usherv1.ExpandNode_Exclusion:
		return node.Exclusion.GetChildren()
	}
	return nil
}

// expandBranch draws one node of a tree.
func expandBranch(n *usherv1.ExpandNode) branch {
	var b branch
	switch node := n.GetNode().(type) {
	case *usherv1.ExpandNode_Direct:
		b = tuplesBranch("direct", node.Direct.GetTuples(), node.Direct.GetCursor())
	case *usherv1.ExpandNode_Computed:
		b.text = usersetText(node.Computed.GetObject(), node.Computed.GetRelation())
	case *usherv1.ExpandNode_TupleToUserset:
		rule := node.TupleToUserset
		b = tuplesBranch(rule.GetComputed()+" from "+rule.GetTupleset(), rule.GetTuples(), rule.GetCursor())
	case *usherv1.ExpandNode_Union:
		b.text = "or"
	case *usherv1.ExpandNode_Intersection:
		b.text = "and"
	case *usherv1.ExpandNode_Exclusion:
		b.text = "but not"
	}
	for _, child := range childrenOf(n) {
		b.children = append(b.children, expandBranch(child))
	}
	return b
}

func tuplesBranch(text string, tuples []*usherv1.Tuple, cursor string) branch {
	b := branch{text: text}
	for _, t := range tuples {
		b.children = append(b.children, branch{text: tupleText(t)})
	}
	switch {
	case cursor != "":
		b.children = append(b.children, branch{text: "… more, see --limit"})
	case len(tuples) == 0:
		b.text += " (no tuples)"
	}
	return b
}
