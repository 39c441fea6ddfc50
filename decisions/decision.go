package decisions

import (
	"time"

	"github.com/usher-authz/usher/tuples"
)

// Outcome is what was decided. Its numbers are part of the disk format.
type Outcome uint8

const (
	// Denied: no tuple grants it.
	Denied Outcome = iota + 1
	// Allowed: some tuples grant it.
	Allowed
	// Conditional: it depends on context that the question did not give.
	Conditional
)

// Decision is one answer to "may this subject do this to that object?".
type Decision struct {
	Time     time.Time // by the store's clock, in whole milliseconds UTC
	Store    tuples.StoreID
	Caller   string // the authenticated service, "" where there is no authentication
	Object   tuples.Object
	Relation tuples.Relation
	Subject  tuples.Subject // "user:*" for public and password access
	// SourceAddress is where the caller says that its own client is.
	SourceAddress string
	Outcome       Outcome
	// GrantedBy are tuples on the path that grants, from the object to the subject; empty
	// unless Allowed.
	GrantedBy []tuples.Tuple
	Revision  tuples.Revision // that was asked
	Model     tuples.ModelID  // that was evaluated
}

// Query selects decisions of one store; its empty fields match everything.
type Query struct {
	Store    tuples.StoreID // must be set
	Object   tuples.Object
	Relation tuples.Relation
	Subject  tuples.Subject
	Outcome  Outcome
	// From and Until bound the time, in whole milliseconds: From is the first that
	// matches, Until the first that no longer does.
	From, Until time.Time
}

// matches reports whether the query selects a decision, its time left aside.
func (q *Query) matches(d *Decision) bool {
	return d.Store == q.Store &&
		(q.Object == tuples.Object{} || d.Object == q.Object) &&
		(q.Relation == "" || d.Relation == q.Relation) &&
		(q.Subject == tuples.Subject{} || d.Subject == q.Subject) &&
		(q.Outcome == 0 || d.Outcome == q.Outcome)
}
