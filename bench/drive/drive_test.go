package drive

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/usher-authz/usher/bench/library"
)

// usher is the binary of make build.
var usher string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "usher-drive-")
	if err != nil {
		panic(err)
	}
	usher = filepath.Join(dir, "usher")
	if output, err := exec.Command("go", "build", "-o", usher, "github.com/usher-authz/usher/cmd/usher").CombinedOutput(); err != nil {
		panic(string(output))
	}
	status := m.Run()
	if err := errors.Join(os.RemoveAll(dir), goleak.Find()); err != nil {
		println(err.Error())
		status = 1
	}
	os.Exit(status)
}

// small is a library that is quick to load, and has a page for many of its users.
var small = library.New(1, library.Smallest)

// short settings show that something is measured. What is measured, they do not tell.
var short = Settings{Callers: []int{1, 4}, Rounds: 2, Requests: 20}

// start runs a server on a new database. It ends by Close, and not with the test's context.
func start(t *testing.T) *Target {
	t.Helper()
	target, err := Start(context.Background(), usher, filepath.Join(t.TempDir(), "usher.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := target.Close(); err != nil {
			t.Errorf("the server did not end well: %v", err)
		}
	})
	return target
}

// startLoaded runs a server with the small library.
func startLoaded(t *testing.T) *Target {
	t.Helper()
	target := start(t)
	if _, err := target.Load(t.Context(), small); err != nil {
		t.Fatal(err)
	}
	return target
}

func TestLoadWritesTheLibrary(t *testing.T) {
	target := start(t)
	loaded, err := target.Load(t.Context(), small)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for range small.Tuples() {
		count++
	}
	if loaded.Tuples != count || loaded.PerSecond() <= 0 || loaded.BytesPerTuple() < 10 {
		t.Errorf("loaded %+v, want %d tuples, a rate and a size", loaded, count)
	}
	if _, err := target.Load(t.Context(), small); err == nil || !strings.Contains(err.Error(), "into an empty store") {
		t.Errorf("a second load: %v, want a refusal", err)
	}
}

func TestServerAnswersWhatTheLibraryKnows(t *testing.T) {
	target := startLoaded(t)
	operations := target.ReadOperations(small)
	rows, err := target.Measure(t.Context(), short, operations...)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, row := range rows {
		names = append(names, strings.SplitN(row.Result.Name, ",", 2)[0])
		if row.Result.Requests() != short.Rounds*short.Requests || row.Floor.Requests() != row.Result.Requests() {
			t.Errorf("%v and its floor %v, want %d requests each", row.Result, row.Floor, short.Rounds*short.Requests)
		}
		if row.CPURatio() <= 0 || row.LatencyRatio() <= 0 || row.RateRatio() <= 0 || row.Floor.Name != "health" {
			t.Errorf("%v has no ratios to its floor %v", row.Result, row.Floor)
		}
		if p50, p99 := row.Result.Quantile(0.5), row.Result.Quantile(0.99); p50 <= 0 || p99 < p50 {
			t.Errorf("%v: p50 %v, p99 %v", row.Result, p50, p99)
		}
		if m := row.Result.Memory; m.Heap < 1<<20 || m.RSS < m.Heap/2 {
			t.Errorf("%v holds %+v", row.Result, m)
		}
	}
	want := []string{"Check", "Check", "BatchCheck", "BatchCheck", "FilterObjects", "FilterObjects", "ListObjects", "ListObjects"}
	if !slices.Equal(names, want) {
		t.Errorf("measured %v, want %v", names, want)
	}
}

func TestWritesAreMeasuredBesideRawPuts(t *testing.T) {
	target := start(t)
	rows, err := target.MeasureWrites(t.Context(), short, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != len(short.Callers) {
		t.Fatalf("%d rows, want one for each of %v callers", len(rows), short.Callers)
	}
	for i, row := range rows {
		if row.Result.Callers != short.Callers[i] || row.Floor.Callers != 1 || row.RateRatio() <= 0 || row.Result.CPU <= 0 {
			t.Errorf("%v beside %v", row.Result, row.Floor)
		}
	}
}

// A server that runs already is measured by what its metrics say.
func TestServerByAddress(t *testing.T) {
	started := startLoaded(t)
	dialled, err := Dial(started.connection.Target(), started.metrics)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := dialled.Close(); err != nil {
			t.Error(err)
		}
	}()
	settings := Settings{Callers: []int{2}, Rounds: 2, Round: 200 * time.Millisecond}
	rows, err := dialled.Measure(t.Context(), settings, dialled.Check(small.Checks(100)))
	if err != nil {
		t.Fatal(err)
	}
	if rows[0].Result.CPU <= 0 || rows[0].Result.CPU > 10*time.Second {
		t.Errorf("%v of CPU time", rows[0].Result.CPU)
	}
	own, err1 := started.cpu(t.Context())
	told, err2 := dialled.cpu(t.Context())
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if own > told+50*time.Millisecond || told > own+500*time.Millisecond {
		t.Errorf("the process has used %v by its clock, and %v by its metrics a moment later", own, told)
	}
	if loaded := (Loaded{Tuples: 1}); loaded.BytesPerTuple() != 0 {
		t.Error("a file that is not known has a size")
	}
}
