package server

import (
	"context"
	"errors"
	"time"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/tuples"
)

// UndoDelete implements usher.v1.TupleService.
func (s *tupleService) UndoDelete(ctx context.Context, r *usherv1.UndoDeleteRequest) (*usherv1.UndoDeleteResponse, error) {
	h, err := s.handle(ctx, r.GetStore())
	if err != nil {
		return nil, err
	}
	d, p := s.toUndo(ctx, h, r)
	if err := d.remember(r, r.GetRequestId()); err != nil {
		return nil, err
	}
	committed, err := s.commit(ctx, h, d, p)
	switch {
	case errors.Is(err, tuples.ErrRevisionUnavailable):
		return nil, &failure{
			reason:  usherv1.ErrorReason_ERROR_REASON_REVISION_UNAVAILABLE,
			message: "deleted_at: the change is older than what the store keeps; write its tuples anew",
			cause:   err,
		}
	case err != nil:
		return nil, err
	case committed.Created+committed.Skipped == 0:
		return nil, within("deleted_at", removedNothing(r.GetDeletedAt()))
	}
	return &usherv1.UndoDeleteResponse{
		Token:    h.tokenFor(committed.Revision, committed.Time.UnixMilli()),
		Revision: uint64(committed.Revision),
		Restored: int64(committed.Created),
		Skipped:  int64(committed.Skipped),
		Replayed: committed.Replayed,
	}, nil
}

// toUndo reads a request, with all that is wrong with it.
func (s *Server) toUndo(ctx context.Context, h *handle, r *usherv1.UndoDeleteRequest) (*draft, *problems) {
	p, g := &problems{}, &guards{}
	at, err := s.readToken(h, "", r.GetDeletedAt())
	switch {
	case err == nil && at.revision == 0:
		err = removedNothing(r.GetDeletedAt())
	case err == nil && !h.isOfChange(ctx, at):
		err = tuples.Invalid("", r.GetDeletedAt(), "is of a later answer at its revision, not of the change that made it",
			"send the token of the change; if that changed nothing, there is nothing to undo")
	}
	p.add("deleted_at", err)
	p.addGuards(g, "preconditions", r.GetPreconditions())
	p.addOrigin(r.GetActor(), r.GetMetadata())
	p.addRequestID(r.GetRequestId())
	return &draft{checks: g.checks, commit: tuples.Commit{
		Undo: &tuples.Undo{Revision: at.revision}, DryRun: r.GetDryRun(),
		Preconditions: g.filters,
		Origin:        newOrigin(r.GetActor(), r.GetMetadata()),
	}}, p
}

// isOfChange reports whether a stamp is that of the change of its revision: a delete that
// found nothing has the revision of somebody else's change, but not its time. It waits for
// a large change to be in the log. If that has no answer the commit will have one.
func (h *handle) isOfChange(ctx context.Context, at stamp) bool {
	for {
		changes, err := h.store.Changes(ctx, tuples.LogPosition{Revision: at.revision - 1}, 1)
		switch {
		case err != nil || at.revision > h.store.Head():
			return true
		case len(changes) > 0:
			return changes[0].Revision == at.revision && changes[0].Time.UnixMilli() == at.time
		}
		select {
		case <-time.After(unwrittenPause):
		case <-ctx.Done():
			return true
		}
	}
}

// removedNothing refuses a token whose revision left every tuple in place.
func removedNothing(token string) error {
	return tuples.Invalid("", token, "is of a revision that removed no tuples", "send the token of the change that did")
}
