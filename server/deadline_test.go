package server

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// newDeadline returns the context of a call with a second left.
func newDeadline(parent context.Context) *deadlineContext {
	return &deadlineContext{Context: parent, began: time.Now(), allowed: time.Second}
}

// What a handler sees of its context is what [context.WithTimeout] would show it, whether or
// not somebody waits for the end.
func TestDeadlineIsThatOfATimeout(t *testing.T) {
	hungUp := errors.New("hung up")
	for _, c := range []struct {
		name       string
		end        func(hangUp context.CancelCauseFunc)
		err, cause error
	}{
		{"before the end", func(context.CancelCauseFunc) { time.Sleep(999 * time.Millisecond) }, nil, nil},
		{"when the time is over", func(context.CancelCauseFunc) { time.Sleep(time.Second) },
			context.DeadlineExceeded, context.DeadlineExceeded},
		{"when the caller hangs up", func(hangUp context.CancelCauseFunc) { hangUp(hungUp) }, context.Canceled, hungUp},
		{"when the caller hangs up, and then the time is over", func(hangUp context.CancelCauseFunc) {
			hangUp(hungUp)
			time.Sleep(time.Second)
		}, context.Canceled, hungUp},
	} {
		for name, use := range map[string]func(context.Context){
			"nobody waits":       func(context.Context) {},
			"somebody waits":     func(ctx context.Context) { ctx.Done() },
			"a context below it": func(ctx context.Context) { context.AfterFunc(ctx, func() {}) },
		} {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					parent, hangUp := context.WithCancelCause(t.Context())
					ctx, like := newDeadline(parent), func() context.Context {
						like, cancel := context.WithTimeout(parent, time.Second)
						t.Cleanup(cancel)
						return like
					}()
					defer ctx.end()
					use(ctx)
					c.end(hangUp)
					synctest.Wait()
					for name, seen := range map[string]context.Context{"the deadline": ctx, "the timeout": like} {
						if err, cause := seen.Err(), context.Cause(seen); err != c.err || cause != c.cause {
							t.Errorf("%s: got %v because of %v, want %v because of %v", name, err, cause, c.err, c.cause)
						}
					}
					if at, ok := ctx.Deadline(); !ok || !at.Equal(ctx.began.Add(time.Second)) {
						t.Errorf("got the deadline %v, %v", at, ok)
					}
				})
			})
		}
	}
}

// Once a context has ended it stays ended, for the same reason.
func TestDeadlineRemembersThatTheTimeWasOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, hangUp := context.WithCancel(t.Context())
		ctx := newDeadline(parent)
		time.Sleep(time.Second)
		first := ctx.Err()
		hangUp()
		if second := ctx.Err(); first != context.DeadlineExceeded || second != first {
			t.Errorf("got %v, then %v", first, second)
		}
		select {
		case <-ctx.Done():
		default:
			t.Error("nobody who waits learns of the end")
		}
	})
}

// The deadline wakes those who wait for it, however many begin at once, and the end of the
// call wakes those whom no deadline would.
func TestDeadlineWakesWhoWaits(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(ctx *deadlineContext)
		want error
	}{
		{"the deadline", func(*deadlineContext) {}, context.DeadlineExceeded},
		{"the end of the call", (*deadlineContext).end, context.Canceled},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := newDeadline(t.Context())
				woken := make(chan error, 10)
				for range cap(woken) {
					below, cancel := context.WithCancel(ctx)
					defer cancel()
					go func() {
						<-below.Done()
						woken <- ctx.Err()
					}()
				}
				synctest.Wait()
				c.end(ctx)
				for range cap(woken) {
					if err := <-woken; err != c.want {
						t.Errorf("got %v, want %v", err, c.want)
					}
				}
			})
		})
	}
}

// A call that nobody waits for takes one allocation for its deadline, and no timer.
func TestDeadlineArmsNoTimer(t *testing.T) {
	parent, began := t.Context(), time.Now()
	var ctx context.Context
	allocated := testing.AllocsPerRun(100, func() {
		limited := &deadlineContext{Context: parent, began: began, allowed: time.Hour}
		ctx = limited
		_, _ = ctx.Deadline()
		if ctx.Err() != nil || limited.timed.Load() != nil {
			t.Error("the call is over, or has a timer")
		}
		limited.end()
	})
	if allocated > 1 {
		t.Errorf("%v allocations", allocated)
	}
}
