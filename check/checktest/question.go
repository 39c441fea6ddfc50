package checktest

import (
	"github.com/usher-authz/usher/check/reference"
	"github.com/usher-authz/usher/scenario"
	"github.com/usher-authz/usher/tuples"
)

// Answerer answers questions about one world. [*reference.Spec] is one.
type Answerer interface {
	Check(on tuples.Userset, s tuples.Subject) reference.Answer
	ListObjects(t tuples.ObjectType, r tuples.Relation, s tuples.Subject) []reference.Item
	ListSubjects(on tuples.Userset, t tuples.ObjectType) []reference.Item
	ListUsersets(on tuples.Userset, t tuples.ObjectType, r tuples.Relation) []reference.Item
}

// Ask returns the answer to a question as text: that of [scenario.FormatAnswer], where
// a condition that failed is "failed", or of [scenario.FormatList].
func Ask(a Answerer, q scenario.Question) string {
	switch {
	case q.On.Object.ID == scenario.Asked:
		return formatItems(a.ListObjects(q.On.Object.Type, q.On.Relation, q.Subject))
	case q.Subject.ID == scenario.Asked && q.Subject.IsUserset():
		return formatItems(a.ListUsersets(q.On, q.Subject.Type, q.Subject.Relation))
	case q.Subject.ID == scenario.Asked:
		return formatItems(a.ListSubjects(q.On, q.Subject.Type))
	}
	return formatAnswer(a.Check(q.On, q.Subject))
}

func formatAnswer(a reference.Answer) string {
	return scenario.FormatAnswer(string(a.Outcome), a.Missing)
}

func formatItems(items []reference.Item) string {
	listed := make([]scenario.Item, len(items))
	for i, item := range items {
		listed[i] = scenario.Item{ID: item.ID, Answer: formatAnswer(item.Answer)}
	}
	return scenario.FormatList(listed)
}
