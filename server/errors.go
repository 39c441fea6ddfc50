package server

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/tuples"
)

// errorDomain is google.rpc.ErrorInfo.domain of every error.
const errorDomain = "usher.v1"

// reasonPrefix is what the enum's value names have in front of the reason.
const reasonPrefix = "ERROR_REASON_"

// codeOf is the code that goes with each reason, as core.proto says.
var codeOf = [...]codes.Code{
	usherv1.ErrorReason_ERROR_REASON_UNSPECIFIED:           codes.Internal,
	usherv1.ErrorReason_ERROR_REASON_INVALID_FIELD:         codes.InvalidArgument,
	usherv1.ErrorReason_ERROR_REASON_UNKNOWN_TYPE:          codes.InvalidArgument,
	usherv1.ErrorReason_ERROR_REASON_UNKNOWN_RELATION:      codes.InvalidArgument,
	usherv1.ErrorReason_ERROR_REASON_TUPLE_NOT_ALLOWED:     codes.InvalidArgument,
	usherv1.ErrorReason_ERROR_REASON_INVALID_MODEL:         codes.InvalidArgument,
	usherv1.ErrorReason_ERROR_REASON_FORGED_TOKEN:          codes.InvalidArgument,
	usherv1.ErrorReason_ERROR_REASON_FOREIGN_TOKEN:         codes.InvalidArgument,
	usherv1.ErrorReason_ERROR_REASON_CURSOR_MISMATCH:       codes.InvalidArgument,
	usherv1.ErrorReason_ERROR_REASON_TOO_MANY_ITEMS:        codes.InvalidArgument,
	usherv1.ErrorReason_ERROR_REASON_STORE_NOT_FOUND:       codes.NotFound,
	usherv1.ErrorReason_ERROR_REASON_MODEL_NOT_FOUND:       codes.NotFound,
	usherv1.ErrorReason_ERROR_REASON_STORE_EXISTS:          codes.AlreadyExists,
	usherv1.ErrorReason_ERROR_REASON_TUPLE_EXISTS:          codes.AlreadyExists,
	usherv1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED:     codes.AlreadyExists,
	usherv1.ErrorReason_ERROR_REASON_NO_MODEL:              codes.FailedPrecondition,
	usherv1.ErrorReason_ERROR_REASON_PRECONDITION_FAILED:   codes.FailedPrecondition,
	usherv1.ErrorReason_ERROR_REASON_CONDITION_FAILED:      codes.FailedPrecondition,
	usherv1.ErrorReason_ERROR_REASON_REVISION_UNAVAILABLE:  codes.OutOfRange,
	usherv1.ErrorReason_ERROR_REASON_REVISION_AHEAD:        codes.OutOfRange,
	usherv1.ErrorReason_ERROR_REASON_WORK_BUDGET_EXHAUSTED: codes.ResourceExhausted,
	usherv1.ErrorReason_ERROR_REASON_CONFLICT:              codes.Aborted,
	usherv1.ErrorReason_ERROR_REASON_OUTCOME_UNKNOWN:       codes.Unknown,
	usherv1.ErrorReason_ERROR_REASON_READ_ONLY:             codes.Unavailable,
	usherv1.ErrorReason_ERROR_REASON_DEADLINE_EXCEEDED:     codes.DeadlineExceeded,
	usherv1.ErrorReason_ERROR_REASON_CANCELLED:             codes.Canceled,
	usherv1.ErrorReason_ERROR_REASON_SHUTTING_DOWN:         codes.Unavailable,
	usherv1.ErrorReason_ERROR_REASON_INTERNAL:              codes.Internal,
	usherv1.ErrorReason_ERROR_REASON_NO_DECISION_LOG:       codes.FailedPrecondition,
	usherv1.ErrorReason_ERROR_REASON_NOT_RECORDED:          codes.Unavailable,
}

// codeNames are the names of all codes, in the order of their numbers.
func codeNames() []string {
	var names []string
	for code := codes.OK; code <= codes.Unauthenticated; code++ {
		names = append(names, code.String())
	}
	return names
}

// finish turns what a handler returned into the status that the caller gets, and counts
// and logs the end of the call.
func (s *Server) finish(ctx context.Context, m *method, began time.Time, err error) error {
	if err == nil {
		took := time.Since(began)
		m.ended(uint32(codes.OK), took)
		s.logCall(ctx, m.name, took, ending{level: slog.LevelDebug, code: codes.OK.String()})
		return nil
	}
	st, ok := status.FromError(err) // ok: of a stream that broke
	var cause error
	if ok && errors.Is(ctx.Err(), context.Canceled) {
		ok, err = false, context.Canceled // because the caller hung up
	}
	if !ok {
		f := failureOf(err)
		if f.reason == usherv1.ErrorReason_ERROR_REASON_CANCELLED && errors.Is(context.Cause(ctx), errShuttingDown) {
			f = failureOf(errShuttingDown)
		}
		st, cause = f.status(), f.cause
	}
	took := time.Since(began)
	m.ended(uint32(st.Code()), took)
	s.logCall(ctx, m.name, took, ending{
		level: levelOf(st.Code()), code: st.Code().String(), message: st.Message(), cause: cause,
	})
	return st.Err()
}

// A status travels in the trailers of HTTP/2, which clients and proxies bound to as little
// as 8 KiB. Message and details are cut so that both, with what encoding adds, stay below.
const (
	maxMessageBytes = 1 << 10
	maxDetailBytes  = 3 << 10
)

// status returns the failure as gRPC sends it: code and message, the reason as
// google.rpc.ErrorInfo, and fields at fault as google.rpc.BadRequest.
func (f *failure) status() *status.Status {
	st := status.New(codeOf[f.reason], cut(f.Error()))
	details := []protoadapt.MessageV1{&errdetails.ErrorInfo{
		Reason:   f.reason.String()[len(reasonPrefix):],
		Domain:   errorDomain,
		Metadata: f.metadata,
	}}
	if len(f.violations) > 0 {
		details = append(details, badRequest(f.violations))
	}
	if detailed, err := st.WithDetails(details...); err == nil {
		st = detailed
	}
	return st
}

// cut shortens a message, to whole lines unless that drops most of it.
func cut(message string) string {
	if len(message) <= maxMessageBytes {
		return message
	}
	shown := message[:maxMessageBytes]
	if i := strings.LastIndexByte(shown, '\n'); i > maxMessageBytes/2 {
		shown = shown[:i]
	}
	return strings.ToValidUTF8(shown, "") + "\n…"
}

// badRequest returns violations in the form of google.rpc, as many as there is room for.
func badRequest(violations []tuples.Violation) *errdetails.BadRequest {
	b, bytes := &errdetails.BadRequest{}, 0
	for _, v := range violations {
		description := strconv.Quote(tuples.Shorten(v.Value)) + ": " + v.Reason
		if v.Remedy != "" {
			description += "; " + v.Remedy
		}
		if bytes += len(v.Field) + len(description); bytes > maxDetailBytes && len(b.FieldViolations) > 0 {
			break
		}
		b.FieldViolations = append(b.FieldViolations, &errdetails.BadRequest_FieldViolation{Field: v.Field, Description: description})
	}
	return b
}

// itemError returns why one item of a request has no answer, or err itself if it
// concerns the whole request: its budget, its deadline, the disk.
func itemError(err error) (*usherv1.ItemError, error) {
	f := failureOf(err)
	switch codeOf[f.reason] {
	case codes.InvalidArgument, codes.FailedPrecondition:
		return &usherv1.ItemError{Code: int32(codeOf[f.reason]), Reason: f.reason, Message: f.Error()}, nil
	}
	return nil, err
}

// levelOf is the level at which a call that failed is logged: faults of the server are
// errors, what its operator may want to act on are warnings.
func levelOf(code codes.Code) slog.Level {
	switch code {
	case codes.Unknown, codes.Internal, codes.DataLoss:
		return slog.LevelError
	case codes.Aborted, codes.DeadlineExceeded, codes.ResourceExhausted, codes.Unavailable:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}
