package main

import (
	"fmt"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/structpb"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// state is the flags that choose the state a question is asked of.
type state struct {
	token, exactly, at string
}

func (s *state) addTo(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&s.token, "token", "", "wait until the server has reached the revision of this `TOKEN`")
	flags.StringVar(&s.exactly, "exactly", "", "answer at the revision of this `TOKEN`")
	flags.StringVar(&s.at, "at", "", "answer as of this `TIME`, such as 2026-03-01 or 2026-03-01T12:00Z")
	cmd.MarkFlagsMutuallyExclusive("token", "exactly", "at")
}

// consistency returns the requirement that the flags make, nil for none.
func (s *state) consistency() (*usherv1.Consistency, error) {
	switch {
	case s.token != "":
		return &usherv1.Consistency{Requirement: &usherv1.Consistency_AtLeastAsFresh{AtLeastAsFresh: s.token}}, nil
	case s.exactly != "":
		return &usherv1.Consistency{Requirement: &usherv1.Consistency_Exactly{Exactly: s.exactly}}, nil
	case s.at != "":
		t, err := parseTime("--at", s.at)
		return &usherv1.Consistency{Requirement: &usherv1.Consistency_AtTime{AtTime: t}}, err
	}
	return nil, nil
}

// question is the flags that all questions share.
type question struct {
	state
	modelID string
	with    []string
	context string
}

func (q *question) addTo(cmd *cobra.Command) {
	q.state.addTo(cmd)
	cmd.Flags().StringVar(&q.modelID, "model", "", "`ID` of the model version to answer by, instead of the one in force")
	cmd.Flags().StringArrayVar(&q.with, "with", nil, "`TUPLE` that counts as stored for this question alone (repeatable)")
}

// addContextTo adds the flag of the questions that evaluate conditions.
func (q *question) addContextTo(cmd *cobra.Command) {
	cmd.Flags().StringVar(&q.context, "context", "", "values for conditions, as a `JSON` object such as '{\"tag\": \"red\"}'")
}

// premises are what the flags add to a question.
type premises struct {
	tuples      []*usherv1.Tuple
	context     *structpb.Struct
	consistency *usherv1.Consistency
}

// premises reads the flags.
func (q *question) premises() (premises, error) {
	var p premises
	for _, text := range q.with {
		t, err := parseTuple(text)
		if err != nil {
			return p, fmt.Errorf("--with: %w", err)
		}
		p.tuples = append(p.tuples, t)
	}
	var err error
	if p.context, err = parseContext(q.context); err != nil {
		return p, err
	}
	p.consistency, err = q.consistency()
	return p, err
}

// placed makes an error of a question speak of the flags, where it speaks of the
// tuples that they added; nil stays nil.
func (q *question) placed(err error) error { return q.placedIn(err, "", nil) }

// placedIn makes an error of a question speak of the arguments that stand for items of
// one of the request's lists, and of the flags that added tuples; nil stays nil.
func (q *question) placedIn(err error, list string, args []string) error {
	if err == nil {
		return nil
	}
	texts := map[string][]string{list: args}
	for _, text := range q.with {
		texts["contextual_tuples"] = append(texts["contextual_tuples"], "--with '"+text+"'")
	}
	return &placedError{err, inLists(func(list string, index int) string {
		if index < len(texts[list]) {
			return texts[list][index]
		}
		return ""
	})}
}
