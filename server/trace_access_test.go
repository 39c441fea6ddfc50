package server_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server"
)

func TestTraceAccess(t *testing.T) {
	for _, c := range []struct {
		name string
		past func(*clocked)
		want string
	}{
		{"never given", func(*clocked) {}, "denied"},
		{"given once", func(c *clocked) {
			c.grant("user:bert", "media:logo#viewer@user:anna")
			c.grant("user:bert", "media:logo#viewer@user:zoe")
		}, "since 2 at 01.13:00 by user:bert, have a look; media:logo#viewer@user:anna of 2 by user:bert"},
		{"withdrawn and given again by another one (A6)", func(c *clocked) {
			c.grant("user:bert", "media:logo#viewer@user:anna")
			c.withdraw("media:logo#viewer@user:anna")
			c.grant("user:carl", "media:logo#viewer@user:anna")
		}, "since 4 at 01.15:00 by user:carl, have a look; media:logo#viewer@user:anna of 4 by user:carl"},
		{"withdrawn", func(c *clocked) {
			c.grant("user:bert", "media:logo#viewer@user:anna")
			c.withdraw("media:logo#viewer@user:anna")
		}, "denied"},
		{"given otherwise before the first share went (A5)", func(c *clocked) {
			c.grant("user:bert", "media:logo#editor@user:anna")
			c.grant("user:carl", "media:logo#viewer@user:anna")
			c.withdraw("media:logo#editor@user:anna")
		}, "since 2 at 01.13:00 by user:bert, have a look; media:logo#viewer@user:anna of 3 by user:carl"},
		{"a share that was replaced lasts", func(c *clocked) {
			c.grant("user:bert", "media:logo#viewer@user:anna expires 2026-06-02T00:00:00Z")
			c.grant("user:carl", "media:logo#viewer@user:anna")
		}, "since 2 at 01.13:00 by user:bert, have a look; media:logo#viewer@user:anna of 3 by user:carl"},
		{"through groups, by who let her in", func(c *clocked) {
			c.grant("user:bert", "folder:acme#viewer@group:staff#member")
			c.grant("user:bert", "media:logo#folder@folder:acme")
			c.grant("user:carl", "group:staff#member@group:design#member")
			c.grant("user:dora", "group:design#member@user:anna")
			c.grant("user:bert", "media:logo#folder@folder:other")
		}, "since 5 at 01.16:00 by user:dora, have a look; media:logo#folder@folder:acme of 3 by user:bert; " +
			"folder:acme#viewer@group:staff#member of 2 by user:bert; group:staff#member@group:design#member of 4 by user:carl; " +
			"group:design#member@user:anna of 5 by user:dora"},
		{"lost by exclusion and back", func(c *clocked) {
			c.grant("user:bert", "media:logo#viewer@user:anna")
			c.grant("user:carl", "media:logo#blocked@user:anna")
			c.withdraw("media:logo#blocked@user:anna")
		}, "since 4 at 01.15:00; media:logo#viewer@user:anna of 2 by user:bert"},
		{"back when an exclusion expired", func(c *clocked) {
			c.grant("user:bert", "media:logo#viewer@user:anna")
			c.grant("user:carl", "media:logo#blocked@user:anna expires 2026-06-01T14:30:00Z")
			c.grant("user:bert", "media:note#viewer@user:zoe")
		}, "since 3 at 01.14:30, when media:logo#blocked@user:anna expired; media:logo#viewer@user:anna of 2 by user:bert"},
		{"back when an exclusion expired, collected since", func(c *clocked) {
			c.grant("user:bert", "media:logo#viewer@user:anna")
			c.grant("user:carl", "media:logo#blocked@user:anna expires 2026-06-01T14:30:00Z")
			c.later()
			c.collectHistory()
		}, "since 3 at 01.14:30, when media:logo#blocked@user:anna expired; media:logo#viewer@user:anna of 2 by user:bert"},
		{"given at the moment when an exclusion expired", func(c *clocked) {
			c.grant("user:carl", "media:logo#blocked@user:anna expires 2026-06-01T14:00:00Z")
			c.grant("user:bert", "media:logo#viewer@user:anna")
		}, "since 3 at 01.14:00 by user:bert, have a look; media:logo#viewer@user:anna of 3 by user:bert"},
		{"expired, and given again later", func(c *clocked) {
			c.grant("user:bert", "media:logo#viewer@user:anna expires 2026-06-01T14:30:00Z")
			c.later()
			c.grant("user:carl", "media:logo#viewer@user:anna")
		}, "since 4 at 01.15:00 by user:carl, have a look; media:logo#viewer@user:anna of 4 by user:carl"},
		{"given otherwise before the first share expired", func(c *clocked) {
			c.grant("user:bert", "media:logo#viewer@user:anna expires 2026-06-01T14:30:00Z")
			c.grant("user:carl", "media:logo#editor@user:anna")
			c.later()
		}, "since 2 at 01.13:00 by user:bert, have a look; media:logo#editor@user:anna of 3 by user:carl"},
		{"given by a model", func(c *clocked) {
			c.grant("user:bert", "media:logo#owner@user:anna")
			c.later()
			c.writeModel(strings.Replace(library, "define editor: [user, group#member] or owner", "define editor: [user, group#member]", 1))
			c.later()
			c.writeModel(library)
		}, "since 4 at 01.15:00, a model; media:logo#owner@user:anna of 2 by user:bert"},
		{"a model that had no such relation", func(c *clocked) {
			c.writeModel("model\n  schema 1.1\ntype user\ntype media\n  relations\n    define viewer: [user]\n")
			c.grant("user:bert", "media:logo#viewer@user:anna")
			c.later()
			c.writeModel(library)
		}, "since 4 at 01.14:00, a model; media:logo#viewer@user:anna of 3 by user:bert"},
		{"older than the history, given and kept", func(c *clocked) {
			c.grant("user:bert", "media:logo#viewer@user:anna")
			c.now.Add(2 * clockedRetention.Milliseconds())
			c.grant("user:bert", "media:note#viewer@user:anna")
			c.collectHistory()
			c.now.Add(2 * clockedRetention.Milliseconds())
			c.grant("user:bert", "media:note#viewer@user:zoe")
			c.collectHistory()
		}, "before history; media:logo#viewer@user:anna of 2"},
		{"older than the history, that begins with a change of it", func(c *clocked) {
			c.grant("user:bert", "media:note#viewer@user:anna")
			c.grant("user:carl", "media:logo#viewer@user:anna")
			c.now.Add(2 * clockedRetention.Milliseconds())
			c.collectHistory()
		}, "before 3 at 01.14:00 by user:carl, have a look; media:logo#viewer@user:anna of 3 by user:carl"},
		{"older than the history, in which an exclusion expired before it", func(c *clocked) {
			c.grant("user:bert", "media:logo#viewer@user:anna")
			c.grant("user:carl", "media:logo#blocked@user:anna expires 2026-06-01T15:00:00Z")
			c.now.Add(2 * clockedRetention.Milliseconds())
			c.grant("user:bert", "media:note#viewer@user:zoe")
			c.now.Add(2 * clockedRetention.Milliseconds())
			c.collectHistory()
		}, "before 5 at 05.15:00; media:logo#viewer@user:anna of 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newClocked(t)
			c.past(w)
			if got := w.trace("user:anna can_view media:logo"); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", strings.ReplaceAll(got, "; ", "\n  "), strings.ReplaceAll(c.want, "; ", "\n  "))
			}
		})
	}
}

// What needs no tuple lasts since there is a model, which can be the first revision.
func TestTraceAccessWithoutATuple(t *testing.T) {
	w := newClocked(t)
	w.grant("user:bert", "group:design#member@user:anna")
	if got, want := w.trace("group:design#member member group:design"), "since 1 at 01.12:00, a model"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A trace begins in the state that it is asked of.
func TestTraceAccessOfThePast(t *testing.T) {
	w := newClocked(t)
	w.grant("user:bert", "media:logo#viewer@user:anna")
	w.withdraw("media:logo#viewer@user:anna")
	w.grant("user:carl", "media:logo#viewer@user:anna")
	q := question(t, "user:anna can_view media:logo")
	for at, want := range map[string]string{
		"2026-06-01T12:30:00Z": "denied ",
		"2026-06-01T13:30:00Z": "allowed 2 at 01.13:00 by user:bert, have a look",
		"2026-06-01T14:30:00Z": "denied ",
		"2026-06-01T15:00:00Z": "allowed 4 at 01.15:00 by user:carl, have a look",
	} {
		parsed, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		got, err := w.permissions.TraceAccess(w.ctx, &usherv1.TraceAccessRequest{
			Subject: q.GetSubject(), Relation: q.GetRelation(), Object: q.GetObject(), Consistency: atTime(parsed),
		})
		if err != nil {
			t.Fatal(err)
		}
		text := outcome(got.GetOutcome()) + " "
		if got.GetSince() != nil {
			text += changeText(got.GetSince())
		}
		if text != want {
			t.Errorf("at %s: got %s, want %s", at, text, want)
		}
	}
}

func TestBadTraces(t *testing.T) {
	w := newLibrary(t, "media:logo#viewer@user:anna")
	if _, err := w.stores.CreateStore(w.ctx, &usherv1.CreateStoreRequest{Name: "empty"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, reason, field string
		code                codes.Code
		change              func(*usherv1.TraceAccessRequest)
	}{
		{"no object", "INVALID_FIELD", "object.type", codes.InvalidArgument, func(r *usherv1.TraceAccessRequest) { r.Object = nil }},
		{"no relation", "INVALID_FIELD", "relation", codes.InvalidArgument, func(r *usherv1.TraceAccessRequest) { r.Relation = "" }},
		{"no subject", "INVALID_FIELD", "subject.type", codes.InvalidArgument, func(r *usherv1.TraceAccessRequest) { r.Subject = nil }},
		{"an unknown type", "UNKNOWN_TYPE", "object.type", codes.InvalidArgument, func(r *usherv1.TraceAccessRequest) { r.Object.Type = "film" }},
		{"an unknown relation", "UNKNOWN_RELATION", "relation", codes.InvalidArgument, func(r *usherv1.TraceAccessRequest) { r.Relation = "can_fly" }},
		{"an unknown subject type", "UNKNOWN_TYPE", "subject.type", codes.InvalidArgument, func(r *usherv1.TraceAccessRequest) { r.Subject.Type = "robot" }},
		{"a context too long", "INVALID_FIELD", "context", codes.InvalidArgument, func(r *usherv1.TraceAccessRequest) {
			r.Context = values(t, map[string]any{"hour": strings.Repeat("9", 33<<10)})
		}},
		{"a forged token", "FORGED_TOKEN", "consistency.exactly", codes.InvalidArgument, func(r *usherv1.TraceAccessRequest) {
			r.Consistency = &usherv1.Consistency{Requirement: &usherv1.Consistency_Exactly{Exactly: "x"}}
		}},
		{"a time before the store", "NO_MODEL", "", codes.FailedPrecondition, func(r *usherv1.TraceAccessRequest) {
			r.Consistency = atTime(time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC))
		}},
		{"an unknown store", "STORE_NOT_FOUND", "", codes.NotFound, func(r *usherv1.TraceAccessRequest) { r.Store = "nowhere" }},
		{"a store without a model", "NO_MODEL", "", codes.FailedPrecondition, func(r *usherv1.TraceAccessRequest) { r.Store = "empty" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := question(t, "user:anna can_view media:logo")
			r := &usherv1.TraceAccessRequest{Subject: q.GetSubject(), Relation: q.GetRelation(), Object: q.GetObject()}
			c.change(r)
			_, err := w.permissions.TraceAccess(w.ctx, r)
			wantRefusal(t, err, c.code, c.reason, c.field)
		})
	}
}

// What depends on context that was not given is no access, today and in the past.
func TestTraceAccessUnderConditions(t *testing.T) {
	w := newClocked(t)
	w.grant("user:bert", `media:logo#viewer@user:anna with office_hours {"opens":9}`)
	if got := w.trace("user:anna can_view media:logo"); got != "conditional" {
		t.Errorf("without context: %s", got)
	}
	w.grant("user:carl", "media:logo#viewer@user:anna")
	for _, c := range []struct {
		name    string
		context map[string]any
		want    string
	}{
		{"the context of then meets it", map[string]any{"hour": 10}, "2 at 01.13:00 by user:bert, have a look"},
		{"the context of then does not", map[string]any{"hour": 8}, "3 at 01.14:00 by user:carl, have a look"},
		{"no context", nil, "3 at 01.14:00 by user:carl, have a look"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := w.tryTrace("user:anna can_view media:logo", values(t, c.context))
			if err != nil || changeText(got.GetSince()) != c.want {
				t.Errorf("got %s, %v; want %s", changeText(got.GetSince()), err, c.want)
			}
		})
	}
	t.Run("it failed then", func(t *testing.T) {
		_, err := w.tryTrace("user:anna can_view media:logo", values(t, map[string]any{"hour": "ten"}))
		wantRefusal(t, err, codes.FailedPrecondition, "CONDITION_FAILED", "")
	})
}

// A trace that has to go back too far says how far it came, and one that costs too much
// is no answer.
func TestTraceAccessIsBounded(t *testing.T) {
	const steps = 1000
	w := newLibrary(t, "media:logo#viewer@user:anna")
	writes := make(chan string, steps)
	for i := range steps {
		writes <- fmt.Sprintf(`media:logo#viewer@user:anna attributes {"size":%d}`, i)
	}
	close(writes)
	var writers sync.WaitGroup
	for range 32 {
		writers.Go(func() {
			for line := range writes {
				w.touch(line)
			}
		})
	}
	writers.Wait()
	got, err := w.tryTrace("user:anna can_view media:logo", nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := got.GetRevision() - steps + 1; !got.GetOlder() || got.GetSince().GetRevision() != want {
		t.Errorf("got older %v, since %v, want %d", got.GetOlder(), got.GetSince(), want)
	}
	poor := serve(t, w.db, server.Options{WorkBudget: 50})
	_, err = poor.tryTrace("user:anna can_view media:logo", nil)
	wantRefusal(t, err, codes.ResourceExhausted, "WORK_BUDGET_EXHAUSTED", "")
}
