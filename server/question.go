package server

import (
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/usher-authz/usher/check"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// question is "does subject have the relation of on?".
type question struct {
	on      tuples.Userset
	subject tuples.Subject
}

func toQuestion(object *usherv1.Object, relation string, subject *usherv1.Subject) (question, error) {
	q := question{
		on:      tuples.Userset{Object: wire.ToObject(object), Relation: tuples.Relation(relation)},
		subject: wire.ToSubject(subject),
	}
	var p problems
	p.add("object", q.on.Object.Validate())
	p.addRelation("relation", q.on.Relation)
	p.add("subject", q.subject.Validate())
	return q, p.err()
}

// toUserset returns a relation to an object.
func toUserset(object *usherv1.Object, relation string) (tuples.Userset, error) {
	on := tuples.Userset{Object: wire.ToObject(object), Relation: tuples.Relation(relation)}
	var p problems
	p.add("object", on.Object.Validate())
	p.addRelation("relation", on.Relation)
	return on, p.err()
}

// names returns what the question names, for [locate].
func (q question) names() []name {
	return append(usersetNames(q.on), subjectNames(q.subject)...)
}

func usersetNames(on tuples.Userset) []name {
	return []name{{"object.type", on.Object.Type, ""}, {"relation", on.Object.Type, on.Relation}}
}

func subjectNames(s tuples.Subject) []name {
	return []name{{"subject.type", s.Type, ""}, {"subject.relation", s.Type, s.Relation}}
}

// toContextual returns the contextual tuples of a question, valid under the model.
func toContextual(m *model.Model, list []*usherv1.Tuple) ([]tuples.Tuple, error) {
	if len(list) == 0 {
		return nil, nil
	}
	if len(list) > maxContextual {
		return nil, tooMany("contextual_tuples", len(list), maxContextual)
	}
	var p problems
	contextual := make([]tuples.Tuple, len(list))
	first := make(map[tuples.Key]int, len(list))
	for i, t := range list {
		tuple, err := wire.ToTuple(t)
		if err == nil {
			err = permitted(m, tuple)
		}
		if j, twice := first[tuple.Key]; twice && err == nil {
			err = tuples.Invalid("", tuple.Key.String(), fmt.Sprintf("is that of contextual_tuples[%d] again", j), "send it once")
		}
		p.add(fmt.Sprintf("contextual_tuples[%d]", i), err)
		contextual[i], first[tuple.Key] = tuple, i
	}
	return contextual, p.err()
}

// permitted refuses a tuple that the model forbids, by the most telling reason.
func permitted(m *model.Model, t tuples.Tuple) error {
	err := m.ValidateTuple(t)
	if err == nil {
		return nil
	}
	f := *failureOf(err)
	object, subject := m.Type(t.Object.Type), m.Type(t.Subject.Type)
	switch {
	case object == nil || subject == nil:
		f.reason = usherv1.ErrorReason_ERROR_REASON_UNKNOWN_TYPE
	case object.Relation(t.Relation) == nil, t.Subject.IsUserset() && subject.Relation(t.Subject.Relation) == nil:
		f.reason = usherv1.ErrorReason_ERROR_REASON_UNKNOWN_RELATION
	default:
		f.reason = usherv1.ErrorReason_ERROR_REASON_TUPLE_NOT_ALLOWED
	}
	return &f
}

// toQuestionContext returns the context of a question.
func toQuestionContext(s *structpb.Struct) (tuples.Context, error) {
	if s == nil {
		return nil, nil
	}
	if size := proto.Size(s); size > maxContextBytes {
		return nil, refuse(usherv1.ErrorReason_ERROR_REASON_INVALID_FIELD, "context", fmt.Sprintf("%d bytes", size),
			fmt.Sprintf("is longer than %d bytes", maxContextBytes), "send only what conditions name")
	}
	values, err := wire.ToContext(s)
	return values, within("context", err)
}

func fromOutcome(o check.Outcome) usherv1.Outcome {
	switch o {
	case check.Denied:
		return usherv1.Outcome_OUTCOME_DENIED
	case check.Allowed:
		return usherv1.Outcome_OUTCOME_ALLOWED
	case check.Conditional:
		return usherv1.Outcome_OUTCOME_CONDITIONAL
	}
	return usherv1.Outcome_OUTCOME_UNSPECIFIED
}
