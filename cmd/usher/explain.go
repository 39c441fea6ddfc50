package main

import (
	"strings"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// explanationText draws an explanation as a tree and, below it, the tuples of the
// subject that would have been enough: or, if givenBy names the relation of those who can
// give them, as what the subject would be and who they are.
func explanationText(e *usherv1.Explanation, subject, givenBy string) string {
	text := drawTree(explanationBranch(e.GetRoot()))
	if e.GetTruncated() {
		text += "the explanation is longer than this; branches are missing\n"
	}
	if givenBy != "" {
		return text + giversText(e, givenBy)
	}
	if len(e.GetWouldGrant()) > 0 {
		text += "any of these would grant it:\n"
	}
	for _, grant := range e.GetWouldGrant() {
		text += "  " + usersetText(grant.GetObject(), grant.GetRelation()) + "@" + subject + "\n"
	}
	return text
}

// giversText says, a line for each missing role, who can give it.
func giversText(e *usherv1.Explanation, givenBy string) string {
	if len(e.GetWouldGrant()) == 0 && e.GetRoot().GetOutcome() != usherv1.Outcome_OUTCOME_ALLOWED && !e.GetTruncated() {
		return "no single role on an object that has " + givenBy + " would grant it\n"
	}
	text := ""
	for _, grant := range e.GetWouldGrant() {
		var names []string
		for _, giver := range grant.GetGivers() {
			names = append(names, subjectText(giver))
		}
		switch {
		case len(names) == 0:
			names = []string{"nobody"}
		case grant.GetMoreGivers():
			names = append(names, "others")
		}
		text += "would be allowed as " + grant.GetRelation() + " of " + objectText(grant.GetObject()) +
			", which " + strings.Join(names, ", ") + " can give\n"
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
