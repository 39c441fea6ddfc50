package server_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
)

// export returns the tuples of an export in text form, sorted.
func (w *world) export(r *usherv1.ExportRequest) []string {
	w.t.Helper()
	var lines []string
	for _, message := range w.exportMessages(r) {
		for _, t := range message.GetTuples() {
			lines = append(lines, lineOf(w.t, t))
		}
	}
	slices.Sort(lines)
	return lines
}

func lineOf(t testing.TB, m *usherv1.Tuple) string {
	t.Helper()
	tuple, err := wire.ToTuple(m)
	if err != nil {
		t.Fatal(err)
	}
	return tuple.String()
}

func (w *world) exportMessages(r *usherv1.ExportRequest) []*usherv1.ExportResponse {
	w.t.Helper()
	messages, err := collect(w.tuples.Export(w.ctx, r))
	if err != nil {
		w.t.Fatal(err)
	}
	return messages
}

// What an export yields can be imported elsewhere, and is the same there.
func TestExportCanBeImported(t *testing.T) {
	from, to := newLibrary(t, everyKind...), newLibrary(t)
	im := to.importInto(&usherv1.ImportHeader{})
	for _, message := range from.exportMessages(&usherv1.ExportRequest{}) {
		im.rows(message.GetTuples()...)
	}
	im.mustEnd()
	if got := to.export(&usherv1.ExportRequest{}); !slices.Equal(got, everyKind) {
		t.Errorf("got %q, want %q", got, everyKind)
	}
}

// The stream has one message at least.
func TestExportOfAnEmptyStore(t *testing.T) {
	w := newLibrary(t)
	messages := w.exportMessages(&usherv1.ExportRequest{})
	if len(messages) != 1 || len(messages[0].GetTuples()) != 0 || messages[0].GetMore() || messages[0].GetRevision() != w.head() || messages[0].GetToken() == "" {
		t.Errorf("got %v", messages)
	}
}

// An export goes on behind any of its tuples, in the state that it began with, whatever is
// written meanwhile.
func TestExportGoesOnBehindAnyTuple(t *testing.T) {
	w := newLibrary(t, everyKind...)
	whole := w.exportMessages(&usherv1.ExportRequest{})
	all := whole[0].GetTuples()
	if len(whole) != 1 || len(all) != len(everyKind) {
		t.Fatalf("got %v", whole)
	}
	w.remove("folder:press#parent@folder:root", "media:a/b|c+d=e@f#viewer@user:anna@example.org")
	w.touch("folder:new#viewer@user:anna", "media:logo#viewer@user:carl")
	for i, after := range all {
		rest := w.exportMessages(&usherv1.ExportRequest{
			Resume: &usherv1.Resume{Cursor: whole[0].GetCursor(), After: keyOf(after)}, PageSize: 2,
		})
		var got, want []string
		for _, message := range rest {
			for _, t := range message.GetTuples() {
				got = append(got, lineOf(w.t, t))
			}
		}
		for _, t := range all[i+1 : min(i+3, len(all))] {
			want = append(want, lineOf(w.t, t))
		}
		last := rest[len(rest)-1]
		if !slices.Equal(got, want) || last.GetMore() != (i+3 < len(all)) || last.GetRevision() != whole[0].GetRevision() {
			t.Errorf("behind %s: got %q and more: %v at revision %d, want %q", keyOf(after), got, last.GetMore(), last.GetRevision(), want)
		}
	}
}

// keyOf is a tuple's identity as Resume.after takes it.
func keyOf(t *usherv1.Tuple) string {
	object, subject := t.GetObject(), t.GetSubject()
	text := fmt.Sprintf("%s:%s#%s@%s:%s", object.GetType(), object.GetId(), t.GetRelation(), subject.GetType(), subject.GetId())
	if r := subject.GetRelation(); r != "" {
		text += "#" + r
	}
	return text
}

// Messages are large, and a page ends within one.
func TestExportOfManyTuples(t *testing.T) {
	const n = 2_500
	w := newLibrary(t)
	im := w.importInto(&usherv1.ImportHeader{})
	rows := manyRows(n)
	im.lines(rows...)
	im.mustEnd()
	var sizes []int
	for _, message := range w.exportMessages(&usherv1.ExportRequest{PageSize: 2_001}) {
		sizes = append(sizes, len(message.GetTuples()))
		if !message.GetMore() {
			t.Error("a message says that nothing is behind it")
		}
	}
	if want := []int{1000, 1000, 1}; !slices.Equal(sizes, want) {
		t.Errorf("messages have %v tuples, want %v", sizes, want)
	}
	if got := w.export(&usherv1.ExportRequest{}); !slices.Equal(got, rows) {
		t.Errorf("%d tuples are exported, want %d", len(got), len(rows))
	}
}

func TestExportShowsThePast(t *testing.T) {
	w := newLibrary(t)
	before := w.touch("media:a#viewer@user:anna")
	w.touch("media:b#viewer@user:anna")
	exactly := &usherv1.Consistency{Requirement: &usherv1.Consistency_Exactly{Exactly: before}}
	if got := w.export(&usherv1.ExportRequest{Consistency: exactly}); !slices.Equal(got, []string{"media:a#viewer@user:anna"}) {
		t.Errorf("got %q", got)
	}
}

func TestExportRefusesWhatIsNone(t *testing.T) {
	w := newLibrary(t, everyKind...)
	cursor := w.exportMessages(&usherv1.ExportRequest{})[0].GetCursor()
	read, err := collect(w.tuples.Read(w.ctx, &usherv1.ReadRequest{}))
	if err != nil {
		t.Fatal(err)
	}
	exactly := &usherv1.Consistency{Requirement: &usherv1.Consistency_Exactly{Exactly: read[0].GetToken()}}
	for name, c := range map[string]struct {
		request *usherv1.ExportRequest
		code    codes.Code
		reason  string
		field   string
	}{
		"no such store":             {&usherv1.ExportRequest{Store: "attic"}, codes.NotFound, "STORE_NOT_FOUND", ""},
		"a negative page":           {&usherv1.ExportRequest{PageSize: -1}, codes.InvalidArgument, "INVALID_FIELD", "page_size"},
		"a forged cursor":           {&usherv1.ExportRequest{Resume: &usherv1.Resume{Cursor: cursor + "x"}}, codes.InvalidArgument, "FORGED_TOKEN", "resume.cursor"},
		"the cursor of a Read":      {&usherv1.ExportRequest{Resume: &usherv1.Resume{Cursor: read[0].GetCursor()}}, codes.InvalidArgument, "CURSOR_MISMATCH", "resume.cursor"},
		"a place without a cursor":  {&usherv1.ExportRequest{Resume: &usherv1.Resume{After: everyKind[0]}}, codes.InvalidArgument, "INVALID_FIELD", "resume.cursor"},
		"a place that is no tuple":  {&usherv1.ExportRequest{Resume: &usherv1.Resume{Cursor: cursor, After: "logo"}}, codes.InvalidArgument, "INVALID_FIELD", "resume.after"},
		"a place in no list":        {&usherv1.ExportRequest{Resume: &usherv1.Resume{Cursor: cursor, After: "media:unknown#viewer@user:anna"}}, codes.InvalidArgument, "INVALID_FIELD", "resume.after"},
		"a state beside the cursor": {&usherv1.ExportRequest{Resume: &usherv1.Resume{Cursor: cursor}, Consistency: exactly}, codes.InvalidArgument, "INVALID_FIELD", "consistency"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := collect(w.tuples.Export(w.ctx, c.request))
			wantRefusal(t, err, c.code, c.reason, c.field)
		})
	}
}

// An export that is under way sees nothing of what an import writes meanwhile.
func TestExportBesideAnImport(t *testing.T) {
	w := newLibrary(t)
	im := w.importInto(&usherv1.ImportHeader{})
	rows := manyRows(12_000)
	for chunk := range slices.Chunk(rows[:6_000], 1_000) {
		im.lines(chunk...)
	}
	im.checkpoint()
	ctx, cancel := context.WithCancel(w.ctx)
	defer cancel()
	stream, err := w.tuples.Export(ctx, &usherv1.ExportRequest{})
	if err != nil {
		t.Fatal(err)
	}
	first, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	for chunk := range slices.Chunk(rows[6_000:], 1_000) {
		im.lines(chunk...)
	}
	im.mustEnd()
	seen := len(first.GetTuples())
	rest, err := collect(stream, nil)
	for _, message := range rest {
		seen += len(message.GetTuples())
		if message.GetRevision() != first.GetRevision() {
			t.Errorf("a message is of revision %d, the first of %d", message.GetRevision(), first.GetRevision())
		}
	}
	if err != nil || seen != 6_000 {
		t.Errorf("%d tuples, %v, want 6,000", seen, err)
	}
}
