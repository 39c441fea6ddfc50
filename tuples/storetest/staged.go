package storetest

import (
	"errors"

	"github.com/usher-authz/usher/tuples"
	"pgregory.net/rapid"
)

// largeCommit is the commit that the machine drives piece by piece, while it does everything
// else too.
type largeCommit struct {
	commit  tuples.Commit
	staged  Staged            // nil when none is under way
	visible *tuples.Committed // the outcome, until the log was compared with it
	want    verdict
}

// stage begins a large commit.
func (m *machine) stage(t *rapid.T) {
	if m.large.staged != nil || m.large.visible != nil {
		t.Skip("one is under way")
	}
	draw := rapid.SampledFrom([]func(*rapid.T) tuples.Commit{m.drawCommit, m.drawErase, m.drawErase, m.drawUndo}).Draw(t, "kind")
	c := draw(t)
	c.DryRun = false
	staged, err := m.h.engine.Stage(m.h.store, c)
	m.h.must(err)
	m.large = largeCommit{commit: c, staged: staged}
}

// nextPiece does a piece. The one that ends the commit must do what the commit would do
// as a whole, now.
func (m *machine) nextPiece(t *rapid.T) {
	l := &m.large
	if l.staged == nil || l.visible != nil {
		t.Skip("nothing is being staged")
	}
	got, done, err := l.staged.Next()
	if err == nil && !done {
		return
	}
	now := m.h.store.Now()
	l.want = m.ref.judge(&l.commit, now)
	if err != nil {
		m.compareFailure(t, l, err)
		m.large = largeCommit{}
		return
	}
	expired, err := m.h.store.Changes(m.h.ctx, tuples.LogPosition{Revision: m.ref.last().revision}, 100)
	m.h.must(err)
	m.takeIn(t, expired) // by then; the commit itself is not in the log yet
	if m.compareOutcome(t, &l.commit, got, l.want, now) {
		m.large = largeCommit{}
		return
	}
	l.visible = &got
	m.takeIn(t, []tuples.Change{{
		Revision: got.Revision, Time: got.Time, Origin: l.commit.Origin, Cause: causeOf(&l.commit), Mutations: l.want.change,
	}})
}

// compareFailure judges an error: a commit of many pieces may find another one first than
// it would have as a whole.
func (m *machine) compareFailure(t *rapid.T, l *largeCommit, err error) {
	switch {
	case errors.Is(err, tuples.ErrConflict) && l.commit.ReadSet != nil && l.commit.ReadSet.Revision < m.gone:
	case errors.Is(err, tuples.ErrRevisionUnavailable) && l.commit.Undo != nil && l.commit.Undo.Revision <= m.gone:
	case l.want.err == nil:
		t.Fatalf("large commit: got error %v, want none", err)
	}
}

// merge does a piece of what is left to do.
func (m *machine) merge(t *rapid.T) {
	if m.large.visible == nil {
		t.Skip("nothing is being merged")
	}
	if m.large.staged != nil {
		m.h.must(m.large.staged.Merge())
	}
	page, err := m.h.store.Changes(m.h.ctx, tuples.LogPosition{Revision: m.large.visible.Revision - 1}, 1)
	if errors.Is(err, tuples.ErrRevisionUnavailable) && m.large.visible.Revision <= m.gone {
		m.large = largeCommit{}
		return
	}
	m.h.must(err)
	if len(page) > 0 {
		m.compareMerged(t)
	}
}

// compareMerged compares what the log has of a large commit with what it must have done.
func (m *machine) compareMerged(t *rapid.T) {
	l := m.large
	m.large = largeCommit{}
	if l.visible.Revision <= m.gone {
		return // the log may be collected
	}
	m.compareChange(t, &l.commit, *l.visible, l.want, m.h.changes(l.visible.Revision - 1)[0])
}
