package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/decisions"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// failure is why a request has no answer, in the terms of the API.
type failure struct {
	reason     usherv1.ErrorReason
	message    string             // for the caller; "" for the violations' text
	violations []tuples.Violation // of fields of the request
	metadata   map[string]string  // for programs
	cause      error              // for the log; nil where the message says it all
}

// Error returns what the caller is told.
func (f *failure) Error() string {
	if f.message == "" {
		return (&tuples.InvalidError{Violations: f.violations}).Error()
	}
	return f.message
}

// Unwrap returns the cause.
func (f *failure) Unwrap() error { return f.cause }

// refuse returns a failure about one field of the request.
func refuse(reason usherv1.ErrorReason, field, value, why, remedy string) *failure {
	return &failure{reason: reason, violations: []tuples.Violation{{Field: field, Value: value, Reason: why, Remedy: remedy}}}
}

// tooMany returns a failure about a list of the request that is too long.
func tooMany(field string, n, limit int) *failure {
	return refuse(usherv1.ErrorReason_ERROR_REASON_TOO_MANY_ITEMS, field, fmt.Sprint(n), "are too many items",
		fmt.Sprintf("send %d at most", limit))
}

// sentinels give domain errors their reasons; the first that matches counts. Where
// message is set the error's own text is for the log alone.
var sentinels = []struct {
	err     error
	reason  usherv1.ErrorReason
	message string
}{
	{tuples.ErrOutcomeUnknown, usherv1.ErrorReason_ERROR_REASON_OUTCOME_UNKNOWN,
		"the write may or may not be durable; send it again with the same request id"},
	{tuples.ErrReadOnly, usherv1.ErrorReason_ERROR_REASON_READ_ONLY,
		"the store refuses writes since one failed to reach the disk; restart the server"},
	{decisions.ErrNotRecorded, usherv1.ErrorReason_ERROR_REASON_NOT_RECORDED,
		"the decision could not be recorded, and the server gives none unrecorded; try again"},
	{tuples.ErrClosed, usherv1.ErrorReason_ERROR_REASON_SHUTTING_DOWN, shuttingDown},
	{errShuttingDown, usherv1.ErrorReason_ERROR_REASON_SHUTTING_DOWN, shuttingDown},
	{tuples.ErrStoreNotFound, usherv1.ErrorReason_ERROR_REASON_STORE_NOT_FOUND, ""},
	{tuples.ErrStoreExists, usherv1.ErrorReason_ERROR_REASON_STORE_EXISTS, ""},
	{tuples.ErrModelNotFound, usherv1.ErrorReason_ERROR_REASON_MODEL_NOT_FOUND, ""},
	{tuples.ErrRevisionUnavailable, usherv1.ErrorReason_ERROR_REASON_REVISION_UNAVAILABLE, ""},
	{tuples.ErrRevisionAhead, usherv1.ErrorReason_ERROR_REASON_REVISION_AHEAD, ""},
	{tuples.ErrConflict, usherv1.ErrorReason_ERROR_REASON_CONFLICT, ""},
	{tuples.ErrRequestIDReused, usherv1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED, ""},
	{check.ErrBudget, usherv1.ErrorReason_ERROR_REASON_WORK_BUDGET_EXHAUSTED,
		"the work budget of the request ran out before the answer was known; ask for less, or raise the server's budget"},
	{context.DeadlineExceeded, usherv1.ErrorReason_ERROR_REASON_DEADLINE_EXCEEDED,
		"the deadline passed before the answer was known; allow more time, or ask for less"},
	{context.Canceled, usherv1.ErrorReason_ERROR_REASON_CANCELLED, "the caller gave up"},
}

var errShuttingDown = errors.New("server is shutting down")

const shuttingDown = "the server is shutting down; try again, elsewhere or in a while"

// failureOf names the reason of an error. What it does not know is a fault of the
// server, of which the caller learns nothing more.
func failureOf(err error) *failure {
	var (
		f            *failure
		invalid      *tuples.InvalidError
		precondition *tuples.PreconditionError
		exists       *tuples.ExistsError
		condition    *check.ConditionError
		refused      *model.Error
	)
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &invalid):
		return &failure{reason: usherv1.ErrorReason_ERROR_REASON_INVALID_FIELD, violations: invalid.Violations}
	case errors.As(err, &precondition):
		return preconditionFailed(precondition)
	case errors.As(err, &exists):
		return tupleExists(exists)
	case errors.As(err, &condition):
		return conditionFailed(condition)
	case errors.As(err, &refused):
		return modelRefused(refused)
	}
	for _, s := range sentinels {
		if errors.Is(err, s.err) {
			return &failure{reason: s.reason, message: orElse(s.message, err.Error()), cause: err}
		}
	}
	return &failure{
		reason:  usherv1.ErrorReason_ERROR_REASON_INTERNAL,
		message: "a fault of the server; its log has more",
		cause:   err,
	}
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

func preconditionFailed(e *tuples.PreconditionError) *failure {
	return &failure{
		reason:   usherv1.ErrorReason_ERROR_REASON_PRECONDITION_FAILED,
		message:  e.Error(),
		metadata: map[string]string{"field": e.Field},
	}
}

func tupleExists(e *tuples.ExistsError) *failure {
	return &failure{
		reason:   usherv1.ErrorReason_ERROR_REASON_TUPLE_EXISTS,
		message:  e.Error(),
		metadata: map[string]string{"field": fmt.Sprintf("updates[%d]", e.Index), "tuple": e.Key.String()},
	}
}

func conditionFailed(e *check.ConditionError) *failure {
	return &failure{
		reason:   usherv1.ErrorReason_ERROR_REASON_CONDITION_FAILED,
		message:  e.Error() + "; send context values of the types that the condition declares",
		metadata: map[string]string{"condition": e.Condition, "tuple": e.Tuple.String()},
	}
}

// modelRefused turns the problems of a model into violations of the field that holds it.
func modelRefused(e *model.Error) *failure {
	f := &failure{reason: usherv1.ErrorReason_ERROR_REASON_INVALID_MODEL}
	for _, p := range e.Problems[:min(len(e.Problems), maxViolations)] {
		f.violations = append(f.violations, tuples.Violation{
			Field: "source", Value: p.Pos.String(), Reason: p.Message, Remedy: p.Remedy,
		})
	}
	f.message = fmt.Sprintf("problems of the authorization model (%d):\n%v", len(e.Problems), e)
	return f
}
