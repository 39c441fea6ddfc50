package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

// An interrupt ends a bench, wherever it is, and leaves no store behind.
func TestBenchEndsWhenInterrupted(t *testing.T) {
	addr, _, _ := startServer(t)
	for name, at := range map[string]string{"while the store is filled": "tuples are loaded", "while it measures": "0 of 3 rounds"} {
		t.Run(name, func(t *testing.T) {
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			var stderr bytes.Buffer
			notes := writerFunc(func(text []byte) (int, error) {
				if strings.Contains(string(text), at) {
					interrupt()
				}
				return stderr.Write(text)
			})
			status := run(ctx, []string{"bench", "--tuples", "10000", "--time", "1s", "--addr", addr}, nil, &bytes.Buffer{}, notes)
			if status != statusError || !strings.HasSuffix(stderr.String(), "\nusher: interrupted\n") {
				t.Errorf("status %d\n%s", status, stderr.String())
			}
			if _, stores, _ := usher(t.Context(), "store", "list", "--addr", addr); !strings.Contains(stores, "default") || strings.Contains(stores, "bench-") {
				t.Errorf("the stores are\n%s", stores)
			}
		})
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
