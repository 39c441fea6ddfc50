package scenario

import (
	"maps"
	"slices"
	"strings"

	"github.com/usher-authz/usher/tuples"
)

// outcome reads the answer to a check.
func (r *reader) outcome(n node) string {
	switch {
	case n.Tag == "!!bool" && strings.EqualFold(n.Value, "true"):
		return allowed
	case n.Tag == "!!bool":
		return denied
	}
	if waits, ok := parseConditional(n.Value); ok {
		return waits
	}
	r.refuse(n, "", n.Value, "is no answer", `write true, false or "conditional: NAME,NAME"`)
	return ""
}

// parseConditional reads "conditional: size, kind" and returns it as [FormatAnswer] does.
func parseConditional(text string) (string, bool) {
	names, ok := strings.CutPrefix(text, conditional)
	missing := strings.FieldsFunc(names, func(c rune) bool { return c == ',' || c == ' ' })
	slices.Sort(missing)
	return FormatAnswer("", missing), ok && len(missing) > 0
}

// listed reads a list of subjects of one kind, or of objects. Behind an entry may stand
// what makes it less than allowed: "media:teaser (conditional: proofs)", or
// "user:bert (denied)" beside "user:*".
func (r *reader) listed(n node, kind tuples.Subject) []Item {
	answers := map[tuples.ID]string{}
	r.each(func(entry node) {
		name, rest, _ := strings.Cut(entry.Value, " ")
		subject, err := tuples.ParseSubject(name)
		if err != nil {
			r.invalid(entry, err)
			return
		}
		answer, ok := parseListed(strings.TrimSpace(rest))
		_, twice := answers[subject.ID]
		switch {
		case subject.Type != kind.Type || subject.Relation != kind.Relation:
			r.refuse(entry, "", entry.Value, "is not of the kind that the list is of", "list entries such as "+kind.String())
		case !ok:
			r.refuse(entry, "", entry.Value, "has an answer that no entry has", "write nothing behind it, (denied) or (conditional: NAME,NAME)")
		case twice:
			r.refuse(entry, "", entry.Value, "is listed twice", "keep one of the two")
		}
		answers[subject.ID] = answer
	})(n)
	items := make([]Item, 0, len(answers))
	for _, id := range slices.Sorted(maps.Keys(answers)) {
		items = append(items, Item{id, answers[id]})
	}
	return items
}

// parseListed reads what stands behind an entry of a list.
func parseListed(text string) (string, bool) {
	switch text {
	case "":
		return allowed, true
	case "(" + denied + ")":
		return denied, true
	}
	inner, open := strings.CutPrefix(text, "(")
	inner, closed := strings.CutSuffix(inner, ")")
	waits, ok := parseConditional(inner)
	return waits, ok && open && closed
}

// subject is a setter of a subject.
func (r *reader) subject(into *tuples.Subject) setter { return parsed(r, into, tuples.ParseSubject) }

// object is a setter of an object.
func (r *reader) object(into *tuples.Object) setter { return parsed(r, into, tuples.ParseObject) }

// parsed is a setter of a value that has a text form.
func parsed[T any](r *reader, into *T, parse func(string) (T, error)) setter {
	return func(n node) {
		value, err := parse(n.Value)
		if err != nil {
			r.invalid(n, err)
			return
		}
		*into = value
	}
}

// texts reads a list of values that have a text form; those that are refused are zero.
func texts[T any](r *reader, n node, parse func(string) (T, error)) []T {
	var all []T
	r.each(func(entry node) {
		var value T
		parsed(r, &value, parse)(entry)
		all = append(all, value)
	})(n)
	return all
}

// oneOf reads the value of a key, or of its plural with a list; a value that is refused
// is zero.
func oneOf[T any](r *reader, n node, key string, one, several node, parse func(string) (T, error)) []T {
	var value T
	switch {
	case (one.Node == nil) == (several.Node == nil):
		r.refuse(n, key, "", "stands there twice or not at all", "write one of "+key+" and "+key+"s")
	case several.Node != nil:
		return texts(r, several, parse)
	default:
		parsed(r, &value, parse)(one)
	}
	return []T{value}
}
