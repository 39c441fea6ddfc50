package adversarial_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/usher-authz/usher/bench/adversarial"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/tuples"
)

// The hot object is a media that is shared with so many users, and that writers share with
// their own user and withdraw from it again, over and over.
const hotUsers = 1_000

// hot starts a server with the hot object, whose index holds everything or nothing.
func hot(t testing.TB, memory int64) *world {
	t.Helper()
	world := adversarial.Worlds()[0] // for its model
	return serve(t, world.Model, func(yield func(tuples.Tuple) bool) {
		for u := range hotUsers {
			tuple := tuples.Tuple{Key: tuples.Key{
				Object: tuples.Object{Type: "media", ID: "hot"}, Relation: "viewer",
				Subject: tuples.Subject{Type: "user", ID: tuples.ID(fmt.Sprintf("%08d", 2*u))},
			}}
			if !yield(tuple) {
				return
			}
		}
	}, memory)
}

// writer is one who shares the hot object with a user whose id lies among the others'.
type writer struct {
	*world
	user string
}

func (w *world) writer(number int) writer {
	return writer{w, fmt.Sprintf("user:%08d", 2*number+1)}
}

// share gives or withdraws, and returns the token.
func (w writer) share(ctx context.Context, t testing.TB, operation usherv1.Operation) (string, error) {
	answer, err := w.tuples.Write(ctx, &usherv1.WriteRequest{Updates: []*usherv1.TupleUpdate{{
		Operation: operation,
		Tuple:     &usherv1.Tuple{Object: object(t, "media:hot"), Relation: "viewer", Subject: subject(t, w.user)},
	}}})
	return answer.GetToken(), err
}

// may asks at a state of the store; nil for the head.
func (w writer) may(ctx context.Context, t testing.TB, at *usherv1.Consistency) (bool, error) {
	answer, err := w.permissions.Check(ctx, &usherv1.CheckRequest{
		Object: object(t, "media:hot"), Relation: "can_view", Subject: subject(t, w.user), Consistency: at,
	})
	return answer.GetOutcome() == usherv1.Outcome_OUTCOME_ALLOWED, err
}

func exactly(token string) *usherv1.Consistency {
	return &usherv1.Consistency{Requirement: &usherv1.Consistency_Exactly{Exactly: token}}
}

// Whoever has written sees it at once, and still sees at a token what was true then
// (promises 1 and 2).
func TestHotObjectIsNeverStale(t *testing.T) {
	for memory, bytes := range memories {
		t.Run(memory, func(t *testing.T) {
			t.Parallel()
			w := hot(t, bytes)
			var group sync.WaitGroup
			for number := range 4 {
				group.Go(func() {
					for range 50 {
						if err := w.writer(number).round(t); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			group.Go(func() {
				for range 10 {
					if err := w.pagesAreOfOneRevision(t); err != nil {
						t.Error(err)
						return
					}
				}
			})
			group.Wait()
		})
	}
}

// round shares and withdraws once, and asks after each.
func (w writer) round(t *testing.T) error {
	given, err := w.share(t.Context(), t, usherv1.Operation_OPERATION_CREATE)
	if err != nil {
		return err
	}
	if err := w.expect(t, "just given, now", nil, true); err != nil {
		return err
	}
	withdrawn, err := w.share(t.Context(), t, usherv1.Operation_OPERATION_DELETE)
	if err != nil {
		return err
	}
	return errors.Join(
		w.expect(t, "just withdrawn, now", nil, false),
		w.expect(t, "just withdrawn, when it was given", exactly(given), true),
		w.expect(t, "just withdrawn, when it was withdrawn", exactly(withdrawn), false))
}

// expect asks whether the writer's user may view the hot object.
func (w writer) expect(t *testing.T, when string, at *usherv1.Consistency, want bool) error {
	allowed, err := w.may(t.Context(), t, at)
	switch {
	case err != nil:
		return fmt.Errorf("%s, %s: %w", w.user, when, err)
	case allowed != want:
		return fmt.Errorf("%s, %s: allowed %v, want %v", w.user, when, allowed, want)
	}
	return nil
}

// pagesAreOfOneRevision reads a list page by page, and then the whole of it at the revision
// of the first page.
func (w *world) pagesAreOfOneRevision(t *testing.T) error {
	var paged []string
	first, err := w.page(t.Context(), t, 100, nil, nil)
	for answer := first; err == nil; {
		paged = append(paged, answer.ids...)
		if !answer.more {
			break
		}
		resume := &usherv1.Resume{Cursor: first.cursor, After: "user:" + paged[len(paged)-1]}
		answer, err = w.page(t.Context(), t, 300, resume, nil)
	}
	if err != nil {
		return err
	}
	whole, err := w.page(t.Context(), t, 0, nil, exactly(first.token))
	if err != nil {
		return err
	}
	if err := right(paged, whole.ids); err != nil {
		return fmt.Errorf("pages beside the whole list: %w", err)
	}
	fixed := slices.DeleteFunc(paged, func(id string) bool { return (id[len(id)-1]-'0')%2 == 1 })
	if len(fixed) != hotUsers {
		return fmt.Errorf("%d users of whom nothing is written, want %d", len(fixed), hotUsers)
	}
	return nil
}

// hotPage is a piece of the list of who may see the hot object.
type hotPage struct {
	ids           []string
	cursor, token string
	more          bool
}

func (w *world) page(ctx context.Context, t testing.TB, size int32, resume *usherv1.Resume, at *usherv1.Consistency) (p hotPage, err error) {
	stream, err := w.permissions.ListSubjects(ctx, &usherv1.ListSubjectsRequest{
		Object: object(t, "media:hot"), Relation: "can_view", SubjectType: "user", PageSize: size, Resume: resume, Consistency: at,
	})
	p.ids, p.cursor, err = receive(stream, err, func(m *usherv1.ListSubjectsResponse) ([]string, string) {
		p.token, p.more = m.GetToken(), m.GetMore()
		var ids []string
		for _, s := range m.GetSubjects() {
			ids = append(ids, s.GetId())
		}
		return ids, m.GetCursor()
	})
	return p, err
}

// BenchmarkHotObject reads the hot object while four writers change it as fast as they can.
// What is asked at a token, or on page two, is what the head was some writes ago: it may cost
// twice what the head does.
func BenchmarkHotObject(b *testing.B) {
	w := hot(b, 1<<30)
	ctx, cancel := context.WithCancel(b.Context())
	var group sync.WaitGroup
	for number := range 4 {
		group.Go(func() {
			for ctx.Err() == nil {
				for _, operation := range []usherv1.Operation{usherv1.Operation_OPERATION_CREATE, usherv1.Operation_OPERATION_DELETE} {
					if _, err := w.writer(number).share(ctx, b, operation); err != nil && ctx.Err() == nil {
						b.Error(err)
					}
				}
			}
		})
	}
	defer group.Wait()
	defer cancel()
	reader := w.writer(hotUsers) // who is not written about
	const age = 20 * time.Millisecond
	for _, bench := range []struct {
		name string
		// before is not timed, and age goes by between it and what is.
		before func() (hotPage, error)
		timed  func(hotPage) error
	}{
		{
			"Check at the head", func() (hotPage, error) { return hotPage{}, nil },
			func(hotPage) error { _, err := reader.may(ctx, b, nil); return err },
		},
		{
			"Check at a token", func() (hotPage, error) { return w.page(ctx, b, 1, nil, nil) },
			func(p hotPage) error { _, err := reader.may(ctx, b, exactly(p.token)); return err },
		},
		{
			"ListSubjects, page one", func() (hotPage, error) { return hotPage{}, nil },
			func(hotPage) error { _, err := w.page(ctx, b, 100, nil, nil); return err },
		},
		{
			"ListSubjects, page two", func() (hotPage, error) { return w.page(ctx, b, 100, nil, nil) },
			func(p hotPage) error {
				_, err := w.page(ctx, b, 100, &usherv1.Resume{Cursor: p.cursor, After: "user:" + p.ids[len(p.ids)-1]}, nil)
				return err
			},
		},
	} {
		b.Run(bench.name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				p, err := bench.before()
				if err != nil {
					b.Fatal(err)
				}
				time.Sleep(age)
				b.StartTimer()
				if err := bench.timed(p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
