package server_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/usher-authz/usher/decisions"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server"
	"github.com/usher-authz/usher/server/wire"
)

// portal is a model in which downloads are for invited users, for the public, and for
// whoever knows a password.
const portal = `
model
  schema 1.1

type user

type group
  relations
    define member: [user]

type file
  relations
    define blocked: [user]
    define viewer: [user, user:*]
    define downloader: [user, group#member, user:* with password]
    define can_view: viewer or can_download
    define can_download: downloader but not blocked

condition password(secret: string, proofs: list<string>) {
  secret in proofs
}
`

// How the decision logs of tests are opened: none of them outlives a crash.
var (
	unsynced = decisions.Options{NoSync: true}
	required = decisions.Options{NoSync: true, Required: true}
)

// recorder is a server with a decision log.
type recorder struct {
	*world
	log       *decisions.Log
	decisions usherv1.DecisionServiceClient
}

func newRecorder(t testing.TB, options decisions.Options, relations ...server.RecordedRelation) *recorder {
	t.Helper()
	log, err := decisions.Open(filepath.Join(t.TempDir(), "decisions.db"), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	})
	w := newWorld(t, server.Options{Decisions: server.DecisionOptions{Log: log, Relations: relations}})
	w.writeModel(portal)
	w.touch("file:logo#downloader@user:anna", "file:logo#downloader@group:press#member", "group:press#member@user:bert",
		"file:logo#blocked@user:dora", "file:logo#downloader@user:dora", "file:poster#viewer@user:*",
		`file:poster#downloader@user:* with password {"secret": "poster/2"}`)
	return &recorder{world: w, log: log, decisions: usherv1.NewDecisionServiceClient(w.conn)}
}

// list returns the decisions that a request selects, as messages.
func (r *recorder) list(request *usherv1.ListDecisionsRequest) []*usherv1.ListDecisionsResponse {
	r.t.Helper()
	pages, err := collect(r.decisions.ListDecisions(r.ctx, request))
	if err != nil {
		r.t.Fatal(err)
	}
	return pages
}

// shownDecisions writes decisions as text, one a line.
func shownDecisions(pages ...*usherv1.ListDecisionsResponse) []string {
	var lines []string
	for _, page := range pages {
		for _, d := range page.GetDecisions() {
			line := fmt.Sprintf("%s: %s %s %s:%s", outcome(d.GetOutcome()), wire.ToSubject(d.GetSubject()), d.GetRelation(), d.GetObject().GetType(), d.GetObject().GetId())
			if d.GetSourceAddress() != "" {
				line += " from " + d.GetSourceAddress()
			}
			for _, grant := range d.GetGrantedBy() {
				line += " by " + wire.ToKey(grant).String()
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// ask asks a question that is to be recorded.
func (r *recorder) ask(text, address string, proofs ...any) *usherv1.CheckResponse {
	r.t.Helper()
	request := question(r.t, text)
	request.Record, request.SourceAddress = true, address
	if proofs != nil {
		request.Context = values(r.t, map[string]any{"proofs": proofs})
	}
	response, err := r.permissions.Check(r.ctx, request)
	if err != nil {
		r.t.Fatalf("%s: %v", text, err)
	}
	return response
}

// D11: downloads are reported by name for invited users, and by address for public and
// password access, with the grant that allowed each.
func TestDownloadsAreReported(t *testing.T) {
	r := newRecorder(t, unsynced)
	before := time.Now().Add(-time.Minute)
	r.ask("user:anna can_download file:logo", "192.0.2.7")
	r.ask("user:bert can_download file:logo", "")
	r.ask("user:dora can_download file:logo", "192.0.2.9")
	r.ask("user:* can_view file:poster", "2001:db8::1")
	r.ask("user:* can_download file:poster", "2001:db8::1")
	last := r.ask("user:* can_download file:poster", "2001:db8::2", "poster/2")
	if got := r.check("user:anna can_download file:logo"); got != "allowed" { // not to be recorded
		t.Fatalf("got %s", got)
	}
	const (
		anna        = "allowed: user:anna can_download file:logo from 192.0.2.7 by file:logo#downloader@user:anna"
		bert        = "allowed: user:bert can_download file:logo by file:logo#downloader@group:press#member by group:press#member@user:bert"
		dora        = "denied: user:dora can_download file:logo from 192.0.2.9"
		public      = "allowed: user:* can_view file:poster from 2001:db8::1 by file:poster#viewer@user:*"
		conditional = "conditional: user:* can_download file:poster from 2001:db8::1"
		password    = "allowed: user:* can_download file:poster from 2001:db8::2 by file:poster#downloader@user:*"
	)
	for _, c := range []struct {
		name    string
		request *usherv1.ListDecisionsRequest
		want    []string
	}{
		{"all", &usherv1.ListDecisionsRequest{}, []string{password, conditional, public, dora, bert, anna}},
		{"of an object", &usherv1.ListDecisionsRequest{Object: object(t, "file:logo")}, []string{dora, bert, anna}},
		{"of a subject", &usherv1.ListDecisionsRequest{Subject: subject(t, "user:bert")}, []string{bert}},
		{"of the public, to an object", &usherv1.ListDecisionsRequest{Object: object(t, "file:poster"), Subject: subject(t, "user:*")}, []string{password, conditional, public}},
		{"of a relation", &usherv1.ListDecisionsRequest{Relation: "can_view"}, []string{public}},
		{"of an outcome", &usherv1.ListDecisionsRequest{Outcome: usherv1.Outcome_OUTCOME_DENIED}, []string{dora}},
		{"since a minute ago", &usherv1.ListDecisionsRequest{From: timestamppb.New(before)}, []string{password, conditional, public, dora, bert, anna}},
		{"until a minute ago", &usherv1.ListDecisionsRequest{Until: timestamppb.New(before)}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := shownDecisions(r.list(c.request)...); !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
	newest := r.list(&usherv1.ListDecisionsRequest{})[0].GetDecisions()[0]
	if newest.GetRevision() != last.GetRevision() || newest.GetModelId() == "" || newest.GetCaller() != "" || newest.GetTime().AsTime().Before(before) {
		t.Errorf("got %v", newest)
	}
	if with := newest.GetGrantedBy()[0].GetCondition(); with.GetName() != "password" || with.GetContext().GetFields()["secret"].GetStringValue() != "poster/2" {
		t.Errorf("the grant is %v", with)
	}
}

// D11: relations are recorded by configuration too, for one type or for all, whoever asks.
func TestConfiguredRelationsAreRecorded(t *testing.T) {
	for _, c := range []struct {
		name      string
		relations []server.RecordedRelation
		want      int
	}{
		{"of the type", []server.RecordedRelation{{Type: "file", Relation: "can_download"}}, 2},
		{"of any type", []server.RecordedRelation{{Relation: "can_download"}, {Relation: "member"}}, 3},
		{"of another type", []server.RecordedRelation{{Type: "group", Relation: "can_download"}}, 0},
		{"none", nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRecorder(t, unsynced, c.relations...)
			r.check("user:anna can_download file:logo")
			r.check("user:anna can_view file:logo")
			r.check("user:anna member group:press")
			r.check("user:carl can_download file:logo")
			if got := shownDecisions(r.list(&usherv1.ListDecisionsRequest{})...); len(got) != c.want {
				t.Errorf("got %q, want %d", got, c.want)
			}
		})
	}
}

// Each item of a batch is a decision of its own; an item without an answer is none, and
// neither is a Check that fails.
func TestFailuresAreNoDecisions(t *testing.T) {
	r := newRecorder(t, unsynced)
	item := func(text string) *usherv1.BatchCheckItem {
		q := question(t, text)
		return &usherv1.BatchCheckItem{Object: q.GetObject(), Relation: q.GetRelation(), Subject: q.GetSubject()}
	}
	if _, err := r.permissions.BatchCheck(r.ctx, &usherv1.BatchCheckRequest{
		Record: true, SourceAddress: "192.0.2.7",
		Items: []*usherv1.BatchCheckItem{item("user:anna can_download file:logo"), item("user:anna can_fly file:logo"), item("user:carl can_view file:logo")},
	}); err != nil {
		t.Fatal(err)
	}
	fails := question(t, "user:anna can_fly file:logo")
	fails.Record = true
	if _, err := r.permissions.Check(r.ctx, fails); err == nil {
		t.Fatal("no error")
	}
	want := []string{
		"denied: user:carl can_view file:logo from 192.0.2.7",
		"allowed: user:anna can_download file:logo from 192.0.2.7 by file:logo#downloader@user:anna",
	}
	if got := shownDecisions(r.list(&usherv1.ListDecisionsRequest{})...); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// A long path is recorded as its first ten tuples.
func TestRecordedPathsAreBounded(t *testing.T) {
	r := newRecorder(t, unsynced)
	r.writeModel(library)
	lines := []string{"folder:12#viewer@user:anna"}
	for i := range 12 {
		lines = append(lines, fmt.Sprintf("folder:%d#parent@folder:%d", i, i+1))
	}
	r.touch(lines...)
	r.ask("user:anna viewer folder:0", "")
	granted := r.list(&usherv1.ListDecisionsRequest{})[0].GetDecisions()[0].GetGrantedBy()
	if len(granted) != 10 || granted[0].GetObject().GetId() != "0" || granted[9].GetObject().GetId() != "9" {
		t.Errorf("got %d: %v", len(granted), granted)
	}
}

// A list is whole, whatever the size of its pages, and goes on behind each of them; what
// is recorded meanwhile comes before it.
func TestDecisionsResume(t *testing.T) {
	r := newRecorder(t, unsynced)
	const total = 250 // some messages
	for i := range total {
		r.ask(fmt.Sprintf("user:%d can_view file:logo", i), "")
	}
	all := shownDecisions(r.list(&usherv1.ListDecisionsRequest{})...)
	if len(all) != total {
		t.Fatalf("got %d", len(all))
	}
	for _, size := range []int32{1, 99, 100, 101, total} {
		request := &usherv1.ListDecisionsRequest{PageSize: size, Relation: "can_view"}
		var got []string
		for cursor := "begin"; cursor != ""; {
			pages := r.list(request)
			got = append(got, shownDecisions(pages...)...)
			cursor = pages[len(pages)-1].GetCursor()
			request.Cursor = cursor
			if size == 1 && len(got) == 20 { // enough of them
				break
			}
			r.ask("user:late can_view file:logo", "")
		}
		late := slices.IndexFunc(got, func(line string) bool { return !strings.Contains(line, "late") })
		if rest := got[late:]; !slices.Equal(rest, all[:len(rest)]) || size != 1 && len(rest) != total {
			t.Errorf("pages of %d: got %d", size, len(rest))
		}
	}
}

// A required log has the record before the caller has the answer, or there is no answer.
func TestRequiredRecords(t *testing.T) {
	r := newRecorder(t, required, server.RecordedRelation{Relation: "can_download"})
	r.check("user:anna can_download file:logo")
	r.ask("user:anna can_view file:logo", "")
	if got, want := r.log.Stats(), (decisions.Stats{Recorded: 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if err := r.log.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := r.permissions.Check(r.ctx, question(t, "user:anna can_download file:logo"))
	wantRefusal(t, err, codes.Unavailable, "NOT_RECORDED", "")
	if got := r.check("user:anna can_view file:logo"); got != "allowed" {
		t.Errorf("what is not to be recorded is %s", got)
	}
}

// What is dropped is counted where operators look, and where the list is read.
func TestDroppedDecisionsAreCounted(t *testing.T) {
	r := newRecorder(t, unsynced)
	r.ask("user:anna can_view file:logo", "")
	if got := r.list(&usherv1.ListDecisionsRequest{})[0].GetDropped(); got != 0 {
		t.Errorf("%d are dropped", got)
	}
	if err := r.log.Close(); err != nil {
		t.Fatal(err)
	}
	r.ask("user:anna can_view file:logo", "") // is answered all the same
	response := httptest.NewRecorder()
	r.server.HTTP().ServeHTTP(response, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	for _, want := range []string{"usher_decisions_recorded_total 1", "usher_decisions_dropped_total 1", "usher_decisions_queued 0"} {
		if !strings.Contains(response.Body.String(), "\n"+want+"\n") {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

func TestBadDecisionRequests(t *testing.T) {
	r := newRecorder(t, unsynced)
	r.ask("user:anna can_view file:logo", "")
	r.ask("user:anna can_view file:logo", "")
	page := r.list(&usherv1.ListDecisionsRequest{PageSize: 1})[0]
	if _, err := r.stores.CreateStore(r.ctx, &usherv1.CreateStoreRequest{Name: "other"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, reason, field string
		code                codes.Code
		request             *usherv1.ListDecisionsRequest
	}{
		{"an object without an id", "INVALID_FIELD", "object.id", codes.InvalidArgument, &usherv1.ListDecisionsRequest{Object: &usherv1.Object{Type: "file"}}},
		{"an unknown type", "UNKNOWN_TYPE", "object.type", codes.InvalidArgument, &usherv1.ListDecisionsRequest{Object: object(t, "film:logo")}},
		{"a malformed relation", "INVALID_FIELD", "relation", codes.InvalidArgument, &usherv1.ListDecisionsRequest{Relation: "can view"}},
		{"an unknown relation", "UNKNOWN_RELATION", "relation", codes.InvalidArgument, &usherv1.ListDecisionsRequest{Relation: "can_fly"}},
		{"a subject without a type", "INVALID_FIELD", "subject.type", codes.InvalidArgument, &usherv1.ListDecisionsRequest{Subject: &usherv1.Subject{Id: "anna"}}},
		{"a subject of an unknown type", "UNKNOWN_TYPE", "subject.type", codes.InvalidArgument, &usherv1.ListDecisionsRequest{Subject: subject(t, "person:anna")}},
		{"an unknown userset", "UNKNOWN_RELATION", "subject.relation", codes.InvalidArgument, &usherv1.ListDecisionsRequest{Subject: subject(t, "group:press#chief")}},
		{"an outcome that is none", "INVALID_FIELD", "outcome", codes.InvalidArgument, &usherv1.ListDecisionsRequest{Outcome: 7}},
		{"a time that is none", "INVALID_FIELD", "from", codes.InvalidArgument, &usherv1.ListDecisionsRequest{From: &timestamppb.Timestamp{Nanos: -1}}},
		{"an end before 1970", "INVALID_FIELD", "until", codes.InvalidArgument, &usherv1.ListDecisionsRequest{Until: &timestamppb.Timestamp{Seconds: -1}}},
		{"an end at its beginning", "INVALID_FIELD", "until", codes.InvalidArgument, &usherv1.ListDecisionsRequest{From: &timestamppb.Timestamp{Seconds: 60}, Until: &timestamppb.Timestamp{Seconds: 60}}},
		{"a negative page", "INVALID_FIELD", "page_size", codes.InvalidArgument, &usherv1.ListDecisionsRequest{PageSize: -1}},
		{"a forged cursor", "FORGED_TOKEN", "cursor", codes.InvalidArgument, &usherv1.ListDecisionsRequest{Cursor: "forged"}},
		{"the cursor of another list", "CURSOR_MISMATCH", "cursor", codes.InvalidArgument, &usherv1.ListDecisionsRequest{Cursor: page.GetCursor(), Relation: "can_view"}},
		{"the cursor of another store", "FOREIGN_TOKEN", "cursor", codes.InvalidArgument, &usherv1.ListDecisionsRequest{Cursor: page.GetCursor(), Store: "other"}},
		{"an unknown store", "STORE_NOT_FOUND", "", codes.NotFound, &usherv1.ListDecisionsRequest{Store: "nowhere"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := collect(r.decisions.ListDecisions(r.ctx, c.request))
			wantRefusal(t, err, c.code, c.reason, c.field)
		})
	}
	for name, address := range map[string]string{"too long": strings.Repeat("1", 256), "of two lines": "192.0.2.7\n192.0.2.8"} {
		t.Run("an address "+name, func(t *testing.T) {
			request := question(t, "user:anna can_view file:logo")
			request.SourceAddress = address
			_, err := r.permissions.Check(r.ctx, request)
			wantRefusal(t, err, codes.InvalidArgument, "INVALID_FIELD", "source_address")
			_, err = r.permissions.BatchCheck(r.ctx, &usherv1.BatchCheckRequest{SourceAddress: address, Items: make([]*usherv1.BatchCheckItem, 1)})
			wantRefusal(t, err, codes.InvalidArgument, "INVALID_FIELD", "source_address")
		})
	}
}

// Without a decision log nothing is silently unrecorded.
func TestNoDecisionLog(t *testing.T) {
	w := newLibrary(t)
	check := question(t, "user:anna can_view media:logo")
	check.Record = true
	_, err := w.permissions.Check(w.ctx, check)
	wantRefusal(t, err, codes.FailedPrecondition, "NO_DECISION_LOG", "")
	_, err = w.permissions.BatchCheck(w.ctx, &usherv1.BatchCheckRequest{Record: true, Items: make([]*usherv1.BatchCheckItem, 1)})
	wantRefusal(t, err, codes.FailedPrecondition, "NO_DECISION_LOG", "")
	_, err = collect(usherv1.NewDecisionServiceClient(w.conn).ListDecisions(w.ctx, &usherv1.ListDecisionsRequest{}))
	wantRefusal(t, err, codes.FailedPrecondition, "NO_DECISION_LOG", "")
	w = serve(t, w.db, server.Options{Decisions: server.DecisionOptions{Relations: []server.RecordedRelation{{Relation: "can_view"}}}})
	if got := w.check("user:anna can_view media:logo"); got != "denied" {
		t.Errorf("a relation to be recorded nowhere is %s", got)
	}
}
