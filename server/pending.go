package server

import (
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// Import is being built.
func (s *tupleService) Import(grpc.BidiStreamingServer[usherv1.ImportRequest, usherv1.ImportResponse]) error {
	return status.Error(codes.Unimplemented, "pending")
}

// Export is being built.
func (s *tupleService) Export(*usherv1.ExportRequest, grpc.ServerStreamingServer[usherv1.ExportResponse]) error {
	return status.Error(codes.Unimplemented, "pending")
}
