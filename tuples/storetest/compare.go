package storetest

import (
	"fmt"
	"maps"
	"reflect"
	"time"

	"github.com/usher-authz/usher/tuples"
	"pgregory.net/rapid"
)

// compareOutcome compares the outcome of a commit with what it must be, and reports
// whether that is all: that no change was made.
func (m *machine) compareOutcome(t *rapid.T, c *tuples.Commit, got tuples.Committed, want verdict, now time.Time) (done bool) {
	if want.replayed != nil {
		first := *want.replayed
		first.Replayed = true
		if !reflect.DeepEqual(got, first) {
			t.Fatalf("replay: got %+v, want %+v", got, first)
		}
		return true
	}
	want.outcome.Revision, want.outcome.Time = got.Revision, got.Time
	if want.err != nil || !reflect.DeepEqual(got, want.outcome) {
		t.Fatalf("commit: got %+v, want %+v, %v", got, want.outcome, want.err)
	}
	if c.DryRun {
		return true // invariants look at the head
	}
	if c.RequestID != "" {
		m.ref.requests[c.Origin.Caller+" "+c.RequestID] = remembered{body: c.BodyHash, time: now, outcome: got}
	}
	if len(want.change) > 0 || c.NewModel != nil {
		return false
	}
	if head := m.ref.last().revision; got.Revision != head {
		t.Fatalf("a commit of nothing has revision %d, the head is %d", got.Revision, head)
	}
	return true
}

// compareChange compares a change of the log with what the commit must have done.
func (m *machine) compareChange(t *rapid.T, c *tuples.Commit, got tuples.Committed, want verdict, change tuples.Change) {
	if change.Revision != got.Revision || !change.Time.Equal(got.Time) || change.Cause != causeOf(c) {
		t.Fatalf("commit says %d (%s) at %s, the log %d (%s) at %s", got.Revision, causeOf(c), got.Time, change.Revision, change.Cause, change.Time)
	}
	logged := map[tuples.Key]tuples.Mutation{}
	for _, mutation := range change.Mutations {
		logged[mutation.Tuple.Key] = mutation
	}
	for _, w := range want.change {
		l := logged[w.Tuple.Key]
		if l.Op != w.Op || !l.Tuple.Grant.Equal(w.Tuple.Grant) {
			t.Fatalf("change %d: got %s %s, want %s %s", change.Revision, l.Op, l.Tuple, w.Op, w.Tuple)
		}
	}
	if len(logged) != len(want.change) || len(change.Mutations) != len(want.change) {
		t.Fatalf("change %d: got %d mutations, want %d", change.Revision, len(change.Mutations), len(want.change))
	}
	o := change.Origin
	if o.Caller != c.Origin.Caller || !maps.Equal(o.Metadata, c.Origin.Metadata) || fmt.Sprint(o.Actor) != fmt.Sprint(c.Origin.Actor) {
		t.Fatalf("change %d: got origin %+v, want %+v", change.Revision, o, c.Origin)
	}
}

// follow brings the reference up to the head by the change log.
func (m *machine) follow(t *rapid.T) { m.takeIn(t, m.h.changes(m.ref.last().revision)) }

// takeIn appends changes to the states of the reference.
func (m *machine) takeIn(t *rapid.T, changes []tuples.Change) {
	for _, c := range changes {
		last := m.ref.last()
		if c.Revision <= last.revision || c.Time.Before(last.time) {
			t.Fatalf("revision %d at %s follows %d at %s", c.Revision, c.Time, last.revision, last.time)
		}
		for _, mutation := range c.Mutations {
			m.replay(t, c, mutation)
		}
		m.ref.states = append(m.ref.states, revisionState{c.Revision, c.Time, maps.Clone(m.ref.live), c})
	}
}

// replay applies one logged mutation, which must fit the state before it.
func (m *machine) replay(t *rapid.T, c tuples.Change, mutation tuples.Mutation) {
	key := mutation.Tuple.Key
	had, there := m.ref.live[key]
	fits := there
	switch mutation.Op {
	case tuples.OpCreate:
		fits = !there
	case tuples.OpDelete:
		fits = there && had.Equal(mutation.Tuple.Grant)
	}
	if c.Cause == tuples.CauseExpired {
		fits = fits && mutation.Op == tuples.OpDelete && had.ExpiredAt(c.Time)
	}
	if !fits {
		t.Fatalf("change %d (%s): %s %s over %v", c.Revision, c.Cause, mutation.Op, mutation.Tuple, had)
	}
	if mutation.Op == tuples.OpDelete {
		delete(m.ref.live, key)
	} else {
		m.ref.live[key] = mutation.Tuple.Grant
	}
}
