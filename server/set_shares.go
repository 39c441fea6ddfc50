package server

import (
	"context"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// SetShares implements usher.v1.TupleService.
func (s *tupleService) SetShares(ctx context.Context, r *usherv1.SetSharesRequest) (*usherv1.SetSharesResponse, error) {
	h, err := s.handle(ctx, r.GetStore())
	if err != nil {
		return nil, err
	}
	wanted, p := toSharing(r, sharingLimits{shares: maxShares, pairs: maxSharePairs})
	d := toShareDraft(r, wanted, p)
	d.forbid = func(p *problems, m *model.Model) { p.addForbiddenShares(m, h.store.Symbols(), wanted) }
	if err := d.remember(r, r.GetRequestId()); err != nil {
		return nil, err
	}
	committed, err := s.commit(ctx, h, d, p)
	if err != nil {
		return nil, err
	}
	return &usherv1.SetSharesResponse{
		Token:    h.tokenFor(committed.Revision, committed.Time.UnixMilli()),
		Revision: uint64(committed.Revision),
		Created:  int32(committed.Created),
		Updated:  int32(committed.Updated),
		Deleted:  int32(committed.Deleted),
		// Not Committed.Same: that counts roles too that nobody had.
		Unchanged: int32(len(wanted.objects)*wanted.given() - committed.Created - committed.Updated),
		Replayed:  committed.Replayed,
	}, nil
}

// toShareDraft makes the write of a sharing, and notes what is wrong with the rest of the
// request.
func toShareDraft(r *usherv1.SetSharesRequest, wanted *sharing, p *problems) *draft {
	g := &guards{}
	p.addGuards(g, "preconditions", r.GetPreconditions())
	g.checks = append(g.checks, p.shareGuards(r, wanted)...)
	p.addOrigin(r.GetActor(), r.GetMetadata())
	p.addRequestID(r.GetRequestId())
	return &draft{checks: g.checks, commit: tuples.Commit{
		Mutations:     wanted.mutations(),
		Preconditions: g.filters,
		Origin:        newOrigin(r.GetActor(), r.GetMetadata()),
	}}
}

// mutations touches the role of each share on each object and deletes the others, whether
// they are there or not: what is there by the time of the commit only the store knows.
func (s *sharing) mutations() []tuples.Mutation {
	all := make([]tuples.Mutation, 0, len(s.objects)*len(s.shares)*len(s.roles))
	for _, object := range s.objects {
		for i := range s.shares {
			share := &s.shares[i]
			for _, role := range s.roles {
				if role == share.role {
					all = append(all, tuples.Mutation{Op: tuples.OpTouch, Tuple: share.tuple(object)})
					continue
				}
				key := tuples.Key{Object: object, Relation: role, Subject: share.recipient}
				all = append(all, tuples.Mutation{Op: tuples.OpDelete, Tuple: tuples.Tuple{Key: key}})
			}
		}
	}
	return all
}
