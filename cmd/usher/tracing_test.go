package main

import (
	"context"
	"net"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
)

// traceCollector is an OpenTelemetry collector that passes on the names of spans.
type traceCollector struct {
	collector.UnimplementedTraceServiceServer
	spans chan string
}

func (c *traceCollector) Export(_ context.Context, request *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	for _, resource := range request.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				c.spans <- resource.GetResource().GetAttributes()[0].GetValue().GetStringValue() + " " + span.GetName()
			}
		}
	}
	return &collector.ExportTraceServiceResponse{}, nil
}

func TestServeSendsTraces(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &traceCollector{spans: make(chan string, 100)}
	server := grpc.NewServer()
	collector.RegisterTraceServiceServer(server, c)
	go server.Serve(listener)
	t.Cleanup(server.Stop)

	t.Run("one call", func(t *testing.T) {
		addr, _, _ := startServer(t, "--otlp-endpoint", listener.Addr().String())
		if status, _, stderr := usher(t.Context(), "check", "user:anna", "can_view", "media:logo", "--addr", addr); status != statusDenied {
			t.Fatal(stderr)
		}
	}) // the server's end sends the spans that are left
	if got, want := <-c.spans, "usher usher.v1.PermissionService/Check"; got != want {
		t.Errorf("span %q, want %q", got, want)
	}
}
