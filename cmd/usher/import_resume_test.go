package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A connection that breaks again and again costs an import nothing: it goes on behind the
// last checkpoint, rejected rows are told once, and no row is lost or counted twice.
func TestImportSurvivesBrokenConnections(t *testing.T) {
	addr, _, _ := startServer(t)
	writeModel(t, addr)
	middle := startProxy(t, addr)
	const every = 150 << 10 // some 3,000 rows
	left := 4
	var again func()
	again = func() {
		if left--; left > 0 {
			middle.cutAfter(every, again)
		}
	}
	middle.cutAfter(every, again)

	rows := importLines(20_000)
	for i := 500; i < len(rows); i += 2_000 {
		rows[i] = `{"object":{"type":"film","id":"x"}}`
	}
	file := filepath.Join(t.TempDir(), "rows.jsonl")
	writeFile(t, file, strings.Join(rows, "\n"))
	status, stdout, stderr := usher(t.Context(), "import", file, "--checkpoint", "1000", "--addr", middle.addr, "-o", "json")
	report := parseReport(t, stdout)
	if status != statusRejected || report.Rows != 20_000 || report.Created+report.Unchanged != 19_990 || report.Rejected != 10 {
		t.Errorf("status %d: %s%s", status, stdout, stderr)
	}
	if left > 0 || !strings.Contains(stderr, "the connection broke (") {
		t.Errorf("%d cuts were not made\n%s", left, stderr)
	}
	rejects, err := os.ReadFile(file + ".rejects")
	if err != nil || strings.Count(string(rejects), "\n") != 10 {
		t.Errorf("rejected rows: %v\n%s", err, rejects)
	}
	if n := strings.Count(exported(t, addr), "\n"); n != 19_990 {
		t.Errorf("%d tuples are stored, want 19990", n)
	}
}

// A server that is killed in the middle of an import and started again gets the rest.
func TestImportSurvivesTheServer(t *testing.T) {
	db := filepath.Join(t.TempDir(), "usher.db")
	first := startProcess(t, db)
	writeModel(t, first.grpcAddr)
	middle := startProxy(t, first.grpcAddr)
	second := make(chan *process, 1)
	middle.cutAfter(300<<10, func() {
		first.signal(t, syscall.SIGKILL)
		_ = first.command.Wait() // it was killed
		server := startProcess(t, db)
		second <- server
		middle.moveTo(server.grpcAddr)
	})
	rows := importLines(20_000)
	file := filepath.Join(t.TempDir(), "rows.jsonl")
	writeFile(t, file, strings.Join(rows, "\n"))
	status, stdout, stderr := usher(t.Context(), "import", file, "--checkpoint", "1000", "--addr", middle.addr, "-o", "json")
	if report := parseReport(t, stdout); status != statusOK || report.Created+report.Unchanged != 20_000 {
		t.Errorf("status %d: %s%s", status, stdout, stderr)
	}
	if len(second) == 0 {
		t.Fatal("the server was not killed")
	}
	server := <-second
	if got := exported(t, server.grpcAddr); got != strings.Join(rows, "\n")+"\n" {
		t.Errorf("%d tuples are stored, want those of the 20000 rows", strings.Count(got, "\n"))
	}
	server.end(t, syscall.SIGTERM)
}

// Nobody waits for a server that was never there, or comes back too late.
func TestImportGivesUp(t *testing.T) {
	addr, _, _ := startServer(t)
	writeModel(t, addr)
	middle := startProxy(t, addr)
	middle.cutAfter(200<<10, func() { middle.moveTo("127.0.0.1:1") })
	file := filepath.Join(t.TempDir(), "rows.jsonl")
	writeFile(t, file, strings.Join(importLines(20_000), "\n"))
	status, _, stderr := usher(t.Context(), "import", file, "--checkpoint", "1000", "--addr", middle.addr, "--retry-for", "300ms")
	if status != statusError || !strings.Contains(stderr, "the connection broke (") || !strings.Contains(stderr, "usher: cannot reach "+middle.addr) {
		t.Errorf("status %d\n%s", status, stderr)
	}
	status, _, stderr = usher(t.Context(), "import", file, "--addr", "127.0.0.1:1")
	if status != statusError || !strings.HasPrefix(stderr, "usher: cannot reach 127.0.0.1:1") {
		t.Errorf("status %d\n%s", status, stderr)
	}
}

// An export goes on where its connection broke, at its revision.
func TestExportSurvivesBrokenConnections(t *testing.T) {
	addr, _, _ := startServer(t)
	writeModel(t, addr)
	rows := strings.Join(importLines(20_000), "\n") + "\n"
	file := filepath.Join(t.TempDir(), "rows.jsonl")
	writeFile(t, file, rows)
	if status, _, stderr := usher(t.Context(), "import", file, "--addr", addr); status != statusOK {
		t.Fatal(stderr)
	}
	middle := startProxy(t, addr)
	middle.cutAfter(200<<10, func() {
		if status, _, stderr := usher(t.Context(), "delete", "--object", "media:m019999", "--addr", addr); status != statusOK {
			t.Error(stderr)
		}
	})
	target := filepath.Join(t.TempDir(), "exported.jsonl")
	status, _, stderr := usher(t.Context(), "export", target, "--addr", middle.addr)
	if status != statusOK || !strings.Contains(stderr, "the connection broke (") {
		t.Errorf("status %d\n%s", status, stderr)
	}
	if got, err := os.ReadFile(target); err != nil || string(got) != rows {
		t.Errorf("%d tuples are exported, %v, want those of the 20000 rows", strings.Count(string(got), "\n"), err)
	}
	if _, err := os.Stat(target + ".part"); err == nil {
		t.Error("the unfinished file is still there")
	}
}
