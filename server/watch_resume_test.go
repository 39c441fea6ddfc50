package server_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server"
	"github.com/usher-authz/usher/tuples"
)

// newSplit starts a server over a library whose log comes in parts.
func newSplit(t *testing.T) (*world, *split) {
	t.Helper()
	db := &split{DB: newLibrary(t).db}
	return serve(t, db, server.Options{}), db
}

// entries reads a watch up to the revision that adds the object "last", and returns one
// line for every change and, behind the last of each revision, its token.
func entries(t *testing.T, stream receiver[usherv1.WatchResponse]) (lines []string, tokens map[int]string) {
	t.Helper()
	tokens = map[int]string{}
	for {
		message, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		last := false
		for _, change := range message.GetChanges().GetTuples() {
			tuple := change.GetTuple()
			lines = append(lines, fmt.Sprintf("%d %s %v %s %v", message.GetRevision(), message.GetChanges().GetCause(), change.GetOperation(), tuple, change.GetNewlyGives()))
			last = last || tuple.GetObject().GetId() == "last"
		}
		if message.GetToken() != "" {
			tokens[len(lines)] = message.GetToken()
		}
		if last {
			return lines, tokens
		}
	}
}

// A consumer that reconnects with any token that it ever got hears the rest of the
// story, whether revisions come whole or in parts, and with and without filters.
func TestWatchResumesBehindEveryToken(t *testing.T) {
	whole := func() *world { return newLibrary(t) }
	parts := func() *world { w, _ := newSplit(t); return w }
	few := []*usherv1.TupleFilter{{SubjectType: "user", SubjectId: "anna"}, {ObjectType: "media", ObjectId: "last"}}
	for _, c := range []struct {
		name    string
		start   func() *world
		filters []*usherv1.TupleFilter
	}{
		{"whole", whole, nil},
		{"whole, with a filter", whole, few},
		{"in parts", parts, nil},
		{"in parts, with a filter", parts, few},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := c.start()
			_, began := w.watch(&usherv1.WatchRequest{})
			history(t, w)
			stream, _ := w.watch(&usherv1.WatchRequest{After: began.GetToken(), Filters: c.filters})
			all, tokens := entries(t, stream)
			if len(tokens) < 10 {
				t.Fatalf("only %d tokens", len(tokens))
			}
			for taken, token := range tokens {
				if taken == len(all) {
					continue
				}
				again, _ := w.watch(&usherv1.WatchRequest{After: token, Filters: c.filters})
				if rest, _ := entries(t, again); !slices.Equal(rest, all[taken:]) {
					t.Errorf("behind %d of %d entries: got %q", taken, len(all), rest)
				}
			}
		})
	}
}

// history writes revisions of one to seven tuples each, of anna's and of others, among
// them changes and deletes; the last adds media:last.
func history(t *testing.T, w *world) {
	for i := range 24 {
		var batch []*usherv1.TupleUpdate
		for j := range 1 + i%7 {
			who := []string{"anna", "bert", "carl"}[(i+j)%3]
			batch = append(batch, updates(t, touch, fmt.Sprintf("media:%d#viewer@user:%s expires 2099-01-%02dT00:00:00Z", j, who, 1+i))...)
		}
		batch = append(batch, updates(t, usherv1.Operation_OPERATION_DELETE, fmt.Sprintf("media:%d#viewer@user:dora", i), fmt.Sprintf("media:%d#owner@user:bert", i-1))...)
		batch = append(batch, updates(t, touch, fmt.Sprintf("media:%d#owner@user:bert", i))...)
		w.write(&usherv1.WriteRequest{Updates: batch})
	}
	w.touch("media:0#viewer@user:anna")
	w.touch("media:last#owner@user:bert")
}

// While the parts of a revision are still being written the log is behind the head: a
// watch waits for them, and passes nothing over.
func TestWatchWaitsForAnUnwrittenLog(t *testing.T) {
	w, db := newSplit(t)
	stream, _ := w.watch(&usherv1.WatchRequest{})
	db.unwritten.Store(2)
	w.touch("media:logo#viewer@user:anna", "media:logo#viewer@user:bert", "media:logo#viewer@user:carl")
	if got := changes(t, stream, 1)[0]; len(got.GetChanges().GetTuples()) != 3 || got.GetToken() == "" {
		t.Errorf("got %v", got)
	}
}

// A token can be ahead of the head, as another server of the same store may have returned
// it: a watch waits until the head gets there.
func TestWatchOfATokenAheadWaits(t *testing.T) {
	w, db := newSplit(t)
	_, began := w.watch(&usherv1.WatchRequest{})
	ahead := func() error { return tuples.ErrRevisionAhead }
	db.fail.Store(&ahead)
	stream, first := w.watch(&usherv1.WatchRequest{After: began.GetToken()})
	if first.GetToken() != began.GetToken() {
		t.Errorf("got %v, want a sign of life", first)
	}
	w.touch("media:logo#viewer@user:anna")
	if got := changes(t, stream, 1)[0]; len(got.GetChanges().GetTuples()) != 1 {
		t.Errorf("got %v", got)
	}
}

// A consumer that falls behind the log while its stream is open gets another snapshot,
// if it may have one at all.
func TestWatchThatFallsBehind(t *testing.T) {
	behind := func() error { return tuples.ErrRevisionUnavailable }
	var lines []string
	for i := range 250 { // a snapshot of some messages
		lines = append(lines, fmt.Sprintf("media:%d#viewer@user:anna", i))
	}
	for _, c := range []struct {
		name  string
		mode  usherv1.SnapshotMode
		parts int64 // of the revision that it has heard of
	}{
		{"if behind", ifBehind, 0},
		{"always", always, 0},
		{"within a revision", always, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, db := newSplit(t)
			stream, first := w.watch(&usherv1.WatchRequest{Snapshot: c.mode})
			m := newMirror(t)
			m.take(first)
			db.failBehind.Store(c.parts)
			db.fail.Store(&behind)
			w.touch(lines...)
			for last := false; !last; {
				message, err := stream.Recv()
				if err != nil {
					t.Fatal(err)
				}
				if m.take(message); message.GetChanges() != nil {
					t.Errorf("got %v, want a snapshot", message)
				}
				last = message.GetSnapshot().GetLast()
			}
			w.touch(theEnd)
			m.follow(stream)
			if want := w.stored(&usherv1.TupleFilter{}); !maps.Equal(m.tuples, want) {
				t.Errorf("got %d tuples, want %d", len(m.tuples), len(want))
			}
		})
	}
	t.Run("without a snapshot", func(t *testing.T) {
		w, db := newSplit(t)
		stream, _ := w.watch(&usherv1.WatchRequest{})
		db.fail.Store(&behind)
		w.touch("media:logo#viewer@user:anna")
		_, err := stream.Recv()
		wantRefusal(t, err, codes.OutOfRange, "REVISION_UNAVAILABLE", "")
	})
	t.Run("for another reason", func(t *testing.T) {
		w, db := newSplit(t)
		broken := func() error { return errors.New("broken") }
		stream, _ := w.watch(&usherv1.WatchRequest{Snapshot: always})
		db.fail.Store(&broken)
		w.touch("media:logo#viewer@user:anna")
		_, err := stream.Recv()
		wantRefusal(t, err, codes.Internal, "INTERNAL", "")
	})
}
