package main

import (
	"context"
	"net"
	"regexp"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// brokenServer is a server that goes wrong: it is silent, or breaks off a list.
type brokenServer struct {
	usherv1.UnimplementedPermissionServiceServer
	usherv1.UnimplementedTupleServiceServer
}

func (brokenServer) ListObjects(_ *usherv1.ListObjectsRequest, stream grpc.ServerStreamingServer[usherv1.ListObjectsResponse]) error {
	answer := &usherv1.ListObjectsResponse{
		Objects: []*usherv1.ListedObject{{Id: "logo", Outcome: usherv1.Outcome_OUTCOME_ALLOWED}},
		More:    true,
	}
	if err := stream.Send(answer); err != nil {
		return err
	}
	s, err := status.New(codes.Unavailable, "the server is shutting down").
		WithDetails(&errdetails.ErrorInfo{Reason: "SHUTTING_DOWN", Domain: "usher.v1"})
	if err != nil {
		return err
	}
	return s.Err()
}

func (brokenServer) Read(_ *usherv1.ReadRequest, stream grpc.ServerStreamingServer[usherv1.ReadResponse]) error {
	<-stream.Context().Done()
	return stream.Context().Err()
}

func (brokenServer) Write(ctx context.Context, _ *usherv1.WriteRequest) (*usherv1.WriteResponse, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (brokenServer) DeleteTuples(context.Context, *usherv1.DeleteTuplesRequest) (*usherv1.DeleteTuplesResponse, error) {
	return nil, status.Error(codes.Internal, "a proxy says no")
}

func startBrokenServer(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	usherv1.RegisterPermissionServiceServer(server, brokenServer{})
	usherv1.RegisterTupleServiceServer(server, brokenServer{})
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

func TestErrorsOfBrokenServers(t *testing.T) {
	addr := startBrokenServer(t)
	const short = "50ms"
	tests := map[string]struct {
		args   []string
		stdout string
		stderr string
	}{
		"a list breaks off": {
			[]string{"list-objects", "user:anna", "can_view", "media"}, `^media:logo\n$`,
			`^usher: the list above is not complete\nusher: the server is shutting down\n$`,
		},
		"no piece of a list comes": {
			[]string{"read", "--timeout", short}, `^$`,
			`^usher: nothing came from 127\S+ within 50ms; give it longer with --timeout\n$`,
		},
		"no answer comes": {
			[]string{"write", "media:logo#viewer@user:anna", "--timeout", short}, `^$`,
			`^usher: no answer from 127\S+ within 50ms; give it longer with --timeout\n$`,
		},
		"the method is unknown": {
			[]string{"check", "user:anna", "can_view", "media:logo"}, `^$`,
			`^usher: 127\S+ does not know this request: .*\n  it is no Usher server, or an older one than this program\n$`,
		},
		"the service is unknown": {
			[]string{"store", "list"}, `^$`,
			`^usher: 127\S+ does not know this request: .*StoreService`,
		},
		"a status that no Usher server makes": {
			[]string{"delete", "--object", "media:logo"}, `^$`, `^usher: a proxy says no\n$`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			status, stdout, stderr := usher(t.Context(), append(test.args, "--addr", addr)...)
			if status != statusError {
				t.Errorf("status %d, want %d", status, statusError)
			}
			if !regexp.MustCompile(test.stdout).MatchString(stdout) {
				t.Errorf("stdout is %q", stdout)
			}
			if !regexp.MustCompile(test.stderr).MatchString(stderr) {
				t.Errorf("stderr is %q", stderr)
			}
		})
	}
}

// An outcome that this program does not know must not look like an answer.
func TestStatusOfUnknownOutcome(t *testing.T) {
	for outcome, want := range map[usherv1.Outcome]int{
		usherv1.Outcome_OUTCOME_ALLOWED:     0,
		usherv1.Outcome_OUTCOME_DENIED:      1,
		usherv1.Outcome_OUTCOME_CONDITIONAL: 3,
		usherv1.Outcome_OUTCOME_UNSPECIFIED: 2,
		99:                                  2,
	} {
		if got := statusOf(outcome); got != want {
			t.Errorf("%v has status %d, want %d", outcome, got, want)
		}
	}
}

func TestHeartbeatIsWithinTheTimeoutAndTheLimits(t *testing.T) {
	for timeout, want := range map[time.Duration]time.Duration{
		30 * time.Second:       15 * time.Second,
		10 * time.Second:       5 * time.Second,
		500 * time.Millisecond: time.Second, // the server's lower limit
		time.Hour:              15 * time.Second,
	} {
		if got := heartbeat(timeout); got != want {
			t.Errorf("timeout %s has heartbeat %s, want %s", timeout, got, want)
		}
	}
}
