package server

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	grpcprom "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"

	"github.com/usher-authz/usher/tuples/bolt"
)

// moody is a health service that does what the name of the service in question says.
type moody struct{ *health.Server }

func (m moody) Check(ctx context.Context, r *healthv1.HealthCheckRequest) (*healthv1.HealthCheckResponse, error) {
	switch r.GetService() {
	case "panics":
		panic("a bug")
	case "fails":
		return nil, errors.New("a fault")
	}
	return m.Server.Check(ctx, r)
}

// What is counted has the names, labels and values of go-grpc-middleware's metrics, which
// listen in on the same calls: of those that succeed, fail and panic, of streams, and of what
// nobody has called yet.
func TestMetricsAreThoseOfTheMiddleware(t *testing.T) {
	ours, theirs := prometheus.NewRegistry(), prometheus.NewRegistry()
	stock := grpcprom.NewServerMetrics(grpcprom.WithServerHandlingTimeHistogram(grpcprom.WithHistogramBuckets(latencyBuckets)))
	theirs.MustRegister(stock)
	conn, stop := listenedIn(t, ours, stock)

	client := healthv1.NewHealthClient(conn)
	for _, service := range []string{"", "", "unknown", "fails", "panics"} {
		_, _ = client.Check(t.Context(), &healthv1.HealthCheckRequest{Service: service})
	}
	watchOnce(t, client)
	reflectTwice(t, conn)
	stop() // waits for the end of what was hung up

	got, want := exposed(t, ours), exposed(t, theirs)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, line := range []string{
		`grpc_server_started_total{grpc_method="Check",grpc_service="grpc.health.v1.Health",grpc_type="unary"} 5`,
		`grpc_server_msg_sent_total{grpc_method="Check",grpc_service="grpc.health.v1.Health",grpc_type="unary"} 2`,
		`grpc_server_handled_total{grpc_code="Internal",grpc_method="Check",grpc_service="grpc.health.v1.Health",grpc_type="unary"} 2`,
		`grpc_server_handled_total{grpc_code="Canceled",grpc_method="Watch",grpc_service="grpc.health.v1.Health",grpc_type="server_stream"} 1`,
		`grpc_server_msg_received_total{grpc_method="ServerReflectionInfo",grpc_service="grpc.reflection.v1.ServerReflection",grpc_type="bidi_stream"} 2`,
		`grpc_server_handling_seconds_count{grpc_method="Check",grpc_service="grpc.health.v1.Health",grpc_type="unary"} 5`,
		`grpc_server_handled_total{grpc_code="OK",grpc_method="Import",grpc_service="usher.v1.TupleService",grpc_type="bidi_stream"} 0`,
	} {
		if !slices.Contains(got, line) {
			t.Errorf("no line %s", line)
		}
	}
}

// listenedIn runs two services behind the interceptors of a server, and those behind stock
// ones, until stop is called.
func listenedIn(t *testing.T, registry *prometheus.Registry, stock *grpcprom.ServerMetrics) (conn *grpc.ClientConn, stop func()) {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "usher.db"), bolt.Options{NoSync: true, CollectEvery: -1})
	if err != nil {
		t.Fatal(err)
	}
	s := New(db, Options{Registry: registry})
	g := grpc.NewServer(
		grpc.ChainUnaryInterceptor(append([]grpc.UnaryServerInterceptor{stock.UnaryServerInterceptor()}, s.unaryInterceptors()...)...),
		grpc.ChainStreamInterceptor(append([]grpc.StreamServerInterceptor{stock.StreamServerInterceptor()}, s.streamInterceptors()...)...),
		grpc.WaitForHandlers(true),
	)
	healthv1.RegisterHealthServer(g, moody{s.health})
	reflection.Register(g)
	stock.InitializeMetrics(s.grpc)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- g.Serve(listener) }()
	conn, err = grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	return conn, func() {
		_ = conn.Close()
		g.Stop()
		s.Drain(t.Context())
		if err := errors.Join(<-served, db.Close()); err != nil {
			t.Error(err)
		}
	}
}

// watchOnce watches the health until the first message, and hangs up.
func watchOnce(t *testing.T, client healthv1.HealthClient) {
	t.Helper()
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	stream, err := client.Watch(ctx, &healthv1.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
}

// reflectTwice asks twice in one stream, and closes it.
func reflectTwice(t *testing.T, conn *grpc.ClientConn) {
	t.Helper()
	stream, err := reflectionv1.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	list := &reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}
	for range 2 {
		if err := stream.Send(list); err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
}

// exposed has the lines of Prometheus' text format about calls, but for what they took: of
// histograms the bounds and the number of observations.
func exposed(t *testing.T, registry *prometheus.Registry) (lines []string) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if !strings.HasPrefix(family.GetName(), "grpc_server_") {
			continue
		}
		var text strings.Builder
		if _, err := expfmt.MetricFamilyToText(&text, family); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(text.String()) {
			name, _, _ := strings.Cut(line, "{")
			switch {
			case strings.HasPrefix(line, "# HELP"), strings.HasSuffix(name, "_sum"):
				continue
			case strings.HasSuffix(name, "_bucket"):
				line, _, _ = strings.Cut(line, "} ")
			}
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	return lines
}
