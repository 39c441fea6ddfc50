package server_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server"
	"github.com/usher-authz/usher/tuples"
	"github.com/usher-authz/usher/tuples/bolt"
)

// killedFile is set in the environment of a process that serves this database until it is
// killed, see TestMain.
const killedFile = "USHER_TEST_SERVE"

// serveUntilKilled serves a database and prints where. It returns only if it cannot.
func serveUntilKilled(path string) error {
	db, err := bolt.Open(path, bolt.Options{CollectEvery: -1})
	if err != nil {
		return err
	}
	if _, err := db.CreateStore(context.Background(), server.DefaultStore); err != nil && !errors.Is(err, tuples.ErrStoreExists) {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	return server.New(db, server.Options{}).GRPC().Serve(listener)
}

// killable is a server in a process of its own.
type killable struct {
	*world
	process *exec.Cmd
}

func startKillable(t *testing.T, path string) *killable {
	t.Helper()
	process := exec.CommandContext(t.Context(), os.Args[0])
	process.Env = append(os.Environ(), killedFile+"="+path)
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatalf("the server does not start: %v", process.Wait())
	}
	conn, err := grpc.NewClient(lines.Text(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, ctx: t.Context(), conn: conn, tuples: usherv1.NewTupleServiceClient(conn), models: usherv1.NewModelServiceClient(conn)}
	return &killable{w, process}
}

// kill ends the process with SIGKILL.
func (k *killable) kill(t *testing.T) {
	t.Helper()
	if err := k.process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = k.process.Wait() // killed
	_ = k.conn.Close()
}

// importUntilKilled imports rows from a number on, kills the server behind some checkpoints,
// and returns how many rows the last of them had behind it.
func (k *killable) importUntilKilled(t *testing.T, from, rows, checkpoint, checkpoints int) (acknowledged int) {
	im := k.importInto(&usherv1.ImportHeader{CheckpointRows: int32(checkpoint)})
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for n := from; n < rows; n += 100 {
			var list []*usherv1.Tuple
			for i := n; i < min(n+100, rows); i++ {
				list = append(list, mediaRow(i))
			}
			im.rows(list...)
		}
		_ = im.stream.CloseSend()
	}()
	for acknowledged = from; checkpoints > 0; checkpoints-- {
		answer, err := im.stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if acknowledged = from + int(answer.GetRows()); acknowledged == rows {
			break
		}
	}
	k.kill(t)
	<-sent
	return acknowledged
}

// An import whose server is killed loses nothing that was acknowledged, shows no checkpoint in
// part, and has every row once when it is run to its end.
func TestImportSurvivesKills(t *testing.T) {
	const rows, checkpoint = 8_000, 250
	path := filepath.Join(t.TempDir(), "usher.db")
	k := startKillable(t, path)
	k.writeModel(library)
	k.kill(t)
	random := rand.New(rand.NewPCG(1, 2))
	acknowledged, kills := 0, 0
	for acknowledged < rows {
		k := startKillable(t, path)
		from := acknowledged
		if kills%3 == 2 {
			from = 0 // somebody who has forgotten how far it was
		}
		done := k.importUntilKilled(t, from, rows, checkpoint, 1+random.IntN(8))
		acknowledged = max(acknowledged, done)
		kills++

		db, err := bolt.Open(path, bolt.Options{CollectEvery: -1})
		if err != nil {
			t.Fatal(err)
		}
		live := mustVerify(t, &world{db: db}).Live
		if live < acknowledged || live%checkpoint != 0 {
			t.Errorf("after kill %d there are %d tuples, %d were acknowledged in checkpoints of %d", kills, live, acknowledged, checkpoint)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if acknowledged == rows && live != rows {
			t.Errorf("there are %d tuples in the end, want %d", live, rows)
		}
	}
	t.Logf("%d rows survived %d kills", rows, kills)
}
