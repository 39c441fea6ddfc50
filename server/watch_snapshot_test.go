package server_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server"
	"github.com/usher-authz/usher/server/wire"
)

const (
	ifBehind = usherv1.SnapshotMode_SNAPSHOT_MODE_IF_BEHIND
	always   = usherv1.SnapshotMode_SNAPSHOT_MODE_ALWAYS
)

// mirror is a consumer that keeps the tuples of a store by what a watch tells it. It is
// strict: what it hears must fit what it has.
type mirror struct {
	t      *testing.T
	tuples map[string]bool
	within bool   // a snapshot
	token  string // to go on behind
}

func newMirror(t *testing.T) *mirror { return &mirror{t: t, tuples: map[string]bool{}} }

// take follows one message.
func (m *mirror) take(message *usherv1.WatchResponse) {
	if s := message.GetSnapshot(); s != nil {
		m.takeSnapshot(s, message.GetToken())
	} else if m.within && (message.GetChanges() != nil || message.GetToken() != "") {
		m.t.Errorf("%v is within a snapshot", message)
	}
	for _, change := range message.GetChanges().GetTuples() {
		key := wire.ToKey(change.GetTuple()).String()
		if absent := change.GetOperation() == create; absent == m.tuples[key] {
			m.t.Errorf("revision %d: %s of %s, which is there: %v", message.GetRevision(), change.GetOperation(), key, m.tuples[key])
		}
		m.tuples[key] = true
		if change.GetOperation() == usherv1.Operation_OPERATION_DELETE {
			delete(m.tuples, key)
		}
	}
	if message.GetToken() != "" {
		m.token = message.GetToken()
	}
}

// theEnd is the tuple that the last write of a test adds.
const theEnd = "media:end#viewer@user:bert"

// follow takes messages up to the end.
func (m *mirror) follow(stream receiver[usherv1.WatchResponse]) {
	for !m.tuples[theEnd] {
		message, err := stream.Recv()
		if err != nil {
			m.t.Error(err)
			return
		}
		m.take(message)
	}
}

func (m *mirror) takeSnapshot(s *usherv1.TupleSnapshot, token string) {
	if s.GetFirst() == m.within && !s.GetFirst() || s.GetLast() != (token != "") {
		m.t.Errorf("first %v, last %v, token %q", s.GetFirst(), s.GetLast(), token)
	}
	if s.GetFirst() {
		clear(m.tuples)
	}
	m.within = !s.GetLast()
	for _, tuple := range s.GetTuples() {
		key := wire.ToKey(tuple).String()
		if m.tuples[key] {
			m.t.Errorf("%s comes twice in a snapshot", key)
		}
		m.tuples[key] = true
	}
}

// stored returns the tuples that a read selects, as a mirror has them.
func (w *world) stored(filters ...*usherv1.TupleFilter) map[string]bool {
	w.t.Helper()
	found := map[string]bool{}
	for _, filter := range filters {
		pages, err := collect(w.tuples.Read(w.ctx, &usherv1.ReadRequest{Filter: filter}))
		if err != nil {
			w.t.Fatal(err)
		}
		for _, page := range pages {
			for _, tuple := range page.GetTuples() {
				found[wire.ToKey(tuple).String()] = true
			}
		}
	}
	return found
}

// A watch begins with a snapshot if the mode says so, and only then.
func TestWatchSnapshotModes(t *testing.T) {
	empty := newWorld(t, server.Options{})
	w := newLibrary(t, "media:logo#viewer@user:anna", "media:logo#owner@user:bert", "folder:press#owner@user:anna")
	forgetful, old := newForgetful(t)
	_, began := w.watch(&usherv1.WatchRequest{})
	media, anna := &usherv1.TupleFilter{ObjectType: "media"}, &usherv1.TupleFilter{SubjectType: "user", SubjectId: "anna"}
	for _, c := range []struct {
		name    string
		world   *world
		request *usherv1.WatchRequest
		want    []*usherv1.TupleFilter // of the snapshot; nil for no snapshot
	}{
		{"always", w, &usherv1.WatchRequest{Snapshot: always}, []*usherv1.TupleFilter{{}}},
		{"always, of an empty store", empty, &usherv1.WatchRequest{Snapshot: always}, []*usherv1.TupleFilter{{}}},
		{"always, of what a filter selects", w, &usherv1.WatchRequest{Snapshot: always, Filters: []*usherv1.TupleFilter{media}}, []*usherv1.TupleFilter{media}},
		{"always, of what two filters select that overlap", w, &usherv1.WatchRequest{Snapshot: always, Filters: []*usherv1.TupleFilter{media, anna}},
			[]*usherv1.TupleFilter{media, anna}},
		{"if behind, with a token", w, &usherv1.WatchRequest{Snapshot: ifBehind, After: began.GetToken()}, nil},
		{"if behind, without a token", w, &usherv1.WatchRequest{Snapshot: ifBehind}, []*usherv1.TupleFilter{{}}},
		{"if behind, with a token older than the log", forgetful, &usherv1.WatchRequest{Snapshot: ifBehind, After: old}, []*usherv1.TupleFilter{{}}},
		{"never", w, &usherv1.WatchRequest{}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, first := c.world.watch(c.request)
			s := first.GetSnapshot()
			if c.want == nil {
				if s != nil || first.GetToken() == "" {
					t.Errorf("got %v", first)
				}
				return
			}
			if s == nil || !s.GetFirst() || !s.GetLast() {
				t.Fatalf("got %v", first)
			}
			m := newMirror(t)
			m.take(first)
			if want := c.world.stored(c.want...); !maps.Equal(m.tuples, want) {
				t.Errorf("got %v, want %v", m.tuples, want)
			}
		})
	}
}

// Whoever watches without a snapshot and has fallen too far behind is told of the mode
// that helps.
func TestTooFarBehindNamesTheMode(t *testing.T) {
	w, old := newForgetful(t)
	_, err := collect(w.tuples.Watch(w.ctx, &usherv1.WatchRequest{After: old}))
	r := wantRefusal(t, err, codes.OutOfRange, "REVISION_UNAVAILABLE", "")
	if !strings.Contains(r.message, "SNAPSHOT_MODE_IF_BEHIND") || !strings.Contains(r.message, "behind revision 2") {
		t.Errorf("got %q", r.message)
	}
}

// Four writers add and remove tuples while consumers begin with a snapshot and follow the
// log from there: nothing is missing, and nothing comes twice.
func TestNothingIsLostBetweenSnapshotAndLog(t *testing.T) {
	w := newLibrary(t)
	var lines []string
	for i := range 450 { // a snapshot of some messages
		lines = append(lines, fmt.Sprintf("media:old%d#viewer@user:anna", i))
	}
	w.touch(lines...)
	var writers, consumers sync.WaitGroup
	for n := range 4 {
		writers.Go(func() {
			for i := range 60 {
				line := fmt.Sprintf("media:%d-%d#viewer@user:anna", n, i/2) // once, and away again now and then
				op := []usherv1.Operation{touch, usherv1.Operation_OPERATION_DELETE, touch}[i%3]
				r := &usherv1.WriteRequest{Updates: append(updates(t, op, line), updates(t, usherv1.Operation_OPERATION_DELETE, lines[60*n+i])...)}
				if _, err := w.tuples.Write(w.ctx, r); err != nil {
					t.Error(err)
				}
			}
		})
	}
	mirrors := make([]*mirror, 3)
	for i := range mirrors {
		mirrors[i] = newMirror(t)
		consumers.Go(func() {
			stream, err := w.tuples.Watch(w.ctx, &usherv1.WatchRequest{Snapshot: always, Filters: []*usherv1.TupleFilter{{ObjectType: "media"}}})
			if err != nil {
				t.Error(err)
				return
			}
			mirrors[i].follow(stream)
		})
	}
	writers.Wait()
	w.touch(theEnd)
	consumers.Wait()
	want := w.stored(&usherv1.TupleFilter{ObjectType: "media"})
	for _, m := range mirrors {
		if !maps.Equal(m.tuples, want) {
			t.Errorf("a consumer has %d tuples, the store %d: %q", len(m.tuples), len(want), slices.Sorted(maps.Keys(m.tuples)))
		}
	}
}
