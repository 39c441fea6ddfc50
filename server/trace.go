package server

import (
	"context"
	"errors"
	"time"

	"github.com/usher-authz/usher/check"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// history asks one question of one state of a store after the other, back in time. In each
// it learns what the answer rests on, and when that last changed: between then and the
// state the answer was the same, so the next state to ask is the one just before.
type history struct {
	*handle
	question
	context tuples.Context
	budget  int // for all states together
}

// ask answers the question in one state, by the model that is in force there.
func (t *history) ask(ctx context.Context, v view) (*asked, check.Decision, error) {
	if t.budget <= 0 {
		return nil, check.Decision{}, check.ErrBudget
	}
	c, err := v.modelAt(ctx, v.snapshot.Revision())
	if err != nil {
		return nil, check.Decision{}, err
	}
	a := &asked{view: v, compiled: c, evaluator: check.New(check.Request{
		Program: c.program, Snapshot: v.snapshot, Context: t.context, Budget: t.budget,
	})}
	a.evaluator.TrackReads()
	decision, err := a.evaluator.Check(ctx, t.on, t.subject)
	t.budget = a.evaluator.Left()
	return a, decision, locate(c.program.Model, err, t.names()...)
}

// since goes back from an allowed answer to what it began with. older says that this was
// not found; since is then how far it came, nil for not at all.
func (t *history) since(ctx context.Context, a *asked) (since *event, older bool, err error) {
	next, err := t.lastEvent(ctx, a)
	for range maxTraceSteps {
		if err != nil {
			break
		}
		since = next
		allowed := false
		if next, allowed, err = t.askBefore(ctx, since); err == nil && !allowed {
			return since, false, nil
		}
	}
	if err != nil && !isUnavailable(err) {
		return nil, false, err
	}
	return since, true, nil
}

// askBefore answers the question in the state before an event and, if the answer is
// allowed, returns the last event before that.
func (t *history) askBefore(ctx context.Context, e *event) (before *event, allowed bool, err error) {
	at := e.before()
	if at.Revision == 0 && e.expired == nil {
		return nil, false, nil // the empty store
	}
	v, err := t.open(ctx, at)
	if err != nil {
		return nil, false, err
	}
	defer v.close()
	a, decision, err := t.ask(ctx, v)
	if isMeaningless(err) {
		return nil, false, nil
	}
	if err != nil || decision.Outcome != check.Allowed {
		return nil, false, err
	}
	before, err = t.lastEvent(ctx, a)
	return before, true, err
}

// isMeaningless reports whether a question fails because the model in force lacks what it
// names, or there is none: nobody has such an access then.
func isMeaningless(err error) bool {
	if err == nil {
		return false
	}
	switch failureOf(err).reason {
	case usherv1.ErrorReason_ERROR_REASON_NO_MODEL,
		usherv1.ErrorReason_ERROR_REASON_UNKNOWN_TYPE,
		usherv1.ErrorReason_ERROR_REASON_UNKNOWN_RELATION:
		return true
	}
	return false
}

// isUnavailable reports whether the history that is kept does not reach back far enough.
func isUnavailable(err error) bool { return errors.Is(err, tuples.ErrRevisionUnavailable) }

// event is something that an answer may have begun with: a change of the log, without its
// mutations, or the expiry of a tuple, of which change has revision and time.
type event struct {
	change  tuples.Change
	expired *tuples.Tuple
}

// before is the state just before the event. The clock goes on, the change is not yet made.
func (e *event) before() tuples.At {
	if e.expired != nil {
		return tuples.At{Time: e.change.Time.Add(-time.Millisecond)}
	}
	return tuples.At{Revision: e.change.Revision - 1, Time: e.change.Time}
}

func (e *event) message() *usherv1.AccessChange {
	if e == nil {
		return nil
	}
	change := fromAccessChange(e.change)
	if e.expired != nil {
		change.Expired = wire.FromTuple(*e.expired)
	}
	return change
}

// lastEvent returns the last event, up to the state of an answer, that could have changed
// the answer: the model that is in force took effect, or something happened to a tuple
// that the answer rests on. It fails with [tuples.ErrRevisionUnavailable] if that lies
// before the history that is kept.
func (t *history) lastEvent(ctx context.Context, a *asked) (*event, error) {
	reads, err := a.evaluator.Reads(ctx)
	if err != nil {
		return nil, err
	}
	last, err := t.lastChange(ctx, a, reads)
	if err != nil {
		return nil, err
	}
	change, err := t.store.ChangeAt(ctx, max(last.Revision, a.version.Revision))
	if err != nil && !isUnavailable(err) {
		return nil, err
	}
	if last.Expired == nil || err == nil && !last.Expired.Expires.After(change.Time) {
		return &event{change: change}, err
	}
	v, err := t.open(ctx, tuples.At{Time: last.Expired.Expires})
	if err != nil {
		return nil, err
	}
	defer v.close()
	return &event{
		change:  tuples.Change{Revision: v.snapshot.Revision(), Time: last.Expired.Expires},
		expired: last.Expired,
	}, nil
}

// lastChange asks the state of an answer, within the budget.
func (t *history) lastChange(ctx context.Context, a *asked, filters []tuples.Filter) (tuples.LastChange, error) {
	last, err := a.snapshot.LastChange(ctx, filters)
	if t.budget -= len(filters) + last.Rows; err == nil && t.budget < 0 {
		err = check.ErrBudget
	}
	return last, err
}
