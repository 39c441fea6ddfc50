package server

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/usher-authz/usher/check/index"
	"github.com/usher-authz/usher/tuples"
)

// indexing keeps an index of every store in memory, as far as the memory goes. What an index
// does not know is asked of the store: answers are right, and slower, until it is warm.
type indexing struct {
	memory  *index.Memory
	log     *slog.Logger
	slots   chan struct{}        // of those that load at the same time
	seconds prometheus.Histogram // that loads took
	warming sync.WaitGroup
}

const (
	// loadsAtOnce is how many indexes are loaded at the same time: each takes a CPU.
	loadsAtOnce = 2
	// A load that failed is tried again after firstRetry, and then ever later, up to
	// lastRetry.
	firstRetry, lastRetry = time.Second, time.Minute
)

// newIndexing returns nil for no memory: then there are no indexes.
func newIndexing(memory int64, log *slog.Logger) *indexing {
	if memory <= 0 {
		return nil
	}
	return &indexing{
		memory: index.NewMemory(memory),
		log:    log,
		slots:  make(chan struct{}, loadsAtOnce),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "usher_index_load_seconds", Help: "Time that it took to load the index of a store.",
			Buckets: []float64{.001, .01, .1, .5, 1, 2.5, 5, 10, 30, 60},
		}),
	}
}

// warmAll makes the handles of all stores, so that their indexes are warm when the first
// question comes. A store that is created later gets its own with the first request.
func (s *Server) warmAll(ctx context.Context) {
	const page = 1000
	for after := tuples.StoreID(""); ctx.Err() == nil; {
		stores, err := s.db.Stores(ctx, after, page)
		if err != nil {
			s.log.Warn("stores are indexed when they are first used: they cannot be listed now", "error", err)
			return
		}
		for _, info := range stores {
			// One that cannot be opened fails the requests that ask for it.
			_, _ = s.findHandle(ctx, string(info.ID))
		}
		if len(stores) < page {
			return
		}
		after = stores[page-1].ID
	}
}

// keep gives a store an index, and has it loaded unless ctx ends before.
func (i *indexing) keep(ctx context.Context, h *handle) {
	if i == nil {
		return
	}
	h.index = i.memory.New()
	ctx, h.letGo = context.WithCancel(ctx)
	i.warming.Go(func() { i.warm(ctx, h) })
}

// warm loads an index, until it succeeds or nobody wants it any more.
func (i *indexing) warm(ctx context.Context, h *handle) {
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		err := i.load(ctx, h)
		if err == nil || ctx.Err() != nil || errors.Is(err, tuples.ErrStoreNotFound) {
			return
		}
		i.log.Warn("the index is not loaded; questions are answered from the store", "store", h.info.Name, "error", err, "again_in", wait)
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// load waits for its turn and loads an index.
func (i *indexing) load(ctx context.Context, h *handle) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case i.slots <- struct{}{}:
	}
	defer func() { <-i.slots }()
	begun := time.Now()
	loaded, err := h.index.Warm(ctx, h.store)
	if err != nil {
		return err
	}
	took := time.Since(begun)
	i.seconds.Observe(took.Seconds())
	s := h.index.Stats()
	level, message := slog.LevelInfo, "the index is warm"
	if s.Covered < s.Partitions {
		level, message = slog.LevelWarn, "the index is warm, and has memory for a part of the tuples alone; raise --index-memory"
	}
	i.log.Log(ctx, level, message, "store", h.info.Name, "tuples", loaded, "names", s.Names,
		"bytes", s.NameBytes+s.ListBytes+s.MaskBytes, "coverage", float64(s.Covered)/float64(s.Partitions), "duration", took)
	return nil
}

// wait returns when nothing is loaded any more. The contexts of the loads must have ended.
func (i *indexing) wait() {
	if i != nil {
		i.warming.Wait()
	}
}

// over answers from memory what it can of a snapshot.
func (h *handle) over(s tuples.Snapshot) tuples.Snapshot {
	if h.index == nil {
		return s
	}
	return h.index.Over(s)
}

// release lets go of what the store has in memory, for good.
func (h *handle) release() {
	if h.index == nil {
		return
	}
	h.letGo()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.released = true
	for _, c := range h.programs {
		c.release()
	}
	h.index.Close()
}

// release lets go of the closures of a model that nobody looks up any more.
func (c *compiled) release() {
	if c.closures != nil {
		c.closures.Close()
	}
}
