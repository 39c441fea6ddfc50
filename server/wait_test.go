package server

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/tuples"
	"github.com/usher-authz/usher/tuples/bolt"
)

// A token ahead of the head, as another server of the same store may have returned,
// waits for the head until the deadline.
func TestTokenAheadWaits(t *testing.T) {
	db, err := bolt.Open(filepath.Join(t.TempDir(), "usher.db"), bolt.Options{NoSync: true, CollectEvery: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := db.CreateStore(t.Context(), DefaultStore); err != nil {
		t.Fatal(err)
	}
	s := New(db, Options{})
	defer s.Drain(t.Context())
	h, err := s.handle(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	ahead := h.tokenFor(h.store.Head()+1, h.store.Now().UnixMilli())
	requirements := map[string]*usherv1.Consistency{
		"at least as fresh": {Requirement: &usherv1.Consistency_AtLeastAsFresh{AtLeastAsFresh: ahead}},
		"exactly":           {Requirement: &usherv1.Consistency_Exactly{Exactly: ahead}},
	}
	for name, c := range requirements {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		_, err := s.openAt(ctx, h, c)
		cancel()
		if f := failureOf(err); err == nil || f.reason != usherv1.ErrorReason_ERROR_REASON_DEADLINE_EXCEEDED {
			t.Errorf("%s: got %v", name, err)
		} else if want := "reached revision 1 of the token: it is at 0"; !strings.Contains(f.message, want) {
			t.Errorf("%s: %q does not say %q", name, f.message, want)
		}
	}
	type answer struct {
		revision uint64
		err      error
	}
	answers := make(chan answer)
	for _, c := range requirements {
		go func() {
			v, err := s.openAt(t.Context(), h, c)
			if err != nil {
				answers <- answer{err: err}
				return
			}
			defer v.close()
			answers <- answer{revision: v.revision()}
		}()
	}
	if _, err := h.store.Commit(t.Context(), tuples.Commit{NewModel: &tuples.NewModel{ID: "m"}}); err != nil {
		t.Fatal(err)
	}
	for range requirements {
		if got := <-answers; got.err != nil || got.revision != 1 {
			t.Errorf("got %v", got)
		}
	}
}
