package server

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A stream whose caller closed the connection fails to send. That is the caller's
// doing, and no warning that the server was unavailable.
func TestHangUpIsNoWarning(t *testing.T) {
	var log bytes.Buffer
	s := &Server{log: slog.New(slog.NewTextHandler(&log, nil))}
	read := newMetrics(prometheus.NewRegistry()).method("usher.v1.TupleService", grpc.MethodInfo{Name: "Read", IsServerStream: true})
	ctx, hangUp := context.WithCancel(t.Context())
	hangUp()
	err := s.finish(ctx, read, time.Now(), status.Error(codes.Unavailable, "transport is closing"))
	if status.Code(err) != codes.Canceled || !strings.Contains(log.String(), "level=INFO") {
		t.Errorf("got %v and the log %q", err, log.String())
	}
}
