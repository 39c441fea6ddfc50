package check

import (
	"errors"
	"fmt"

	"github.com/usher-authz/usher/check/index"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// Outcome is the answer to "may this subject do this to that object?".
type Outcome uint8

const (
	// Denied: no tuple grants it, whatever the missing context would be.
	Denied Outcome = iota
	// Allowed: some tuples grant it, whatever the missing context would be.
	Allowed
	// Conditional: it depends on condition parameters that nobody gave.
	Conditional
)

// String returns "denied", "allowed" or "conditional".
func (o Outcome) String() string {
	switch o {
	case Denied:
		return "denied"
	case Allowed:
		return "allowed"
	case Conditional:
		return "conditional"
	}
	return "unknown"
}

// Decision is an outcome and, where it is conditional, what it waits for.
type Decision struct {
	Outcome Outcome
	Missing []string // names of missing condition parameters, sorted; only if Conditional
}

// Request is what the questions of one request share.
type Request struct {
	Program  *model.Program
	Snapshot tuples.Snapshot
	// Contextual are tuples that count as stored for this request alone; each
	// replaces a stored tuple of its key. They must be valid under the model.
	Contextual []tuples.Tuple
	// Context gives values to condition parameters.
	Context tuples.Context
	// Closures shortens questions about memberships of groups; nil for none. They must be of
	// this program, and of the store of the snapshot.
	Closures *index.Closures
	// Budget bounds the work, in units of one tuple or userset visited, or ten operations
	// of a condition; 0 for [DefaultBudget]. Running out is [ErrBudget], never a denial.
	Budget int
}

// DefaultBudget is the work budget of a request that names none.
const DefaultBudget = 10_000_000

// ErrBudget says that the work budget of the request ran out before the answer
// was known. The answer may be anything: ask for less, or raise the budget.
var ErrBudget = errors.New("work budget exhausted before the answer was known")

// ConditionError says that the answer depends on a condition that failed to evaluate.
type ConditionError struct {
	Tuple     tuples.Key
	Condition string
	Err       error
}

// Error names the condition, the tuple and the failure.
func (e *ConditionError) Error() string {
	return fmt.Sprintf("condition %s of tuple %s: %v", e.Condition, e.Tuple, e.Err)
}

// Unwrap returns the failure of the expression.
func (e *ConditionError) Unwrap() error { return e.Err }

// UnknownError says that a question names a type or relation that the model lacks.
type UnknownError struct {
	Type     tuples.ObjectType
	Relation tuples.Relation // empty if the type is unknown
}

// Error names the type or relation.
func (e *UnknownError) Error() string {
	if e.Relation == "" {
		return fmt.Sprintf("type %q is not in the authorization model", e.Type)
	}
	return fmt.Sprintf("relation %q is not a relation of type %q in the authorization model", e.Relation, e.Type)
}

// Item is one object of a list of objects, or one subject of a list of subjects.
type Item struct {
	ID       tuples.ID
	Decision Decision
	// Err is a [ConditionError] if whether the item belongs to the list depends on a
	// condition that failed; Decision says nothing then.
	Err error
}

// SubjectKind selects the subjects of a list: objects of a type, or usersets.
type SubjectKind struct {
	Type     tuples.ObjectType
	Relation tuples.Relation // empty for objects
}
