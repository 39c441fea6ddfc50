package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

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
	h, err := s.handle(ctx, r.GetStore())
	if err != nil {
		return err
	}
	w := &watch{handle: h, send: stream.Send, heartbeat: heartbeat}
	if err := s.start(w, r.GetAfter()); err != nil {
		return err
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

// watch follows the change log. It holds no snapshot: it goes on by revision.
type watch struct {
	*handle
	send      func(*usherv1.WatchResponse) error
	heartbeat time.Duration
	after     tuples.Revision // all up to here was sent
	token     string          // names after
}

// start puts a watch behind a token, or behind the head.
func (s *Server) start(w *watch, token string) error {
	if token == "" {
		w.reach(w.store.Head(), w.store.Now())
		return nil
	}
	at, err := s.readToken(w.handle, "after", token)
	w.after, w.token = at.revision, token
	return err
}

func (w *watch) reach(revision tuples.Revision, at time.Time) {
	w.after, w.token = revision, w.tokenFor(revision, at.UnixMilli())
}

// changesPage bounds the revisions that are read at once: one may have 10,000 tuples.
const changesPage = 16

// run sends changes until the context or the stream ends. The first message comes at
// once, so that the caller knows where the stream begins.
func (w *watch) run(ctx context.Context) error {
	if err := w.beat(); err != nil {
		return err
	}
	for {
		switch err := w.wait(ctx); {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, context.DeadlineExceeded):
			if err := w.beat(); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		}
		head, now := w.store.Head(), w.store.Now()
		changes, err := w.store.Changes(ctx, tuples.LogPosition{Revision: w.after}, changesPage)
		if err != nil {
			return err
		}
		for _, change := range changes {
			if err := w.change(change); err != nil {
				return err
			}
		}
		if len(changes) == 0 && head > w.after {
			w.reach(head, now) // revisions need not be dense
		}
	}
}

// wait returns when there is a revision to send, or with DeadlineExceeded when it is
// time for a sign of life.
func (w *watch) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, w.heartbeat)
	defer cancel()
	return w.store.Wait(ctx, w.after+1)
}

// beat sends a sign of life.
func (w *watch) beat() error {
	return w.send(&usherv1.WatchResponse{Token: w.token, Revision: uint64(w.after)})
}

// change sends one revision, in parts if it is large. Only the last part has a token.
func (w *watch) change(c tuples.Change) error {
	part, bytes := newChangeSet(c), 0
	for _, mutation := range c.Mutations {
		change := &usherv1.TupleChange{Operation: fromOp(mutation.Op), Tuple: wire.FromTuple(mutation.Tuple)}
		size := proto.Size(change)
		if len(part.Tuples) == changeItems || len(part.Tuples) > 0 && bytes+size > messageBytes {
			if err := w.send(&usherv1.WatchResponse{Changes: part, Revision: uint64(c.Revision)}); err != nil {
				return err
			}
			part, bytes = newChangeSet(c), 0
		}
		part.Tuples = append(part.Tuples, change)
		bytes += size
	}
	w.reach(c.Revision, c.Time)
	return w.send(&usherv1.WatchResponse{Changes: part, Token: w.token, Revision: uint64(c.Revision)})
}

// newChangeSet returns what all parts of a revision say.
func newChangeSet(c tuples.Change) *usherv1.ChangeSet {
	set := &usherv1.ChangeSet{
		Time:     timestamppb.New(c.Time),
		Cause:    fromCause(c.Cause),
		Caller:   c.Origin.Caller,
		Metadata: c.Origin.Metadata,
		ModelId:  string(c.Model),
	}
	if c.Origin.Actor != nil {
		set.Actor = wire.FromSubject(*c.Origin.Actor)
	}
	return set
}

func fromCause(c tuples.Cause) usherv1.Cause {
	switch c {
	case tuples.CauseWrite:
		return usherv1.Cause_CAUSE_WRITE
	case tuples.CauseDelete:
		return usherv1.Cause_CAUSE_DELETE
	case tuples.CauseModel:
		return usherv1.Cause_CAUSE_MODEL
	case tuples.CauseExpired:
		return usherv1.Cause_CAUSE_EXPIRED
	}
	return usherv1.Cause_CAUSE_UNSPECIFIED
}

func fromOp(o tuples.Op) usherv1.Operation {
	switch o {
	case tuples.OpCreate:
		return usherv1.Operation_OPERATION_CREATE
	case tuples.OpTouch:
		return usherv1.Operation_OPERATION_TOUCH
	case tuples.OpDelete:
		return usherv1.Operation_OPERATION_DELETE
	}
	return usherv1.Operation_OPERATION_UNSPECIFIED
}
