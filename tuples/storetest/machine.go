package storetest

import (
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/usher-authz/usher/tuples"
	"pgregory.net/rapid"
)

// machine drives a store and its reference through the same random actions.
type machine struct {
	h    *harness
	ref  *reference
	held []tuples.Snapshot // open while other actions run
	now  time.Time         // the latest clock reading
	// gone is the revision before which history may have been collected.
	gone  tuples.Revision
	large largeCommit
	copy  *Copy // a follower
}

func newMachine(t *rapid.T, h *harness) *machine {
	m := &machine{h: h, ref: newReference()}
	m.copied(t)
	return m
}

// copied begins a new copy that follows the store.
func (m *machine) copied(t *rapid.T) {
	var err error
	m.copy, err = Follow(m.h.ctx, m.h.store)
	m.h.must(err)
}

func (m *machine) actions() map[string]func(*rapid.T) {
	actions := map[string]func(*rapid.T){
		"":              m.invariants,
		"write":         m.write,
		"write again":   m.write,
		"bulk":          m.bulk,
		"delete filter": m.deleteFilter,
		"erase":         m.erase,
		"undo":          m.undo,
		"put model":     m.putModel,
		"move clock":    m.moveClock,
		"collect":       m.collect,
		"reopen":        m.reopen,
		"read":          m.read,
		"hold":          m.hold,
		"read held":     m.readHeld,
		"verify":        m.verify,
		"copy":          m.copied,
	}
	if m.h.engine.Stage != nil {
		actions["stage"] = m.stage
		actions["next piece"] = m.nextPiece
		actions["next piece again"] = m.nextPiece
		actions["merge"] = m.merge
	}
	return actions
}

// invariants hold after every action.
func (m *machine) invariants(t *rapid.T) {
	now := m.h.store.Now()
	if now.Before(m.now) {
		t.Fatalf("the clock went back from %s to %s", m.now, now)
	}
	m.now = now
	if head := m.h.store.Head(); head != m.ref.last().revision {
		t.Fatalf("head is %d, want %d", head, m.ref.last().revision)
	}
	m.compareCopy(t)
}

// compareCopy compares the follower with the state that it has published: that of the head,
// unless a large commit is on its way to it.
func (m *machine) compareCopy(t *rapid.T) {
	revision, err := m.copy.Compare(m.h.ctx, m.h.store)
	gone := errors.Is(err, tuples.ErrRevisionUnavailable) && revision < m.gone
	if err != nil && !gone {
		t.Fatalf("follower: %v", err)
	}
	head, large := m.h.store.Head(), m.h.engine.Stage == nil || m.large.visible != nil
	if revision > head || revision < head && !large {
		t.Fatalf("the follower has published %d, the head is %d", revision, head)
	}
}

// verify merges what is large, and behind it the follower has been told everything.
func (m *machine) verify(t *rapid.T) {
	m.h.verify()
	if revision, err := m.copy.Published(); err != nil || revision != m.h.store.Head() {
		t.Fatalf("the follower has published %d, the head is %d: %v", revision, m.h.store.Head(), err)
	}
}

func (m *machine) write(t *rapid.T) {
	c := m.drawCommit(t)
	m.apply(t, &c)
}

func (m *machine) erase(t *rapid.T) {
	c := m.drawErase(t)
	m.apply(t, &c)
}

func (m *machine) undo(t *rapid.T) {
	c := m.drawUndo(t)
	m.apply(t, &c)
}

// apply commits and compares outcome, error and change log with the reference.
func (m *machine) apply(t *rapid.T, c *tuples.Commit) {
	got, err := m.h.store.Commit(m.h.ctx, *c)
	now := m.h.store.Now()
	if err == nil && !got.Replayed {
		now = got.Time // what the store does by itself may have moved its clock since
	}
	want := m.ref.judge(c, now)
	switch {
	case errors.Is(err, tuples.ErrConflict) && c.ReadSet != nil && c.ReadSet.Revision < m.gone:
		return // the log that would prove the read set may be collected
	case errors.Is(err, tuples.ErrRevisionUnavailable) && c.Undo != nil && c.Undo.Revision <= m.gone:
		return // what to undo may be collected
	case want.err != nil:
		if !sameKind(err, want.err) {
			t.Fatalf("commit: got error %v, want %T %v", err, want.err, want.err)
		}
		return
	case err != nil:
		t.Fatalf("commit: %v", err)
	}
	if m.compareOutcome(t, c, got, want, now) {
		return
	}
	m.follow(t)
	m.compareChange(t, c, got, want, m.ref.last().change)
}

func (m *machine) deleteFilter(t *rapid.T) {
	filter, limit := drawFilter(t, m.h.store.Now()), rapid.IntRange(1, 6).Draw(t, "limit")
	partial := rapid.Bool().Draw(t, "partial")
	got, err := m.h.store.Commit(m.h.ctx, tuples.Commit{Delete: &tuples.DeleteMatching{Filter: filter, Limit: limit, Partial: partial}})
	before := visible(m.ref.live, m.h.store.Now())
	maps.DeleteFunc(before, func(k tuples.Key, g tuples.Grant) bool {
		return !filter.Selects(tuples.Tuple{Key: k, Grant: g})
	})
	if len(before) > limit && !partial {
		if !sameKind(err, &tuples.InvalidError{}) {
			t.Fatalf("delete of %d tuples with limit %d: %v", len(before), limit, err)
		}
		return
	}
	m.h.must(err)
	if want := min(limit, len(before)); got.Deleted != want || got.More != (len(before) > limit) {
		t.Fatalf("delete of %d tuples with limit %d: got %+v", len(before), limit, got)
	}
	m.follow(t)
	if got.Deleted == 0 {
		return
	}
	last := m.ref.last().change
	if last.Cause != tuples.CauseDelete || len(last.Mutations) != got.Deleted {
		t.Fatalf("delete of %d tuples is logged as %s of %d", got.Deleted, last.Cause, len(last.Mutations))
	}
	for _, mutation := range last.Mutations {
		if _, selected := before[mutation.Tuple.Key]; !selected {
			t.Fatalf("%s was deleted, the filter is %s", mutation.Tuple, filter)
		}
	}
}

func (m *machine) putModel(t *rapid.T) {
	id := tuples.ModelID(fmt.Sprintf("m%d", len(m.ref.models)))
	source := []byte("model " + id)
	got, err := m.h.store.Commit(m.h.ctx, tuples.Commit{NewModel: &tuples.NewModel{ID: id, Source: source, Symbols: []string{"media", string(id)}}})
	m.h.must(err)
	if m.h.store.Symbols().Lookup(string(id)) == 0 {
		t.Fatalf("symbol %s of the model is not interned", id)
	}
	m.ref.models = append(m.ref.models, tuples.ModelVersion{ID: id, Revision: got.Revision, Created: got.Time, Source: source})
	m.follow(t)
}

func (m *machine) moveClock(t *rapid.T) {
	minutes := rapid.OneOf(rapid.IntRange(-1, 20), rapid.IntRange(0, 600)).Draw(t, "minutes")
	m.h.wall.add(time.Duration(minutes) * time.Minute)
}

func (m *machine) collect(t *rapid.T) {
	m.h.collect()
	m.follow(t)
	cutoff := m.h.store.Now().Add(-Retention)
	if state := m.ref.atTime(cutoff); state.revision > m.gone {
		m.gone = state.revision
	}
	for key, g := range m.ref.live {
		if g.ExpiredAt(m.h.store.Now()) {
			t.Fatalf("%s is expired and not collected", key)
		}
	}
}

func (m *machine) reopen(t *rapid.T) {
	for _, s := range m.held {
		s.Close()
	}
	m.held = nil
	m.large.staged = nil
	m.h.reopen()
	m.copied(t)
}
