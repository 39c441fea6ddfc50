package scenario

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/tuples"
)

// Shares asks with whom objects are shared, and as what. Its answer is [FormatShares]'s.
type Shares struct {
	Objects   []tuples.Object
	Relations []tuples.Relation // the rights to tell apart, the weakest first
}

func (Shares) query() {}

// String returns "shares of media:logo, media:film as viewer, editor".
func (s Shares) String() string {
	relations := make([]string, len(s.Relations))
	for i, r := range s.Relations {
		relations[i] = string(r)
	}
	return "shares of " + joined(s.Objects) + " as " + strings.Join(relations, ", ")
}

// FormatShares returns the recipients with the one right that each has on all objects, or
// how many objects it has each right on, the strongest first, as in
//
//	group:design#member mixed (1 editor, 2 viewer, 1 none); user:anna editor
//
// Behind a right that depends on context stands on how many objects it does, as in
// "user:bert viewer (2 conditional)". No recipients at all are "nothing".
func FormatShares(recipients []check.RecipientShares) string {
	texts := make([]string, len(recipients))
	for i, r := range recipients {
		texts[i] = r.Subject.String() + " " + formatCounts(r.Counts)
	}
	return cmp.Or(strings.Join(texts, "; "), nothing)
}

const none = "none" // stands for no right

func formatCounts(counts []check.ShareCount) string {
	texts := make([]string, len(counts))
	for i, c := range counts {
		texts[i] = cmp.Or(string(c.Relation), none)
		if c.Conditional > 0 {
			texts[i] += fmt.Sprintf(" (%d conditional)", c.Conditional)
		}
	}
	if len(counts) == 1 {
		return texts[0]
	}
	for i, c := range counts {
		texts[i] = fmt.Sprintf("%d %s", c.Objects, texts[i])
	}
	return "mixed (" + strings.Join(texts, ", ") + ")"
}

// summarize answers a question about shares.
func summarize(ctx context.Context, e *check.Evaluator, s Shares) (string, error) {
	var recipients []check.RecipientShares
	for r, err := range e.SummarizeShares(ctx, check.SharesQuery{Objects: s.Objects, Relations: s.Relations}, "") {
		if err := errors.Join(err, r.Err); err != nil {
			return decided(check.Decision{}, err)
		}
		recipients = append(recipients, r)
	}
	return FormatShares(recipients), nil
}

// shareSummary reads one entry of share_summaries.
func (r *reader) shareSummary(n node) []Assertion {
	var context tuples.Context
	var object, objects, relations, recipients node
	r.fields(n, map[string]setter{
		"object": object.keep, "objects": objects.keep, "relations": relations.keep,
		"context": r.context(&context), "recipients": recipients.keep,
	}, "relations", "recipients")
	q := Shares{Objects: oneOf(r, n, "object", object, objects, tuples.ParseObject)}
	r.each(func(entry node) {
		q.Relations = append(q.Relations, tuples.Relation(entry.Value))
		for _, o := range q.Objects {
			r.question(entry, tuples.Subject{}, o)
		}
	})(relations)
	if len(q.Objects) == 0 || len(q.Relations) == 0 || len(q.Relations) > check.MaxRights {
		r.refuse(n, "relations", "", "are none or too many, or there are no objects",
			fmt.Sprintf("write 1 to %d relations, the weakest first, and at least one object", check.MaxRights))
	}
	var want []check.RecipientShares
	for recipient, right := range r.pairs(recipients) {
		var s tuples.Subject
		r.subject(&s)(recipient)
		want = append(want, check.RecipientShares{Subject: s, Counts: r.counts(right, q)})
	}
	slices.SortFunc(want, func(a, b check.RecipientShares) int { return cmp.Compare(a.Subject.String(), b.Subject.String()) })
	return []Assertion{{n.Line, q, context, FormatShares(want), nil}}
}

var (
	oneRight = regexp.MustCompile(`^([^ ]+)(?: \(([0-9]+) conditional\))?$`)
	ofMany   = regexp.MustCompile(`^([0-9]+) ([^ ]+)(?: \(([0-9]+) conditional\))?$`)
)

// counts reads what one recipient has, as [FormatShares] writes it.
func (r *reader) counts(n node, q Shares) []check.ShareCount {
	if found := oneRight.FindStringSubmatch(n.Value); found != nil && slices.Contains(q.Relations, tuples.Relation(found[1])) {
		return []check.ShareCount{{Relation: tuples.Relation(found[1]), Objects: len(q.Objects), Conditional: number(found[2])}}
	}
	counts := map[tuples.Relation]check.ShareCount{}
	total := 0
	inner, mixed := strings.CutPrefix(n.Value, "mixed (")
	inner, closed := strings.CutSuffix(inner, ")")
	for part := range strings.SplitSeq(inner, ",") {
		found := ofMany.FindStringSubmatch(strings.TrimSpace(part))
		if found == nil || found[2] != none && !slices.Contains(q.Relations, tuples.Relation(found[2])) {
			mixed = false
			break
		}
		relation := tuples.Relation(strings.TrimSuffix(found[2], none))
		counts[relation] = check.ShareCount{Relation: relation, Objects: number(found[1]), Conditional: number(found[3])}
		total += number(found[1])
	}
	if !mixed || !closed || total != len(q.Objects) {
		r.refuse(n, "", n.Value, "is no right of a recipient on all objects",
			`write a relation of the entry, or how many objects have which, as in "mixed (1 editor, 2 viewer, 1 none)"`)
	}
	strength := func(r tuples.Relation) int { return slices.Index(q.Relations, r) }
	return slices.SortedFunc(maps.Values(counts), func(a, b check.ShareCount) int {
		return cmp.Compare(strength(b.Relation), strength(a.Relation))
	})
}

// number reads digits; 0 for none.
func number(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}
