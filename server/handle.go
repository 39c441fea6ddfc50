package server

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/usher-authz/usher/check/index"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// DefaultStore is the store that a request without a store means.
const DefaultStore = "default"

// handle is one store with what the server has worked out about it.
type handle struct {
	store  tuples.Store
	info   tuples.StoreInfo
	tokens *sealer

	token   atomic.Pointer[madeToken]
	inForce atomic.Pointer[reign]

	compiling sync.Mutex // one at a time: whoever waits finds it done

	index *index.Index // nil for none
	letGo func()       // ends the loading of the index

	mu       sync.RWMutex
	programs map[tuples.ModelID]*compiled
	released bool
}

// madeToken is the last token that was made. Answers at one revision within one
// millisecond have the same.
type madeToken struct {
	revision tuples.Revision
	time     int64
	text     string
}

// compiled is one model version, ready for the engine.
type compiled struct {
	version  tuples.ModelVersion
	program  *model.Program
	closures *index.Closures // nil without an index
}

// reign is a model with revisions at which it is known to be in force.
type reign struct {
	*compiled
	from, to tuples.Revision
}

// maxPrograms bounds the compiled models that a store keeps in memory. More than one is
// in use only while requests name older versions or read the past.
const maxPrograms = 64

// handle finds a store by name or id. That of the default store, which most requests mean,
// takes no lock.
func (s *Server) handle(ctx context.Context, name string) (*handle, error) {
	if name == "" {
		name = DefaultStore
	}
	if name != DefaultStore {
		return s.findHandle(ctx, name)
	}
	if h := s.byDefault.Load(); h != nil {
		return h, nil
	}
	h, err := s.findHandle(ctx, name)
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.handles[h.info.ID] == h { // it is not forgotten yet
		s.byDefault.Store(h)
	}
	return h, nil
}

func (s *Server) findHandle(ctx context.Context, name string) (*handle, error) {
	store, err := s.db.Store(ctx, name)
	if err != nil {
		return nil, err
	}
	info := store.Info()
	s.mu.RLock()
	h := s.handles[info.ID]
	s.mu.RUnlock()
	if h != nil {
		return h, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// A store that was deleted meanwhile has been forgotten, and stays so.
	if _, err := s.db.Store(ctx, string(info.ID)); err != nil {
		return nil, err
	}
	if h = s.handles[info.ID]; h == nil {
		h = &handle{store: store, info: info, tokens: s.tokens, programs: make(map[tuples.ModelID]*compiled)}
		s.handles[info.ID] = h
		s.indexes.keep(s.draining, h)
	}
	return h, nil
}

// forget drops what is kept of a store that was deleted.
func (s *Server) forget(id tuples.StoreID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.handles[id]; h != nil {
		h.release()
	}
	delete(s.handles, id)
	if h := s.byDefault.Load(); h != nil && h.info.ID == id {
		s.byDefault.Store(nil)
	}
}

// stamp names a state of the store.
func (h *handle) stamp(revision tuples.Revision, ms int64) stamp {
	return stamp{store: h.info.ID, epoch: h.info.Epoch, revision: revision, time: ms}
}

// tokenFor returns the token of a state.
func (h *handle) tokenFor(revision tuples.Revision, ms int64) string {
	if last := h.token.Load(); last != nil && last.revision == revision && last.time == ms {
		return last.text
	}
	text := h.tokens.seal(h.stamp(revision, ms).append(make([]byte, 0, 64)))
	h.token.Store(&madeToken{revision: revision, time: ms, text: text})
	return text
}

// modelAt returns the model in force at a revision.
func (h *handle) modelAt(ctx context.Context, revision tuples.Revision) (*compiled, error) {
	last := h.inForce.Load()
	if last != nil && last.from <= revision && revision <= last.to {
		return last.compiled, nil
	}
	version, err := h.store.ModelAt(ctx, revision)
	if errors.Is(err, tuples.ErrModelNotFound) {
		return nil, h.noModelAt(revision)
	}
	if err != nil {
		return nil, err
	}
	c, err := h.compile(version)
	if err == nil && (last == nil || revision > last.to) {
		h.inForce.Store(&reign{compiled: c, from: version.Revision, to: revision})
	}
	return c, err
}

// noModelAt refuses a question that no model was in force for.
func (h *handle) noModelAt(revision tuples.Revision) *failure {
	remedy := "write one with ModelService.WriteModel"
	if revision < h.store.Head() {
		remedy = "ask for a later state, or name a model_id"
	}
	return &failure{
		reason:  usherv1.ErrorReason_ERROR_REASON_NO_MODEL,
		message: fmt.Sprintf("store %q has no authorization model at revision %d; %s", h.info.Name, revision, remedy),
	}
}

// modelByID returns one model version.
func (h *handle) modelByID(ctx context.Context, id tuples.ModelID) (*compiled, error) {
	if c := h.lookup(id); c != nil {
		return c, nil
	}
	version, err := h.store.Model(ctx, id)
	if err != nil {
		return nil, err
	}
	return h.compile(version)
}

func (h *handle) lookup(id tuples.ModelID) *compiled {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.programs[id]
}

// compile makes a version ready for the engine, or returns it if it is.
func (h *handle) compile(version tuples.ModelVersion) (*compiled, error) {
	if c := h.lookup(version.ID); c != nil {
		return c, nil
	}
	h.compiling.Lock()
	defer h.compiling.Unlock()
	if c := h.lookup(version.ID); c != nil {
		return c, nil
	}
	source, err := model.DecodeSource(version.Source)
	if err != nil {
		return nil, err
	}
	// What was accepted once must parse for ever: %v keeps a model.Error from being
	// taken for a refusal of the request.
	m, _, err := model.Parse(source)
	if err != nil {
		return nil, fmt.Errorf("stored model %s is refused: %v", version.ID, err)
	}
	program, err := model.Compile(m, h.store.Symbols())
	if err != nil {
		return nil, fmt.Errorf("compile model %s: %w", version.ID, err)
	}
	return h.adopt(&compiled{version: version, program: program}), nil
}

// adopt keeps a compiled version, in the place of others if there are many. The one in force
// stays.
func (h *handle) adopt(c *compiled) *compiled {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.index != nil && !h.released {
		c.closures = h.index.Closures(c.program)
	}
	inForce := h.inForce.Load()
	for id, other := range h.programs {
		if len(h.programs) < maxPrograms {
			break
		}
		if inForce == nil || inForce.compiled != other {
			delete(h.programs, id)
			other.release()
		}
	}
	h.programs[c.version.ID] = c
	return c
}
