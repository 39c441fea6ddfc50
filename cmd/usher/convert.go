package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// The command line speaks the text form of package tuples; these are the way to the
// messages of the API and back.

// parseObject reads "media:logo".
func parseObject(text string) (*usherv1.Object, error) {
	o, err := tuples.ParseObject(text)
	return wire.FromObject(o), err
}

// parseSubject reads "user:anna", "user:*" or "group:design#member".
func parseSubject(text string) (*usherv1.Subject, error) {
	s, err := tuples.ParseSubject(text)
	return wire.FromSubject(s), err
}

// parseTuple reads a tuple in text form.
func parseTuple(text string) (*usherv1.Tuple, error) {
	t, err := tuples.ParseTuple(text)
	if err != nil {
		return nil, err
	}
	return wire.FromTuple(t), nil
}

func objectText(o *usherv1.Object) string { return o.GetType() + ":" + o.GetId() }

func usersetText(o *usherv1.Object, relation string) string { return objectText(o) + "#" + relation }

// subjectText returns the text form of a subject.
func subjectText(s *usherv1.Subject) string { return wire.ToSubject(s).String() }

// tupleText returns the text form of a tuple that the server sent, which [parseTuple]
// reads back.
func tupleText(m *usherv1.Tuple) string {
	t, err := wire.ToTuple(m)
	if err != nil {
		return fmt.Sprintf("%s (%v)", t.Key, err)
	}
	return t.String()
}

// timeForms are how people write a point in time; a day is its beginning in UTC.
var timeForms = []string{time.DateOnly, "2006-01-02T15:04Z07:00", time.RFC3339}

// parseTime reads the value of a flag that is a point in time.
func parseTime(flag, text string) (*timestamppb.Timestamp, error) {
	for _, form := range timeForms {
		if t, err := time.Parse(form, text); err == nil {
			return timestamppb.New(t), nil
		}
	}
	return nil, fmt.Errorf("%s %q is not a time; write a day (UTC) as in 2026-03-01, or a moment as in 2026-03-01T12:00Z, "+
		"2026-03-01T12:00:30Z or 2026-03-01T13:00+01:00", flag, text)
}

// parseContext reads the value of --context, a JSON object; nil for "".
func parseContext(text string) (*structpb.Struct, error) {
	if text == "" {
		return nil, nil
	}
	values := map[string]any{}
	if err := json.Unmarshal([]byte(text), &values); err != nil {
		return nil, fmt.Errorf(`--context %s is not a JSON object: %w; write for example --context '{"tag": "red"}'`, tuples.Shorten(text), err)
	}
	return structpb.NewStruct(values)
}

// outcomeText returns "allowed", "denied" or "conditional".
func outcomeText(o usherv1.Outcome) string {
	return strings.ToLower(strings.TrimPrefix(o.String(), "OUTCOME_"))
}

// answerText returns an outcome and, if it is conditional, what it waits for.
func answerText(o usherv1.Outcome, missing []string) string {
	text := outcomeText(o)
	if len(missing) > 0 {
		text += ": depends on " + strings.Join(missing, ", ")
	}
	return text
}
