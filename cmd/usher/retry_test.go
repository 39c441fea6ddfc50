package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// Attempts follow one another more and more slowly, for as long as the flag says.
func TestRetry(t *testing.T) {
	gone := status.Error(codes.Unavailable, "gone")
	conn, err := grpc.NewClient("127.0.0.1:1", grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// attempts fails until it is over, and returns how often it tried, for how long.
	attempts := func(t *testing.T, limit time.Duration, failure error, progress func(int) bool) (n int, took time.Duration, notes string) {
		synctest.Test(t, func(t *testing.T) {
			var stderr bytes.Buffer
			r := &retry{client: &client{program: &program{stderr: &stderr}, conn: conn}, limit: limit}
			started := time.Now()
			for n = 1; ; n++ {
				if err := r.after(t.Context(), failure, progress(n)); err != nil {
					if !errors.Is(err, failure) {
						t.Errorf("error %v, want %v", err, failure)
					}
					break
				}
			}
			took, notes = time.Since(started), stderr.String()
		})
		return n, took, notes
	}
	never := func(int) bool { return false }
	for name, c := range map[string]struct {
		limit    time.Duration
		failure  error
		progress func(int) bool
		attempts int
		took     time.Duration
		notes    int
	}{
		"a minute":              {time.Minute, gone, never, 24, 100*time.Millisecond*(1+2+4+8+16) + 18*3*time.Second, 1},
		"a short while":         {time.Second, gone, never, 4, 700 * time.Millisecond, 1},
		"not at all":            {0, gone, never, 1, 0, 0},
		"another failure":       {time.Minute, status.Error(codes.NotFound, "no store"), never, 1, 0, 0},
		"a failure of our own":  {time.Minute, errSilent, never, 1, 0, 0},
		"progress in the third": {time.Second, gone, func(n int) bool { return n == 3 }, 6, 1000 * time.Millisecond, 2},
	} {
		t.Run(name, func(t *testing.T) {
			n, took, notes := attempts(t, c.limit, c.failure, c.progress)
			if n != c.attempts || took != c.took || strings.Count(notes, "the connection broke (gone); trying again for ") != c.notes {
				t.Errorf("%d attempts in %s, want %d in %s\n%s", n, took, c.attempts, c.took, notes)
			}
		})
	}
}
