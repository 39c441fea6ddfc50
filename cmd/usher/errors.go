package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// callError is a failure of a client command, with what its message needs.
type callError struct {
	err     error
	addr    string
	timeout time.Duration
}

func (e *callError) Error() string { return e.err.Error() }
func (e *callError) Unwrap() error { return e.err }

// placedError is a failure of a request that was made of what the user wrote. inPlace
// makes its message speak of that, instead of fields of the request.
type placedError struct {
	err     error
	inPlace func(message string) string
}

func (e *placedError) Error() string { return e.err.Error() }
func (e *placedError) Unwrap() error { return e.err }

// describe returns what went wrong and what to do next, in one or few lines.
func describe(err error) string {
	call, ok := errors.AsType[*callError](err)
	if !ok {
		return err.Error()
	}
	s, ok := statusOfError(err)
	if !ok {
		return call.describeLocal()
	}
	reason := reasonOf(s)
	if reason == "" {
		return call.describeTransport(s)
	}
	text := s.Message()
	if placed, ok := errors.AsType[*placedError](err); ok {
		text = placed.inPlace(text)
	}
	text = inFlags(text)
	if hint := hints[reason]; hint != "" {
		text += "\n  " + hint
	}
	return text
}

// statusOfError returns the status that a call ended with; false if the failure is on
// this side of the connection.
func statusOfError(err error) (*status.Status, bool) {
	wrapped, ok := errors.AsType[interface {
		error
		GRPCStatus() *status.Status
	}](err)
	if !ok {
		return nil, false
	}
	return wrapped.GRPCStatus(), true
}

// reasonOf returns why an Usher server refused a request, "" if no such server did.
func reasonOf(s *status.Status) string {
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}
	return ""
}

// listItem finds a path such as "updates[3].tuple" in a message.
var listItem = regexp.MustCompile(`\b([a-z_]+)\[(\d+)\](?:\.(?:tuple|must_be_allowed|must_match|must_not_match)\b)?`)

// inLists returns a function for [placedError]. place returns where or how the user
// wrote an item of one of the request's lists, "" if it does not know.
func inLists(place func(list string, index int) string) func(message string) string {
	return func(message string) string {
		return listItem.ReplaceAllStringFunc(message, func(path string) string {
			parts := listItem.FindStringSubmatch(path)
			index, err := strconv.Atoi(parts[2])
			if err != nil {
				return path
			}
			return cmp.Or(place(parts[1], index), path)
		})
	}
}

// describeLocal describes a failure on this side of the connection.
func (e *callError) describeLocal() string {
	switch {
	case errors.Is(e.err, errSilent):
		return fmt.Sprintf("nothing came from %s within %s; give it longer with --timeout", e.addr, e.timeout)
	case errors.Is(e.err, context.Canceled):
		return "interrupted"
	}
	return e.err.Error()
}

// describeTransport describes a status that no Usher server made.
func (e *callError) describeTransport(s *status.Status) string {
	switch s.Code() {
	case codes.Unavailable:
		return fmt.Sprintf("cannot reach %s: %s\n  is usher serve running there? --addr or USHER_ADDR names another server", e.addr, reachText(s.Message()))
	case codes.DeadlineExceeded:
		return fmt.Sprintf("no answer from %s within %s; give it longer with --timeout", e.addr, e.timeout)
	case codes.Canceled:
		return "interrupted"
	case codes.Unimplemented:
		return fmt.Sprintf("%s does not know this request: %s\n  it is no Usher server, or an older one than this program", e.addr, s.Message())
	}
	return s.Message()
}

// reachText returns what the network said, without gRPC's words around it.
func reachText(message string) string {
	if _, reason, ok := strings.Cut(message, "Error while dialing: "); ok {
		return strings.TrimSuffix(reason, `"`)
	}
	return message
}

// hints tell what to do about refusals of the server, by their reason, where this
// command line has a better answer than the message.
var hints = map[string]string{
	"STORE_NOT_FOUND":       "usher store list prints the stores there are; --store or USHER_STORE chooses one",
	"MODEL_NOT_FOUND":       "usher model list prints the versions there are",
	"NO_MODEL":              "usher model write FILE puts one in force; usher model list tells since when there is one",
	"REQUEST_ID_REUSED":     "choose another --request-id",
	"WORK_BUDGET_EXHAUSTED": "the server's budget is --work-budget of usher serve",
	"DEADLINE_EXCEEDED":     "--timeout allows more time",
	"NO_DECISION_LOG":       "--decision-log of usher serve names one",
}

// interrupted reports whether a failure is the user's own doing.
func interrupted(ctx context.Context) bool { return errors.Is(ctx.Err(), context.Canceled) }
