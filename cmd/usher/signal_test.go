package main

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// The first signal waits for calls under way, the second does not. The call here
// waits for a revision that does not come: its token is of a database of which the
// server has an older copy.
func TestSecondSignalEndsTheServerAtOnce(t *testing.T) {
	db := filepath.Join(t.TempDir(), "usher.db")
	old := db + ".old"
	first := startProcess(t, db)
	first.end(t, syscall.SIGTERM)
	copyFile(t, db, old)
	first = startProcess(t, db)
	_, answer, stderr := usher(t.Context(), "write", "media:logo#owner@user:anna", "--addr", first.grpcAddr)
	token := regexp.MustCompile(`token (\S+)`).FindStringSubmatch(answer)
	if token == nil {
		t.Fatal(stderr)
	}
	first.end(t, syscall.SIGTERM)

	server := startProcess(t, old)
	asked := make(chan int, 1)
	go func() {
		status, _, _ := usher(t.Context(), "check", "user:anna", "owner", "media:logo", "--token", token[1], "--addr", server.grpcAddr)
		asked <- status
	}()
	server.waitForMetric(t, `grpc_server_started_total{grpc_method="Check",grpc_service="usher.v1.PermissionService",grpc_type="unary"} 1`)
	server.signal(t, syscall.SIGTERM)
	server.waitForLog(t, "msg=draining")
	server.signal(t, syscall.SIGTERM)
	exit, ok := errors.AsType[*exec.ExitError](server.command.Wait())
	if !ok || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
		t.Errorf("the server ended with %v, want the signal", exit)
	}
	if status := <-asked; status != statusError {
		t.Errorf("the call that was cut off has status %d, want %d", status, statusError)
	}
}

// process is a usher serve of its own.
type process struct {
	command            *exec.Cmd
	log                *bufio.Scanner
	grpcAddr, httpAddr string
}

func startProcess(t *testing.T, db string) *process {
	t.Helper()
	p := &process{command: exec.Command("usher", "serve", "--db", db, "--grpc-addr", "127.0.0.1:0", "--http-addr", "127.0.0.1:0")}
	stderr, err := p.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.command.Process.Kill() }) // for tests that fail
	p.log = bufio.NewScanner(stderr)
	found := regexp.MustCompile(`grpc=(\S+) http=(\S+)`).FindStringSubmatch(p.waitForLog(t, "msg=serving"))
	p.grpcAddr, p.httpAddr = found[1], found[2]
	return p
}

// waitForLog returns the next line of the log that has text.
func (p *process) waitForLog(t *testing.T, text string) string {
	t.Helper()
	for p.log.Scan() {
		if strings.Contains(p.log.Text(), text) {
			return p.log.Text()
		}
	}
	t.Fatalf("the log ends without %q", text)
	return ""
}

func (p *process) waitForMetric(t *testing.T, line string) {
	t.Helper()
	for {
		response, err := http.Get("http://" + p.httpAddr + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(body), line) {
			return
		}
	}
}

func (p *process) signal(t *testing.T, signal os.Signal) {
	t.Helper()
	if err := p.command.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

// end ends the process, which must exit with status 0.
func (p *process) end(t *testing.T, signal os.Signal) {
	t.Helper()
	p.signal(t, signal)
	if err := p.command.Wait(); err != nil {
		t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
