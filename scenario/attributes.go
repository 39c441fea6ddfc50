package scenario

import (
	"cmp"
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/tuples"
)

// Attributes asks under which restrictions a check is allowed (requirement D9). Its
// answer is [FormatAttributes]'s, or the outcome where that is not allowed.
type Attributes struct{ Question }

// String returns "attributes of user:anna can_download media:logo".
func (a Attributes) String() string { return "attributes of " + a.Question.String() }

const notRestricted = "not restricted"

// FormatAttributes returns the sets that the caller of an allowed check may choose from,
// each as [FormatAttributeSet] gives it. They are sorted, so that their order is none:
//
//	max_image_size=2048 watermark=true | max_image_size=800
//
// The one empty set is "not restricted". No sets at all, which an allowed check never has,
// are "nothing".
func FormatAttributes(sets []string) string {
	if len(sets) == 0 {
		return nothing
	}
	return cmp.Or(strings.Join(slices.Sorted(slices.Values(sets)), " | "), notRestricted)
}

// FormatAttributeSet returns restrictions that hold together, sorted by their text, as in
// "max_image_size=800 watermark=true". The empty set is "".
func FormatAttributeSet(set check.AttributeSet) string {
	texts := make([]string, len(set))
	for i, a := range set {
		texts[i] = a.Name + "=" + a.Value.String()
	}
	slices.Sort(texts)
	return strings.Join(texts, " ")
}

// restrict answers a question about attributes.
func restrict(ctx context.Context, e *check.Evaluator, q Attributes) (string, error) {
	sets, err := e.Attributes(ctx, q.On, q.Subject)
	switch {
	case err != nil:
		return decided(check.Decision{}, err)
	case sets == nil:
		return decided(e.Check(ctx, q.On, q.Subject))
	}
	texts := make([]string, len(sets))
	for i, set := range sets {
		texts[i] = FormatAttributeSet(set)
	}
	return FormatAttributes(texts), nil
}

// attributesOf reads one entry of attributes: each relation for each user and object.
func (r *reader) attributesOf(n node) []Assertion {
	return r.forEach(n, func(q Question, want node) (Query, string) { return Attributes{q}, r.restrictions(want) })
}

// restrictions reads the answer to a question about attributes: a list of sets, or a text
// where there are none.
func (r *reader) restrictions(n node) string {
	waits, conditional := parseConditional(n.Value)
	switch {
	case n.Value == notRestricted || n.Value == denied:
		return n.Value
	case conditional:
		return waits
	case n.Kind != yaml.SequenceNode || len(n.Content) == 0:
		r.refuse(n, "", n.Value, "is no answer about attributes",
			`write a list of sets, as in ["max_size=800 watermark=true"], or "not restricted", denied or "conditional: NAME,NAME"`)
		return ""
	}
	var sets []string
	r.each(func(entry node) {
		set := r.attributeSet(entry)
		if slices.Contains(sets, set) {
			r.refuse(entry, "", entry.Value, "is listed twice", "keep one of the two")
		}
		sets = append(sets, set)
	})(n)
	return FormatAttributes(sets)
}

var oneAttribute = regexp.MustCompile(`^([^\s="]+)=("(?:[^"\\]|\\.)*"|[^\s"]+)(?:\s+|$)`)

// attributeSet reads what [FormatAttributeSet] writes, with the attributes in any order.
func (r *reader) attributeSet(n node) string {
	var set check.AttributeSet
	for rest := strings.TrimSpace(n.Value); rest != "" || set == nil; {
		found := oneAttribute.FindStringSubmatch(rest)
		if found == nil {
			r.refuse(n, "", n.Value, "is no set of attributes", `write NAME=VALUE, separated by spaces, as in max_size=800 format="jpeg"`)
			return ""
		}
		value, err := attributeValue(found[1], found[2])
		if err != nil {
			r.invalid(n, err)
			return ""
		}
		if value == tuples.BoolValue(false) {
			r.refuse(n, "", n.Value, "has "+strings.TrimSpace(found[0])+", which restricts nothing and is in no answer", "leave it out")
		}
		set = append(set, check.Attribute{Name: found[1], Value: value})
		rest = rest[len(found[0]):]
	}
	return FormatAttributeSet(set)
}

// attributeValue reads the value of an attribute from JSON.
func attributeValue(name, text string) (tuples.Value, error) {
	object, err := json.Marshal(map[string]json.RawMessage{name: json.RawMessage(text)})
	if err != nil {
		return tuples.Value{}, tuples.Invalid(name, text, "is not a bool, number or string", `use one of these, with quotes around a string, as in "jpeg"`)
	}
	attributes, err := parseAttributes(object)
	return attributes[name], err
}
