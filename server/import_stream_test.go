package server_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server"
	"github.com/usher-authz/usher/tuples"
	"github.com/usher-authz/usher/tuples/bolt"
)

// What is wrong with the stream itself ends it, and says where.
func TestImportRefusesStreamsThatAreNone(t *testing.T) {
	header := func(h *usherv1.ImportHeader) *usherv1.ImportRequest {
		return &usherv1.ImportRequest{Message: &usherv1.ImportRequest_Header{Header: h}}
	}
	row := rowsMessage(false, tuple(t, "media:logo#viewer@user:anna"))
	for name, c := range map[string]struct {
		messages []*usherv1.ImportRequest
		code     codes.Code
		reason   string
		field    string
	}{
		"nothing":             {nil, codes.InvalidArgument, "INVALID_FIELD", "header"},
		"rows first":          {[]*usherv1.ImportRequest{row}, codes.InvalidArgument, "INVALID_FIELD", "header"},
		"two headers":         {[]*usherv1.ImportRequest{header(nil), row, header(nil)}, codes.InvalidArgument, "INVALID_FIELD", "header"},
		"an empty message":    {[]*usherv1.ImportRequest{header(nil), {}}, codes.InvalidArgument, "INVALID_FIELD", "message"},
		"no such store":       {[]*usherv1.ImportRequest{header(&usherv1.ImportHeader{Store: "attic"}), row}, codes.NotFound, "STORE_NOT_FOUND", ""},
		"negative checkpoint": {[]*usherv1.ImportRequest{header(&usherv1.ImportHeader{CheckpointRows: -1})}, codes.InvalidArgument, "INVALID_FIELD", "header.checkpoint_rows"},
		"huge checkpoint":     {[]*usherv1.ImportRequest{header(&usherv1.ImportHeader{CheckpointRows: 250_001})}, codes.InvalidArgument, "INVALID_FIELD", "header.checkpoint_rows"},
		"an actor that is none": {[]*usherv1.ImportRequest{header(&usherv1.ImportHeader{Actor: &usherv1.Subject{Type: "user"}})},
			codes.InvalidArgument, "INVALID_FIELD", "header.actor.id"},
		"metadata too large": {[]*usherv1.ImportRequest{header(&usherv1.ImportHeader{Metadata: map[string]string{"a": strings.Repeat("x", 17<<10)}})},
			codes.InvalidArgument, "INVALID_FIELD", "header.metadata"},
		"too many rows at once": {[]*usherv1.ImportRequest{header(nil), rowsMessage(false, make([]*usherv1.Tuple, 10_001)...)},
			codes.InvalidArgument, "TOO_MANY_ITEMS", "rows.tuples"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newLibrary(t)
			stream, err := w.tuples.Import(w.ctx)
			if err != nil {
				t.Fatal(err)
			}
			im := &importing{t, stream}
			for _, m := range c.messages {
				im.send(m)
			}
			answers, err := im.end()
			wantRefusal(t, err, c.code, c.reason, c.field)
			if len(answers) != 0 || len(w.lines()) != 0 {
				t.Errorf("answers %v, stored are %q", answers, w.lines())
			}
		})
	}
}

func TestImportNeedsAModel(t *testing.T) {
	im := newWorld(t, server.Options{}).importInto(&usherv1.ImportHeader{})
	im.lines("media:logo#viewer@user:anna")
	_, err := im.end()
	wantRefusal(t, err, codes.FailedPrecondition, "NO_MODEL", "")
}

// A stream that breaks keeps its checkpoints. Who goes on behind the last one, or begins
// anew, has everything in the end, and nothing twice.
func TestImportGoesOnBehindTheLastCheckpoint(t *testing.T) {
	rows := manyRows(100)
	for name, c := range map[string]struct {
		from    func(done int64) int64
		created int64
	}{
		"behind the last checkpoint": {func(done int64) int64 { return done }, 60},
		"anew":                       {func(int64) int64 { return 0 }, 60},
	} {
		t.Run(name, func(t *testing.T) {
			w := newLibrary(t)
			ctx, hangUp := context.WithCancel(w.ctx)
			broken := *w
			broken.ctx = ctx
			im := broken.importInto(&usherv1.ImportHeader{})
			done := im.checkpoint(rows[:40]...).GetRows()
			im.lines(rows[40:70]...)
			hangUp()
			if _, err := im.end(); err == nil {
				t.Error("a stream that was hung up ends well")
			}
			im = w.importInto(&usherv1.ImportHeader{})
			im.lines(rows[c.from(done):]...)
			last := im.mustEnd()
			if got := last[0].GetCreated(); done != 40 || got != c.created {
				t.Errorf("%d rows were done, then %d created, want %d", done, got, c.created)
			}
			if got := w.lines(); !slices.Equal(got, rows) {
				t.Errorf("%d tuples are stored, want %d", len(got), len(rows))
			}
			mustVerify(t, w)
		})
	}
}

// manyRows are n rows in the order in which w.lines has them.
func manyRows(n int) (rows []string) {
	for i := range n {
		rows = append(rows, fmt.Sprintf("media:m%07d#viewer@user:u%d", i/3, i%7))
	}
	slices.Sort(rows)
	return slices.Compact(rows)
}

func mustVerify(t testing.TB, w *world) tuples.Verified {
	t.Helper()
	s, err := w.db.Store(t.Context(), server.DefaultStore)
	if err != nil {
		t.Fatal(err)
	}
	counts, err := s.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return counts
}

// meddling is a database that does something right before the next commit.
type meddling struct {
	*bolt.DB
	mu     sync.Mutex
	before func()
}

type meddledStore struct {
	tuples.Store
	db *meddling
}

func (db *meddling) Store(ctx context.Context, name string) (tuples.Store, error) {
	store, err := db.DB.Store(ctx, name)
	return &meddledStore{Store: store, db: db}, err
}

func (s *meddledStore) Commit(ctx context.Context, c tuples.Commit) (tuples.Committed, error) {
	s.db.mu.Lock()
	before := s.db.before
	s.db.before = nil
	s.db.mu.Unlock()
	if before != nil {
		before()
	}
	return s.Store.Commit(ctx, c)
}

// withoutGroups is the library whose media are not shared with groups.
var withoutGroups = strings.ReplaceAll(library, "define viewer: [user, user:*, group#member, user with office_hours]", "define viewer: [user, user:*, user with office_hours]")

// Rows that were judged by a model which is in force no more are judged again.
func TestImportJudgesByTheModelInForce(t *testing.T) {
	rows := []string{"media:a#viewer@user:anna", "media:a#viewer@group:g#member", "film:a#viewer@user:anna", "media:b#viewer@group:g#member", "media:b#viewer@user:bert"}
	for name, c := range map[string]struct {
		stop bool
		rows int // sent: one that is refused by both models ends it, if it is to stop
		want string
	}{
		"every row":             {false, 5, "5: 2 created, 0 updated, 0 unchanged, row 1 refused, row 2 refused, row 3 refused"},
		"up to the first":       {true, 2, "2: 1 created, 0 updated, 0 unchanged, row 1 refused"},
		"before the one it had": {true, 3, "2: 1 created, 0 updated, 0 unchanged, row 1 refused"},
	} {
		t.Run(name, func(t *testing.T) {
			healthy := newLibrary(t)
			db := &meddling{DB: healthy.db}
			w := serve(t, db, server.Options{})
			db.before = func() { healthy.writeModel(withoutGroups) }
			im := w.importInto(&usherv1.ImportHeader{StopAtFirstFailure: c.stop})
			im.lines(rows[:c.rows]...)
			expectTold(t, im.mustEnd(), c.want)
		})
	}
}

// When a row is found to be refused only as its checkpoint is written, what was sent
// behind is not imported either.
func TestImportStopsBehindACheckpointThatWasJudgedAgain(t *testing.T) {
	healthy := newLibrary(t)
	db := &meddling{DB: healthy.db}
	w := serve(t, db, server.Options{})
	db.before = func() { healthy.writeModel(withoutGroups) }
	im := w.importInto(&usherv1.ImportHeader{StopAtFirstFailure: true, CheckpointRows: 2})
	im.lines("media:a#viewer@user:anna", "media:a#viewer@group:g#member", "media:c#viewer@user:anna")
	answers, err := collect(im.stream, nil)
	if err != nil {
		t.Fatal(err)
	}
	expectTold(t, answers, "2: 1 created, 0 updated, 0 unchanged, row 1 refused")
	if want := []string{"media:a#viewer@user:anna"}; !slices.Equal(w.lines(), want) {
		t.Errorf("stored are %q, want %q", w.lines(), want)
	}
}

func TestImportEndsWithTheErrorOfAFailedCommit(t *testing.T) {
	w := newFaulty(t, server.Options{}, &faulty{commit: func() error { return tuples.ErrReadOnly }})
	im := w.importInto(&usherv1.ImportHeader{CheckpointRows: 1})
	im.lines("media:a#viewer@user:anna", "media:b#viewer@user:anna")
	answers, err := im.end()
	wantRefusal(t, err, codes.Unavailable, "READ_ONLY", "")
	expectTold(t, answers)
}

// A server that drains does not wait for the end of an import.
func TestImportEndsWithTheServer(t *testing.T) {
	w := newLibrary(t)
	im := w.importInto(&usherv1.ImportHeader{})
	expectTold(t, []*usherv1.ImportResponse{im.checkpoint("media:a#viewer@user:anna")}, "1: 1 created, 0 updated, 0 unchanged")
	w.server.Drain(t.Context())
	_, err := im.stream.Recv()
	wantRefusal(t, err, codes.Unavailable, "SHUTTING_DOWN", "")
}

// Rows that are refused come in messages that a client can read: 1,000 in each.
func TestImportOfNothingButBadRows(t *testing.T) {
	const bad = 2_500
	w := newLibrary(t)
	im := w.importInto(&usherv1.ImportHeader{})
	im.lines(slices.Repeat([]string{"film:a#viewer@user:anna"}, bad)...)
	next := int64(0)
	for _, a := range im.mustEnd() {
		if len(a.GetFailures()) > 1000 {
			t.Errorf("a message has %d failures", len(a.GetFailures()))
		}
		for _, f := range a.GetFailures() {
			if f.GetRow() != next {
				t.Fatalf("row %d is named, want %d", f.GetRow(), next)
			}
			next++
		}
	}
	if next != bad {
		t.Errorf("%d rows are named, want %d", next, bad)
	}
}

// If a model that comes meanwhile refuses very many rows of a checkpoint, they come in
// several messages; the last has the token.
func TestImportNamesVeryManyRowsOfOneCheckpoint(t *testing.T) {
	const shares = 2_100
	healthy := newLibrary(t)
	db := &meddling{DB: healthy.db}
	w := serve(t, db, server.Options{})
	db.before = func() { healthy.writeModel(withoutGroups) }
	im := w.importInto(&usherv1.ImportHeader{})
	for i := range shares {
		im.lines(fmt.Sprintf("media:m%d#viewer@group:g#member", i))
	}
	answers := im.mustEnd()
	var counts []int
	for i, a := range answers {
		counts = append(counts, len(a.GetFailures()))
		if last := i == len(answers)-1; (a.GetToken() != "") != last || (a.GetRows() == shares) != last {
			t.Errorf("message %d has token %q and rows %d", i, a.GetToken(), a.GetRows())
		}
	}
	if want := []int{1000, 1000, 100}; !slices.Equal(counts, want) {
		t.Errorf("the messages name %v rows, want %v", counts, want)
	}
}

// Large rows make checkpoints by their bytes: each here has ids of 2 KiB.
func TestImportBoundsACheckpointByItsBytes(t *testing.T) {
	const rows, full = 16_400, 32 << 20 / (2 << 10)
	w := newLibrary(t)
	im := w.importInto(&usherv1.ImportHeader{})
	long := &usherv1.Subject{Type: "user", Id: strings.Repeat("x", 1<<10)}
	for from := 0; from < rows; from += 100 {
		list := make([]*usherv1.Tuple, 100)
		for i := range list {
			list[i] = mediaRow(0)
			list[i].Object.Id, list[i].Subject = fmt.Sprintf("%01024d", from+i), long
		}
		im.rows(list...)
	}
	answers := im.mustEnd()
	if len(answers) != 2 || answers[0].GetRows() != full || answers[1].GetRows() != rows {
		t.Errorf("got %d checkpoints: %v", len(answers), answers)
	}
}

func TestImportIsCounted(t *testing.T) {
	w := newLibrary(t, "media:a#viewer@user:anna", "media:b#viewer@user:anna")
	for _, tried := range []bool{true, false} {
		im := w.importInto(&usherv1.ImportHeader{DryRun: tried})
		im.lines("media:a#viewer@user:anna", "media:b#viewer@user:anna expires 2999-01-01T00:00:00Z", "media:c#viewer@user:carl", "film:d#viewer@user:anna")
		im.mustEnd()
	}
	recorder := httptest.NewRecorder()
	w.server.HTTP().ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	for _, outcome := range []string{"created", "updated", "unchanged", "refused"} {
		if want := fmt.Sprintf("usher_import_rows_total{outcome=%q} 1\n", outcome); !strings.Contains(recorder.Body.String(), want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
}
