package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// Watch implements usher.v1.TupleService.
func (s *tupleService) Watch(r *usherv1.WatchRequest, stream grpc.ServerStreamingServer[usherv1.WatchResponse]) error {
	ctx := stream.Context()
	heartbeat, err := toHeartbeat(r.GetHeartbeat())
	if err != nil {
		return err
	}
	if err := validateMode(r); err != nil {
		return err
	}
	h, err := s.handle(ctx, r.GetStore())
	if err != nil {
		return err
	}
	filters, err := toFilters(h.store.Symbols(), r.GetFilters())
	if err != nil {
		return err
	}
	w := &watch{
		handle: h, stream: stream, heartbeat: heartbeat,
		filters: filters, tuplesOnly: r.GetTuplesOnly(), mode: r.GetSnapshot(),
	}
	if r.GetAfter() != "" {
		at, err := s.readToken(h, "after", r.GetAfter())
		if err != nil {
			return err
		}
		w.after, w.token = tuples.LogPosition{Revision: at.revision}, r.GetAfter()
	}
	return w.run(ctx)
}

// toHeartbeat returns how often a message is sent at least.
func toHeartbeat(d *durationpb.Duration) (time.Duration, error) {
	if d == nil {
		return defaultHeartbeat, nil
	}
	if heartbeat := d.AsDuration(); d.IsValid() && heartbeat >= minHeartbeat && heartbeat <= maxHeartbeat {
		return heartbeat, nil
	}
	return 0, tuples.Invalid("heartbeat", d.AsDuration().String(), "is out of range",
		fmt.Sprintf("send %v to %v, or nothing for %v", minHeartbeat, maxHeartbeat, defaultHeartbeat))
}

// validateMode refuses a mode that has no meaning, alone or beside the token.
func validateMode(r *usherv1.WatchRequest) error {
	mode := r.GetSnapshot()
	if _, ok := usherv1.SnapshotMode_name[int32(mode)]; !ok {
		return tuples.Invalid("snapshot", mode.String(), "is not a mode", "send one of SnapshotMode, or nothing")
	}
	if mode == usherv1.SnapshotMode_SNAPSHOT_MODE_ALWAYS && r.GetAfter() != "" {
		return tuples.Invalid("after", r.GetAfter(), "is set beside SNAPSHOT_MODE_ALWAYS, which begins with all tuples",
			"leave it out, or use SNAPSHOT_MODE_IF_BEHIND")
	}
	return nil
}

// toFilters returns valid filters of known names.
func toFilters(symbols *tuples.Symbols, list []*usherv1.TupleFilter) ([]tuples.Filter, error) {
	if len(list) > maxWatchFilters {
		return nil, tooMany("filters", len(list), maxWatchFilters)
	}
	var p problems
	filters := make([]tuples.Filter, len(list))
	for i, f := range list {
		filter, err := wire.ToFilter(f)
		switch {
		case err != nil:
		case !filter.ExpiresBefore.IsZero():
			// A tuple whose expiry moves would leave the selection without a word.
			err = tuples.Invalid("expires_before", filter.ExpiresBefore.Format(time.RFC3339), "cannot select changes",
				"leave it out, and look at the expiry of what comes")
		default:
			err = knownNames(symbols, filter)
		}
		p.add(fmt.Sprintf("filters[%d]", i), err)
		filters[i] = filter
	}
	return filters, p.err()
}

// watch follows the change log by position. It holds a snapshot while it sends the tuples
// that it begins with, and for a moment to see what was there before a change.
type watch struct {
	*handle
	stream     grpc.ServerStreamingServer[usherv1.WatchResponse]
	heartbeat  time.Duration
	filters    []tuples.Filter // none for every tuple
	tuplesOnly bool
	mode       usherv1.SnapshotMode

	after  tuples.LogPosition // all before it was sent
	token  string             // names after; "" within a snapshot or a revision
	silent time.Time          // the next sign of life is due

	pending *usherv1.ChangeSet // of the revision under way, not sent yet; nil for nothing
	bytes   int                // of its tuples
}

// run sends changes until the context or the stream ends, or nothing but a snapshot can
// tell what has happened and the caller wants none.
func (w *watch) run(ctx context.Context) error {
	w.silent = time.Now().Add(w.heartbeat)
	err := w.begin(ctx)
	for err == nil {
		err = w.follow(ctx)
		if w.mode != usherv1.SnapshotMode_SNAPSHOT_MODE_UNSPECIFIED && errors.Is(err, tuples.ErrRevisionUnavailable) {
			err = w.sendSnapshot(ctx)
		}
	}
	return w.tooFarBehind(err)
}

// begin sends the first message at once, so that the caller knows where the stream
// begins: a sign of life, or the first part of a snapshot.
func (w *watch) begin(ctx context.Context) error {
	if w.token == "" {
		if w.mode != usherv1.SnapshotMode_SNAPSHOT_MODE_UNSPECIFIED {
			return w.sendSnapshot(ctx)
		}
		w.reach(w.store.Head(), w.store.Now())
		return w.beat()
	}
	_, err := w.store.Changes(ctx, w.after, 1)
	switch {
	case errors.Is(err, tuples.ErrRevisionAhead): // the head will get there
	case errors.Is(err, tuples.ErrRevisionUnavailable) && w.mode == usherv1.SnapshotMode_SNAPSHOT_MODE_IF_BEHIND:
		return w.sendSnapshot(ctx)
	case err != nil:
		return err
	}
	return w.beat()
}

// tooFarBehind tells a caller that fell behind the retained log how to go on.
func (w *watch) tooFarBehind(err error) error {
	if w.mode != usherv1.SnapshotMode_SNAPSHOT_MODE_UNSPECIFIED || !errors.Is(err, tuples.ErrRevisionUnavailable) {
		return err
	}
	return &failure{
		reason: usherv1.ErrorReason_ERROR_REASON_REVISION_UNAVAILABLE,
		message: fmt.Sprintf("the log no longer has all that changed behind revision %d; watch with SNAPSHOT_MODE_IF_BEHIND "+
			"to be sent all tuples first, or without after for what changes from now on", w.after.Revision),
		cause: err,
	}
}

// reach notes that all up to a revision was sent.
func (w *watch) reach(revision tuples.Revision, at time.Time) {
	w.after, w.token = tuples.LogPosition{Revision: revision}, w.tokenFor(revision, at.UnixMilli())
}

const (
	// changesPage bounds the entries of the log that are read at once: one may have
	// 10,000 tuples.
	changesPage = 16
	// unwrittenPause is how long to wait for the log where the head is ahead of it,
	// because the parts of a large revision are still being written.
	unwrittenPause = 50 * time.Millisecond
)

// follow sends what the log has, and waits for more, until something fails.
func (w *watch) follow(ctx context.Context) error {
	for {
		if err := w.wait(ctx); err != nil {
			return err
		}
		changes, err := w.store.Changes(ctx, w.after, changesPage)
		if err != nil {
			return err
		}
		for i := range changes {
			if err := w.change(ctx, &changes[i]); err != nil {
				return err
			}
		}
		if len(changes) == 0 {
			select {
			case <-time.After(unwrittenPause):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
}

// wait returns when the head is where the log goes on. Meanwhile it gives signs of life.
func (w *watch) wait(ctx context.Context) error {
	next := w.after.Revision
	if w.after.Parts == 0 {
		next++
	}
	for {
		if err := w.beatIfDue(); err != nil {
			return err
		}
		bound, cancel := context.WithDeadline(ctx, w.silent)
		err := w.store.Wait(bound, next)
		cancel()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
	}
}

// beat sends a sign of life.
func (w *watch) beat() error {
	return w.send(&usherv1.WatchResponse{Token: w.token, Revision: uint64(w.after.Revision)})
}

// beatIfDue sends a sign of life if nothing was sent for as long as the caller allows:
// while much is left out by filters, too.
func (w *watch) beatIfDue() error {
	if time.Now().Before(w.silent) {
		return nil
	}
	return w.beat()
}

func (w *watch) send(m *usherv1.WatchResponse) error {
	w.silent = time.Now().Add(w.heartbeat)
	return w.stream.Send(m)
}
