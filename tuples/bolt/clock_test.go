package bolt

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestCommitsAreLaterThanReadsAtATime(t *testing.T) {
	c := newClock(func() time.Time { return time.UnixMilli(1000) }, 0)
	if got := c.now(); got != 1000 {
		t.Fatalf("got %d, want 1000", got)
	}
	if err := c.settle(t.Context(), 1000); err != nil {
		t.Fatal(err)
	}
	if got := c.begin(); got != 1001 {
		t.Errorf("a commit after a read at 1000 has time %d, want 1001", got)
	}
	c.end()
	if got := c.now(); got != 1001 {
		t.Errorf("the clock is at %d, want 1001", got)
	}
}

func TestAReadAtATimeWaitsForEarlierCommits(t *testing.T) {
	c := newClock(func() time.Time { return time.UnixMilli(1000) }, 0)
	c.begin()
	if err := c.settle(t.Context(), 999); err != nil {
		t.Fatalf("a read before the commit's time: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.settle(ctx, 1000); !errors.Is(err, context.Canceled) {
		t.Errorf("a read at the commit's time did not wait: %v", err)
	}
	settled := make(chan error, 1)
	go func() { settled <- c.settle(t.Context(), 1000) }()
	c.end()
	if err := <-settled; err != nil {
		t.Error(err)
	}
}

func TestTheClockStartsAtItsMark(t *testing.T) {
	c := newClock(func() time.Time { return time.UnixMilli(1000) }, 5000)
	if got := c.now(); got != 5000 {
		t.Errorf("got %d, want 5000", got)
	}
	if got := c.begin(); got != 5001 {
		t.Errorf("a commit has time %d, want 5001: before the restart a state at 5000 may have been read", got)
	}
}
