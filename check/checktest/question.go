package checktest

import (
	"fmt"
	"strings"

	"github.com/usher-authz/usher/check/reference"
	"github.com/usher-authz/usher/tuples"
)

// Answerer answers questions about one world. [*reference.Spec] is one.
type Answerer interface {
	Check(on tuples.Userset, s tuples.Subject) reference.Answer
	ListObjects(t tuples.ObjectType, r tuples.Relation, s tuples.Subject) []reference.Item
	ListSubjects(on tuples.Userset, t tuples.ObjectType) []reference.Item
	ListUsersets(on tuples.Userset, t tuples.ObjectType, r tuples.Relation) []reference.Item
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

// Asked is the id of what a question asks to be listed.
const Asked tuples.ID = "?"

// IsList reports whether the question asks for a list.
func (q Question) IsList() bool { return q.On.Object.ID == Asked || q.Subject.ID == Asked }

// String returns the text form, which [ParseQuestion] reads back.
func (q Question) String() string {
	return fmt.Sprintf("%s %s %s", q.Subject, q.On.Relation, q.On.Object)
}

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

// Ask returns the answer as text: the outcome of a check, as in "allowed" and
// "conditional: on,tag"; or the ids of a list, each with its outcome unless it is
// allowed, as in "* anna(denied)".
func (q Question) Ask(a Answerer) string {
	switch {
	case q.On.Object.ID == Asked:
		return formatItems(a.ListObjects(q.On.Object.Type, q.On.Relation, q.Subject))
	case q.Subject.ID == Asked && q.Subject.IsUserset():
		return formatItems(a.ListUsersets(q.On, q.Subject.Type, q.Subject.Relation))
	case q.Subject.ID == Asked:
		return formatItems(a.ListSubjects(q.On, q.Subject.Type))
	}
	return formatAnswer(a.Check(q.On, q.Subject))
}

func formatAnswer(a reference.Answer) string {
	if a.Outcome == reference.Conditional {
		return "conditional: " + strings.Join(a.Missing, ",")
	}
	return string(a.Outcome)
}

func formatItems(items []reference.Item) string {
	if len(items) == 0 {
		return "nothing"
	}
	texts := make([]string, len(items))
	for i, item := range items {
		texts[i] = string(item.ID)
		if item.Answer.Outcome != reference.Allowed {
			texts[i] += "(" + formatAnswer(item.Answer) + ")"
		}
	}
	return strings.Join(texts, " ")
}
