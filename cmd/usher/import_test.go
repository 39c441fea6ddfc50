package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// importModel permits what the rows of these tests say.
const importModel = "model\n  schema 1.1\ntype user\ntype media\n  relations\n    define viewer: [user]\n"

// importRow writes one row of JSON lines.
func importLine(i int) string {
	return fmt.Sprintf(`{"object":{"type":"media","id":"m%06d"},"relation":"viewer","subject":{"type":"user","id":"u%03d"}}`, i, i%997)
}

func importLines(n int) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = importLine(i)
	}
	return lines
}

// writeModel puts the model of these tests in force.
func writeModel(t *testing.T, addr string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "model.fga")
	writeFile(t, file, importModel)
	if status, _, stderr := usher(t.Context(), "model", "write", file, "--addr", addr); status != statusOK {
		t.Fatal(stderr)
	}
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// parseReport reads what import --output json prints.
func parseReport(t *testing.T, line string) (report importReport) {
	t.Helper()
	if err := json.Unmarshal([]byte(line), &report); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return report
}

// exported returns what a store has, as lines of JSON.
func exported(t *testing.T, addr string) string {
	t.Helper()
	status, stdout, stderr := usher(t.Context(), "export", "--addr", addr)
	if status != statusOK {
		t.Fatal(stderr)
	}
	return stdout
}

// Of a hundred thousand rows ten are bad, of both kinds: those that are no tuples, and
// those that the model forbids.
func TestImportStoresAllButTheBadRows(t *testing.T) {
	addr, _, _ := startServer(t)
	writeModel(t, addr)
	rows := importLines(100_000)
	bad := map[int]string{
		0: "{", 9_999: "not json", 10_000: `{"object":7}`, 49_999: `{"objects":{}}`, 99_999: "[]",
		1: `{}`, 12_345: strings.Replace(rows[1], "viewer", "flier", 1), 50_000: strings.Replace(rows[1], "media", "film", 1),
		50_001: strings.Replace(rows[1], "user", "media", 1), 77_777: strings.Replace(rows[1], "m000001", "m 1", 1),
	}
	for i, text := range bad {
		rows[i] = text
	}
	file := filepath.Join(t.TempDir(), "rows.jsonl")
	writeFile(t, file, strings.Join(rows, "\n")+"\n")
	status, stdout, stderr := usher(t.Context(), "import", file, "--addr", addr, "-o", "json")
	if status != statusRejected {
		t.Fatalf("status %d: %s", status, stderr)
	}
	report := parseReport(t, stdout)
	if report.Rows != 100_000 || report.Created != 99_990 || report.Rejected != 10 || report.Rejects != file+".rejects" {
		t.Errorf("got %s", stdout)
	}
	rejects, err := os.ReadFile(report.Rejects)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(rejects)) {
		var r reject
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if text, ok := bad[int(r.Line)-1]; !ok || r.Row != text || r.Reason == "" || r.Message == "" {
			t.Errorf("rejected: %+v", r)
		}
		delete(bad, int(r.Line)-1)
	}
	if len(bad) > 0 {
		t.Errorf("not rejected: %v", bad)
	}
	if n := strings.Count(exported(t, addr), "\n"); n != 99_990 {
		t.Errorf("%d tuples are stored, want 99990", n)
	}
}

// An import that is killed and run again stores every row once.
func TestImportAfterAKill(t *testing.T) {
	addr, _, _ := startServer(t)
	writeModel(t, addr)
	rows := importLines(5_000)
	first := exec.Command("usher", "import", "-", "--checkpoint", "500", "--addr", addr)
	first.Dir = t.TempDir()
	stdin, err := first.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintln(stdin, strings.Join(rows[:3_000], "\n")); err != nil {
		t.Fatal(err)
	}
	for !strings.Contains(exported(t, addr), "m000999") { // the second checkpoint
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait() // it was killed

	file := filepath.Join(t.TempDir(), "rows.jsonl")
	writeFile(t, file, strings.Join(rows, "\n"))
	for _, again := range []bool{false, true} {
		status, stdout, stderr := usher(t.Context(), "import", file, "--checkpoint", "500", "--addr", addr, "-o", "json")
		report := parseReport(t, stdout)
		if status != statusOK || report.Rows != 5_000 || report.Created+report.Unchanged != 5_000 || report.Unchanged < 1_000 || again && report.Created > 0 {
			t.Errorf("status %d: %s%s", status, stdout, stderr)
		}
		if got := exported(t, addr); got != strings.Join(rows, "\n")+"\n" {
			t.Errorf("%d tuples are stored, want those of the 5000 rows", strings.Count(got, "\n"))
		}
	}
}

// An interrupt ends an import.
func TestImportEndsWhenInterrupted(t *testing.T) {
	addr, _, _ := startServer(t)
	writeModel(t, addr)
	ctx, interrupt := context.WithCancel(t.Context())
	text := strings.NewReader(strings.Join(importLines(5_000), "\n"))
	stdin := io.MultiReader(text, readerFunc(func([]byte) (int, error) {
		for !strings.Contains(exported(t, addr), "m000099") { // the first checkpoint
		}
		interrupt()
		return 0, io.EOF
	}))
	var stdout, stderr bytes.Buffer
	status := run(ctx, []string{"import", "-", "--checkpoint", "100", "--addr", addr}, stdin, &stdout, &stderr)
	if status != statusError || !strings.HasSuffix(stderr.String(), "usher: interrupted\n") {
		t.Errorf("status %d\n%s", status, stderr.String())
	}
}

// It does so too while nothing comes from stdin.
func TestImportEndsWhenInterruptedInSilence(t *testing.T) {
	addr, _, _ := startServer(t)
	ctx, interrupt := context.WithCancel(t.Context())
	silent, end := io.Pipe()
	defer end.Close()
	stdin := io.MultiReader(readerFunc(func([]byte) (int, error) {
		interrupt()
		return 0, io.EOF
	}), silent)
	var stdout, stderr bytes.Buffer
	status := run(ctx, []string{"import", "-", "--addr", addr}, stdin, &stdout, &stderr)
	if status != statusError || stderr.String() != "usher: interrupted\n" {
		t.Errorf("status %d\n%s", status, stderr.String())
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
