package bolt

import (
	"context"
	"errors"

	"github.com/usher-authz/usher/tuples"
)

// write is a commit that was found valid in itself, with its grants encoded.
type write struct {
	*tuples.Commit
	bulk   *bulk                       // of a bulk commit; nil for others
	grants []grant                     // of the mutations; nil for deletes
	read   map[tuples.Userset]struct{} // the lists of the read set
}

// Commit implements [tuples.Store].
func (s *store) Commit(ctx context.Context, commit tuples.Commit) (tuples.Committed, error) {
	if s.gone.Load() {
		return tuples.Committed{}, tuples.ErrStoreNotFound
	}
	w, err := prepare(&commit)
	if err != nil {
		return tuples.Committed{}, err
	}
	for {
		outcome, err := s.commit(ctx, w)
		if !errors.Is(err, errMerging) {
			return outcome, err
		}
		if err := s.merged(ctx); err != nil {
			return tuples.Committed{}, err
		}
	}
}

// commit writes in one transaction if that can be, or stages the commit.
func (s *store) commit(ctx context.Context, w *write) (tuples.Committed, error) {
	if len(w.Mutations) > s.db.limits.listed && w.bulk == nil && w.Delete == nil && w.NewModel == nil {
		return s.commitLarge(ctx, w)
	}
	var outcome tuples.Committed // not to be touched after an error: the job may still run
	err := s.db.submit(ctx, w.weight(), func(g *group) error {
		d, err := g.draft(s)
		if err != nil {
			return err
		}
		outcome, err = d.apply(w)
		return err
	})
	switch {
	case errors.Is(err, errLarge):
		return s.commitLarge(ctx, w)
	case err != nil:
		return tuples.Committed{}, err
	}
	return outcome, nil
}

func (w *write) weight() int {
	n := 1 + len(w.Mutations)
	if w.Delete != nil {
		n += min(w.Delete.Limit, maxGroupWeight)
	}
	if w.Erase != nil || w.Undo != nil {
		n += defaultLimits.whole
	}
	return n
}

// cause tells why the change is made.
func (w *write) cause() tuples.Cause {
	switch {
	case w.NewModel != nil:
		return tuples.CauseModel
	case w.Delete != nil && len(w.Mutations) == 0:
		return tuples.CauseDelete
	case w.Erase != nil:
		return tuples.CauseErase
	case w.Undo != nil:
		return tuples.CauseUndo
	}
	return tuples.CauseWrite
}

// apply checks a commit against the draft and writes it. It fails before it writes,
// but for the failures of bbolt itself.
func (d *draft) apply(w *write) (tuples.Committed, error) {
	outcome, known, err := d.check(w)
	if err != nil || known {
		return outcome, err
	}
	p, err := d.plan(w)
	if err != nil {
		return outcome, err
	}
	if w.DryRun {
		p.outcome.Revision, p.outcome.Time = d.state.head, millis(d.now)
		return p.outcome, nil
	}
	return d.execute(w, p)
}

// check judges all of a commit but its mutations. A request that is known already has
// its first outcome.
func (d *draft) check(w *write) (outcome tuples.Committed, known bool, err error) {
	d.scanned = 0
	if outcome, known, err = d.replay(w.Commit); err != nil || known {
		return outcome, known, err
	}
	if err := d.checkModel(w.Commit); err != nil {
		return outcome, false, err
	}
	if err := d.checkReadSet(w); err != nil {
		return outcome, false, err
	}
	return outcome, false, d.checkPreconditions(w.Preconditions)
}

// execute writes what the plan says.
func (d *draft) execute(w *write, p *plan) (tuples.Committed, error) {
	outcome := p.outcome
	outcome.Time = millis(d.now)
	if len(p.effects) > 0 || w.NewModel != nil {
		d.group.write()
		if err := p.names.put(); err != nil {
			return outcome, err
		}
		if len(p.expired) > 0 {
			if err := d.log(&change{cause: tuples.CauseExpired}, p.expired); err != nil {
				return outcome, err
			}
		}
		c := &change{cause: w.cause(), origin: w.Origin}
		if w.NewModel != nil {
			c.model = w.NewModel.ID
			if err := d.putModel(w.NewModel, d.state.head+1); err != nil {
				return outcome, err
			}
		}
		if err := d.log(c, p.effects); err != nil {
			return outcome, err
		}
	}
	outcome.Revision = d.state.head
	return outcome, d.remember(w.Commit, outcome)
}

func (d *draft) putModel(m *tuples.NewModel, revision tuples.Revision) error {
	head := modelHead{revision: revision, created: d.now, id: m.ID, source: append([]byte{}, m.Source...)}
	if err := d.part(partModels).Put(number(revision), head.encode()); err != nil {
		return err
	}
	d.newModels = append(forgetLatest(d.newModels), head)
	return d.part(partModelIDs).Put([]byte(m.ID), number(revision))
}
