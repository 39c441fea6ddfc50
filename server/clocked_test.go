package server_test

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/structpb"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples/bolt"
)

// clocked is a world whose clock the test sets, and whose history it collects.
type clocked struct {
	*world
	now atomic.Int64 // ms
}

const clockedRetention = 24 * time.Hour

// newClocked starts a server with the library model, at noon.
func newClocked(t testing.TB) *clocked {
	t.Helper()
	c := &clocked{}
	c.now.Store(time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC).UnixMilli())
	db, err := bolt.Open(filepath.Join(t.TempDir(), "usher.db"), bolt.Options{
		NoSync: true, CollectEvery: -1, Retention: clockedRetention,
		Clock: func() time.Time { return time.UnixMilli(c.now.Load()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := db.CreateStore(t.Context(), server.DefaultStore); err != nil {
		t.Fatal(err)
	}
	c.world = serve(t, db, server.Options{})
	c.db = db
	c.writeModel(library)
	return c
}

// later lets an hour pass.
func (c *clocked) later() { c.now.Add(time.Hour.Milliseconds()) }

// grant writes a tuple on behalf of somebody, an hour later.
func (c *clocked) grant(actor, line string) {
	c.t.Helper()
	c.later()
	c.write(&usherv1.WriteRequest{
		Updates: updates(c.t, usherv1.Operation_OPERATION_TOUCH, line), Actor: subject(c.t, actor),
		Metadata: map[string]string{"message": "have a look"},
	})
}

// withdraw deletes a tuple, an hour later.
func (c *clocked) withdraw(line string) {
	c.t.Helper()
	c.later()
	c.remove(line)
}

func (c *clocked) collectHistory() {
	c.t.Helper()
	if err := c.db.Collect(c.ctx); err != nil {
		c.t.Fatal(err)
	}
}

func (w *world) tryTrace(text string, values *structpb.Struct) (*usherv1.TraceAccessResponse, error) {
	q := question(w.t, text)
	return w.permissions.TraceAccess(w.ctx, &usherv1.TraceAccessRequest{
		Subject: q.GetSubject(), Relation: q.GetRelation(), Object: q.GetObject(), Context: values,
	})
}

// trace tells the history of an access in one line: its beginning, and the path.
func (w *world) trace(text string) string {
	w.t.Helper()
	got, err := w.tryTrace(text, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if e := got.GetExplanation(); e.GetRoot() == nil || got.GetToken() == "" || got.GetRevision() == 0 {
		w.t.Fatalf("incomplete answer %v", got)
	}
	if got.GetOutcome() != usherv1.Outcome_OUTCOME_ALLOWED {
		if got.GetSince() != nil || got.GetOlder() || got.GetPath() != nil {
			w.t.Fatalf("an access that is none has a history: %v", got)
		}
		return outcome(got.GetOutcome())
	}
	line := "since " + changeText(got.GetSince())
	if got.GetOlder() {
		line = "before " + changeText(got.GetSince())
	}
	for _, step := range got.GetPath() {
		line += fmt.Sprintf("; %s of %d", wire.ToKey(step.GetTuple()), step.GetRevision())
		if made := step.GetMade(); made != nil {
			line += " by " + wire.ToSubject(made.GetActor()).String()
		}
	}
	return line
}

// changeText tells revision, hour, actor and what else there is of a change.
func changeText(c *usherv1.AccessChange) string {
	if c == nil {
		return "history"
	}
	text := fmt.Sprintf("%d at %s", c.GetRevision(), c.GetTime().AsTime().Format("02.15:04"))
	if c.GetActor() != nil {
		text += " by " + wire.ToSubject(c.GetActor()).String() + ", " + c.GetMetadata()["message"]
	}
	if c.GetModelId() != "" {
		text += ", a model"
	}
	if c.GetExpired() != nil {
		text += ", when " + wire.ToKey(c.GetExpired()).String() + " expired"
	}
	return text
}
