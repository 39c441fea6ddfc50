package server_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/usher-authz/usher/server"
)

// A walk ends when the caller hangs up or the server's deadline passes: the engine looks at
// the context while it walks, and never waits for it.
func TestEndedCallsEndTheirWalk(t *testing.T) {
	for _, c := range []struct {
		name     string
		deadline time.Duration // of the server
		call     func() context.Context
		want     codes.Code
	}{
		{"the caller hangs up", time.Hour, func() context.Context {
			ctx, hangUp := context.WithCancel(context.Background())
			time.AfterFunc(20*time.Millisecond, hangUp)
			return ctx
		}, codes.Canceled},
		{"the deadline of the server passes", 20 * time.Millisecond, func() context.Context {
			return context.Background()
		}, codes.DeadlineExceeded},
	} {
		t.Run(c.name, func(t *testing.T) {
			log := &lines{}
			w := newFaulty(t, server.Options{Logger: slog.New(slog.NewTextHandler(log, nil)), Deadline: c.deadline},
				&faulty{deadline: func(ctx context.Context) {
					for ctx.Err() == nil { // the walk begins when the call is over
						time.Sleep(time.Millisecond)
					}
				}})
			_, err := w.permissions.Check(c.call(), question(t, "user:anna can_view media:logo"))
			if got := refusalOf(err).code; got != c.want {
				t.Errorf("the caller got %v, want %v", got, c.want)
			}
			w.server.Drain(t.Context()) // until the handler has ended
			if got := log.with("method=/usher.v1.PermissionService/Check", "code="+c.want.String()); len(got) != 1 {
				t.Errorf("the log has %q, want one call that ended with %v", log.buf.String(), c.want)
			}
		})
	}
}
