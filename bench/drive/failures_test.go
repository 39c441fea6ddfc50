package drive

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/usher-authz/usher/bench/library"
	"github.com/usher-authz/usher/tuples"
)

// An oracle that is wrong, or a server that is, ends the run.
func TestWrongAnswersEndTheRun(t *testing.T) {
	target := startLoaded(t)
	for name, operation := range map[string]Operation{
		"a Check": target.Check(flip(small.Checks(50))),
		"one item of a batch": target.BatchCheck([][]library.Question{
			append(small.Batches(1, 20)[0], flip(small.Checks(10))[0]),
		}),
		"an id too few in a page":  target.FilterObjects(pagesWith(func(p *library.Page) { p.Allowed = p.Allowed[1:] })),
		"an id too many in a page": target.FilterObjects(pagesWith(func(p *library.Page) { p.Allowed = append(p.Allowed, "none") })),
		"pages out of order":       target.FilterObjects(pagesWith(func(p *library.Page) { slices.Reverse(p.Allowed) })),
		"a page without proof":     target.FilterObjects(pagesWith(func(p *library.Page) { p.Conditional = append(p.Conditional, "none") })),
		"an item too few":          target.ListObjects(listsWith(func(l *library.List) { l.Items = l.Items[:len(l.Items)-1] })),
		"an item too many":         target.ListObjects(listsWith(func(l *library.List) { l.Items = append(l.Items, library.Item{ID: "zzz"}) })),
		"an item in the middle":    target.ListObjects(listsWith(func(l *library.List) { l.Items = slices.Delete(l.Items, 3, 4) })),
		"an item of a page":        target.ListPage(listsWith(func(l *library.List) { l.Items = slices.Delete(l.Items, 30, 31) }), 20),
		"an item that is open":     target.ListObjects(listsWith(func(l *library.List) { l.Items[0].Outcome = 3 - l.Items[0].Outcome })),
	} {
		t.Run(name, func(t *testing.T) {
			results, err := Compete(t.Context(), Settings{Rounds: 1, Requests: 200}, Contender{operation, 2})
			if _, wrong := errors.AsType[*WrongAnswerError](err); !wrong || results != nil {
				t.Errorf("the run ended with %v, want a wrong answer", err)
			}
		})
	}
}

// flip makes every answer wrong.
func flip(questions []library.Question) []library.Question {
	for i := range questions {
		if questions[i].Want == library.Allowed {
			questions[i].Want = library.Denied
		} else {
			questions[i].Want = library.Allowed
		}
	}
	return questions
}

func pagesWith(mistake func(*library.Page)) []library.Page {
	pages := small.Pages(1, 20)
	mistake(&pages[0])
	return pages
}

func listsWith(mistake func(*library.List)) []library.List {
	list := small.Lists(library.ShortList)[0]
	mistake(&list)
	return []library.List{list}
}

func TestSettingsAreChecked(t *testing.T) {
	for name, c := range map[string]struct {
		callers  int
		settings Settings
		says     string
	}{
		"nobody calls":     {0, Settings{Rounds: 1, Requests: 1}, "idle: callers 0"},
		"no rounds":        {1, Settings{Requests: 1}, "rounds 0"},
		"neither length":   {1, Settings{Rounds: 1}, "requests 0, round 0s"},
		"requests below 0": {1, Settings{Rounds: 1, Requests: -1, Round: 1}, "requests -1"},
	} {
		t.Run(name, func(t *testing.T) {
			idle := Operation{Name: "idle", Ask: func(context.Context, int) error { return nil }}
			if _, err := Compete(t.Context(), c.settings, Contender{idle, c.callers}); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want an error that says %q", err, c.says)
			}
		})
	}
}

func TestFailuresEndTheRun(t *testing.T) {
	t.Run("no such binary", func(t *testing.T) {
		if _, err := Start(t.Context(), filepath.Join(t.TempDir(), "usher"), "usher.db"); err == nil || !strings.Contains(err.Error(), "make build") {
			t.Errorf("%v, want a hint at make build", err)
		}
	})
	t.Run("a server that does not start", func(t *testing.T) {
		if _, err := Start(t.Context(), usher, t.TempDir()); err == nil || !strings.Contains(err.Error(), "its log ends with") {
			t.Errorf("%v, want the end of its log", err)
		}
	})
	t.Run("a server without such metrics", func(t *testing.T) {
		target := start(t)
		target.metrics = strings.Replace(target.metrics, "/metrics", "/healthz", 1)
		if _, err := target.Memory(t.Context()); err == nil || !strings.Contains(err.Error(), "healthz") {
			t.Errorf("%v, want an error that names the address", err)
		}
	})
	t.Run("a request that fails", func(t *testing.T) {
		target := start(t)
		nobody := library.Question{On: tuples.Userset{Object: tuples.Object{Type: "ghost", ID: "1"}, Relation: "viewer"}, Subject: tuples.Subject{Type: "user", ID: "anna"}}
		_, err := Compete(t.Context(), short, Contender{target.Check([]library.Question{nobody}), 2})
		if _, wrong := errors.AsType[*WrongAnswerError](err); err == nil || wrong || !strings.Contains(err.Error(), "ghost") {
			t.Errorf("%v, want the server's error", err)
		}
	})
	t.Run("a run that is called off", func(t *testing.T) {
		target := start(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := Compete(ctx, short, Contender{target.Health(), 2}); !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want that it was cancelled", err)
		}
	})
}
