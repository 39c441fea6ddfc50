package scenario

import (
	"fmt"
	"strings"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/tuples"
)

// FormatExplanation returns an explanation as one line of text: the tuples that grant,
// each before those that it leads to, as in
//
//	allowed by media:logo#parent@folder:brand, folder:brand#viewer@user:anna
//
// or else the outcome and the usersets in which a tuple of the subject would have been
// enough, nearest first, as in
//
//	denied, would be granted by media:logo#viewer, folder:brand#viewer
func FormatExplanation(x *check.Explanation) string {
	if x.Decision.Outcome != check.Allowed {
		return formatWouldGrant(FormatAnswer(x.Decision.Outcome.String(), x.Decision.Missing), x.WouldGrant)
	}
	var keys []tuples.Key
	eachReason(x.Root, func(r *check.Reason) {
		if r.Tuple != nil && r.Decision.Outcome == check.Allowed {
			keys = append(keys, r.Tuple.Key)
		}
	})
	return formatGranted(keys)
}

func formatGranted(keys []tuples.Key) string { return allowed + " by " + joined(keys) }

func formatWouldGrant(outcome string, usersets []tuples.Userset) string {
	return outcome + ", would be granted by " + joined(usersets)
}

func joined[T fmt.Stringer](values []T) string {
	if len(values) == 0 {
		return nothing
	}
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = v.String()
	}
	return strings.Join(texts, ", ")
}

// eachReason visits a reason and all below it, each before those below.
func eachReason(r *check.Reason, visit func(*check.Reason)) {
	visit(r)
	for _, child := range r.Children {
		eachReason(child, visit)
	}
}

// maxLines is how much of an explanation a failure shows.
const maxLines = 20

// lines draws an explanation for people: a step a line, indented by what it is below.
func lines(x *check.Explanation) []string {
	var drawn []string
	var draw func(r *check.Reason, indent string)
	draw = func(r *check.Reason, indent string) {
		drawn = append(drawn, indent+stepText(r))
		for _, child := range r.Children {
			draw(child, indent+"  ")
		}
	}
	draw(x.Root, "")
	if more := len(drawn) - maxLines; more > 0 {
		drawn = append(drawn[:maxLines], fmt.Sprintf("… and %d more steps", more))
	}
	if x.Decision.Outcome != check.Allowed {
		drawn = append(drawn, "would be granted by "+joined(x.WouldGrant))
	}
	return drawn
}

// stepText writes one step: the userset with the rule that defines it, or the tuple with
// the rule that follows it, and what it came to.
func stepText(r *check.Reason) string {
	text := r.On.String() + " = " + r.Rule
	if r.Tuple != nil {
		text = r.Tuple.String() + " (" + r.Rule + ")"
	}
	text += " → " + FormatAnswer(r.Decision.Outcome.String(), r.Decision.Missing)
	if r.Note != "" {
		text += ", " + r.Note
	}
	return text
}
