package server

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/usher-authz/usher/check"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// view is one state of a store, as one request sees it. It must be closed.
type view struct {
	*handle
	snapshot tuples.Snapshot
}

// revision is what every answer names beside its token.
func (v view) revision() uint64 { return uint64(v.snapshot.Revision()) }

// stamped names the state of the view.
func (v view) stamped() stamp {
	return v.stamp(v.snapshot.Revision(), v.snapshot.Time().UnixMilli())
}

// newToken returns the token of the state of the view.
func (v view) newToken() string {
	return v.tokenFor(v.snapshot.Revision(), v.snapshot.Time().UnixMilli())
}

// model returns the model version of an id, or the one in force if there is none.
func (v view) model(ctx context.Context, id tuples.ModelID) (*compiled, error) {
	if id == "" {
		return v.modelAt(ctx, v.snapshot.Revision())
	}
	return v.modelByID(ctx, id)
}

func (v view) close() { v.snapshot.Close() }

// openAt opens the state that a consistency requirement asks for.
func (s *Server) openAt(ctx context.Context, h *handle, c *usherv1.Consistency) (view, error) {
	at, err := s.require(ctx, h, c)
	if err != nil {
		return view{}, err
	}
	return h.open(ctx, at)
}

func (h *handle) open(ctx context.Context, at tuples.At) (view, error) {
	snapshot, err := h.store.Snapshot(ctx, at)
	if err != nil {
		return view{}, err
	}
	return view{handle: h, snapshot: h.over(snapshot)}, nil
}

// require turns a consistency requirement into a state. It waits for a revision that is
// ahead of the head, as long as the context lets it.
func (s *Server) require(ctx context.Context, h *handle, c *usherv1.Consistency) (tuples.At, error) {
	switch r := c.GetRequirement().(type) {
	case *usherv1.Consistency_AtLeastAsFresh:
		stamp, err := s.readToken(h, "consistency.at_least_as_fresh", r.AtLeastAsFresh)
		if err != nil {
			return tuples.At{}, err
		}
		return tuples.At{}, h.wait(ctx, stamp.revision)
	case *usherv1.Consistency_Exactly:
		stamp, err := s.readToken(h, "consistency.exactly", r.Exactly)
		if err != nil {
			return tuples.At{}, err
		}
		return stamp.at(), h.wait(ctx, stamp.revision)
	case *usherv1.Consistency_AtTime:
		at, err := wire.ToTime(r.AtTime)
		return tuples.At{Time: at}, within("consistency.at_time", err)
	}
	return tuples.At{}, nil
}

// wait returns when the head has reached the revision of a token. A deadline that ends
// it says what was waited for: more time helps only while the store catches up.
func (h *handle) wait(ctx context.Context, revision tuples.Revision) error {
	err := h.store.Wait(ctx, revision)
	if errors.Is(err, context.DeadlineExceeded) {
		return &failure{
			reason: usherv1.ErrorReason_ERROR_REASON_DEADLINE_EXCEEDED,
			message: fmt.Sprintf("the deadline passed before the store reached revision %d of the token: it is at %d; "+
				"ask the server that gave the token, or leave it out for the head", revision, h.store.Head()),
			cause: err,
		}
	}
	return err
}

// asked is a view with an evaluator: what every permission question needs.
type asked struct {
	view
	*compiled
	evaluator *check.Evaluator
}

func (a *asked) close() {
	a.evaluator.Close()
	a.view.close()
}

// scope is what all permission questions say beside the question itself.
type scope interface {
	GetStore() string
	GetModelId() string
	GetContextualTuples() []*usherv1.Tuple
	GetConsistency() *usherv1.Consistency
}

// ask opens the state and the model that a question names. It must be closed.
func (s *Server) ask(ctx context.Context, r scope, values *structpb.Struct) (*asked, error) {
	h, err := s.handle(ctx, r.GetStore())
	if err != nil {
		return nil, err
	}
	v, err := s.openAt(ctx, h, r.GetConsistency())
	if err != nil {
		return nil, err
	}
	return s.askIn(ctx, v, tuples.ModelID(r.GetModelId()), r, values)
}

// askIn makes the evaluator for a question in a view, which it closes if it fails.
func (s *Server) askIn(ctx context.Context, v view, id tuples.ModelID, r scope, values *structpb.Struct) (a *asked, err error) {
	defer func() {
		if err != nil {
			v.close()
		}
	}()
	c, err := v.model(ctx, id)
	if err != nil {
		return nil, err
	}
	contextual, err := toContextual(c.program.Model, r.GetContextualTuples())
	if err != nil {
		return nil, err
	}
	given, err := toQuestionContext(values)
	if err != nil {
		return nil, err
	}
	return &asked{view: v, compiled: c, evaluator: check.New(check.Request{
		Program:    c.program,
		Snapshot:   v.snapshot,
		Contextual: contextual,
		Context:    given,
		Closures:   c.closures,
		Budget:     s.options.WorkBudget,
	})}, nil
}
