package tuples

import (
	"errors"
	"fmt"
	"strings"
)

// Returned by [Database] and [Store] before anything is read or written.
var (
	// ErrStoreNotFound says that no store has the name or id, or that it was deleted.
	ErrStoreNotFound = errors.New("store not found")
	// ErrStoreExists says that another store has the name already.
	ErrStoreExists = errors.New("store exists")
	// ErrModelNotFound says that the store has no model of that id, or none at all
	// at the revision asked for.
	ErrModelNotFound = errors.New("authorization model not found")
	// ErrRevisionUnavailable says that a revision or time lies before the history
	// that the store keeps.
	ErrRevisionUnavailable = errors.New("revision is outside the retained history")
	// ErrRevisionAhead says that a revision or time lies after the head.
	ErrRevisionAhead = errors.New("revision is ahead of the store's head")
	// ErrClosed says that the database was closed.
	ErrClosed = errors.New("database is closed")
)

// Returned by [Store.Commit], with nothing written.
var (
	// ErrConflict says that what the caller decided on (the model in force, a list
	// of the read set) has changed since; decide again and retry.
	ErrConflict = errors.New("conflict with a concurrent write")
	// ErrRequestIDReused says that the request id was used for another body.
	ErrRequestIDReused = errors.New("request id was used for another request")
	// ErrReadOnly says that an earlier write failed to reach the disk, and that the
	// store takes no more until it is reopened.
	ErrReadOnly = errors.New("store refuses writes after a failed sync")
)

// ErrOutcomeUnknown is returned by [Store.Commit] when the write may or may not be
// durable: the disk failed, or the caller's context ended while it was under way.
// Retry with the same request id to learn which.
var ErrOutcomeUnknown = errors.New("outcome of the write is unknown")

// Violation is one thing wrong with a request: where, what, why and what to do.
type Violation struct {
	Field  string // path in the request, such as "updates[3].tuple.object.id"
	Value  string // the offending value, shortened when long
	Reason string // what is wrong with it
	Remedy string // what to send instead
}

// Error returns the violation as one line.
func (v Violation) Error() string {
	text := fmt.Sprintf("%s %q: %s", v.Field, Shorten(v.Value), v.Reason)
	if v.Field == "" {
		text = fmt.Sprintf("%q: %s", Shorten(v.Value), v.Reason)
	}
	if v.Remedy == "" {
		return text
	}
	return text + "; " + v.Remedy
}

// InvalidError says that a request is refused for its content; nothing of it is stored.
type InvalidError struct {
	Violations []Violation
}

// Invalid returns an error of one violation.
func Invalid(field, value, reason, remedy string) *InvalidError {
	return &InvalidError{Violations: []Violation{{Field: field, Value: value, Reason: reason, Remedy: remedy}}}
}

// Error returns all violations, one after the other.
func (e *InvalidError) Error() string {
	lines := make([]string, len(e.Violations))
	for i, v := range e.Violations {
		lines[i] = v.Error()
	}
	return strings.Join(lines, "\n")
}

// Within returns the error with every field path put below prefix.
func (e *InvalidError) Within(prefix string) *InvalidError {
	moved := make([]Violation, len(e.Violations))
	for i, v := range e.Violations {
		if v.Field == "" {
			v.Field = prefix
		} else {
			v.Field = prefix + "." + v.Field
		}
		moved[i] = v
	}
	return &InvalidError{Violations: moved}
}

// PreconditionError says which precondition of a commit did not hold.
type PreconditionError struct {
	Field  string // path of the precondition in the request
	Reason string // what was found instead
}

// Error names the precondition and what was found.
func (e *PreconditionError) Error() string {
	return fmt.Sprintf("precondition %s failed: %s", e.Field, e.Reason)
}

// ExistsError says that a tuple to be created is there already.
type ExistsError struct {
	Index int // of the mutation in the commit
	Key   Key
}

// Error names the tuple and what to do instead.
func (e *ExistsError) Error() string {
	return fmt.Sprintf("updates[%d]: tuple %s exists; use touch to replace what it grants", e.Index, e.Key)
}

// maxShown is how many bytes of an offending value an error repeats.
const maxShown = 80

// Shorten cuts a value that an error is about to repeat.
func Shorten(value string) string {
	if len(value) <= maxShown {
		return value
	}
	cut := maxShown
	for cut > 0 && value[cut]&0xC0 == 0x80 {
		cut--
	}
	return fmt.Sprintf("%s… (%d bytes)", value[:cut], len(value))
}
