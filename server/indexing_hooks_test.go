package server

import (
	"context"
	"fmt"

	"github.com/usher-authz/usher/tuples"
)

// VerifyIndexes proves that the indexes of all stores show what the stores hold, but for those
// that are not loaded, or that another server's index has taken the place of.
func (s *Server) VerifyIndexes(ctx context.Context) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, h := range s.handles {
		if h.index == nil || !h.index.Stats().Loaded || h.index.Stats().Head < h.store.Head() {
			continue
		}
		snapshot, err := h.store.Snapshot(ctx, tuples.At{Revision: h.index.Stats().Head})
		if err != nil {
			return err
		}
		_, err = h.index.Verify(ctx, snapshot)
		snapshot.Close()
		if err != nil {
			return fmt.Errorf("store %s: %w", h.info.Name, err)
		}
	}
	return nil
}
