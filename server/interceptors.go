package server

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	grpcprom "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	middleware "github.com/grpc-ecosystem/go-grpc-middleware/v2"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// unaryInterceptors are those of unary calls, the outermost first: metrics and log see
// the status that the caller gets, and a panic is an error like any other.
func (s *Server) unaryInterceptors(metrics *grpcprom.ServerMetrics) []grpc.UnaryServerInterceptor {
	return []grpc.UnaryServerInterceptor{
		metrics.UnaryServerInterceptor(),
		s.finishUnary,
		recovery.UnaryServerInterceptor(recovery.WithRecoveryHandlerContext(recovered)),
	}
}

// streamInterceptors are the same for streams.
func (s *Server) streamInterceptors(metrics *grpcprom.ServerMetrics) []grpc.StreamServerInterceptor {
	return []grpc.StreamServerInterceptor{
		metrics.StreamServerInterceptor(),
		s.finishStream,
		recovery.StreamServerInterceptor(recovery.WithRecoveryHandlerContext(recovered)),
	}
}

// finishUnary gives a call a deadline unless it may be large, its error a status, and the
// log its line.
func (s *Server) finishUnary(ctx context.Context, r any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	began := time.Now()
	if _, ok := ctx.Deadline(); !ok && !unbounded(info.FullMethod) {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.options.Deadline)
		defer cancel()
	}
	response, err := handler(ctx, r)
	return response, s.finish(ctx, info.FullMethod, began, err)
}

// unbounded reports whether a unary call may take minutes: it writes as many tuples as
// there are, while others read and write as usual.
func unbounded(method string) bool {
	switch method {
	case usherv1.TupleService_SetShares_FullMethodName,
		usherv1.TupleService_DeleteObject_FullMethodName,
		usherv1.TupleService_UndoDelete_FullMethodName:
		return true
	}
	return false
}

// finishStream does the same for a stream, which has no deadline but the caller's. A
// stream that nothing else would end it ends with the server.
func (s *Server) finishStream(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	began, ctx := time.Now(), stream.Context()
	if endless(info.FullMethod) {
		var cancel context.CancelCauseFunc
		ctx, cancel = context.WithCancelCause(ctx)
		defer cancel(nil)
		defer context.AfterFunc(s.draining, func() { cancel(errShuttingDown) })()
		stream = &middleware.WrappedServerStream{ServerStream: stream, WrappedContext: ctx}
	}
	return s.finish(ctx, info.FullMethod, began, handler(service, stream))
}

// endless reports whether a stream goes on until the client ends it, as a Watch does
// and the watch of the health service. Lists may finish while the server drains.
func endless(method string) bool {
	switch method {
	case usherv1.PermissionService_ListObjects_FullMethodName,
		usherv1.PermissionService_ListSubjects_FullMethodName,
		usherv1.PermissionService_SummarizeShares_FullMethodName,
		usherv1.PermissionService_SummarizeTree_FullMethodName,
		usherv1.TupleService_Read_FullMethodName,
		usherv1.DecisionService_ListDecisions_FullMethodName:
		return false
	}
	return true
}

// panicError is a panic of a handler.
type panicError struct {
	value any
	stack []byte
}

// Error returns the value of the panic.
func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

func recovered(_ context.Context, value any) error {
	return &panicError{value: value, stack: debug.Stack()}
}

// latencyBuckets are in seconds: from what a warm Check takes to the default deadline.
var latencyBuckets = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

func newMetrics(registry *prometheus.Registry) *grpcprom.ServerMetrics {
	metrics := grpcprom.NewServerMetrics(
		grpcprom.WithServerHandlingTimeHistogram(grpcprom.WithHistogramBuckets(latencyBuckets)),
	)
	registry.MustRegister(metrics)
	return metrics
}
