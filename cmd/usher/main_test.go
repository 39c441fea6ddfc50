package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/usher-authz/usher/examples"
	"github.com/usher-authz/usher/tuples/bolt"
)

// usher runs one command line in this process and returns what it printed.
func usher(ctx context.Context, args ...string) (status int, stdout, stderr string) {
	var out, errors bytes.Buffer
	status = run(ctx, args, strings.NewReader(""), &out, &errors)
	return status, out.String(), errors.String()
}

// startServer runs usher serve in this process until the test ends, and returns the
// addresses that it listens on and what it printed.
func startServer(t *testing.T, args ...string) (grpcAddr, httpAddr, stdout string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	log, stderr := io.Pipe()
	var out bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		args := append([]string{"serve", "--db", filepath.Join(t.TempDir(), "usher.db"), "--grpc-addr", "127.0.0.1:0", "--http-addr", "127.0.0.1:0"}, args...)
		ended <- run(ctx, args, strings.NewReader(""), &out, stderr)
		stderr.Close()
	}()
	t.Cleanup(func() {
		stop()
		if status := <-ended; status != statusOK {
			t.Errorf("the server ended with status %d", status)
		}
	})
	serving := regexp.MustCompile(`msg=serving grpc=(\S+) http=(\S+)`)
	for lines := bufio.NewScanner(log); lines.Scan(); {
		if found := serving.FindStringSubmatch(lines.Text()); found != nil {
			go io.Copy(io.Discard, log)
			return found[1], found[2], out.String()
		}
		t.Log(lines.Text())
	}
	t.Fatal("the server did not start")
	return "", "", ""
}

func TestServeHTTP(t *testing.T) {
	grpcAddr, httpAddr, _ := startServer(t)
	if status, _, stderr := usher(t.Context(), "store", "list", "--addr", grpcAddr); status != statusOK {
		t.Fatal(stderr)
	}
	for path, want := range map[string]string{
		"/healthz": "alive",
		"/readyz":  "ready",
		"/metrics": `grpc_server_handled_total{grpc_code="OK",grpc_method="ListStores",grpc_service="usher.v1.StoreService",grpc_type="unary"} 1`,
	} {
		response, err := http.Get("http://" + httpAddr + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("%s: %s, %v, want %q in it", path, response.Status, err, want)
		}
		if path == "/metrics" && !strings.Contains(string(body), "go_goroutines ") {
			t.Error("/metrics has nothing of the process")
		}
	}
}

// The commands that --example prints work as they are printed.
func TestExampleCommands(t *testing.T) {
	for _, example := range examples.All() {
		t.Run(example.Name, func(t *testing.T) {
			_, _, stdout := startServer(t, "--example", example.Name)
			lines := strings.Split(strings.TrimSpace(stdout), "\n")[1:]
			if len(lines) != 3 {
				t.Fatalf("%d commands to try, want 3:\n%s", len(lines), stdout)
			}
			for _, line := range lines {
				status, answer, stderr := usher(t.Context(), strings.Fields(line)[1:]...)
				if status == statusError || stderr != "" || strings.Count(answer, "\n") < 3 {
					t.Errorf("%s: status %d\n%s%s", line, status, answer, stderr)
				}
			}
		})
	}
}

// A first start that was cut off between the store and its model is made good.
func TestBootstrapGoesOnWhereItWasCutOff(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cut.db")
	db, err := bolt.Open(file, bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.CreateStore(t.Context(), "default"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	addr, _, _ := startServer(t, "--db", file, "--example", "media-library")
	if status, _, stderr := usher(t.Context(), "check", "user:kofi", "can_edit", "media:brand-guide", "--addr", addr); status != statusOK {
		t.Errorf("status %d\n%s", status, stderr)
	}
}

func TestTryTextNamesAnotherAddress(t *testing.T) {
	if text := tryText("media-library", defaultAddr); strings.Contains(text, "--addr") {
		t.Errorf("commands name the default address:\n%s", text)
	}
	if text := tryText("media-library", "127.0.0.1:7"); strings.Count(text, " --addr 127.0.0.1:7\n") != 3 {
		t.Errorf("commands do not name the address:\n%s", text)
	}
}

// A signal that comes while the service starts ends it like one that comes later, whether the
// database is new or not.
func TestServeEndsWhenInterruptedAtTheStart(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	db := filepath.Join(t.TempDir(), "usher.db")
	for _, database := range []string{"new", "there"} {
		status, stdout, stderr := usher(ctx, "serve", "--db", db, "--grpc-addr", "127.0.0.1:0", "--http-addr", "127.0.0.1:0")
		if status != statusOK || stdout != "" || stderr != "" {
			t.Errorf("%s: status %d\n%s%s", database, status, stdout, stderr)
		}
	}
}

// An interrupt ends a watch with status 0 and with the token to go on from.
func TestWatchEndsWhenInterrupted(t *testing.T) {
	addr, _, _ := startServer(t)
	_, answer, _ := usher(t.Context(), "store", "get", "default", "--addr", addr, "-o", "json")
	token := regexp.MustCompile(`"token":"([^"]+)"`).FindStringSubmatch(answer)[1]
	if status, _, stderr := usher(t.Context(), "write", "media:logo#owner@user:anna", "--addr", addr); status != statusOK {
		t.Fatal(stderr)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	output, stdout := io.Pipe()
	var stderr bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"watch", "--after", token, "--addr", addr}, nil, stdout, &stderr)
	}()
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil || !strings.Contains(line, "media:logo#owner@user:anna") {
		t.Fatalf("watch printed %q, %v", line, err)
	}
	interrupt()
	if status := <-ended; status != statusOK {
		t.Errorf("status %d\n%s", status, stderr.String())
	}
	if !regexp.MustCompile(`^to go on: usher watch --after \S+\n$`).MatchString(stderr.String()) {
		t.Errorf("the end prints %q", stderr.String())
	}
}
