package bolt

import (
	"context"
	"errors"

	"github.com/usher-authz/usher/tuples"
)

// reserve waits for the store's one staging. The caller calls release when everything that
// was staged is merged or taken back, or that has failed.
func (s *store) reserve(ctx context.Context) error {
	select {
	case s.staging <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.db.closing:
		return tuples.ErrClosed
	}
}

func (s *store) release() { <-s.staging }

// resume does what a process left undone that ended while it staged or merged.
func (s *store) resume() {
	if s.reserve(context.Background()) == nil {
		defer s.release()
		s.finish()
	}
}

// commitLarge stages a commit in pieces, between which other commits get their turn. It
// returns when the commit is visible or has failed; what is left to do goes on behind it.
func (s *store) commitLarge(ctx context.Context, w *write) (tuples.Committed, error) {
	if w.DryRun {
		return s.tryLarge(ctx, w)
	}
	if err := s.reserve(ctx); err != nil {
		return tuples.Committed{}, err
	}
	type answer struct {
		outcome tuples.Committed
		err     error
	}
	answered := make(chan answer, 1)
	started := s.db.spawn(func() {
		defer s.release()
		outcome, err := s.stage(ctx, w)
		answered <- answer{outcome, err}
		s.finish()
	})
	if !started {
		s.release()
		return tuples.Committed{}, tuples.ErrClosed
	}
	a := <-answered
	return a.outcome, a.err
}

// stage runs the pieces of a large commit up to the one that makes it visible. The context
// is looked at between them: whether a piece was written is never in doubt.
func (s *store) stage(ctx context.Context, w *write) (tuples.Committed, error) {
	s.readers.Add(1)
	defer s.readers.Add(-1)
	if err := s.tidy(ctx); err != nil { // after a crash, or a failure
		return tuples.Committed{}, err
	}
	for st := newStaging(w); ; {
		if ctx.Err() != nil {
			return tuples.Committed{}, context.Cause(ctx)
		}
		done, err := st.next(s)
		switch {
		case errors.Is(err, errMoved):
			if err := s.tidy(ctx); err != nil {
				return tuples.Committed{}, err
			}
			st = newStaging(w)
		case err != nil || done:
			return st.outcome, err
		}
	}
}

// staging is a large commit on its way to be visible.
type staging struct {
	write    *write
	source   source
	followed tuples.Revision // the log up to here is taken in; 0 before the first piece
	begun    bool
	moved    bool // what was found so far does not hold any more
	counts   stagedCounts
	outcome  tuples.Committed
}

func newStaging(w *write) *staging { return &staging{write: w, source: newSource(w)} }

// next does the next piece as a job of its own. It fails with errMoved if the staging must
// begin anew.
func (st *staging) next(s *store) (done bool, err error) {
	ran := false
	err = s.db.submit(context.Background(), s.db.limits.piece, func(g *group) error {
		if ran {
			// Another job of the group spoiled the transaction; what this one noted
			// in memory is not on the disk.
			return errMoved
		}
		ran = true
		d, err := g.draft(s)
		if err == nil {
			done, err = st.step(d)
		}
		return err
	})
	if err == nil && st.moved {
		err = errMoved
	}
	return done, err
}

// step takes in what others did since the last piece, and goes on. The piece that
// finds that there is no more makes the commit visible.
func (st *staging) step(d *draft) (done bool, err error) {
	if !st.begun {
		st.begun, st.followed = true, d.state.head
		if st.outcome, done, err = d.check(st.write); err != nil || done {
			return done, err
		}
	}
	var wanted []mutation
	p := &piece{
		view: &d.view, names: d.newNames(), rows: d.group.db.limits.piece,
		found: func(m mutation) { wanted = append(wanted, m) },
	}
	if err := st.follow(p); err != nil || st.moved {
		return false, err
	}
	last, err := st.source.scan(p)
	if err != nil {
		return false, err
	}
	if last {
		if st.outcome, done, err = d.check(st.write); err != nil || done {
			return done, err
		}
	}
	if err := p.names.put(); err != nil {
		return false, err
	}
	if err := d.stage(wanted, &st.counts); err != nil || !last {
		return false, err
	}
	if st.counts != (stagedCounts{}) {
		// At its revision the commit finds nothing that has expired.
		wanted = nil
		more, err := d.collectExpired()
		if err == nil {
			err = st.follow(p)
		}
		if err != nil || st.moved {
			return false, err
		}
		if err := d.stage(wanted, &st.counts); err != nil || more {
			return false, err
		}
	}
	return true, st.show(d)
}

// follow takes in the log since the last piece.
func (st *staging) follow(p *piece) error {
	log := p.part(partLog).Cursor()
	for key, value := log.Seek(number(st.followed + 1)); key != nil; key, value = log.Next() {
		revision, c, err := decodeLog(key, value)
		if err != nil {
			return err
		}
		if err := st.source.follow(p, c.mutations); errors.Is(err, errMoved) {
			st.moved = true
			return nil
		} else if err != nil {
			return err
		}
		st.followed = revision
	}
	return nil
}

// show makes what is staged visible, as the next revision.
func (st *staging) show(d *draft) error {
	st.outcome = tuples.Committed{
		Time:    millis(d.now),
		Created: st.counts[tuples.OpCreate], Updated: st.counts[tuples.OpTouch], Deleted: st.counts[tuples.OpDelete],
	}
	if err := st.source.count(&d.view, &st.outcome); err != nil {
		return err
	}
	if st.counts != (stagedCounts{}) {
		d.group.write()
		revision := d.state.head + 1
		c := &change{time: d.now, cause: st.write.cause(), origin: st.write.Origin}
		if err := d.dense(partLog).Put(number(revision), c.encode()); err != nil {
			return err
		}
		d.advance(revision)
		d.state.merging = revision
		d.tellStaged(revision)
	}
	st.outcome.Revision = d.state.head
	return d.remember(st.write.Commit, st.outcome)
}
