package scenario

import (
	"fmt"
	"strings"

	"github.com/usher-authz/usher/tuples"
)

// Query is what an assertion asks. It is a closed sum: [Question], [Why],
// [Attributes], [Shares].
type Query interface {
	fmt.Stringer
	query()
}

// Question is a question, with "?" ([Asked]) as the id of what is to be listed:
//
//	user:anna viewer doc:1       may anna view doc 1?
//	user:anna viewer doc:?       which docs?
//	user:? viewer doc:1          which users?
//	group:?#member viewer doc:1  which groups' members?
type Question struct {
	Subject tuples.Subject
	On      tuples.Userset
}

// Why asks for the explanation of a check. Its answer is [FormatExplanation]'s.
type Why struct{ Question }

func (Question) query() {}

// Asked is the id of what a question asks to be listed.
const Asked tuples.ID = "?"

// IsList reports whether the question asks for a list.
func (q Question) IsList() bool { return q.On.Object.ID == Asked || q.Subject.ID == Asked }

// String returns the text form, which [ParseQuestion] reads back.
func (q Question) String() string {
	return fmt.Sprintf("%s %s %s", q.Subject, q.On.Relation, q.On.Object)
}

// String returns "why user:anna viewer doc:1".
func (w Why) String() string { return "why " + w.Question.String() }

// ParseQuestion reads a question's text form.
func ParseQuestion(text string) (Question, error) {
	fields := strings.Fields(text)
	if len(fields) != 3 {
		return Question{}, fmt.Errorf("question %q is not of the form: subject relation object", text)
	}
	subject, err := tuples.ParseSubject(fields[0])
	if err != nil {
		return Question{}, err
	}
	object, err := tuples.ParseObject(fields[2])
	if err != nil {
		return Question{}, err
	}
	return Question{subject, tuples.Userset{Object: object, Relation: tuples.Relation(fields[1])}}, nil
}

// Item is one entry of a list: its id, and its answer as [FormatAnswer] gives it.
type Item struct {
	ID     tuples.ID
	Answer string
}

// The answers that the text forms treat apart.
const (
	allowed     = "allowed"
	denied      = "denied"
	conditional = "conditional: "
	nothing     = "nothing"
)

// FormatAnswer returns the answer to a check as text: an outcome, such as "allowed",
// or what it waits for, as in "conditional: on,tag".
func FormatAnswer(outcome string, missing []string) string {
	if len(missing) > 0 {
		return conditional + strings.Join(missing, ",")
	}
	return outcome
}

// FormatList returns a list as text: the ids, each with its answer unless that is
// allowed, as in "* anna(denied)"; "nothing" for an empty one.
func FormatList(items []Item) string {
	if len(items) == 0 {
		return nothing
	}
	texts := make([]string, len(items))
	for i, item := range items {
		texts[i] = string(item.ID)
		if item.Answer != allowed {
			texts[i] += "(" + item.Answer + ")"
		}
	}
	return strings.Join(texts, " ")
}
