package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// importing is an import as a client drives it.
type importing struct {
	t      testing.TB
	stream usherv1.TupleService_ImportClient
}

// importInto begins an import.
func (w *world) importInto(header *usherv1.ImportHeader) *importing {
	w.t.Helper()
	stream, err := w.tuples.Import(w.ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	im := &importing{w.t, stream}
	im.send(&usherv1.ImportRequest{Message: &usherv1.ImportRequest_Header{Header: header}})
	return im
}

// send sends a message. A stream that the server has ended says why to its reader.
func (im *importing) send(message *usherv1.ImportRequest) { _ = im.stream.Send(message) }

func (im *importing) rows(rows ...*usherv1.Tuple) { im.send(rowsMessage(false, rows...)) }

func rowsMessage(checkpoint bool, rows ...*usherv1.Tuple) *usherv1.ImportRequest {
	return &usherv1.ImportRequest{Message: &usherv1.ImportRequest_Rows{Rows: &usherv1.ImportRows{Tuples: rows, Checkpoint: checkpoint}}}
}

// lines sends rows in text form.
func (im *importing) lines(lines ...string) { im.rows(tupleList(im.t, lines...)...) }

func tupleList(t testing.TB, lines ...string) (list []*usherv1.Tuple) {
	t.Helper()
	for _, line := range lines {
		list = append(list, tuple(t, line))
	}
	return list
}

// checkpoint asks for a checkpoint behind rows and waits for it.
func (im *importing) checkpoint(lines ...string) *usherv1.ImportResponse {
	im.t.Helper()
	im.send(rowsMessage(true, tupleList(im.t, lines...)...))
	response, err := im.stream.Recv()
	if err != nil {
		im.t.Fatal(err)
	}
	return response
}

// end ends the rows and returns the answers that were not read yet.
func (im *importing) end() ([]*usherv1.ImportResponse, error) {
	return collect(im.stream, im.stream.CloseSend())
}

// mustEnd is end for an import that succeeds.
func (im *importing) mustEnd() []*usherv1.ImportResponse {
	im.t.Helper()
	answers, err := im.end()
	if err != nil {
		im.t.Fatal(err)
	}
	return answers
}

// told is an answer in short: rows behind it, and what became of them.
func told(r *usherv1.ImportResponse) string {
	text := fmt.Sprintf("%d: %d created, %d updated, %d unchanged", r.GetRows(), r.GetCreated(), r.GetUpdated(), r.GetUnchanged())
	for _, f := range r.GetFailures() {
		text += fmt.Sprintf(", row %d refused", f.GetRow())
	}
	return text
}

func expectTold(t testing.TB, answers []*usherv1.ImportResponse, want ...string) {
	t.Helper()
	var got []string
	for _, a := range answers {
		got = append(got, told(a))
		if a.GetToken() == "" {
			t.Errorf("the checkpoint %q has no token", told(a))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// everyKind are tuples of every shape that the library takes.
var everyKind = []string{
	"folder:press#parent@folder:root",
	"folder:root#viewer@user:*",
	"group:design#member@group:leads#member",
	"media:a/b|c+d=e@f#viewer@user:anna@example.org",
	`media:logo#owner@user:anna attributes {"max_image_size":2048,"watermark":true}`,
	`media:logo#viewer@user:bert with office_hours {"opens":9}`,
	"media:logo#viewer@user:carl expires 2999-01-02T03:04:05.678Z",
}

func TestImportStoresRows(t *testing.T) {
	w := newLibrary(t)
	im := w.importInto(&usherv1.ImportHeader{CheckpointRows: 3})
	im.lines(everyKind...)
	answers := im.mustEnd()
	expectTold(t, answers, "3: 3 created, 0 updated, 0 unchanged", "6: 3 created, 0 updated, 0 unchanged", "7: 1 created, 0 updated, 0 unchanged")
	for i, a := range answers {
		if want := w.head() - uint64(len(answers)-1-i); a.GetRevision() != want {
			t.Errorf("checkpoint %d is revision %d, want %d", i, a.GetRevision(), want)
		}
	}
	if got := w.lines(); !slices.Equal(got, everyKind) {
		t.Errorf("stored are %q, want %q", got, everyKind)
	}
}

// Importing again changes nothing, in any order, and takes no revision.
func TestImportAgainChangesNothing(t *testing.T) {
	w := newLibrary(t)
	for range 2 {
		im := w.importInto(&usherv1.ImportHeader{})
		im.lines(everyKind...)
		im.mustEnd()
	}
	head := w.head()
	im := w.importInto(&usherv1.ImportHeader{CheckpointRows: 4})
	reversed := slices.Clone(everyKind)
	slices.Reverse(reversed)
	im.lines(reversed...)
	answers := im.mustEnd()
	expectTold(t, answers, "4: 0 created, 0 updated, 4 unchanged", "7: 0 created, 0 updated, 3 unchanged")
	if w.head() != head || answers[1].GetRevision() != head {
		t.Errorf("the head is %d, the last checkpoint names %d, before it was %d", w.head(), answers[1].GetRevision(), head)
	}
}

func TestImportPutsTheLaterRowInThePlaceOfTheEarlier(t *testing.T) {
	const limited = "media:logo#viewer@user:anna expires 2999-01-01T00:00:00Z"
	w := newLibrary(t, "media:logo#viewer@user:anna")
	im := w.importInto(&usherv1.ImportHeader{})
	expectTold(t, []*usherv1.ImportResponse{im.checkpoint(limited, "media:logo#viewer@user:bert", "media:logo#viewer@user:bert")},
		"3: 1 created, 1 updated, 1 unchanged")
	expectTold(t, []*usherv1.ImportResponse{im.checkpoint("media:logo#viewer@user:anna", limited)}, "5: 0 created, 0 updated, 2 unchanged")
	im.mustEnd()
	if want := []string{limited, "media:logo#viewer@user:bert"}; !slices.Equal(w.lines(), want) {
		t.Errorf("stored are %q, want %q", w.lines(), want)
	}
}

// There is a checkpoint behind the last row in any case, and no second one.
func TestImportEndsInACheckpoint(t *testing.T) {
	w := newLibrary(t, "media:logo#viewer@user:anna")
	none := w.importInto(&usherv1.ImportHeader{}).mustEnd()
	expectTold(t, none, "0: 0 created, 0 updated, 0 unchanged")
	if none[0].GetRevision() != w.head() {
		t.Errorf("it names revision %d, the head is %d", none[0].GetRevision(), w.head())
	}
	im := w.importInto(&usherv1.ImportHeader{CheckpointRows: 1})
	im.lines("media:logo#viewer@user:bert")
	expectTold(t, im.mustEnd(), "1: 1 created, 0 updated, 0 unchanged")
	im = w.importInto(&usherv1.ImportHeader{})
	expectTold(t, []*usherv1.ImportResponse{im.checkpoint()}, "0: 0 created, 0 updated, 0 unchanged")
	expectTold(t, im.mustEnd())
}

// badRows are rows that are refused, each with the reason and what the message names.
var badRows = map[string]struct {
	row    func(*usherv1.Tuple)
	reason usherv1.ErrorReason
	says   []string
}{
	"no object": {func(m *usherv1.Tuple) { m.Object = nil }, usherv1.ErrorReason_ERROR_REASON_INVALID_FIELD,
		[]string{"object.type", "is empty", "media"}},
	"an id with a blank": {func(m *usherv1.Tuple) { m.Object.Id = "lo go" }, usherv1.ErrorReason_ERROR_REASON_INVALID_FIELD,
		[]string{"object.id", "lo go", "cannot contain", "without '#'"}},
	"an unknown type": {func(m *usherv1.Tuple) { m.Object.Type = "film" }, usherv1.ErrorReason_ERROR_REASON_UNKNOWN_TYPE,
		[]string{"object.type", "film", "is not a type", "media"}},
	"an unknown relation": {func(m *usherv1.Tuple) { m.Relation = "seer" }, usherv1.ErrorReason_ERROR_REASON_UNKNOWN_RELATION,
		[]string{"relation", "seer", "is not a relation of media", "viewer"}},
	"a relation that follows from others": {func(m *usherv1.Tuple) { m.Relation = "can_view" }, usherv1.ErrorReason_ERROR_REASON_TUPLE_NOT_ALLOWED,
		[]string{"relation", "can_view", "takes no tuples", "write to"}},
	"a subject of a kind that is not taken": {func(m *usherv1.Tuple) { m.Subject.Type = "folder" }, usherv1.ErrorReason_ERROR_REASON_TUPLE_NOT_ALLOWED,
		[]string{"subject", "folder:anna", "media#viewer takes"}},
	"a wildcard where none is taken": {func(m *usherv1.Tuple) { m.Relation, m.Subject.Id = "owner", "*" }, usherv1.ErrorReason_ERROR_REASON_TUPLE_NOT_ALLOWED,
		[]string{"subject", "user:*", "media#owner takes"}},
	"a member of itself": {func(m *usherv1.Tuple) {
		m.Object, m.Relation = &usherv1.Object{Type: "group", Id: "g"}, "member"
		m.Subject = &usherv1.Subject{Type: "group", Id: "g", Relation: "member"}
	}, usherv1.ErrorReason_ERROR_REASON_TUPLE_NOT_ALLOWED, []string{"subject", "group:g#member", "leave the tuple out"}},
	"an unknown condition": {func(m *usherv1.Tuple) { m.Condition = &usherv1.Condition{Name: "weekends"} }, usherv1.ErrorReason_ERROR_REASON_TUPLE_NOT_ALLOWED,
		[]string{"condition.name", "weekends", "office_hours"}},
	"a context of another type": {func(m *usherv1.Tuple) {
		m.Condition = &usherv1.Condition{Name: "office_hours", Context: &structpb.Struct{Fields: map[string]*structpb.Value{"opens": structpb.NewStringValue("nine")}}}
	}, usherv1.ErrorReason_ERROR_REASON_TUPLE_NOT_ALLOWED, []string{"condition.context.opens", "nine"}},
	"a time that is none": {func(m *usherv1.Tuple) { m.ExpiresAt = &timestamppb.Timestamp{Nanos: -1} }, usherv1.ErrorReason_ERROR_REASON_INVALID_FIELD,
		[]string{"expires_at", "is not a time", "1970"}},
	"an attribute without a value": {func(m *usherv1.Tuple) {
		m.Attributes = map[string]*usherv1.AttributeValue{"watermark": {}}
	}, usherv1.ErrorReason_ERROR_REASON_INVALID_FIELD, []string{"attributes.watermark", "has no value"}},
}

// A row that is refused is named with all that helps to mend it, and those around it are stored.
func TestImportNamesTheRowsThatItRefuses(t *testing.T) {
	for name, c := range badRows {
		t.Run(name, func(t *testing.T) {
			w := newLibrary(t)
			bad := tuple(t, "media:logo#viewer@user:anna")
			c.row(bad)
			im := w.importInto(&usherv1.ImportHeader{})
			im.rows(tuple(t, "group:a#member@user:anna"), bad, tuple(t, "group:b#member@user:anna"))
			answers := im.mustEnd()
			expectTold(t, answers, "3: 2 created, 0 updated, 0 unchanged, row 1 refused")
			failed := answers[0].GetFailures()[0].GetError()
			if failed.GetReason() != c.reason || failed.GetCode() != int32(codes.InvalidArgument) {
				t.Errorf("got %v, want reason %v", failed, c.reason)
			}
			for _, text := range c.says {
				if !strings.Contains(failed.GetMessage(), text) {
					t.Errorf("%q does not say %q", failed.GetMessage(), text)
				}
			}
			if got := len(w.lines()); got != 2 {
				t.Errorf("%d tuples are stored, want 2", got)
			}
		})
	}
}

func TestImportStopsAtTheFirstFailureIfAsked(t *testing.T) {
	w := newLibrary(t)
	im := w.importInto(&usherv1.ImportHeader{StopAtFirstFailure: true, CheckpointRows: 2})
	im.lines("media:a#viewer@user:anna", "media:b#viewer@user:anna", "media:c#viewer@user:anna", "film:d#viewer@user:anna", "media:e#viewer@user:anna")
	answers, err := collect(im.stream, nil) // it ends although the client has not
	if err != nil {
		t.Fatal(err)
	}
	expectTold(t, answers, "2: 2 created, 0 updated, 0 unchanged", "4: 1 created, 0 updated, 0 unchanged, row 3 refused")
	if got := len(w.lines()); got != 3 {
		t.Errorf("%d tuples are stored, want 3", got)
	}
}

func TestImportTriedStoresNothing(t *testing.T) {
	w := newLibrary(t, "media:a#viewer@user:anna", "media:b#viewer@user:anna")
	head := w.head()
	im := w.importInto(&usherv1.ImportHeader{DryRun: true})
	im.lines("media:a#viewer@user:anna", "media:b#viewer@user:anna expires 2999-01-01T00:00:00Z", "media:c#viewer@user:carl", "film:d#viewer@user:anna")
	answers := im.mustEnd()
	expectTold(t, answers, "4: 1 created, 1 updated, 1 unchanged, row 3 refused")
	if w.head() != head || answers[0].GetRevision() != head {
		t.Errorf("the head is %d, the checkpoint names %d, before it was %d", w.head(), answers[0].GetRevision(), head)
	}
}

// Actor and metadata are kept with the change of each checkpoint.
func TestImportSaysWhoItActsFor(t *testing.T) {
	w := newLibrary(t)
	before := w.touch("group:a#member@user:anna")
	im := w.importInto(&usherv1.ImportHeader{
		CheckpointRows: 1, Actor: subject(t, "user:admin"), Metadata: map[string]string{"file": "shares.csv"},
	})
	im.lines("media:a#viewer@user:anna", "media:b#viewer@user:anna")
	im.mustEnd()
	for _, change := range w.changesAfter(before, 2) {
		if change.GetActor().GetId() != "admin" || change.GetMetadata()["file"] != "shares.csv" || len(change.GetTuples()) != 1 {
			t.Errorf("got %v", change)
		}
	}
}
