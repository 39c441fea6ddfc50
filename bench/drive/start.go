package drive

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"
)

// Start runs usher serve, with the settings that it has by default but for more, on free
// ports and a database file, and waits until it listens. It ends with ctx, or by
// [Target.Close].
func Start(ctx context.Context, binary, database string, more ...string) (*Target, error) {
	arguments := []string{
		"serve", "--db", database,
		"--grpc-addr", "127.0.0.1:0", "--http-addr", "127.0.0.1:0", "--log-format", "json",
	}
	t, err := Run(exec.CommandContext(ctx, binary, append(arguments, more...)...))
	if err != nil {
		return nil, fmt.Errorf("%s serve: %w; make build makes the binary", binary, err)
	}
	t.database = database
	return t, nil
}

// Run runs a command that serves gRPC, and says where in a line of JSON on its stderr:
// {"grpc": "127.0.0.1:50051", "http": "127.0.0.1:8080"}, the latter if it has metrics.
func Run(command *exec.Cmd) (*Target, error) {
	stderr, err := command.StderrPipe()
	if err != nil {
		return nil, err
	}
	started := time.Now()
	if err := command.Start(); err != nil {
		return nil, err
	}
	grpcAddr, httpAddr, err := listening(stderr)
	if err != nil {
		return nil, fmt.Errorf("the server did not start: %w", errors.Join(err, command.Wait()))
	}
	go func() { _, _ = io.Copy(io.Discard, stderr) }() // an unread log would block the server
	metrics := ""
	if httpAddr != "" {
		metrics = "http://" + httpAddr + "/metrics"
	}
	t, err := dial(grpcAddr, metrics)
	if err != nil {
		return nil, errors.Join(err, command.Process.Kill(), command.Wait())
	}
	t.process, t.started = command, started
	return t, nil
}

// listening reads a server's log until it says where it listens.
func listening(log io.Reader) (grpcAddr, httpAddr string, err error) {
	var seen bytes.Buffer
	lines := bufio.NewScanner(io.TeeReader(log, &seen))
	for lines.Scan() {
		var line struct{ GRPC, HTTP string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.GRPC != "" {
			return line.GRPC, line.HTTP, nil
		}
	}
	return "", "", fmt.Errorf("its log ends with\n%s%w", seen.String(), lines.Err())
}
