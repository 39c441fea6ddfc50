package server

import (
	"context"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// dryRun completes the response of a WriteModel that writes nothing.
func (s *modelService) dryRun(ctx context.Context, h *handle, replaces string, m *model.Model, response *usherv1.WriteModelResponse) error {
	v, err := h.open(ctx, tuples.At{})
	if err != nil {
		return err
	}
	defer v.close()
	old, err := h.inForceAt(ctx, v.snapshot.Revision())
	if err != nil {
		return err
	}
	if err := old.mustBe(replaces); err != nil {
		return err
	}
	response.Differences = old.differences(m)
	response.Token, response.Revision = v.newToken(), v.revision()
	response.Orphaned, err = v.orphans(ctx, m)
	return err
}

// orphans counts the tuples of a view that a model forbids.
func (v view) orphans(ctx context.Context, m *model.Model) (*usherv1.OrphanedTuples, error) {
	orphaned := &usherv1.OrphanedTuples{}
	for tuple, err := range v.read(ctx, tuples.Filter{}, nil) {
		if err != nil {
			return nil, err
		}
		condition := ""
		if tuple.Condition != nil {
			condition = tuple.Condition.Name
		}
		if m.Permits(tuple.Key, condition) {
			continue
		}
		orphaned.Count++
		if len(orphaned.Examples) < maxExamples {
			orphaned.Examples = append(orphaned.Examples, wire.FromTuple(tuple))
		}
	}
	return orphaned, nil
}
