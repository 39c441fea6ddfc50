package drive

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// Target is a store of the server that is measured. All callers share its one connection.
type Target struct {
	connection *grpc.ClientConn
	store      string // name; "" for the default one
	metrics    string // URL; "" if what the server uses is not known
	database   string // file; "" if it is not known
	process    *exec.Cmd
	started    time.Time // if it is a process of ours
}

// Over returns a store of a server that runs already. metrics is the URL of the server's
// metrics, such as "http://127.0.0.1:8080/metrics"; without it the CPU time of operations
// stays 0, and [Target.Memory] fails.
func Over(connection *grpc.ClientConn, store, metrics string) *Target {
	return &Target{connection: connection, store: store, metrics: metrics}
}

// dial returns the default store of the server at an address, HOST:PORT.
func dial(addr, metrics string) (*Target, error) {
	connection, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	return Over(connection, "", metrics), nil
}

// Started is when the server's process was started; the zero time if that was not done by
// [Start].
func (t *Target) Started() time.Time { return t.started }

// Close ends the connection, and the server if [Start] started it.
func (t *Target) Close() error {
	err := t.connection.Close()
	if t.process == nil {
		return err
	}
	return errors.Join(err, t.process.Process.Signal(syscall.SIGTERM), t.process.Wait())
}

// FileBytes is the size of the database file, 0 if the file is not known.
func (t *Target) FileBytes() (int64, error) {
	if t.database == "" {
		return 0, nil
	}
	info, err := os.Stat(t.database)
	if err != nil {
		return 0, fmt.Errorf("size of the database: %w", err)
	}
	return info.Size(), nil
}
