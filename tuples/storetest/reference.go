package storetest

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/usher-authz/usher/tuples"
)

// reference is the plain model that a store is held to: a map of tuples, and a copy of
// it for each revision. It says what a commit must do; which revision that gets, and
// when expired tuples are collected, it learns from the change log.
type reference struct {
	live     map[tuples.Key]tuples.Grant // collected or not
	states   []revisionState             // ascending; the first is the empty store
	requests map[string]remembered
	models   []tuples.ModelVersion
}

type revisionState struct {
	revision tuples.Revision
	time     time.Time
	live     map[tuples.Key]tuples.Grant
	change   tuples.Change
}

type remembered struct {
	body    [32]byte
	time    time.Time
	outcome tuples.Committed
}

func newReference() *reference {
	return &reference{
		live:     map[tuples.Key]tuples.Grant{},
		states:   []revisionState{{live: map[tuples.Key]tuples.Grant{}}},
		requests: map[string]remembered{},
	}
}

// visible returns the tuples of a state that have not expired.
func visible(state map[tuples.Key]tuples.Grant, now time.Time) map[tuples.Key]tuples.Grant {
	out := maps.Clone(state)
	maps.DeleteFunc(out, func(_ tuples.Key, g tuples.Grant) bool { return g.ExpiredAt(now) })
	return out
}

// verdict is what a commit must do: fail with one of the errors, or change the tuples.
type verdict struct {
	err      error // a sentinel, or a value of the error type
	replayed *tuples.Committed
	outcome  tuples.Committed // the counts alone
	change   []tuples.Mutation
	after    map[tuples.Key]tuples.Grant
}

// judge says what a commit at time now must do.
func (r *reference) judge(c *tuples.Commit, now time.Time) verdict {
	known, ok := r.requests[c.Origin.Caller+" "+c.RequestID]
	if ok && c.RequestID != "" && now.Sub(known.time) < 24*time.Hour {
		if known.body != c.BodyHash {
			return verdict{err: tuples.ErrRequestIDReused}
		}
		return verdict{replayed: &known.outcome}
	}
	if c.InForce != "" && (len(r.models) == 0 || r.models[len(r.models)-1].ID != c.InForce) {
		return verdict{err: tuples.ErrConflict}
	}
	if c.ReadSet != nil && r.stale(c.ReadSet, now) {
		return verdict{err: tuples.ErrConflict}
	}
	before := visible(r.live, now)
	for _, p := range c.Preconditions {
		if selectsAny(p.Filter, before) != p.MustMatch {
			return verdict{err: &tuples.PreconditionError{}}
		}
	}
	switch {
	case c.Erase != nil:
		return r.judgeErase(c.Erase, before)
	case c.Undo != nil:
		return r.judgeUndo(c.Undo.Revision, before, now)
	}
	return r.judgeMutations(c, before)
}

// judgeErase erases the objects that lie in one to erase until there is none left.
func (r *reference) judgeErase(e *tuples.Erase, before map[tuples.Key]tuples.Grant) verdict {
	erased := map[tuples.Object]bool{}
	for _, o := range e.Objects {
		erased[o] = true
	}
	for found := true; found; {
		found = false
		for k := range before {
			if !erased[k.Object] && erased[k.Subject.Object()] && contains(e.Along, k) {
				erased[k.Object], found = true, true
			}
		}
	}
	c := tuples.Commit{}
	named := map[tuples.Object]bool{}
	for k := range before {
		if erased[k.Object] || erased[k.Subject.Object()] {
			c.Mutations = append(c.Mutations, tuples.Mutation{Op: tuples.OpDelete, Tuple: tuples.Tuple{Key: k}})
			named[k.Object], named[k.Subject.Object()] = true, true
		}
	}
	v := r.judgeMutations(&c, before)
	for o := range named {
		if erased[o] {
			if v.outcome.Objects == nil {
				v.outcome.Objects = map[tuples.ObjectType]int{}
			}
			v.outcome.Objects[o.Type]++
		}
	}
	return v
}

// contains reports whether a tuple puts its object into its subject.
func contains(along []tuples.Containment, k tuples.Key) bool {
	return !k.Subject.IsUserset() && slices.ContainsFunc(along, func(c tuples.Containment) bool {
		return c.Relation == k.Relation && (c.Type == "" || c.Type == k.Object.Type)
	})
}

// judgeUndo creates what the change of a revision deleted and is not there.
func (r *reference) judgeUndo(revision tuples.Revision, before map[tuples.Key]tuples.Grant, now time.Time) verdict {
	c, skipped := tuples.Commit{}, 0
	for _, m := range r.at(revision).change.Mutations {
		if m.Op != tuples.OpDelete {
			continue
		}
		if _, there := before[m.Tuple.Key]; there || m.Tuple.ExpiredAt(now) {
			skipped++
			continue
		}
		c.Mutations = append(c.Mutations, tuples.Mutation{Op: tuples.OpCreate, Tuple: m.Tuple})
	}
	v := r.judgeMutations(&c, before)
	v.outcome.Skipped = skipped
	return v
}

// causeOf is the cause that a commit's change has.
func causeOf(c *tuples.Commit) tuples.Cause {
	switch {
	case c.NewModel != nil:
		return tuples.CauseModel
	case c.Erase != nil:
		return tuples.CauseErase
	case c.Undo != nil:
		return tuples.CauseUndo
	}
	return tuples.CauseWrite
}

func selectsAny(f tuples.Filter, state map[tuples.Key]tuples.Grant) bool {
	for key, grant := range state {
		if f.Selects(tuples.Tuple{Key: key, Grant: grant}) {
			return true
		}
	}
	return false
}

func (r *reference) stale(s *tuples.ReadSet, now time.Time) bool {
	if !s.ValidUntil.IsZero() && !now.Before(s.ValidUntil) {
		return true
	}
	for _, state := range r.states {
		if state.revision <= s.Revision || state.change.Cause == tuples.CauseExpired {
			continue
		}
		for _, m := range state.change.Mutations {
			if slices.Contains(s.Lists, tuples.Userset{Object: m.Tuple.Object, Relation: m.Tuple.Relation}) {
				return true
			}
		}
	}
	return false
}

func (r *reference) judgeMutations(c *tuples.Commit, before map[tuples.Key]tuples.Grant) verdict {
	v := verdict{after: maps.Clone(r.live)}
	mutations := c.Mutations
	if c.Bulk {
		mutations, v.outcome.Same = lastOfEach(mutations)
	}
	named := map[tuples.Key]bool{}
	exists := false
	for _, m := range mutations {
		k := m.Tuple.Key
		if named[k] {
			return verdict{err: &tuples.InvalidError{}}
		}
		named[k] = true
		had, there := before[k]
		exists = exists || there && m.Op == tuples.OpCreate
		switch {
		case m.Op == tuples.OpDelete && !there, m.Op == tuples.OpTouch && there && had.Equal(m.Tuple.Grant):
			v.outcome.Same++
			continue
		case m.Op == tuples.OpDelete:
			v.outcome.Deleted++
			v.change = append(v.change, tuples.Mutation{Op: tuples.OpDelete, Tuple: tuples.Tuple{Key: k, Grant: had}})
			delete(v.after, k)
			continue
		case there:
			v.outcome.Updated++
			v.change = append(v.change, tuples.Mutation{Op: tuples.OpTouch, Tuple: m.Tuple})
		default:
			v.outcome.Created++
			v.change = append(v.change, tuples.Mutation{Op: tuples.OpCreate, Tuple: m.Tuple})
		}
		v.after[k] = m.Tuple.Grant
	}
	if exists {
		return verdict{err: &tuples.ExistsError{}}
	}
	return v
}

// sameKind reports whether an error is the one that the verdict asks for.
func sameKind(got, want error) bool {
	switch want.(type) {
	case *tuples.InvalidError:
		var e *tuples.InvalidError
		return errors.As(got, &e)
	case *tuples.PreconditionError:
		var e *tuples.PreconditionError
		return errors.As(got, &e)
	case *tuples.ExistsError:
		var e *tuples.ExistsError
		return errors.As(got, &e)
	}
	return errors.Is(got, want)
}

// last returns the state at the head.
func (r *reference) last() *revisionState { return &r.states[len(r.states)-1] }

// at returns the state in force at a revision.
func (r *reference) at(revision tuples.Revision) *revisionState {
	i := len(r.states) - 1
	for r.states[i].revision > revision {
		i--
	}
	return &r.states[i]
}

// atTime returns the state in force at a time.
func (r *reference) atTime(t time.Time) *revisionState {
	i := len(r.states) - 1
	for i > 0 && r.states[i].time.After(t) {
		i--
	}
	return &r.states[i]
}
