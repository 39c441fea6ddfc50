package server_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server"
	"github.com/usher-authz/usher/tuples"
	"github.com/usher-authz/usher/tuples/bolt"
)

// held is a real database whose stores can be followed only when and as the test lets them.
type held struct {
	*bolt.DB
	follow func(context.Context) error
}

type heldStore struct {
	tuples.Store
	db *held
}

func (db *held) Store(ctx context.Context, name string) (tuples.Store, error) {
	store, err := db.DB.Store(ctx, name)
	return &heldStore{store, db}, err
}

func (s *heldStore) Follow(ctx context.Context, f tuples.Follower) (tuples.Snapshot, error) {
	if err := s.db.follow(ctx); err != nil {
		return nil, err
	}
	return s.Store.Follow(ctx, f)
}

// indexed starts a server whose index is loaded as follow says, over a library with an answer.
func indexed(t *testing.T, follow func(context.Context) error) (*world, *lines, *prometheus.Registry) {
	t.Helper()
	log, registry := &lines{}, prometheus.NewRegistry()
	healthy := newLibrary(t, "media:logo#viewer@group:design#member", "group:design#member@user:anna")
	w := serve(t, &held{healthy.db, follow}, server.Options{
		IndexMemory: 16 << 20, Registry: registry, Logger: slog.New(slog.NewTextHandler(log, nil)),
	})
	return w, log, registry
}

// warmed returns when the indexes of all stores are loaded.
func warmed(t *testing.T, registry *prometheus.Registry) {
	t.Helper()
	for metric(t, registry, "usher_index_loaded") == 0 {
		time.Sleep(time.Millisecond)
	}
}

// Questions are answered while the index is not loaded yet, and nothing that is written
// meanwhile is missed when it is.
func TestAnswersWhileTheIndexWarms(t *testing.T) {
	loads, begun := make(chan struct{}), make(chan struct{}, 1)
	w, log, registry := indexed(t, func(ctx context.Context) error {
		begun <- struct{}{}
		select {
		case <-loads:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	<-begun // by itself: no request came yet
	ask := func(when string) {
		t.Helper()
		w.remove("group:design#member@user:anna")
		if got := w.check("user:anna can_view media:logo"); got != "denied" {
			t.Errorf("%s, behind the removal: %s", when, got)
		}
		w.touch("group:design#member@user:anna")
		if got := w.check("user:anna can_view media:logo"); got != "allowed" {
			t.Errorf("%s: %s", when, got)
		}
	}
	ask("while it loads")
	if metric(t, registry, "usher_index_loaded") != 0 || len(log.with("the index is warm")) > 0 {
		t.Error("the index is loaded before it may be")
	}
	close(loads)
	warmed(t, registry)
	before := metric(t, registry, "usher_index_fallbacks_total")
	ask("when it is loaded")
	if after := metric(t, registry, "usher_index_fallbacks_total"); after != before {
		t.Errorf("%v reads went to the store", after-before)
	}
}

func TestMetricsOfTheIndex(t *testing.T) {
	_, _, registry := indexed(t, func(context.Context) error { return nil })
	warmed(t, registry)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	series := make(map[string]int)
	for _, family := range families {
		series[family.GetName()] = len(family.GetMetric())
	}
	for name, want := range map[string]int{
		"usher_index_bytes": 5, "usher_index_coverage_ratio": 1, "usher_index_loaded": 1, "usher_index_load_seconds": 1,
		"usher_index_fallbacks_total": 1, "usher_index_closures_built_total": 1, "usher_index_closures_dropped_total": 1,
	} {
		if series[name] != want {
			t.Errorf("%s has %d series, want %d", name, series[name], want)
		}
	}
	if covered := metric(t, registry, "usher_index_coverage_ratio"); covered != 1 {
		t.Errorf("%v of the lists are held", covered)
	}
}

func TestTheLogTellsWhenAnIndexIsWarm(t *testing.T) {
	_, log, registry := indexed(t, func(context.Context) error { return nil })
	warmed(t, registry)
	for len(log.with("the index is warm", "store=default", "tuples=2", "names=3", "coverage=1", "bytes=", "duration=")) != 1 {
		time.Sleep(time.Millisecond) // the line comes behind the metric
	}
}

func TestTooLittleMemoryIsAWarningThatNamesTheSetting(t *testing.T) {
	log, db := &lines{}, newLibrary(t, "media:logo#viewer@group:design#member", "group:design#member@user:anna").db
	w := serve(t, db, server.Options{IndexMemory: 1, Logger: slog.New(slog.NewTextHandler(log, nil))})
	for len(log.with("level=WARN", "the index is warm", "--index-memory", "store=default", "coverage=0")) != 1 {
		time.Sleep(time.Millisecond)
	}
	if got := w.check("user:anna can_view media:logo"); got != "allowed" {
		t.Errorf("without memory: %s", got)
	}
}

// A load that fails is tried again; until then the store answers.
func TestALoadThatFailsIsTriedAgain(t *testing.T) {
	failures := 1
	w, log, registry := indexed(t, func(context.Context) error {
		if failures--; failures >= 0 {
			return errors.New("a bad sector")
		}
		return nil
	})
	if got := w.check("user:anna can_view media:logo"); got != "allowed" {
		t.Errorf("before: %s", got)
	}
	warmed(t, registry)
	if got := log.with("level=WARN", "the index is not loaded", "store=default", "a bad sector", "again_in=1s"); len(got) != 1 {
		t.Errorf("the log says %q", got)
	}
	if got := w.check("user:anna can_view media:logo"); got != "allowed" {
		t.Errorf("behind: %s", got)
	}
}

// A server that ends does not wait for a load.
func TestDrainEndsLoads(t *testing.T) {
	begun := make(chan struct{}, 1)
	w, _, _ := indexed(t, func(ctx context.Context) error {
		begun <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	})
	<-begun
	w.check("user:anna can_view media:logo") // the server is up
	w.server.Drain(t.Context())
}

func TestStoresComeAndGoWithTheirIndexes(t *testing.T) {
	registry := prometheus.NewRegistry()
	w := newWorld(t, server.Options{IndexMemory: 16 << 20, Registry: registry})
	w.writeModel(library)
	warmed(t, registry)
	for i := range 20 {
		name := fmt.Sprintf("store-%d", i)
		if _, err := w.stores.CreateStore(w.ctx, &usherv1.CreateStoreRequest{Name: name}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.models.WriteModel(w.ctx, &usherv1.WriteModelRequest{Store: name, Source: dslSource(library)}); err != nil {
			t.Fatal(err)
		}
		write := &usherv1.WriteRequest{Store: name, Updates: updates(t, usherv1.Operation_OPERATION_TOUCH,
			"media:logo#viewer@group:design#member", "group:design#member@user:anna")}
		if _, err := w.tuples.Write(w.ctx, write); err != nil {
			t.Fatal(err)
		}
		warmed(t, registry)
		q := question(t, "user:anna can_view media:logo")
		q.Store = name
		if response, err := w.permissions.Check(w.ctx, q); err != nil || response.GetOutcome() != usherv1.Outcome_OUTCOME_ALLOWED {
			t.Fatalf("%s: got %v, %v", name, response, err)
		}
		if _, err := w.stores.DeleteStore(w.ctx, &usherv1.DeleteStoreRequest{Store: name}); err != nil {
			t.Fatal(err)
		}
	}
	if loaded := metric(t, registry, "usher_index_loaded"); loaded != 1 {
		t.Errorf("the deleted stores count as not loaded")
	}
}
