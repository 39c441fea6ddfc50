package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// traceTime bounds how long the end of the service waits for the collector.
const traceTime = 2 * time.Second

// newTracing returns a provider whose spans go to a collector over OTLP/gRPC, without
// TLS. A collector that is away costs spans, and warnings in the log.
func newTracing(ctx context.Context, log *slog.Logger, endpoint string) (*sdktrace.TracerProvider, error) {
	exporter, err := otlptracegrpc.New(ctx, otlptracegrpc.WithEndpoint(endpoint), otlptracegrpc.WithInsecure())
	if err != nil {
		return nil, fmt.Errorf("otlp-endpoint %q: %w; write HOST:PORT", endpoint, err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("traces are lost", "error", err) }))
	return sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", "usher"))),
	), nil
}

// endTracing sends the spans that are left, for a bounded time.
func endTracing(log *slog.Logger, provider *sdktrace.TracerProvider) {
	ctx, cancel := context.WithTimeout(context.Background(), traceTime)
	defer cancel()
	if err := provider.Shutdown(ctx); err != nil {
		log.Warn("the last traces were not sent", "error", err)
	}
}
