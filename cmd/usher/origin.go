package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// origin is the flags that tell who makes a change, and why.
type origin struct {
	actor, message string
}

func (o *origin) addTo(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.actor, "actor", "", "`SUBJECT` on whose behalf this is done; kept with the change")
	cmd.Flags().StringVar(&o.message, "message", "", "`TEXT` that is kept with the change, as its metadata message")
}

// parts returns actor and metadata of a request; nil where the flags are not set.
func (o *origin) parts() (actor *usherv1.Subject, metadata map[string]string, err error) {
	if o.actor != "" {
		if actor, err = parseSubject(o.actor); err != nil {
			return nil, nil, fmt.Errorf("--actor: %w", err)
		}
	}
	if o.message != "" {
		metadata = map[string]string{"message": o.message}
	}
	return actor, metadata, nil
}

// change is the flags that every change of tuples shares.
type change struct {
	origin
	guards
	requestID string
}

func (w *change) addTo(cmd *cobra.Command) {
	w.origin.addTo(cmd)
	w.guards.addTo(cmd)
	cmd.Flags().StringVar(&w.requestID, "request-id", "", "`ID` that makes a retry of the same command safe for 24 hours")
}

// requestIDOf returns the id of one of the requests that a command makes.
func (w *change) requestIDOf(number int) string {
	if w.requestID == "" || number == 1 {
		return w.requestID
	}
	return fmt.Sprintf("%s/%d", w.requestID, number)
}

// placed makes an error of a request for these tuples speak of what the user wrote.
func (w *change) placed(err error, tuples []placedTuple) error {
	texts := w.texts()
	return &placedError{err, inLists(func(list string, index int) string {
		switch {
		case list == "updates" && index < len(tuples):
			return tuples[index].place
		case list == "preconditions" && index < len(texts):
			return texts[index]
		}
		return ""
	})}
}

// guards is the flags that make a write conditional on the state before it.
type guards struct {
	ifAllowed, ifExists, ifNotExists []string
}

func (g *guards) addTo(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&g.ifAllowed, "if-allowed", nil, "only if this check is allowed: `'SUBJECT RELATION OBJECT'` (repeatable)")
	flags.StringArrayVar(&g.ifExists, "if-exists", nil, "only if some tuple matches, '?' matching anything: `'media:logo#owner@?'` (repeatable)")
	flags.StringArrayVar(&g.ifNotExists, "if-not-exists", nil, "only if no tuple matches: `'media:logo#viewer@user:*'` (repeatable)")
}

// texts returns the flags as they were written, in the order of preconditions.
func (g *guards) texts() []string {
	var all []string
	for _, text := range g.ifAllowed {
		all = append(all, "--if-allowed '"+text+"'")
	}
	for _, text := range g.ifExists {
		all = append(all, "--if-exists '"+text+"'")
	}
	for _, text := range g.ifNotExists {
		all = append(all, "--if-not-exists '"+text+"'")
	}
	return all
}

// preconditions returns the flags as preconditions of a request.
func (g *guards) preconditions() ([]*usherv1.Precondition, error) {
	var all []*usherv1.Precondition
	for _, text := range g.ifAllowed {
		words := strings.Fields(text)
		if len(words) != 3 {
			return nil, fmt.Errorf("--if-allowed %q is not a check; write 'SUBJECT RELATION OBJECT', as in 'user:anna can_share media:logo'", text)
		}
		subject, err := parseSubject(words[0])
		if err != nil {
			return nil, fmt.Errorf("--if-allowed: %w", err)
		}
		object, err := parseObject(words[2])
		if err != nil {
			return nil, fmt.Errorf("--if-allowed: %w", err)
		}
		all = append(all, &usherv1.Precondition{Condition: &usherv1.Precondition_MustBeAllowed{
			MustBeAllowed: &usherv1.CheckPrecondition{Object: object, Relation: words[1], Subject: subject},
		}})
	}
	for _, text := range g.ifExists {
		f, err := parseFilter(text)
		if err != nil {
			return nil, fmt.Errorf("--if-exists: %w", err)
		}
		all = append(all, &usherv1.Precondition{Condition: &usherv1.Precondition_MustMatch{MustMatch: f}})
	}
	for _, text := range g.ifNotExists {
		f, err := parseFilter(text)
		if err != nil {
			return nil, fmt.Errorf("--if-not-exists: %w", err)
		}
		all = append(all, &usherv1.Precondition{Condition: &usherv1.Precondition_MustNotMatch{MustNotMatch: f}})
	}
	return all, nil
}
