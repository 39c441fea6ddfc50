package drive

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
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
var short = Settings{Rounds: 2, Requests: 20}

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
	if _, err := target.Load(t.Context(), small.Tuples(), nil); err != nil {
		t.Fatal(err)
	}
	return target
}

func TestLoadWritesTheLibrary(t *testing.T) {
	target := start(t)
	loaded, err := target.Load(t.Context(), small.Tuples(), nil)
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
	if _, err := target.Load(t.Context(), small.Tuples(), nil); err == nil || !strings.Contains(err.Error(), "into an empty store") {
		t.Errorf("a second load: %v, want a refusal", err)
	}
}

func TestServerAnswersWhatTheLibraryKnows(t *testing.T) {
	target := startLoaded(t)
	turns := 0
	settings := short
	settings.Progress = func(done, of int) {
		if turns++; done != turns-1 || of != short.Rounds {
			t.Errorf("%d of %d rounds are done behind turn %d", done, of, turns)
		}
	}
	results, err := Compete(t.Context(), settings, target.Reads(Draw(small))...)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range results {
		names = append(names, fmt.Sprintf("%s, %d callers", r.Name, r.Callers))
		if r.Requests() != short.Rounds*short.Requests || r.CPUPerRequest() <= 0 || r.PerSecond() <= 0 {
			t.Errorf("%v: want %d requests that cost CPU time", r, short.Rounds*short.Requests)
		}
		if p50, p99 := r.Quantile(0.5), r.Quantile(0.99); p50 <= 0 || p99 < p50 {
			t.Errorf("%v: p50 %v, p99 %v", r, p50, p99)
		}
	}
	want := []string{
		"health, 32 callers", "Check, 32 callers", "health, 1 callers", "Check, 1 callers", "BatchCheck, 4 callers",
		"FilterObjects, 4 callers", "ListObjects, about 100 results, 4 callers",
	}
	if !slices.Equal(names, want) {
		t.Errorf("measured %q, want %q", names, want)
	}
	if turns != short.Rounds+1 {
		t.Errorf("progress told of %d turns, want %d and one for warming up", turns, short.Rounds)
	}
}

func TestPagesOfAListAreAsked(t *testing.T) {
	target := startLoaded(t)
	lists := small.Lists(library.ShortList)
	for name, operation := range map[string]Operation{
		"the first":      target.ListPage(lists, 0),
		"one by cursor":  target.ListPage(lists, 20),
		"the last item":  target.ListPage(lists, 1_000_000),
		"the whole list": target.ListObjects(lists),
	} {
		if _, err := Compete(t.Context(), short, Contender{operation, 2}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMemoryIsWhatTheServerSays(t *testing.T) {
	m, err := start(t).Memory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if m.Live < 1<<18 || m.Heap < m.Live || m.RSS < m.Heap || m.Goroutines < 5 {
		t.Errorf("the server holds %+v", m)
	}
}

func TestWritesAreMeasuredBesideRawPuts(t *testing.T) {
	target := start(t)
	raw, err := OpenRawPuts(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	results, err := Compete(t.Context(), short, Contender{raw.Operation(), 1}, Contender{target.Write(), 1}, Contender{target.Write(), 4})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		callers  int
		costsCPU bool
	}{{1, false}, {1, true}, {4, true}} {
		r := results[i]
		if r.Callers != want.callers || (r.CPU > 0) != want.costsCPU || r.PerSecond() <= 0 {
			t.Errorf("%v, want %d callers, and CPU time of the server: %v", r, want.callers, want.costsCPU)
		}
	}
}

// A server that runs already is measured by what its metrics say.
func TestServerByAddress(t *testing.T) {
	started := startLoaded(t)
	other := Over(started.connection, "default", started.metrics)
	settings := Settings{Rounds: 2, Round: 200 * time.Millisecond}
	results, err := Compete(t.Context(), settings, Contender{other.Check(small.Checks(100)), 2})
	if err != nil {
		t.Fatal(err)
	}
	if cpu := results[0].CPU; cpu <= 0 || cpu > 10*time.Second {
		t.Errorf("%v of CPU time", cpu)
	}
	own, err1 := started.cpu(t.Context())
	told, err2 := other.cpu(t.Context())
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

// Without metrics the CPU time is not known, and the rest is.
func TestServerWithoutMetrics(t *testing.T) {
	other := Over(start(t).connection, "", "")
	results, err := Compete(t.Context(), short, Contender{other.Health(), 2})
	if err != nil || results[0].CPU != 0 || results[0].Requests() == 0 {
		t.Errorf("%v, %v, want requests without CPU time", results, err)
	}
	if _, err := other.Memory(t.Context()); err == nil || !strings.Contains(err.Error(), "metrics is not known") {
		t.Errorf("memory: %v, want that it is not known", err)
	}
}

// What is toggled is there and gone in turns, and a watch is told of every change.
func TestToggledTuplesAreWatched(t *testing.T) {
	target := start(t)
	if _, err := target.Load(t.Context(), small.Tuples(), nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var seen atomic.Int64
	wait, err := target.Watch(ctx, func(written int) { seen.Add(int64(written)) })
	if err != nil {
		t.Fatal(err)
	}
	toggle := target.Toggle(5)
	for number := 1; number <= 17; number++ {
		if err := toggle.Ask(t.Context(), number); err != nil {
			t.Fatal(err)
		}
	}
	for end := time.Now().Add(10 * time.Second); seen.Load() < 17 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := wait(); err != nil || seen.Load() != 17 {
		t.Errorf("a watch was told of %d changes, %v, want 17", seen.Load(), err)
	}
	if err := toggle.Ask(t.Context(), 17); err == nil || !strings.Contains(err.Error(), "one tuple changed") {
		t.Errorf("the same request again: %v, want that it changes nothing", err)
	}
}
