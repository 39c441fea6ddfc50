package server

import (
	"context"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// change sends what the filters select of a revision or of a part of one. A large
// revision leaves in parts of the stream's own; the last of them has the token.
func (w *watch) change(ctx context.Context, c *tuples.Change) error {
	selected := w.selected(c.Mutations)
	newly, err := w.newlyGiven(ctx, c, selected)
	if err != nil {
		return err
	}
	for i, mutation := range selected {
		if err := w.add(c, &usherv1.TupleChange{
			Operation:  fromOp(mutation.Op),
			Tuple:      wire.FromTuple(mutation.Tuple),
			NewlyGives: newly[i],
		}); err != nil {
			return err
		}
	}
	if c.More {
		w.after = c.Position()
		return nil
	}
	return w.finish(c)
}

// selected returns the mutations that one of the filters selects.
func (w *watch) selected(mutations []tuples.Mutation) []tuples.Mutation {
	if len(w.filters) == 0 {
		return mutations
	}
	var selected []tuples.Mutation
	for _, m := range mutations {
		if selects(w.filters, m.Tuple) {
			selected = append(selected, m)
		}
	}
	return selected
}

// add puts a change into the message that is being filled. A full message goes out when
// there is more to say, so that the last one of a revision is never empty.
func (w *watch) add(c *tuples.Change, change *usherv1.TupleChange) error {
	size := proto.Size(change)
	if set := w.pending; set != nil && (len(set.Tuples) == changeItems || w.bytes+size > messageBytes) {
		w.pending, w.token = nil, ""
		if err := w.send(&usherv1.WatchResponse{Changes: set, Revision: uint64(c.Revision)}); err != nil {
			return err
		}
	}
	if w.pending == nil {
		w.pending, w.bytes = w.newChangeSet(c), 0
	}
	w.pending.Tuples = append(w.pending.Tuples, change)
	w.bytes += size
	return nil
}

// finish sends the rest of a revision, if there is any.
func (w *watch) finish(c *tuples.Change) error {
	set := w.pending
	if set == nil && c.Model != "" && !w.tuplesOnly {
		set = w.newChangeSet(c)
	}
	w.pending = nil
	w.reach(c.Revision, c.Time)
	if set == nil {
		return w.beatIfDue()
	}
	return w.send(&usherv1.WatchResponse{Changes: set, Token: w.token, Revision: uint64(c.Revision)})
}

// newChangeSet returns what all parts of a revision say.
func (w *watch) newChangeSet(c *tuples.Change) *usherv1.ChangeSet {
	set := &usherv1.ChangeSet{
		Time:     timestamppb.New(c.Time),
		Cause:    fromCause(c.Cause),
		Caller:   c.Origin.Caller,
		Metadata: c.Origin.Metadata,
	}
	if c.Origin.Actor != nil {
		set.Actor = wire.FromSubject(*c.Origin.Actor)
	}
	if !w.tuplesOnly {
		set.ModelId = string(c.Model)
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
	case tuples.CauseErase:
		return usherv1.Cause_CAUSE_ERASE
	case tuples.CauseUndo:
		return usherv1.Cause_CAUSE_UNDO
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
