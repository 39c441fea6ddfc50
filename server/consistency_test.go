package server_test

import (
	"context"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server"
	"github.com/usher-authz/usher/tuples"
	"github.com/usher-authz/usher/tuples/bolt"
)

// newForgetful starts a server whose early history is gone, and returns a token of it.
func newForgetful(t *testing.T) (*world, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "usher.db")
	start := time.Now().Add(-2 * time.Hour)
	options := bolt.Options{NoSync: true, CollectEvery: -1, Retention: time.Minute, Clock: func() time.Time { return start }}
	db, err := bolt.Open(path, options)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.CreateStore(t.Context(), server.DefaultStore); err != nil {
		t.Fatal(err)
	}
	w := serve(t, db, server.Options{})
	w.writeModel(library)
	old := w.touch("media:logo#owner@user:anna")
	w.remove("media:logo#owner@user:anna")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	options.Clock, options.CollectEvery = nil, 5*time.Millisecond
	if db, err = bolt.Open(path, options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	w = serve(t, db, server.Options{})
	w.db = db
	w.touch("media:logo#owner@user:bert")
	store, err := db.Store(t.Context(), server.DefaultStore)
	if err != nil {
		t.Fatal(err)
	}
	for { // until the collector has come by
		if _, err := store.Changes(t.Context(), tuples.LogPosition{}, 1); err != nil {
			return w, old
		}
		select {
		case <-t.Context().Done():
			t.Fatal(context.Cause(t.Context()))
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (w *world) checkAt(text string, c *usherv1.Consistency) *usherv1.CheckResponse {
	w.t.Helper()
	r := question(w.t, text)
	r.Consistency = c
	response, err := w.permissions.Check(w.ctx, r)
	if err != nil {
		w.t.Fatalf("%s: %v", text, err)
	}
	return response
}

func TestConsistency(t *testing.T) {
	w := newLibrary(t)
	const asked = "user:anna can_view media:logo"
	before := w.checkAt(asked, nil)
	granted := w.touch("media:logo#viewer@user:anna")
	during := w.checkAt(asked, nil)
	revoked := w.remove("media:logo#viewer@user:anna")
	for _, c := range []struct {
		name string
		at   *usherv1.Consistency
		want string
	}{
		{"at the head", nil, "denied"},
		{"at least as fresh as the grant: the head", atLeast(granted), "denied"},
		{"exactly at the grant", exactly(granted), "allowed"},
		{"exactly at an answer after the grant", exactly(during.GetToken()), "allowed"},
		{"exactly at an answer before the grant", exactly(before.GetToken()), "denied"},
		{"exactly at the revocation", exactly(revoked), "denied"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := w.checkAt(asked, c.at)
			if outcome(got.GetOutcome()) != c.want {
				t.Errorf("got %v, want %s", got, c.want)
			}
			if e, ok := c.at.GetRequirement().(*usherv1.Consistency_Exactly); ok && got.GetToken() != e.Exactly {
				t.Error("an exact answer names another state than it was asked for")
			}
		})
	}
}

func TestReadAtATime(t *testing.T) {
	var now atomic.Pointer[time.Time]
	set := func(hour int) {
		at := time.Date(2026, 6, 1, hour, 0, 0, 0, time.UTC)
		now.Store(&at)
	}
	set(12)
	db, err := bolt.Open(filepath.Join(t.TempDir(), "usher.db"), bolt.Options{
		NoSync: true, CollectEvery: -1, Clock: func() time.Time { return *now.Load() },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := db.CreateStore(t.Context(), server.DefaultStore); err != nil {
		t.Fatal(err)
	}
	w := serve(t, db, server.Options{})
	w.writeModel(library)
	set(13)
	w.touch("media:logo#viewer@user:anna expires 2026-06-01T14:00:00Z")
	set(15)
	for _, c := range []struct {
		name string
		at   *usherv1.Consistency
		want string
	}{
		{"now, after the expiry", nil, "denied"},
		{"before the grant", atTime(time.Date(2026, 6, 1, 12, 30, 0, 0, time.UTC)), "denied"},
		{"while it held", atTime(time.Date(2026, 6, 1, 13, 30, 0, 0, time.UTC)), "allowed"},
		{"in its last millisecond", atTime(time.Date(2026, 6, 1, 13, 59, 59, 999_000_000, time.UTC)), "allowed"},
		{"when it expires", atTime(time.Date(2026, 6, 1, 14, 0, 0, 0, time.UTC)), "denied"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := w.checkAt("user:anna can_view media:logo", c.at); outcome(got.GetOutcome()) != c.want {
				t.Errorf("got %v, want %s", got, c.want)
			}
		})
	}
	w.server.Drain(t.Context()) // before the database closes
}

// Each token requirement refuses what it cannot read, by its own field.
func TestBadConsistency(t *testing.T) {
	w := newLibrary(t)
	for _, c := range []struct {
		name, reason, field string
		at                  *usherv1.Consistency
	}{
		{"empty token", "FORGED_TOKEN", "consistency.at_least_as_fresh", atLeast("")},
		{"garbage", "FORGED_TOKEN", "consistency.exactly", exactly("not base64!")},
		{"changed token", "FORGED_TOKEN", "consistency.exactly", exactly(changed(w.touch("media:a#owner@user:anna")))},
		{"too long", "FORGED_TOKEN", "consistency.exactly", exactly(string(make([]byte, 9<<10)))},
		{"before 1970", "INVALID_FIELD", "consistency.at_time", atTime(time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC))},
		{"no time at all", "INVALID_FIELD", "consistency.at_time", atTime(time.Time{})},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := question(t, "user:anna can_view media:logo")
			r.Consistency = c.at
			_, err := w.permissions.Check(w.ctx, r)
			wantRefusal(t, err, codes.InvalidArgument, c.reason, c.field)
		})
	}
}

// changed returns a token with one character in the middle replaced.
func changed(token string) string {
	b := []byte(token)
	if i := len(b) / 2; b[i] == 'A' {
		b[i] = 'B'
	} else {
		b[i] = 'A'
	}
	return string(b)
}

// A model that a past revision was asked under is the one that was in force then,
// unless the request names another.
func TestModelOfThePast(t *testing.T) {
	w := newWorld(t, server.Options{})
	first := w.writeModel("model\n  schema 1.1\ntype user\ntype doc\n  relations\n    define reader: [user]\n    define can_read: reader\n")
	old := w.touch("doc:a#reader@user:anna")
	second := w.writeModel("model\n  schema 1.1\ntype user\ntype doc\n  relations\n    define reader: [user]\n    define nobody: [user]\n    define can_read: nobody\n")
	for _, c := range []struct {
		name, model, want string
		at                *usherv1.Consistency
	}{
		{"head, model in force", "", "denied", nil},
		{"head, older model by name", first.GetModelId(), "allowed", nil},
		{"past, model then in force", "", "allowed", exactly(old)},
		{"past, newer model by name", second.GetModelId(), "denied", exactly(old)},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := question(t, "user:anna can_read doc:a")
			r.ModelId, r.Consistency = c.model, c.at
			response, err := w.permissions.Check(w.ctx, r)
			if err != nil || outcome(response.GetOutcome()) != c.want {
				t.Errorf("got %v, %v, want %s", response, err, c.want)
			}
		})
	}
}
