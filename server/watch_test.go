package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/tuples"
)

// changes reads from a watch until it has n messages with changes.
func changes(t *testing.T, stream receiver[usherv1.WatchResponse], n int) []*usherv1.WatchResponse {
	t.Helper()
	var all []*usherv1.WatchResponse
	for len(all) < n {
		message, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if message.GetChanges() != nil {
			all = append(all, message)
		}
	}
	return all
}

// shownChange writes one message of a watch as text.
func shownChange(m *usherv1.WatchResponse) string {
	c := m.GetChanges()
	text := fmt.Sprintf("%d %s", m.GetRevision(), c.GetCause())
	for _, change := range c.GetTuples() {
		t := change.GetTuple()
		text += fmt.Sprintf(" %s %s:%s#%s@%s", change.GetOperation(), t.GetObject().GetType(), t.GetObject().GetId(), t.GetRelation(), t.GetSubject().GetId())
	}
	return text
}

func TestWatch(t *testing.T) {
	w := newLibrary(t)
	stream, err := w.tuples.Watch(w.ctx, &usherv1.WatchRequest{})
	if err != nil {
		t.Fatal(err)
	}
	began, err := stream.Recv() // the first message says where the stream begins
	if err != nil || began.GetChanges() != nil || began.GetToken() == "" || began.GetRevision() != 1 {
		t.Fatalf("got %v, %v", began, err)
	}
	w.write(&usherv1.WriteRequest{
		Updates:  updates(t, usherv1.Operation_OPERATION_CREATE, "media:logo#viewer@user:anna", "media:logo#viewer@user:bert"),
		Actor:    subject(t, "user:carl"),
		Metadata: map[string]string{"message": "have a look"},
	})
	w.touch("media:logo#viewer@user:anna") // changes nothing: no revision
	w.touch("media:logo#viewer@user:anna expires 2099-01-01T00:00:00Z")
	if _, err := w.tuples.DeleteTuples(w.ctx, &usherv1.DeleteTuplesRequest{Filter: &usherv1.TupleFilter{SubjectType: "user", SubjectId: "anna"}}); err != nil {
		t.Fatal(err)
	}
	model := w.writeModel(readers)

	got := changes(t, stream, 4)
	var shown []string
	for _, m := range got {
		shown = append(shown, shownChange(m))
	}
	want := []string{
		"2 CAUSE_WRITE OPERATION_CREATE media:logo#viewer@anna OPERATION_CREATE media:logo#viewer@bert",
		"3 CAUSE_WRITE OPERATION_TOUCH media:logo#viewer@anna",
		"4 CAUSE_DELETE OPERATION_DELETE media:logo#viewer@anna",
		"5 CAUSE_MODEL",
	}
	if !slices.Equal(shown, want) {
		t.Errorf("got  %q\nwant %q", shown, want)
	}
	first, last := got[0].GetChanges(), got[3].GetChanges()
	if first.GetActor().GetId() != "carl" || first.GetMetadata()["message"] != "have a look" || first.GetCaller() != "" || first.GetTime().AsTime().IsZero() {
		t.Errorf("got %v", first)
	}
	if deleted := got[2].GetChanges().GetTuples()[0].GetTuple(); deleted.GetExpiresAt() == nil {
		t.Errorf("a delete tells what the tuple was: got %v", deleted)
	}
	if last.GetModelId() != model.GetModelId() {
		t.Errorf("got %v", last)
	}

	// Another watch goes on behind any token of the first, or of a write or an answer.
	for i, m := range append([]*usherv1.WatchResponse{began}, got[:3]...) {
		again, err := w.tuples.Watch(w.ctx, &usherv1.WatchRequest{After: m.GetToken()})
		if err != nil {
			t.Fatal(err)
		}
		rest := changes(t, again, 4-i)
		if shownChange(rest[0]) != want[i] || shownChange(rest[len(rest)-1]) != want[3] {
			t.Errorf("behind %d: got %v", m.GetRevision(), rest)
		}
	}
}

// A large revision comes in parts; only the last has a token, so that nobody resumes
// in the middle of a revision.
func TestWatchSplitsLargeRevisions(t *testing.T) {
	whole := newLibrary(t)
	parts, _ := newSplit(t)
	for name, w := range map[string]*world{"of a log that has them whole": whole, "of a log in parts": parts} {
		t.Run(name, func(t *testing.T) {
			stream, _ := w.watch(&usherv1.WatchRequest{})
			lines := make([]string, 2_500)
			for i := range lines {
				lines[i] = fmt.Sprintf("media:%d#viewer@user:anna", i)
			}
			w.touch(lines...)
			total := 0
			for i, part := range changes(t, stream, 3) {
				total += len(part.GetChanges().GetTuples())
				if (part.GetToken() != "") != (i == 2) || part.GetRevision() != 2 || len(part.GetChanges().GetTuples()) > 1_000 {
					t.Errorf("part %d: %d changes, token %q", i, len(part.GetChanges().GetTuples()), part.GetToken())
				}
			}
			if total != len(lines) {
				t.Errorf("got %d changes", total)
			}
		})
	}
}

// The tuples of a revision can be large too: no message is longer than clients accept.
func TestWatchSplitsLongRevisions(t *testing.T) {
	w := newLibrary(t)
	stream, _ := w.watch(&usherv1.WatchRequest{})
	long := strings.Repeat("x", tuples.MaxAttributeBytes)
	var attributes []string
	for i := range tuples.MaxAttributes {
		attributes = append(attributes, fmt.Sprintf(`"notice%d":%q`, i, long))
	}
	lines := make([]string, 500)
	for i := range lines {
		lines[i] = fmt.Sprintf("media:%d#viewer@user:anna attributes {%s}", i, strings.Join(attributes, ","))
	}
	w.touch(lines...)
	total := 0
	for total < len(lines) {
		message := changes(t, stream, 1)[0]
		total += len(message.GetChanges().GetTuples())
		if size := proto.Size(message); size > 1<<20+len(lines[0]) || (message.GetToken() != "") != (total == len(lines)) {
			t.Errorf("%d changes of %d bytes, token %q", len(message.GetChanges().GetTuples()), size, message.GetToken())
		}
	}
}

// Without changes there is a sign of life, with the token to go on behind.
func TestHeartbeat(t *testing.T) {
	w := newLibrary(t)
	stream, err := w.tuples.Watch(w.ctx, &usherv1.WatchRequest{Heartbeat: durationpb.New(time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		beat, err := stream.Recv()
		if err != nil || beat.GetChanges() != nil || beat.GetToken() == "" || beat.GetRevision() != 1 {
			t.Fatalf("got %v, %v", beat, err)
		}
	}
}

func TestWatchEnds(t *testing.T) {
	t.Run("with the server, by its reason", func(t *testing.T) {
		w := newLibrary(t)
		stream, err := w.tuples.Watch(w.ctx, &usherv1.WatchRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}
		w.server.Drain(t.Context())
		_, err = stream.Recv()
		wantRefusal(t, err, codes.Unavailable, "SHUTTING_DOWN", "")
	})
	t.Run("with the store", func(t *testing.T) {
		w := newLibrary(t)
		stream, err := w.tuples.Watch(w.ctx, &usherv1.WatchRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}
		if _, err := w.stores.DeleteStore(w.ctx, &usherv1.DeleteStoreRequest{Store: "default"}); err != nil {
			t.Fatal(err)
		}
		_, err = stream.Recv()
		wantRefusal(t, err, codes.NotFound, "STORE_NOT_FOUND", "")
	})
}

func TestBadWatches(t *testing.T) {
	w := newLibrary(t)
	forgetful, old := newForgetful(t)
	if _, err := w.stores.CreateStore(w.ctx, &usherv1.CreateStoreRequest{Name: "other"}); err != nil {
		t.Fatal(err)
	}
	_, foreign := w.watch(&usherv1.WatchRequest{Store: "other"})
	for _, c := range []struct {
		name, reason, field string
		code                codes.Code
		world               *world
		request             *usherv1.WatchRequest
	}{
		{"half a second", "INVALID_FIELD", "heartbeat", codes.InvalidArgument, w, &usherv1.WatchRequest{Heartbeat: durationpb.New(time.Second / 2)}},
		{"two hours", "INVALID_FIELD", "heartbeat", codes.InvalidArgument, w, &usherv1.WatchRequest{Heartbeat: durationpb.New(2 * time.Hour)}},
		{"no duration", "INVALID_FIELD", "heartbeat", codes.InvalidArgument, w, &usherv1.WatchRequest{Heartbeat: &durationpb.Duration{Seconds: 1, Nanos: -1}}},
		{"a forged token", "FORGED_TOKEN", "after", codes.InvalidArgument, w, &usherv1.WatchRequest{After: "forged"}},
		{"an unknown store", "STORE_NOT_FOUND", "", codes.NotFound, w, &usherv1.WatchRequest{Store: "nowhere"}},
		{"a mode that is none", "INVALID_FIELD", "snapshot", codes.InvalidArgument, w, &usherv1.WatchRequest{Snapshot: 7}},
		{"a token beside a snapshot", "INVALID_FIELD", "after", codes.InvalidArgument, w, &usherv1.WatchRequest{Snapshot: always, After: old}},
		{"a forged token with a snapshot", "FORGED_TOKEN", "after", codes.InvalidArgument, w, &usherv1.WatchRequest{Snapshot: ifBehind, After: "forged"}},
		{"a token of another store with a snapshot", "FOREIGN_TOKEN", "after", codes.InvalidArgument, w, &usherv1.WatchRequest{Snapshot: ifBehind, After: foreign.GetToken()}},
		{"21 filters", "TOO_MANY_ITEMS", "filters", codes.InvalidArgument, w, &usherv1.WatchRequest{Filters: make([]*usherv1.TupleFilter, 21)}},
		{"a filter by an id alone", "INVALID_FIELD", "filters[0].object_id", codes.InvalidArgument, w, &usherv1.WatchRequest{Filters: []*usherv1.TupleFilter{{ObjectId: "logo"}}}},
		{"a filter by expiry", "INVALID_FIELD", "filters[0].expires_before", codes.InvalidArgument, w, &usherv1.WatchRequest{Filters: []*usherv1.TupleFilter{{ExpiresBefore: timestamppb.Now()}}}},
		{"a filter by an unknown type", "UNKNOWN_TYPE", "filters[1].object_type", codes.InvalidArgument, w, &usherv1.WatchRequest{Filters: []*usherv1.TupleFilter{{}, {ObjectType: "video"}}}},
		{"a filter by an unknown relation", "UNKNOWN_RELATION", "filters[0].relation", codes.InvalidArgument, w, &usherv1.WatchRequest{Filters: []*usherv1.TupleFilter{{Relation: "can_fly"}}}},
		{"a token older than the log", "REVISION_UNAVAILABLE", "", codes.OutOfRange, forgetful, &usherv1.WatchRequest{After: old}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := collect(c.world.tuples.Watch(c.world.ctx, c.request))
			wantRefusal(t, err, c.code, c.reason, c.field)
		})
	}
}
