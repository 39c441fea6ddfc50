package server

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/tuples"
)

// commit decides on a write and hands it to the store, again and again while
// concurrent writes change what the decision rests on. p is what is wrong with the
// request in itself.
func (s *Server) commit(ctx context.Context, h *handle, d *draft, p *problems) (committed tuples.Committed, err error) {
	err = retry(ctx, func() error {
		if err := s.decide(ctx, h, d, p); err != nil {
			return err
		}
		committed, err = h.store.Commit(ctx, d.commit)
		return err
	})
	if err == nil || d.commit.RequestID == "" {
		return committed, err
	}
	known, knownErr := h.replay(ctx, &d.commit)
	if knownErr == nil || errors.Is(knownErr, tuples.ErrRequestIDReused) {
		return known, knownErr
	}
	return tuples.Committed{}, err
}

// decide judges a write by the state at the head: the tuples by the model in force,
// and the Checks that guard it. All that is wrong with fields is told at once.
func (s *Server) decide(ctx context.Context, h *handle, d *draft, invalid *problems) error {
	p := *invalid
	p.found = slices.Clone(p.found)
	d.commit.InForce = ""
	if d.forbid != nil {
		c, err := h.modelAt(ctx, h.store.Head())
		if err != nil {
			return orInvalid(&p, err)
		}
		d.forbid(&p, c.program.Model)
		d.commit.InForce = c.id()
	}
	p.addUnknownNames(h.store.Symbols(), &d.commit)
	if err := p.err(); err != nil {
		return err
	}
	return s.judge(ctx, h, d.checks, &d.commit)
}

// orInvalid returns what is wrong with the fields, or else another error.
func orInvalid(p *problems, err error) error {
	if invalid := p.err(); invalid != nil {
		return invalid
	}
	return err
}

// noModel is the id of no model. A commit that names it as the one in force can only
// be a replay or a conflict.
const noModel tuples.ModelID = "none"

// replay returns the outcome of a request whose id is known. A retry is judged by the
// state that its first attempt has made, and may be refused there: an owner who gave
// the ownership away does not pass the guard again. The store knows better; it fails
// with [tuples.ErrConflict] if it has never seen the id.
func (h *handle) replay(ctx context.Context, c *tuples.Commit) (tuples.Committed, error) {
	return h.store.Commit(ctx, tuples.Commit{
		InForce: noModel, Origin: c.Origin, RequestID: c.RequestID, BodyHash: c.BodyHash,
	})
}

const (
	// maxAttempts bounds how often a write is decided on. Each conflict means that
	// another write went through.
	maxAttempts = 12
	// firstPause is the mean time before the second attempt; it doubles up to maxPause.
	firstPause = time.Millisecond
	maxPause   = 100 * time.Millisecond
)

// retry runs attempt until it ends without a conflict.
func retry(ctx context.Context, attempt func() error) error {
	pause := firstPause
	for n := 1; ; n++ {
		err := attempt()
		if !errors.Is(err, tuples.ErrConflict) {
			return err
		}
		if n == maxAttempts {
			return &failure{
				reason:  usherv1.ErrorReason_ERROR_REASON_CONFLICT,
				message: fmt.Sprintf("concurrent writes changed what the write depends on %d times; send it again (%v)", n, err),
				cause:   err,
			}
		}
		select {
		case <-time.After(rand.N(2 * pause)):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		pause = min(2*pause, maxPause)
	}
}
