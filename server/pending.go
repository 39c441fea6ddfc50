package server

import (
	"errors"

	"google.golang.org/grpc"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// errPending answers RPCs that the contract has and the server not yet.
var errPending = errors.New("not built yet")

// SummarizeShares implements usher.v1.PermissionService.
func (s *permissionService) SummarizeShares(*usherv1.SummarizeSharesRequest, grpc.ServerStreamingServer[usherv1.SummarizeSharesResponse]) error {
	return errPending
}

// SummarizeTree implements usher.v1.PermissionService.
func (s *permissionService) SummarizeTree(*usherv1.SummarizeTreeRequest, grpc.ServerStreamingServer[usherv1.SummarizeTreeResponse]) error {
	return errPending
}
