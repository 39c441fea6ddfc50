package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"usher": main})
}

// TestScripts runs testdata/script: the command line as people use it, against real
// servers. Beside testscript's own commands the scripts have:
//
//	serve ARGS…          start usher serve on free ports; $USHER_ADDR is its gRPC address, $HTTP_ADDR that of its metrics
//	shutdown             end the server with SIGTERM; fails unless its status is 0
//	[!] log REGEXP       what the server wrote to stderr so far
//	[!] out REGEXP       what the server wrote to stdout so far
//	status N COMMAND…    run a command that must end with exit status N
//	token NAME           set $NAME to the token in the last output
//	tuples N FILE        write a file of N tuples, of media:album
func TestScripts(t *testing.T) {
	clients := clientPath(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "", // write what cmp finds into the scripts
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Values[serverKey{}] = &scriptServer{}
			if clients != "" {
				env.Setenv("PATH", clients+string(os.PathListSeparator)+env.Getenv("PATH"))
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve":    scriptServe,
			"shutdown": scriptShutdown,
			"log":      scriptLog,
			"out":      scriptOut,
			"status":   scriptStatus,
			"token":    scriptToken,
			"tuples":   scriptTuples,
		},
	})
}

// scriptServer is the server of one script.
type scriptServer struct {
	process *exec.Cmd
	stdout  string // a file: what is in it was written before what is read from stderr
	stderr  lockedBuffer
}

type serverKey struct{}

func serverOf(ts *testscript.TestScript) *scriptServer {
	return ts.Value(serverKey{}).(*scriptServer)
}

// lockedBuffer is a buffer that a process writes while the script reads.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

var listening = regexp.MustCompile(`"?msg"?[=:]"?serving"?.*"?grpc"?[=:]"?(127[0-9.]*:[0-9]+|\[::\]:[0-9]+)"?[, ]"?http"?[=:]"?([^" ]+)`)

func scriptServe(ts *testscript.TestScript, neg bool, args []string) {
	s := serverOf(ts)
	if neg || s.process != nil {
		ts.Fatalf("usage: serve ARGS… (one server at a time)")
	}
	*s = scriptServer{}
	s.process = exec.Command("usher", append([]string{"serve", "--grpc-addr", "127.0.0.1:0", "--http-addr", "127.0.0.1:0"}, args...)...)
	s.process.Dir = ts.MkAbs(".")
	s.process.Env = scriptEnv(ts)
	s.stdout = ts.MkAbs("server.stdout")
	stdout, err := os.Create(s.stdout)
	ts.Check(err)
	defer stdout.Close()
	s.process.Stdout = stdout
	stderr, err := s.process.StderrPipe()
	ts.Check(err)
	ts.Check(s.process.Start())
	ts.Defer(func() { s.kill() })
	ready := make(chan []string)
	go func() {
		defer close(ready)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			fmt.Fprintln(&s.stderr, lines.Text())
			if found := listening.FindStringSubmatch(lines.Text()); found != nil {
				ready <- found[1:]
			}
		}
	}()
	addrs, ok := <-ready
	if !ok {
		ts.Fatalf("the server did not start:\n%s", s.stderr.String())
	}
	ts.Setenv("USHER_ADDR", addrs[0])
	ts.Setenv("HTTP_ADDR", addrs[1])
}

// scriptEnv is the part of a script's environment that the server looks at.
func scriptEnv(ts *testscript.TestScript) []string {
	env := os.Environ()
	for _, name := range []string{"USHER_CONFIG", "USHER_DB", "USHER_LOG_FORMAT", "USHER_HTTP_ADDR", "USHER_DEADLINE"} {
		env = append(env, name+"="+ts.Getenv(name))
	}
	return env
}

func (s *scriptServer) kill() {
	if s.process != nil {
		_ = s.process.Process.Kill()
		_ = s.process.Wait()
	}
}

func scriptShutdown(ts *testscript.TestScript, neg bool, args []string) {
	s := serverOf(ts)
	if neg || len(args) > 0 || s.process == nil {
		ts.Fatalf("usage: shutdown (of a server that was started)")
	}
	ts.Check(s.process.Process.Signal(syscall.SIGTERM))
	if err := s.process.Wait(); err != nil {
		ts.Fatalf("the server ended with %v:\n%s", err, s.stderr.String())
	}
	s.process = nil
}

func scriptLog(ts *testscript.TestScript, neg bool, args []string) {
	match(ts, neg, args, serverOf(ts).stderr.String())
}

func scriptOut(ts *testscript.TestScript, neg bool, args []string) {
	match(ts, neg, args, ts.ReadFile(serverOf(ts).stdout))
}

func match(ts *testscript.TestScript, neg bool, args []string, output string) {
	if len(args) != 1 {
		ts.Fatalf("usage: [!] log|out REGEXP")
	}
	if regexp.MustCompile("(?m)"+args[0]).MatchString(output) == neg {
		ts.Fatalf("unexpected output of the server:\n%s", output)
	}
}

func scriptStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N COMMAND…")
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit status %d, want %s", got, args[0])
	}
}

var tokenInOutput = regexp.MustCompile(`(?:"token":"|token |--after )([A-Za-z0-9_-]+)`)

func scriptToken(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: token NAME")
	}
	found := tokenInOutput.FindStringSubmatch(ts.ReadFile("stdout") + ts.ReadFile("stderr"))
	if found == nil {
		ts.Fatalf("the last output has no token")
	}
	ts.Setenv(args[0], found[1])
}

func scriptTuples(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: tuples N FILE")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "media:album#viewer@user:guest-%05d\n", i)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b.Bytes(), 0o600))
}
