package main

import (
	"strings"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// explanationText draws an explanation as a tree and, below it, the tuples of the
// subject that would have been enough.
func explanationText(e *usherv1.Explanation, subject string) string {
	text := drawTree(explanationBranch(e.GetRoot()))
	if e.GetTruncated() {
		text += "the explanation is longer than this; branches are missing\n"
	}
	if len(e.GetWouldGrant()) > 0 {
		text += "any of these would grant it:\n"
	}
	for _, grant := range e.GetWouldGrant() {
		text += "  " + usersetText(grant.GetObject(), grant.GetRelation()) + "@" + subject + "\n"
	}
	return text
}

func explanationBranch(n *usherv1.ExplanationNode) branch {
	b := branch{text: explanationLine(n)}
	for _, child := range n.GetChildren() {
		b.children = append(b.children, explanationBranch(child))
	}
	return b
}

// explanationLine writes one step: the userset with the rule that defines it, or the
// tuple with the rule that follows it, and what the step came to.
func explanationLine(n *usherv1.ExplanationNode) string {
	var b strings.Builder
	if t := n.GetTuple(); t != nil {
		b.WriteString(tupleText(t) + " (" + n.GetRule() + ")")
	} else {
		b.WriteString(usersetText(n.GetObject(), n.GetRelation()))
		if n.GetRule() != "" {
			b.WriteString(" = " + n.GetRule())
		}
	}
	b.WriteString(" → " + answerText(n.GetOutcome(), n.GetMissingContext()))
	if n.GetNote() != "" {
		b.WriteString(", " + n.GetNote())
	}
	return b.String()
}
