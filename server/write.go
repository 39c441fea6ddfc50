package server

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// tupleService implements usher.v1.TupleService.
type tupleService struct {
	usherv1.UnsafeTupleServiceServer
	*Server
	imported *importMetrics
}

// draft is a write before it has met the state of the store.
type draft struct {
	commit tuples.Commit
	checks []guard
	// forbid notes what the model in force has against the write; nil if the model has
	// no say in it.
	forbid func(p *problems, m *model.Model)
}

// Write implements usher.v1.TupleService.
func (s *tupleService) Write(ctx context.Context, r *usherv1.WriteRequest) (*usherv1.WriteResponse, error) {
	if n := len(r.GetUpdates()); n > maxItems {
		return nil, tooMany("updates", n, maxItems)
	}
	h, err := s.handle(ctx, r.GetStore())
	if err != nil {
		return nil, err
	}
	d, p := toDraft(r)
	if err := d.remember(r, r.GetRequestId()); err != nil {
		return nil, err
	}
	committed, err := s.commit(ctx, h, d, p)
	if err != nil {
		return nil, err
	}
	return &usherv1.WriteResponse{
		Token:     h.tokenFor(committed.Revision, committed.Time.UnixMilli()),
		Revision:  uint64(committed.Revision),
		Created:   int32(committed.Created),
		Updated:   int32(committed.Updated),
		Deleted:   int32(committed.Deleted),
		Unchanged: int32(committed.Same),
		Replayed:  committed.Replayed,
	}, nil
}

// toDraft reads a request, with all that is wrong with it in itself.
func toDraft(r *usherv1.WriteRequest) (*draft, *problems) {
	d, p, g := &draft{}, &problems{}, &guards{}
	if len(r.GetUpdates()) == 0 {
		p.add("updates", tuples.Invalid("", "", "is empty", "send 1 to 10,000 updates"))
	}
	d.commit.Mutations = make([]tuples.Mutation, len(r.GetUpdates()))
	first := make(map[tuples.Key]int, len(r.GetUpdates()))
	for i, update := range r.GetUpdates() {
		if p.full() {
			break
		}
		mutation, err := toMutation(update)
		if j, twice := first[mutation.Tuple.Key]; twice && err == nil {
			err = tuples.Invalid("tuple", mutation.Tuple.Key.String(),
				fmt.Sprintf("is that of updates[%d] again", j), "send one update for each tuple")
		}
		if err != nil {
			p.add(fmt.Sprintf("updates[%d]", i), err)
			mutation.Op = 0 // the model has nothing to say about it
		}
		d.commit.Mutations[i], first[mutation.Tuple.Key] = mutation, i
		if len(update.GetPreconditions()) > 0 {
			p.addGuards(g, fmt.Sprintf("updates[%d].preconditions", i), update.GetPreconditions())
		}
	}
	p.addGuards(g, "preconditions", r.GetPreconditions())
	p.addOrigin(r.GetActor(), r.GetMetadata())
	p.addRequestID(r.GetRequestId())
	d.commit.Preconditions, d.checks = g.filters, g.checks
	d.commit.Origin = newOrigin(r.GetActor(), r.GetMetadata())
	if slices.ContainsFunc(d.commit.Mutations, needsModel) {
		d.forbid = func(p *problems, m *model.Model) { p.addForbidden(m, d.commit.Mutations) }
	}
	return d, p
}

func needsModel(m tuples.Mutation) bool { return m.Op == tuples.OpCreate || m.Op == tuples.OpTouch }

func toMutation(u *usherv1.TupleUpdate) (tuples.Mutation, error) {
	m := tuples.Mutation{Tuple: tuples.Tuple{Key: wire.ToKey(u.GetTuple())}}
	var err error
	switch u.GetOperation() {
	case usherv1.Operation_OPERATION_CREATE:
		m.Op = tuples.OpCreate
		m.Tuple, err = wire.ToTuple(u.GetTuple())
	case usherv1.Operation_OPERATION_TOUCH:
		m.Op = tuples.OpTouch
		m.Tuple, err = wire.ToTuple(u.GetTuple())
	case usherv1.Operation_OPERATION_DELETE:
		m.Op = tuples.OpDelete
		err = onlyKey(u.GetTuple(), m.Tuple.Key)
	default:
		return m, tuples.Invalid("operation", u.GetOperation().String(), "is not an operation",
			"send OPERATION_CREATE, OPERATION_TOUCH or OPERATION_DELETE")
	}
	return m, within("tuple", err)
}

// onlyKey refuses a tuple to delete that says more than which tuple it is.
func onlyKey(t *usherv1.Tuple, k tuples.Key) error {
	const remedy = "name only object, relation and subject of a tuple to delete"
	switch {
	case t.GetCondition() != nil:
		return tuples.Invalid("condition", t.GetCondition().GetName(), "is set in a delete", remedy)
	case t.GetExpiresAt() != nil:
		return tuples.Invalid("expires_at", t.GetExpiresAt().AsTime().Format(time.RFC3339), "is set in a delete", remedy)
	case len(t.GetAttributes()) > 0:
		return tuples.Invalid("attributes", "", "is set in a delete", remedy)
	}
	return k.Validate()
}

// remember makes a retry of the request safe. There is nothing to remember of a dry run.
func (d *draft) remember(r proto.Message, id string) error {
	if id == "" || d.commit.DryRun {
		return nil
	}
	body, err := canonical(r)
	d.commit.RequestID, d.commit.BodyHash = id, sha256.Sum256(body)
	return err
}

// addForbidden notes the tuples that a model forbids.
func (p *problems) addForbidden(m *model.Model, mutations []tuples.Mutation) {
	for i := range mutations {
		if !needsModel(mutations[i]) {
			continue
		}
		if err := permitted(m, mutations[i].Tuple); err != nil {
			p.add(fmt.Sprintf("updates[%d].tuple", i), err)
		}
	}
}
