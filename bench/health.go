package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/usher-authz/usher/bench/drive"
	"github.com/usher-authz/usher/server"
)

// healthCommand runs the bare server: the program calls itself by it.
const healthCommand = "health-server"

// serveHealth serves nothing but health, with Usher's options of gRPC and without any of its
// interceptors, until ctx ends.
func serveHealth(ctx context.Context) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	g := grpc.NewServer(server.WireOptions()...)
	healthv1.RegisterHealthServer(g, health.NewServer())
	defer context.AfterFunc(ctx, g.GracefulStop)()
	fmt.Fprintf(os.Stderr, "{\"grpc\": %q}\n", listener.Addr())
	return g.Serve(listener)
}

// startBare runs the bare server as a process of its own.
func startBare(ctx context.Context) (*drive.Target, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	t, err := drive.Run(exec.CommandContext(ctx, self, healthCommand))
	if err != nil {
		return nil, fmt.Errorf("bare health server: %w", err)
	}
	return t, nil
}
