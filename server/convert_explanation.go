package server

import (
	"github.com/usher-authz/usher/check"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// maxExplanationDepth bounds how deep the tree of a message nests. The protobuf decoders
// of C++, Java and Python refuse 100 levels, and a tuple with a condition needs some
// of them below the deepest step.
const maxExplanationDepth = 64

// noteCut stands where the tree was cut.
const noteCut = "explanation cut here"

func fromExplanation(e *check.Explanation, id tuples.ModelID) *usherv1.Explanation {
	out := &usherv1.Explanation{ModelId: string(id), Truncated: e.Truncated}
	out.Root = fromReason(e.Root, maxExplanationDepth, &out.Truncated)
	for _, u := range e.WouldGrant {
		out.WouldGrant = append(out.WouldGrant, &usherv1.ExplanationGrant{
			Object: wire.FromObject(u.Object), Relation: string(u.Relation),
		})
	}
	return out
}

// fromReason converts a step and the levels below it.
func fromReason(r *check.Reason, levels int, truncated *bool) *usherv1.ExplanationNode {
	node := &usherv1.ExplanationNode{
		Object:         wire.FromObject(r.On.Object),
		Relation:       string(r.On.Relation),
		Rule:           r.Rule,
		Outcome:        fromOutcome(r.Decision.Outcome),
		Note:           r.Note,
		MissingContext: r.Decision.Missing,
	}
	if r.Tuple != nil {
		node.Tuple = wire.FromTuple(*r.Tuple)
	}
	if levels == 1 && len(r.Children) > 0 {
		node.Note, *truncated = noteCut, true
		return node
	}
	for _, child := range r.Children {
		node.Children = append(node.Children, fromReason(child, levels-1, truncated))
	}
	return node
}
