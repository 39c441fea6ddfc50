package server

import (
	"context"

	"github.com/usher-authz/usher/check"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
)

// attributes returns the restrictions under which a question is allowed, nil if it is not.
func (a *asked) attributes(ctx context.Context, q question) ([]*usherv1.AttributeSet, error) {
	sets, err := a.evaluator.Attributes(ctx, q.on, q.subject)
	if err != nil {
		return nil, locate(a.program.Model, err, q.names()...)
	}
	var messages []*usherv1.AttributeSet
	for _, set := range sets {
		messages = append(messages, fromAttributeSet(set))
	}
	return messages, nil
}

func fromAttributeSet(set check.AttributeSet) *usherv1.AttributeSet {
	message := &usherv1.AttributeSet{Attributes: make([]*usherv1.Attribute, len(set))}
	for i, a := range set {
		message.Attributes[i] = &usherv1.Attribute{Name: a.Name, Value: wire.FromValue(a.Value)}
	}
	return message
}
