package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// usher is the binary of make build.
var usher string

// TestMain lets the program call itself as the bare health server.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == healthCommand {
		main()
		return
	}
	dir, err := os.MkdirTemp("", "usher-bench-")
	if err != nil {
		panic(err)
	}
	usher = filepath.Join(dir, "usher")
	if output, err := exec.Command("go", "build", "-o", usher, "github.com/usher-authz/usher/cmd/usher").CombinedOutput(); err != nil {
		panic(string(output))
	}
	status := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		panic(err)
	}
	os.Exit(status)
}

// bench runs a command line in a folder for its results.
func bench(t *testing.T, out string, args ...string) (stdout string, err error) {
	t.Helper()
	var b bytes.Buffer
	err = run(t.Context(), append(args, "-usher", usher, "-out", out, "-dir", t.TempDir()), &b)
	return b.String(), err
}

// document returns what has been written, without its plots.
func document(t *testing.T, out string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(out, "performance.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// One run of two small sizes goes through all that make bench-full does. What is measured in
// so short a time tells nothing.
func TestSizesAreMeasuredAndReported(t *testing.T) {
	out := t.TempDir()
	stdout, err := bench(t, out, "-sizes", "10000,12000", "-round", "10ms", "-rounds", "1")
	if err != nil {
		t.Fatalf("%v\n%s", err, stdout)
	}
	written := document(t, out)
	for _, want := range []string{
		"## 10000: ", "## 12000: ", "## Growth",
		"\n| bare grpc-go health, 32 callers | ", "\n| health, 32 callers | ≤ 1.2 × bare | ", "\n| Check, 32 callers | ≤ 1.3 × health, ≥ 20,000/s | ",
		"\n| Check, 1 caller | p50 ≤ 1.2 × health | ", "\n| BatchCheck, 4 callers | ≤ 500 µs | ", "\n| FilterObjects, 4 callers | ≤ 300 µs | ",
		"\n| ListObjects, about 100 results, 4 callers | ≤ 150 µs | ", "\n| Write, 1 caller | ≥ 0.35 × raw puts | ", "\n| Write, 32 callers | ≥ 10,000/s | ",
		"\n| load into an empty store | ≥ 150,000 tuples/s | ", "\n| disk, log included | ≤ 200 B/tuple | ", "\n| heap, everything cached | ≤ 120 B/tuple | ",
		"\n| start: until the index is warm | ", "\n| Check at 12,000 tuples beside 10,000, 32 callers | ≤ 1.3 × | ",
	} {
		if !strings.Contains(written, want) {
			t.Errorf("the document lacks %q", want)
		}
	}
	for _, row := range []string{"\n| bare grpc-go health", "\n| Check at 12,000 tuples"} {
		if !strings.Contains(stdout, row) {
			t.Errorf("the table that is printed lacks %q", row)
		}
	}
	for _, plot := range []string{"cpu.svg", "latency.svg", "growth.svg"} {
		if text, err := os.ReadFile(filepath.Join(out, "performance", plot)); err != nil || !bytes.Contains(text, []byte("<svg")) {
			t.Errorf("%s is no SVG: %v", plot, err)
		}
	}
	t.Run("a size that is measured again leaves the others", func(t *testing.T) {
		if stdout, err := bench(t, out, "-sizes", "12000", "-round", "10ms", "-rounds", "1"); err != nil {
			t.Fatalf("%v\n%s", err, stdout)
		}
		again := document(t, out)
		if section(again, "10000") != section(written, "10000") || section(again, "12000") == section(written, "12000") {
			t.Error("the section of the other size has changed, or that of this one has not")
		}
	})
	t.Run("the document can be written again", func(t *testing.T) {
		before := document(t, out)
		if _, err := bench(t, out, "report"); err != nil || document(t, out) != before {
			t.Errorf("it is another one, or none: %v", err)
		}
	})
}

// What other programs and people leave in the folder becomes part of the document.
func TestBenchmarksAndNotesAreReported(t *testing.T) {
	out := t.TempDir()
	if err := os.Mkdir(filepath.Join(out, "performance"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		hardFile: "goos: linux\nBenchmarkAdversarial/a_long_chain/health-2 \t 20\t 100000 ns/op\n" +
			"BenchmarkAdversarial/a_long_chain/Check,_denied-2 \t 20\t 250000.5 ns/op\t 900000 first-ns\t 12 B/op\nBenchmarkHotObject/page_two-2 \t 20\t 1000000 ns/op\nPASS\n",
		notesFile: "## Where it is slow\n\nNowhere.\n",
	} {
		if err := os.WriteFile(filepath.Join(out, "performance", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := bench(t, out, "report"); err != nil {
		t.Fatal(err)
	}
	written := document(t, out)
	for _, want := range []string{"\n| a long chain | Check, denied | 0.90 ms | 0.25 ms | 2.5 × |\n", "\n| HotObject | page two |  | 1.00 ms |  |\n", "\n## Where it is slow\n\nNowhere.\n"} {
		if !strings.Contains(written, want) {
			t.Errorf("the document lacks %q:\n%s", want, written)
		}
	}
}

// section returns the part of a document that is about one size.
func section(document, size string) string {
	_, behind, _ := strings.Cut(document, "\n## "+size+": ")
	text, _, _ := strings.Cut(behind, "\n## ")
	return text
}

func TestSummariesAreMeasured(t *testing.T) {
	r := sizeRun{
		settings: settings{stdout: &bytes.Buffer{}, usher: usher, rounds: 1, round: time.Millisecond},
		database: filepath.Join(t.TempDir(), "S.db"),
	}
	if err := r.summarize(t.Context(), sharing{media: 60, recipients: 10, folders: 5, crowd: 20, tree: 50}); err != nil {
		t.Fatal(err)
	}
	if len(r.result.Shares) != 4 || r.result.Shares[0].Per != 660 || r.result.Shares[3].Per != 50 {
		t.Errorf("measured %+v, want four ways to ask", r.result.Shares)
	}
}

func TestMixedLoadIsReported(t *testing.T) {
	out := t.TempDir()
	stdout, err := bench(t, out, "mixed", "-sizes", "10000", "-duration", "3s")
	if err != nil {
		t.Fatalf("%v\n%s", err, stdout)
	}
	written := document(t, out)
	for _, want := range []string{
		"## Everything at once", "heap in use flat: ", "no goroutine left: ", "p99 of Check stable: ", "a watcher was told of ", "(performance/mixed.svg)",
	} {
		if !strings.Contains(written, want) {
			t.Errorf("the document lacks %q", want)
		}
	}
	results, err := kept[mixedResult](settings{out: out}, mixedFile)
	if err != nil || len(results.Samples) != samples || results.Written == 0 {
		t.Fatalf("results %+v, %v: want %d samples, and writes", results, err, samples)
	}
	for _, told := range results.Watched {
		if told != results.Written {
			t.Errorf("a watcher was told of %d changes, %d were written", told, results.Written)
		}
	}
	if results.After.Goroutines > results.Before.Goroutines {
		t.Errorf("%d goroutines are left, before the clients there were %d", results.After.Goroutines, results.Before.Goroutines)
	}
}

func TestBadCommandLinesAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"unknown command":    {[]string{"soak"}, `"soak" is not a command; use sizes, mixed or report`},
		"argument too many":  {[]string{"report", "-rounds", "1", "twice"}, `"twice" is one argument too many`},
		"unknown size":       {[]string{"-sizes", "XL"}, `size "XL": write S, M, L or a number of tuples from 10000`},
		"size too small":     {[]string{"-sizes", "2000"}, `size "2000"`},
		"sizes out of order": {[]string{"-sizes", "M,S"}, `sizes "M,S": write them from small to large`},
		"no time":            {[]string{"mixed", "-duration", "0s"}, "duration 0s: it must be more than 0"},
		"no such binary":     {[]string{"-sizes", "10000", "-usher", "nowhere/usher"}, "make build makes the binary"},
	} {
		t.Run(name, func(t *testing.T) {
			err := run(t.Context(), append(c.args, "-out", t.TempDir()), &bytes.Buffer{})
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want an error that says %q", err, c.says)
			}
		})
	}
}

func TestARunThatIsCalledOffEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := run(ctx, []string{"-sizes", "10000", "-usher", usher, "-out", t.TempDir()}, &bytes.Buffer{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was cancelled", err)
	}
}
