package check_test

import (
	"context"
	"errors"
	"testing"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/tuples"
)

// register is a snapshot that counts the objects whose nodes are asked for, and fails if it is
// told to.
type register struct {
	tuples.Snapshot
	asked int
	fails error
}

func (r *register) Nodes(ctx context.Context, objects []tuples.Object, nodes []tuples.Node) error {
	r.asked += len(objects)
	if r.fails != nil {
		return r.fails
	}
	return r.Snapshot.Nodes(ctx, objects, nodes)
}

// Each object is looked up once, whether the store has it or not, and the subject of a page once
// for all of it.
func TestASubjectOfManyQuestionsIsLookedUpOnce(t *testing.T) {
	w := newWorld(t, library, "media:logo#viewer@group:g#member", "group:g#member@user:anna", "media:film#viewer@user:anna")
	var names register
	e := w.evaluator(func(r *check.Request) {
		names.Snapshot = r.Snapshot
		r.Snapshot = &names
	})
	for _, c := range []struct {
		question, want string
		asked          int
	}{
		{"user:anna can_view media:logo", "allowed", 2},
		{"user:anna can_view media:film", "allowed", 3},
		{"user:anna can_view media:none", "denied", 4},
		{"user:nobody can_view media:none", "denied", 6},
		{"user:nobody can_view media:logo", "denied", 7},
		{"user:anna can_view media:logo", "allowed", 9},
	} {
		if got := w.check(e, c.question); got != c.want || names.asked != c.asked {
			t.Errorf("%s: %s with %d objects looked up, want %s with %d", c.question, got, names.asked, c.want, c.asked)
		}
	}
}

func TestALookUpThatFailsIsMadeAgain(t *testing.T) {
	w := newWorld(t, library, "media:film#viewer@user:anna")
	names := register{fails: errors.New("the disk is gone")}
	e := w.evaluator(func(r *check.Request) {
		names.Snapshot = r.Snapshot
		r.Snapshot = &names
	})
	on, subject := parseQuestion(t, "user:anna can_view media:film")
	if _, err := e.Check(t.Context(), on, subject); !errors.Is(err, names.fails) {
		t.Errorf("got error %v, want %v", err, names.fails)
	}
	names.fails = nil
	if got := w.check(e, "user:anna can_view media:film"); got != "allowed" {
		t.Errorf("asked again: %s, want allowed", got)
	}
}
