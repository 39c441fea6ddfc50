package server_test

import (
	"fmt"
	"maps"
	"testing"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// A delete of more tuples than one change of the log holds, and its undo, come in parts
// whose tokens are none of the middle: whoever connects with any token ends up with the
// tuples that there are, and so does whoever begins with a snapshot meanwhile.
func TestWatchFollowsLargeDeletes(t *testing.T) {
	w := newLibrary(t)
	const total = 12_000
	for from := 0; from < total; from += 6_000 {
		var lines []string
		for i := from; i < from+6_000; i++ {
			lines = append(lines, fmt.Sprintf("media:%d#viewer@user:anna", i))
		}
		w.touch(lines...)
	}
	w.touch("media:kept#viewer@user:bert")
	before := w.stored(&usherv1.TupleFilter{})
	_, began := w.watch(&usherv1.WatchRequest{})
	deleted, err := w.tuples.DeleteObject(w.ctx, &usherv1.DeleteObjectRequest{Object: object(t, "user:anna")})
	if err != nil || deleted.GetDeleted() != total {
		t.Fatalf("got %v, %v", deleted, err)
	}
	late, first := w.watch(&usherv1.WatchRequest{Snapshot: always})
	if restored, err := w.tuples.UndoDelete(w.ctx, &usherv1.UndoDeleteRequest{DeletedAt: deleted.GetToken()}); err != nil || restored.GetRestored() != total {
		t.Fatalf("got %v, %v", restored, err)
	}
	w.touch(theEnd)

	want := w.stored(&usherv1.TupleFilter{})
	m := newMirror(t)
	m.take(first)
	m.follow(late)
	if !maps.Equal(m.tuples, want) {
		t.Errorf("behind a snapshot there are %d tuples, want %d", len(m.tuples), len(want))
	}
	m = &mirror{t: t, tuples: before}
	tokens := map[string]map[string]bool{began.GetToken(): maps.Clone(before)} // with what is there at each
	stream, _ := w.watch(&usherv1.WatchRequest{After: began.GetToken()})
	for !m.tuples[theEnd] {
		message, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		for _, change := range message.GetChanges().GetTuples() {
			if created := change.GetOperation() == create; change.GetNewlyGives() != created {
				t.Fatalf("%v newly gives: %v", change, change.GetNewlyGives())
			}
		}
		if m.take(message); message.GetToken() != "" {
			tokens[message.GetToken()] = maps.Clone(m.tuples)
		}
	}
	if len(tokens) != 4 || !maps.Equal(m.tuples, want) {
		t.Errorf("%d tokens, %d tuples", len(tokens), len(m.tuples))
	}
	for token, known := range tokens {
		again := &mirror{t: t, tuples: known}
		if stream, _ := w.watch(&usherv1.WatchRequest{After: token}); !known[theEnd] {
			again.follow(stream)
		}
		if !maps.Equal(again.tuples, want) {
			t.Errorf("behind a token there are %d tuples, want %d", len(again.tuples), len(want))
		}
	}
}
