package server_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server"
)

// lines is a log that tests can read while the server writes it.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// with returns the lines that contain all of the texts.
func (l *lines) with(texts ...string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(func(yield func(string) bool) {
		for line := range strings.Lines(l.buf.String()) {
			if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(line, text) }) && !yield(line) {
				return
			}
		}
	})
}

// logged starts a server over a library that logs from a level on.
func logged(t *testing.T, level slog.Level, db *faulty) (*world, *lines) {
	log := &lines{}
	logger := slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: level}))
	return newFaulty(t, server.Options{Logger: logger}, db), log
}

func TestCallLog(t *testing.T) {
	w, log := logged(t, slog.LevelDebug, &faulty{})
	ctx := metadata.AppendToOutgoingContext(w.ctx, "x-request-id", "r-17")
	if _, err := w.permissions.Check(ctx, question(t, "user:anna can_view media:logo")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.permissions.Check(ctx, question(t, "user:anna can_fly media:logo")); err == nil {
		t.Fatal("no error")
	}
	for _, c := range []struct {
		name  string
		texts []string
	}{
		{"a success at debug level", []string{"level=DEBUG", "method=/usher.v1.PermissionService/Check", "code=OK", "duration=", "request_id=r-17", "peer="}},
		{"the caller's fault at info level, with its reason", []string{"level=INFO", "code=InvalidArgument", "can_fly"}},
	} {
		if got := log.with(c.texts...); len(got) != 1 {
			t.Errorf("%s: got %q in %s", c.name, got, log.buf.String())
		}
	}
}

// A panic ends one call, not the server; the caller learns no more than that.
func TestPanics(t *testing.T) {
	w, log := logged(t, slog.LevelInfo, &faulty{snapshot: func() error { panic("a bug") }})
	_, err := w.permissions.Check(w.ctx, question(t, "user:anna can_view media:logo"))
	unary := wantRefusal(t, err, codes.Internal, "INTERNAL", "")
	_, err = collect(w.tuples.Read(w.ctx, &usherv1.ReadRequest{}))
	stream := wantRefusal(t, err, codes.Internal, "INTERNAL", "")
	for _, r := range []refusal{unary, stream} {
		if strings.Contains(r.message, "bug") {
			t.Errorf("the caller learns %q", r.message)
		}
	}
	if got := log.with("level=ERROR", "panic: a bug", "faulty_test.go"); len(got) != 2 {
		t.Errorf("the log has %q", got)
	}
	if _, err := w.stores.GetStore(w.ctx, &usherv1.GetStoreRequest{}); err != nil {
		t.Errorf("the server is gone: %v", err)
	}
}

// A unary call without a deadline gets that of the server; a stream does not.
func TestDefaultDeadline(t *testing.T) {
	deadlines := make(chan bool, 1)
	w := newFaulty(t, server.Options{Deadline: time.Hour}, &faulty{deadline: func(ctx context.Context) {
		_, ok := ctx.Deadline()
		deadlines <- ok
	}})
	for _, c := range []struct {
		name string
		call func() error
		want bool
	}{
		{"unary", func() error {
			_, err := w.permissions.Check(context.Background(), question(t, "user:anna can_view media:logo"))
			return err
		}, true},
		{"stream", func() error {
			_, err := collect(w.tuples.Read(context.Background(), &usherv1.ReadRequest{}))
			return err
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.call(); err != nil {
				t.Fatal(err)
			}
			if got := <-deadlines; got != c.want {
				t.Errorf("has a deadline: %v, want %v", got, c.want)
			}
		})
	}
}

func TestHTTP(t *testing.T) {
	w := newLibrary(t)
	w.check("user:anna can_view media:logo")
	if _, err := w.permissions.Check(w.ctx, &usherv1.CheckRequest{}); err == nil {
		t.Fatal("no error")
	}
	get := func(path string) (int, string) {
		recorder := httptest.NewRecorder()
		w.server.HTTP().ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		return recorder.Code, recorder.Body.String()
	}
	status, metrics := get("/metrics")
	if status != http.StatusOK {
		t.Fatalf("got %d", status)
	}
	for _, want := range []string{
		`grpc_server_handled_total{grpc_code="OK",grpc_method="Check",grpc_service="usher.v1.PermissionService",grpc_type="unary"} 1`,
		`grpc_server_handled_total{grpc_code="InvalidArgument",grpc_method="Check",grpc_service="usher.v1.PermissionService",grpc_type="unary"} 1`,
		`grpc_server_handling_seconds_count{grpc_method="Check",grpc_service="usher.v1.PermissionService",grpc_type="unary"} 2`,
		`grpc_server_handled_total{grpc_code="OK",grpc_method="Watch",grpc_service="usher.v1.TupleService",grpc_type="server_stream"} 0`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("metrics lack %s", want)
		}
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, _ := get(path); status != http.StatusOK {
			t.Errorf("%s: %d", path, status)
		}
	}
	w.server.Drain(t.Context())
	if status, _ := get("/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("draining, but ready: %d", status)
	}
	if status, _ := get("/healthz"); status != http.StatusOK {
		t.Errorf("draining, but not alive: %d", status)
	}
}

func TestHealthAndReflection(t *testing.T) {
	w := newLibrary(t)
	client := healthv1.NewHealthClient(w.conn)
	for _, service := range []string{"", "usher.v1.PermissionService", "usher.v1.TupleService", "usher.v1.ModelService", "usher.v1.StoreService"} {
		got, err := client.Check(w.ctx, &healthv1.HealthCheckRequest{Service: service})
		if err != nil || got.GetStatus() != healthv1.HealthCheckResponse_SERVING {
			t.Errorf("%q: got %v, %v", service, got, err)
		}
	}
	stream, err := reflectionv1.NewServerReflectionClient(w.conn).ServerReflectionInfo(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&reflectionv1.ServerReflectionRequest{
		MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{},
	}); err != nil {
		t.Fatal(err)
	}
	answer, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, service := range answer.GetListServicesResponse().GetService() {
		names = append(names, service.GetName())
	}
	want := []string{
		"grpc.channelz.v1.Channelz", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection",
		"usher.v1.DecisionService", "usher.v1.ModelService", "usher.v1.PermissionService", "usher.v1.StoreService", "usher.v1.TupleService",
	}
	if !slices.Equal(sorted(names), want) {
		t.Errorf("got %q", names)
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
}

// Draining ends watches, lets calls under way finish, and refuses new ones.
func TestDrain(t *testing.T) {
	entered, finish := make(chan struct{}), make(chan struct{})
	w := newFaulty(t, server.Options{}, &faulty{snapshot: func() error {
		close(entered)
		<-finish
		return nil
	}})
	health, err := healthv1.NewHealthClient(w.conn).Watch(w.ctx, &healthv1.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := health.Recv(); err != nil || got.GetStatus() != healthv1.HealthCheckResponse_SERVING {
		t.Fatalf("got %v, %v", got, err)
	}
	answered := make(chan error, 1)
	go func() {
		_, err := w.permissions.Check(w.ctx, question(t, "user:anna can_view media:logo"))
		answered <- err
	}()
	<-entered
	drained := make(chan struct{})
	go func() {
		w.server.Drain(t.Context())
		close(drained)
	}()
	for err == nil { // the watch of the health ends; NOT_SERVING may come before
		_, err = health.Recv()
	}
	select {
	case <-drained:
		t.Error("drained before the call under way was answered")
	default:
	}
	close(finish)
	if err := <-answered; err != nil {
		t.Errorf("the call under way failed: %v", err)
	}
	<-drained
	if _, err := w.stores.GetStore(w.ctx, &usherv1.GetStoreRequest{}); refusalOf(err).code != codes.Unavailable {
		t.Errorf("a new call: %v", err)
	}
}

// When the grace is over, calls that never end are cut off.
func TestDrainHasAnEnd(t *testing.T) {
	w := newLibrary(t)
	stream, err := reflectionv1.NewServerReflectionClient(w.conn).ServerReflectionInfo(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&reflectionv1.ServerReflectionRequest{
		MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	grace, cancel := context.WithCancel(t.Context())
	drained := make(chan struct{})
	go func() {
		w.server.Drain(grace)
		close(drained)
	}()
	cancel()
	<-drained
	if _, err := stream.Recv(); refusalOf(err).code != codes.Unavailable {
		t.Errorf("got %v", err)
	}
}

func TestTracing(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	db := &faulty{}
	w := newFaulty(t, server.Options{Tracing: trace.NewTracerProvider(trace.WithSpanProcessor(spans))}, db)
	w.check("user:anna can_view media:logo")
	w.server.Drain(t.Context())
	ended := spans.Ended()
	if len(ended) != 1 || ended[0].Name() != "usher.v1.PermissionService/Check" {
		t.Errorf("got %v", ended)
	}
}
