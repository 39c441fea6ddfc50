package bolt

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"sort"

	"github.com/usher-authz/usher/tuples"
)

// modelHead is a model version; its source is in the file alone, but for the
// latest, which every evaluation needs.
type modelHead struct {
	revision tuples.Revision
	created  int64
	id       tuples.ModelID
	source   []byte
}

func (m *modelHead) version(source []byte) tuples.ModelVersion {
	return tuples.ModelVersion{ID: m.id, Revision: m.revision, Created: millis(m.created), Source: source}
}

func (m *modelHead) encode() []byte {
	return append(appendText(number(m.created), string(m.id)), m.source...)
}

func decodeModel(key, value []byte) (modelHead, error) {
	in := input{rest: value}
	m := modelHead{created: int64(in.uint64()), id: tuples.ModelID(in.text())}
	if in.failed || len(key) != revisionLen {
		return m, fmt.Errorf("model at %x: %w", key, errDamaged)
	}
	m.revision = tuples.Revision(binary.BigEndian.Uint64(key))
	m.source = in.rest
	return m, nil
}

// readModelHeads reads a store's models, oldest first, the latest with its source.
func readModelHeads(v *view) ([]modelHead, error) {
	var heads []modelHead
	c := v.part(partModels).Cursor()
	for key, value := c.First(); key != nil; key, value = c.Next() {
		m, err := decodeModel(key, value)
		if err != nil {
			return nil, err
		}
		heads = append(forgetLatest(heads), m)
	}
	if n := len(heads); n > 0 {
		heads[n-1].source = slices.Clone(heads[n-1].source)
	}
	return heads, nil
}

// forgetLatest drops the source of the model that another is about to replace.
func forgetLatest(models []modelHead) []modelHead {
	if len(models) > 0 {
		models[len(models)-1].source = nil
	}
	return models
}

// published returns the models there are; the slice does not change any more.
func (s *store) published() ([]modelHead, error) {
	if s.gone.Load() {
		return nil, tuples.ErrStoreNotFound
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.models, nil
}

// ModelAt implements [tuples.Store].
func (s *store) ModelAt(ctx context.Context, revision tuples.Revision) (tuples.ModelVersion, error) {
	if head := s.Head(); revision > head {
		return tuples.ModelVersion{}, aheadOf("revision", revision, head)
	}
	models, err := s.published()
	if err != nil {
		return tuples.ModelVersion{}, err
	}
	after := sort.Search(len(models), func(i int) bool { return models[i].revision > revision })
	if after == 0 {
		return tuples.ModelVersion{}, fmt.Errorf("%w: none was in force at revision %d", tuples.ErrModelNotFound, revision)
	}
	return s.withSource(&models[after-1])
}

// Model implements [tuples.Store].
func (s *store) Model(ctx context.Context, id tuples.ModelID) (tuples.ModelVersion, error) {
	models, err := s.published()
	if err != nil {
		return tuples.ModelVersion{}, err
	}
	i := indexModel(models, id)
	if i < 0 {
		return tuples.ModelVersion{}, fmt.Errorf("%w: %q; list the versions, or leave the id out for the one in force", tuples.ErrModelNotFound, id)
	}
	return s.withSource(&models[i])
}

func indexModel(models []modelHead, id tuples.ModelID) int {
	return slices.IndexFunc(models, func(m modelHead) bool { return m.id == id })
}

func (s *store) withSource(m *modelHead) (tuples.ModelVersion, error) {
	if m.source != nil {
		return m.version(m.source), nil
	}
	tx, err := s.db.beginRead()
	if err != nil {
		return tuples.ModelVersion{}, err
	}
	defer func() { _ = tx.Rollback() }()
	v, err := openView(tx, s.info.ID, s.symbols)
	if err != nil {
		return tuples.ModelVersion{}, err
	}
	key := number(m.revision)
	stored, err := decodeModel(key, v.part(partModels).Get(key))
	return m.version(slices.Clone(stored.source)), err
}

// Models implements [tuples.Store].
func (s *store) Models(ctx context.Context, before tuples.ModelID, limit int) ([]tuples.ModelVersion, error) {
	models, err := s.published()
	if err != nil {
		return nil, err
	}
	end := len(models)
	if before != "" {
		if end = indexModel(models, before); end < 0 {
			return nil, fmt.Errorf("%w: %q", tuples.ErrModelNotFound, before)
		}
	}
	var page []tuples.ModelVersion
	for i := end - 1; i >= 0 && len(page) < limit; i-- {
		page = append(page, models[i].version(nil))
	}
	return page, nil
}
