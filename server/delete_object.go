package server

import (
	"context"
	"fmt"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// DeleteObject implements usher.v1.TupleService.
func (s *tupleService) DeleteObject(ctx context.Context, r *usherv1.DeleteObjectRequest) (*usherv1.DeleteObjectResponse, error) {
	h, err := s.handle(ctx, r.GetStore())
	if err != nil {
		return nil, err
	}
	d, p := toErasure(h.store.Symbols(), r)
	if err := d.remember(r, r.GetRequestId()); err != nil {
		return nil, err
	}
	committed, err := s.commit(ctx, h, d, p)
	if err != nil {
		return nil, err
	}
	response := &usherv1.DeleteObjectResponse{
		Token:    h.tokenFor(committed.Revision, committed.Time.UnixMilli()),
		Revision: uint64(committed.Revision),
		Deleted:  int64(committed.Deleted),
		Objects:  make(map[string]int64, len(committed.Objects)),
		Replayed: committed.Replayed,
	}
	for kind, n := range committed.Objects {
		response.Objects[string(kind)] = int64(n)
	}
	return response, nil
}

// toErasure reads a request, with all that is wrong with it. A type or relation that no
// model ever had is a slip of the pen: it would leave behind what was to go along.
func toErasure(symbols *tuples.Symbols, r *usherv1.DeleteObjectRequest) (*draft, *problems) {
	p, g := &problems{}, &guards{}
	erase := &tuples.Erase{Objects: []tuples.Object{wire.ToObject(r.GetObject())}}
	if err := erase.Objects[0].Validate(); err != nil {
		p.add("object", err)
	} else {
		p.add("object.type", knownType(symbols, "", erase.Objects[0].Type))
	}
	if n := len(r.GetContents()); n > maxContainments {
		p.add("contents", tooMany("", n, maxContainments))
	} else {
		erase.Along = p.containments(symbols, "contents", r.GetContents())
	}
	p.addGuards(g, "preconditions", r.GetPreconditions())
	p.addOrigin(r.GetActor(), r.GetMetadata())
	p.addRequestID(r.GetRequestId())
	return &draft{checks: g.checks, commit: tuples.Commit{
		Erase: erase, DryRun: r.GetDryRun(),
		Preconditions: g.filters,
		Origin:        newOrigin(r.GetActor(), r.GetMetadata()),
	}}, p
}

// containments reads relations by which objects lie in one another.
func (p *problems) containments(symbols *tuples.Symbols, field string, list []*usherv1.Containment) (along []tuples.Containment) {
	for i, m := range list {
		at := fmt.Sprintf("%s[%d]", field, i)
		c := tuples.Containment{Type: tuples.ObjectType(m.GetObjectType()), Relation: tuples.Relation(m.GetRelation())}
		if c.Type != "" {
			p.addKnown(at+".object_type", tuples.ValidateType(c.Type), knownType(symbols, "", c.Type))
		}
		p.addKnown(at+".relation", tuples.ValidateRelation(c.Relation), knownRelation(symbols, "", c.Relation))
		along = append(along, c)
	}
	return along
}

// addKnown notes what is wrong with a name in itself, or else that nobody knows it.
func (p *problems) addKnown(field string, malformed *tuples.InvalidError, unknown error) {
	if malformed != nil {
		p.add(field, malformed)
		return
	}
	p.add(field, unknown)
}
