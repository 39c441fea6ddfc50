package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/oklog/ulid/v2"
	"google.golang.org/protobuf/types/known/timestamppb"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// modelService implements usher.v1.ModelService.
type modelService struct {
	usherv1.UnsafeModelServiceServer
	*Server
}

// ReadModel implements usher.v1.ModelService.
func (s *modelService) ReadModel(ctx context.Context, r *usherv1.ReadModelRequest) (*usherv1.ReadModelResponse, error) {
	h, err := s.handle(ctx, r.GetStore())
	if err != nil {
		return nil, err
	}
	v, err := s.openAt(ctx, h, r.GetConsistency())
	if err != nil {
		return nil, err
	}
	defer v.close()
	c, err := v.model(ctx, tuples.ModelID(r.GetModelId()))
	if err != nil {
		return nil, err
	}
	source, err := model.DecodeSource(c.version.Source)
	if err != nil {
		return nil, err
	}
	return &usherv1.ReadModelResponse{
		Model: &usherv1.Model{
			Id:                string(c.version.ID),
			Source:            wire.FromSource(source),
			Dsl:               c.program.Model.DSL(),
			CreatedAt:         timestamppb.New(c.version.Created),
			EffectiveRevision: uint64(c.version.Revision),
		},
		Token:    v.newToken(),
		Revision: v.revision(),
	}, nil
}

// ListModels implements usher.v1.ModelService.
func (s *modelService) ListModels(ctx context.Context, r *usherv1.ListModelsRequest) (*usherv1.ListModelsResponse, error) {
	if err := validatePage(r.GetPageSize(), maxListPage); err != nil {
		return nil, err
	}
	h, err := s.handle(ctx, r.GetStore())
	if err != nil {
		return nil, err
	}
	p, err := s.place(h, "cursor", r.GetCursor(), r)
	if err != nil {
		return nil, err
	}
	v, err := s.openPlace(ctx, h, p, r.GetConsistency())
	if err != nil {
		return nil, err
	}
	defer v.close()
	size := orDefault(int(r.GetPageSize()), defaultListPage)
	versions, err := v.versions(ctx, p.cursor, size+1)
	if err != nil {
		return nil, err
	}
	response := &usherv1.ListModelsResponse{Token: v.newToken(), Revision: v.revision()}
	if len(versions) > size {
		versions = versions[:size]
		response.Cursor = s.sealCursor(cursor{stamp: v.stamped(), query: p.query, after: string(versions[size-1].ID)})
	}
	for _, version := range versions {
		response.Models = append(response.Models, &usherv1.ModelSummary{
			Id:                string(version.ID),
			CreatedAt:         timestamppb.New(version.Created),
			EffectiveRevision: uint64(version.Revision),
		})
	}
	return response, nil
}

// versions returns up to limit models that had taken effect in the view, newest first:
// those behind a cursor, or from the one in force on.
func (v view) versions(ctx context.Context, from *cursor, limit int) ([]tuples.ModelVersion, error) {
	if from != nil {
		return v.store.Models(ctx, tuples.ModelID(from.after), limit)
	}
	newest, err := v.store.ModelAt(ctx, v.snapshot.Revision())
	if errors.Is(err, tuples.ErrModelNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	older, err := v.store.Models(ctx, newest.ID, limit-1)
	return append([]tuples.ModelVersion{newest}, older...), err
}

// WriteModel implements usher.v1.ModelService.
func (s *modelService) WriteModel(ctx context.Context, r *usherv1.WriteModelRequest) (*usherv1.WriteModelResponse, error) {
	origin, err := toOrigin(r.GetActor(), r.GetMetadata())
	if err != nil {
		return nil, err
	}
	source, err := wire.ToSource(r.GetSource())
	if err != nil {
		return nil, err
	}
	h, err := s.handle(ctx, r.GetStore())
	if err != nil {
		return nil, err
	}
	m, warnings, err := model.Parse(source)
	if err != nil {
		return nil, err
	}
	response := &usherv1.WriteModelResponse{Warnings: fromProblems(warnings)}
	if r.GetDryRun() {
		return response, s.dryRun(ctx, h, r.GetReplaces(), m, response)
	}
	err = retry(ctx, func() error {
		return h.putModel(ctx, r.GetReplaces(), m, tuples.Commit{
			NewModel: &tuples.NewModel{ID: tuples.ModelID(ulid.Make().String()), Source: source.Encode(), Symbols: m.Symbols()},
			Origin:   origin,
		}, response)
	})
	return response, err
}

// putModel puts a model in force and completes the response.
func (h *handle) putModel(
	ctx context.Context, replaces string, m *model.Model, commit tuples.Commit, response *usherv1.WriteModelResponse,
) error {
	old, err := h.inForceAt(ctx, h.store.Head())
	if err != nil {
		return err
	}
	if err := old.mustBe(replaces); err != nil {
		return err
	}
	commit.InForce = old.id()
	committed, err := h.store.Commit(ctx, commit)
	if err != nil {
		return err
	}
	response.ModelId = string(commit.NewModel.ID)
	response.Differences = old.differences(m)
	response.Token = h.tokenFor(committed.Revision, committed.Time.UnixMilli())
	response.Revision = uint64(committed.Revision)
	return nil
}

// inForceAt returns the model in force, nil if there is none.
func (h *handle) inForceAt(ctx context.Context, revision tuples.Revision) (*compiled, error) {
	c, err := h.modelAt(ctx, revision)
	if f := (*failure)(nil); errors.As(err, &f) && f.reason == usherv1.ErrorReason_ERROR_REASON_NO_MODEL {
		return nil, nil
	}
	return c, err
}

// id returns the version's id, "" for no version.
func (c *compiled) id() tuples.ModelID {
	if c == nil {
		return ""
	}
	return c.version.ID
}

// mustBe refuses a write that is to replace another version than the one in force.
func (c *compiled) mustBe(replaces string) error {
	if replaces == "" || replaces == string(c.id()) {
		return nil
	}
	return &failure{
		reason: usherv1.ErrorReason_ERROR_REASON_CONFLICT,
		message: fmt.Sprintf("model %q is in force, not %q as the write expects; read it, and write again with what differs",
			c.id(), tuples.Shorten(replaces)),
		metadata: map[string]string{"in_force": string(c.id())},
	}
}

// differences returns what a new model changes; all of it if there was none.
func (c *compiled) differences(m *model.Model) []*usherv1.ModelDifference {
	old := &model.Model{Schema: m.Schema}
	if c != nil {
		old = c.program.Model
	}
	return fromDifferences(model.Diff(old, m))
}
