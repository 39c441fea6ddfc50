package server

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	middleware "github.com/grpc-ecosystem/go-grpc-middleware/v2"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"
	"google.golang.org/grpc"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// unaryInterceptors are those of unary calls, the outermost first: metrics and log see
// the status that the caller gets, and a panic is an error like any other.
func (s *Server) unaryInterceptors() []grpc.UnaryServerInterceptor {
	return []grpc.UnaryServerInterceptor{
		s.observeUnary,
		recovery.UnaryServerInterceptor(recovery.WithRecoveryHandlerContext(recovered)),
	}
}

// streamInterceptors are the same for streams.
func (s *Server) streamInterceptors() []grpc.StreamServerInterceptor {
	return []grpc.StreamServerInterceptor{
		s.observeStream,
		recovery.StreamServerInterceptor(recovery.WithRecoveryHandlerContext(recovered)),
	}
}

// observeUnary counts a call, gives it a deadline unless it may be large, its error a
// status, and the log its line.
func (s *Server) observeUnary(ctx context.Context, r any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	began, m := time.Now(), s.methods[info.FullMethod]
	m.started.Inc()
	m.received.Inc()
	if _, ok := ctx.Deadline(); !ok && !m.unbounded {
		limited := &deadlineContext{Context: ctx, began: began, allowed: s.options.Deadline}
		defer limited.end()
		ctx = limited
	}
	response, err := handler(ctx, r)
	if err == nil {
		m.sent.Inc()
	}
	return response, s.finish(ctx, m, began, err)
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

// observeStream does the same for a stream, which has no deadline but the caller's. A
// stream that nothing else would end it ends with the server.
func (s *Server) observeStream(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	began, m, ctx := time.Now(), s.methods[info.FullMethod], stream.Context()
	m.started.Inc()
	if m.endless {
		var cancel context.CancelCauseFunc
		ctx, cancel = context.WithCancelCause(ctx)
		defer cancel(nil)
		defer context.AfterFunc(s.draining, func() { cancel(errShuttingDown) })()
		stream = &middleware.WrappedServerStream{ServerStream: stream, WrappedContext: ctx}
	}
	return s.finish(ctx, m, began, handler(service, &countedStream{ServerStream: stream, method: m}))
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
		usherv1.TupleService_Export_FullMethodName,
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
