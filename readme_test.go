package usher

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// grpcAddr is what the README calls; the test's server listens elsewhere.
const grpcAddr = "127.0.0.1:50051"

// command is a command of the README with what the README says it prints.
type command struct {
	text string
	want string // "…" stands for anything on one line
}

// elsewhere are commands that are not run here, because the test does what they do.
var elsewhere = []string{
	"make run",  // the test starts the same server on free ports
	"make test", // the test is part of it
	"bin/usher serve --db usher.db --grpc-addr 127.0.0.1:50051 --http-addr 127.0.0.1:8080",
}

func TestREADMECommandsPrintWhatItShows(t *testing.T) {
	dir := t.TempDir()
	binary := build(t, dir)
	addr := serve(t, binary, dir)
	ran := 0
	for _, c := range commandsOf(t, "README.md") {
		program, _, _ := strings.Cut(c.text, " ")
		switch {
		case slices.Contains(elsewhere, c.text), program == "grpcurl" && grpcurl == "":
			continue
		case program != "bin/usher" && program != "grpcurl":
			t.Errorf("the README's command %q is neither run here nor known to be run elsewhere", c.text)
			continue
		}
		ran++
		if got := execute(t, c.text, binary, addr); !matches(c.want, got) {
			t.Errorf("$ %s\nprints\n%sthe README says\n%s", c.text, got, c.want)
		}
	}
	if ran < 5 {
		t.Errorf("ran %d commands of the README; are its console blocks still found?", ran)
	}
}

// build makes the binary of make build.
func build(t *testing.T, dir string) string {
	t.Helper()
	binary := filepath.Join(dir, "usher")
	if output, err := exec.Command("go", "build", "-o", binary, "./cmd/usher").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return binary
}

// serve starts what make run starts, on free ports, and returns the gRPC address.
func serve(t *testing.T, binary, dir string) string {
	t.Helper()
	if makefile, err := os.ReadFile("Makefile"); err != nil || !bytes.Contains(makefile, []byte(`serve --db "$$(mktemp -d)/usher.db" --example media-library`)) {
		t.Fatalf("make run does not start what this test starts: %v", err)
	}
	server := exec.Command(binary, "serve", "--db", filepath.Join(dir, "usher.db"), "--example", "media-library",
		"--grpc-addr", "127.0.0.1:0", "--http-addr", "127.0.0.1:0", "--log-format", "json")
	stderr, err := server.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(server.Process.Signal(syscall.SIGTERM), server.Wait()); err != nil {
			t.Errorf("the server did not end well: %v", err)
		}
	})
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		var line struct{ GRPC string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.GRPC != "" {
			go func() {
				for lines.Scan() { // keep the pipe empty until the server ends
				}
			}()
			return line.GRPC
		}
	}
	t.Fatal("the server did not say where it listens")
	return ""
}

// commandsOf returns the commands in the console blocks of a Markdown file.
func commandsOf(t *testing.T, path string) []command {
	t.Helper()
	var commands []command
	for _, p := range pagesOf(t, path) {
		for _, b := range p.blocks {
			if b.kind == "console" {
				commands = append(commands, commandsIn(b.text)...)
			}
		}
	}
	return commands
}

// commandsIn returns the commands of one console block, each with the lines behind it.
func commandsIn(text string) []command {
	var commands []command
	for line := range strings.Lines(text) {
		if after, isCommand := strings.CutPrefix(line, "$ "); isCommand {
			commands = append(commands, command{text: strings.TrimSpace(after)})
		} else {
			commands[len(commands)-1].want += line
		}
	}
	return commands
}

// execute runs a command of the README against the test's server.
func execute(t *testing.T, text, binary, addr string) string {
	t.Helper()
	text = strings.ReplaceAll(text, grpcAddr, addr)
	text = strings.Replace(text, "bin/usher", binary, 1)
	if grpcurl != "" {
		text = strings.Replace(text, "grpcurl", grpcurl, 1)
	}
	shell := exec.Command("sh", "-c", text)
	shell.Env = append(os.Environ(), "USHER_ADDR="+addr)
	done := time.AfterFunc(30*time.Second, func() { _ = shell.Process.Kill() })
	defer done.Stop()
	output, err := shell.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(output)
}

// matches compares what a command prints with what the README shows.
func matches(want, got string) bool {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(want), "…", ".*")
	return regexp.MustCompile(`\A` + pattern + `\z`).MatchString(got)
}

func TestMatchesKnowsOnlyOnePlaceholder(t *testing.T) {
	for _, tc := range []struct {
		want, got string
		matches   bool
	}{
		{"allowed\n", "allowed\n", true},
		{"allowed\n", "denied\n", false},
		{"allowed\n", "allowed\nbut\n", false},
		{"token …\n", "token AbC\n", true},
		{"token …\n", "token AbC\nmore\n", false},
		{"a.c\n", "abc\n", false},
	} {
		if got := matches(tc.want, tc.got); got != tc.matches {
			t.Errorf("matches(%q, %q) = %v, want %v", tc.want, tc.got, got, tc.matches)
		}
	}
}
