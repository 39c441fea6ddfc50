package server_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/usher-authz/usher/check"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// The two models of the random histories differ in what an editor may do.
const (
	editorsView = `
model
  schema 1.1
type user
type group
  relations
    define member: [user, group#member]
type media
  relations
    define blocked: [user, group#member]
    define editor: [user]
    define viewer: [user, user:*, group#member] or editor
    define can_view: viewer but not blocked
`
	editorsDoNotView = `
model
  schema 1.1
type user
type group
  relations
    define member: [user, group#member]
type media
  relations
    define blocked: [user, group#member]
    define editor: [user]
    define viewer: [user, user:*, group#member]
    define can_view: viewer but not blocked
`
)

// A trace finds the beginning that asking every state of the past finds.
func TestTraceAccessFindsWhatEveryStateTells(t *testing.T) {
	w := newClocked(t)
	lines := []string{
		"media:logo#viewer@user:anna", "media:logo#viewer@user:*", "media:logo#editor@user:anna", "media:logo#viewer@group:staff#member",
		"group:staff#member@user:anna", "group:staff#member@group:design#member", "group:design#member@user:anna",
		"media:logo#blocked@user:anna", "media:logo#blocked@group:design#member", "media:logo#viewer@user:zoe",
	}
	stores := 0
	rapid.Check(t, func(rt *rapid.T) {
		stores++
		store := fmt.Sprintf("random-%d", stores)
		if _, err := w.stores.CreateStore(w.ctx, &usherv1.CreateStoreRequest{Name: store}); err != nil {
			rt.Fatal(err)
		}
		for range rapid.IntRange(2, 30).Draw(rt, "writes") {
			w.now.Add(rapid.SampledFrom([]int64{0, 1, 60_000, 120_000}).Draw(rt, "ms pass"))
			randomChange(rt, w, store, lines)
		}
		w.now.Add(rapid.SampledFrom([]int64{0, 1, 300_000}).Draw(rt, "ms pass at last"))
		got, err := w.permissions.TraceAccess(w.ctx, &usherv1.TraceAccessRequest{
			Store: store, Subject: subject(t, "user:anna"), Relation: "can_view", Object: object(t, "media:logo"),
		})
		want := (&past{t: rt, world: w, programs: map[tuples.ModelID]*model.Program{}}).beginning(store)
		switch {
		case want == "unknown":
			if err == nil {
				rt.Fatalf("a store without a model answers %v", got)
			}
			return
		case err != nil:
			rt.Fatal(err)
		}
		text := outcome(got.GetOutcome())
		if since := got.GetSince(); since != nil {
			text = beginning(tuples.Revision(since.GetRevision()), since.GetTime().AsTime(), since.GetExpired() != nil)
		}
		if text != want || got.GetOlder() {
			rt.Fatalf("traced %s, older %v; every state tells %s", text, got.GetOlder(), want)
		}
	})
}

// randomChange writes a tuple or a model, or collects what has expired.
func randomChange(t *rapid.T, w *clocked, store string, lines []string) {
	var err error
	switch rapid.IntRange(0, 9).Draw(t, "change") {
	case 0:
		_, err = w.models.WriteModel(w.ctx, &usherv1.WriteModelRequest{
			Store: store, Source: dslSource(rapid.SampledFrom([]string{editorsView, editorsDoNotView}).Draw(t, "model")),
		})
	case 1:
		err = w.db.Collect(w.ctx)
	default:
		line, op := rapid.SampledFrom(lines).Draw(t, "tuple"), usherv1.Operation_OPERATION_DELETE
		if rapid.IntRange(0, 2).Draw(t, "touch") > 0 {
			op = usherv1.Operation_OPERATION_TOUCH
			if minutes := rapid.IntRange(0, 3).Draw(t, "expires"); minutes > 0 {
				expires := time.UnixMilli(w.now.Load() + int64(minutes)*60_000).UTC()
				line += " expires " + expires.Format(time.RFC3339Nano)
			}
		}
		_, err = w.tuples.Write(w.ctx, &usherv1.WriteRequest{Store: store, Updates: updates(w.t, op, line)})
		if refusalOf(err).reason == "NO_MODEL" {
			err = nil
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

func beginning(revision tuples.Revision, at time.Time, expired bool) string {
	moment := at.UTC().Format(time.RFC3339Nano)
	if expired {
		return "since an expiry at " + moment
	}
	return fmt.Sprintf("since %d at %s", revision, moment)
}

// past asks the engine in every state that a store ever had: at each revision, when it
// was made, when a tuple expired while it was in force, and just before the next.
type past struct {
	t        *rapid.T
	world    *clocked
	store    tuples.Store
	programs map[tuples.ModelID]*model.Program
}

// beginning tells what the access began with, "denied" if there is none at the end, and
// "unknown" if the store has no model.
func (p *past) beginning(name string) string {
	var err error
	if p.store, err = p.world.db.Store(p.world.ctx, name); err != nil {
		p.t.Fatal(err)
	}
	changes, err := p.store.Changes(p.world.ctx, tuples.LogPosition{}, 1000)
	if err != nil {
		p.t.Fatal(err)
	}
	var expiries []time.Time
	for _, c := range changes {
		for _, m := range c.Mutations {
			if m.Op != tuples.OpDelete && !m.Tuple.Expires.IsZero() {
				expiries = append(expiries, m.Tuple.Expires)
			}
		}
	}
	answer := "unknown"
	for i, c := range changes {
		end := p.store.Now()
		if i+1 < len(changes) {
			end = changes[i+1].Time
		}
		for at := c.Time; !at.After(end); at = nextExpiry(expiries, at) {
			switch p.allowed(tuples.At{Revision: c.Revision, Time: at}) {
			case "allowed":
				if answer == "unknown" || answer == "denied" {
					answer = beginning(c.Revision, at, at.After(c.Time))
				}
			case "denied":
				answer = "denied"
			}
		}
	}
	return answer
}

// nextExpiry is the first expiry after a time.
func nextExpiry(expiries []time.Time, after time.Time) time.Time {
	next := tuples.MaxTime
	for _, at := range expiries {
		if at.After(after) && at.Before(next) {
			next = at
		}
	}
	return next
}

// allowed asks in one state: "allowed", "denied" or, without a model, "unknown".
func (p *past) allowed(at tuples.At) string {
	ctx := p.world.ctx
	version, err := p.store.ModelAt(ctx, at.Revision)
	if errors.Is(err, tuples.ErrModelNotFound) {
		return "unknown"
	}
	if err != nil {
		p.t.Fatal(err)
	}
	snapshot, err := p.store.Snapshot(ctx, at)
	if err != nil {
		p.t.Fatal(err)
	}
	defer snapshot.Close()
	decision, err := check.New(check.Request{Program: p.program(version), Snapshot: snapshot}).Check(ctx,
		tuples.Userset{Object: tuples.Object{Type: "media", ID: "logo"}, Relation: "can_view"},
		tuples.Subject{Type: "user", ID: "anna"})
	if err != nil {
		p.t.Fatal(err)
	}
	return decision.Outcome.String()
}

func (p *past) program(version tuples.ModelVersion) *model.Program {
	if known := p.programs[version.ID]; known != nil {
		return known
	}
	source, err := model.DecodeSource(version.Source)
	if err != nil {
		p.t.Fatal(err)
	}
	parsed, _, err := model.Parse(source)
	if err != nil {
		p.t.Fatal(err)
	}
	program, err := model.Compile(parsed, p.store.Symbols())
	if err != nil {
		p.t.Fatal(err)
	}
	p.programs[version.ID] = program
	return program
}
