package server

import (
	"context"
	"fmt"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// DeleteTuples implements usher.v1.TupleService.
func (s *tupleService) DeleteTuples(ctx context.Context, r *usherv1.DeleteTuplesRequest) (*usherv1.DeleteTuplesResponse, error) {
	h, err := s.handle(ctx, r.GetStore())
	if err != nil {
		return nil, err
	}
	d, p := toDeletion(r)
	if err := d.remember(r, r.GetRequestId()); err != nil {
		return nil, err
	}
	committed, err := s.commit(ctx, h, d, p)
	if err != nil {
		return nil, err
	}
	return &usherv1.DeleteTuplesResponse{
		Token:    h.tokenFor(committed.Revision, committed.Time.UnixMilli()),
		Revision: uint64(committed.Revision),
		Deleted:  int32(committed.Deleted),
		More:     committed.More,
		Replayed: committed.Replayed,
	}, nil
}

// toDeletion reads a request, with all that is wrong with it.
func toDeletion(r *usherv1.DeleteTuplesRequest) (*draft, *problems) {
	p, g := &problems{}, &guards{}
	filter, err := wire.ToFilter(r.GetFilter())
	if err == nil && filter.IsZero() {
		err = tuples.Invalid("", "", "matches every tuple", "set one field at least; to drop all, delete the store")
	}
	p.add("filter", err)
	if limit := r.GetLimit(); limit < 0 || limit > maxItems {
		p.add("limit", tuples.Invalid("", fmt.Sprint(limit), "is out of range",
			fmt.Sprintf("send 1 to %d, or 0 for the default", maxItems)))
	}
	p.addGuards(g, "preconditions", r.GetPreconditions())
	p.addOrigin(r.GetActor(), r.GetMetadata())
	p.addRequestID(r.GetRequestId())
	return &draft{checks: g.checks, commit: tuples.Commit{
		Delete: &tuples.DeleteMatching{
			Filter: filter, Limit: orDefault(int(r.GetLimit()), maxItems), Partial: r.GetAllowPartial(),
		},
		Preconditions: g.filters,
		Origin:        newOrigin(r.GetActor(), r.GetMetadata()),
	}}, p
}
