package drive

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// Target is the server that is measured. All callers share its one connection.
type Target struct {
	connection *grpc.ClientConn
	metrics    string // URL
	database   string // file; "" if it is not known
	process    *exec.Cmd
}

// Dial returns a server that runs already. addr is HOST:PORT of its gRPC service, metrics
// the URL of its metrics, such as "http://127.0.0.1:8080/metrics".
func Dial(addr, metrics string) (*Target, error) {
	connection, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	return &Target{connection: connection, metrics: metrics}, nil
}

// Start runs usher serve, with the settings that it has by default, on free ports and a
// database file, and waits until it listens. It ends with ctx, or by [Target.Close].
func Start(ctx context.Context, binary, database string) (*Target, error) {
	command := exec.CommandContext(ctx, binary, "serve", "--db", database,
		"--grpc-addr", "127.0.0.1:0", "--http-addr", "127.0.0.1:0", "--log-format", "json")
	stderr, err := command.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start the server: %w; make build makes the binary", err)
	}
	grpcAddr, httpAddr, err := listening(stderr)
	if err != nil {
		return nil, fmt.Errorf("%s serve did not start: %w", binary, errors.Join(err, command.Wait()))
	}
	go func() { _, _ = io.Copy(io.Discard, stderr) }() // an unread log would block the server
	t, err := Dial(grpcAddr, "http://"+httpAddr+"/metrics")
	if err != nil {
		return nil, errors.Join(err, command.Process.Kill(), command.Wait())
	}
	t.process, t.database = command, database
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

// Close ends the connection, and the server if [Start] started it.
func (t *Target) Close() error {
	err := t.connection.Close()
	if t.process == nil {
		return err
	}
	return errors.Join(err, t.process.Process.Signal(syscall.SIGTERM), t.process.Wait())
}

// fileSize is the size of the database file in bytes, 0 if the file is not known.
func (t *Target) fileSize() (int64, error) {
	if t.database == "" {
		return 0, nil
	}
	info, err := os.Stat(t.database)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
