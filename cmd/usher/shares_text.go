package main

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"google.golang.org/protobuf/types/known/timestamppb"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// sharesText draws a summary as a table. When shares expire is told of one object alone.
func sharesText(recipients []*usherv1.RecipientSummary, objects int) string {
	header := table.Row{"recipient", "right", "from"}
	if objects == 1 {
		header = append(header, "expires")
	}
	rows := make([]table.Row, len(recipients))
	for i, r := range recipients {
		rows[i] = table.Row{subjectText(r.GetSubject()), rightText(r), fromText(r, objects)}
		if objects == 1 {
			rows[i] = append(rows[i], expiryText(r.GetOrigins()))
		}
	}
	return columns(header, rows)
}

// rightText returns the right of a recipient, or what it is mixed of.
func rightText(r *usherv1.RecipientSummary) string {
	counts := r.GetCounts()
	if !r.GetMixed() {
		return countText(counts[0])
	}
	texts := make([]string, len(counts))
	for i, c := range counts {
		texts[i] = fmt.Sprintf("%d %s", c.GetObjects(), countText(c))
	}
	return "mixed (" + strings.Join(texts, ", ") + ")"
}

// countText returns a right, and whether it depends on missing context.
func countText(c *usherv1.ShareCount) string {
	switch {
	case c.GetRelation() == "":
		return "none"
	case c.GetConditional() == 0:
		return c.GetRelation()
	case c.GetConditional() == c.GetObjects():
		return c.GetRelation() + ", conditional"
	}
	return fmt.Sprintf("%s, %d of them conditional", c.GetRelation(), c.GetConditional())
}

// fromText says whether shares are the objects' own. Of one object it names what the
// others are inherited from.
func fromText(r *usherv1.RecipientSummary, objects int) string {
	if objects > 1 {
		total := 0
		for _, c := range r.GetCounts() {
			if c.GetRelation() != "" {
				total += int(c.GetObjects())
			}
		}
		switch direct := int(r.GetDirect()); direct {
		case total:
			return "direct"
		case 0:
			return "inherited"
		default:
			return fmt.Sprintf("direct on %d of %d", direct, total)
		}
	}
	var from []string
	for _, origin := range r.GetOrigins() {
		text := "direct"
		if origin.GetInherited() {
			text = objectText(origin.GetTuple().GetObject())
		}
		if len(from) == 0 || from[len(from)-1] != text {
			from = append(from, text)
		}
	}
	return strings.Join(from, ", ")
}

// expiryText returns when the last of the tuples expires, "" if one does not.
func expiryText(origins []*usherv1.ShareOrigin) string {
	var last *timestamppb.Timestamp
	for _, origin := range origins {
		expires := origin.GetTuple().GetExpiresAt()
		if expires == nil {
			return ""
		}
		if last == nil || expires.AsTime().After(last.AsTime()) {
			last = expires
		}
	}
	if last == nil {
		return ""
	}
	return timeText(last)
}

// breakdownText draws what one recipient has on each object.
func breakdownText(r *usherv1.RecipientSummary, objects []*usherv1.Object) string {
	rows := make([]table.Row, len(objects))
	for _, c := range r.GetCounts() {
		right := c.GetRelation()
		if right == "" {
			right = "none"
		}
		for _, place := range c.GetWhich() {
			rows[place] = table.Row{objectText(objects[place]), right}
		}
	}
	return fmt.Sprintf("%s: %s\n\n", subjectText(r.GetSubject()), rightText(r)) + columns(table.Row{"object", "right"}, rows)
}
