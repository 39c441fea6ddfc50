package server_test

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
)

// What expires before a date can be read, asked for by a precondition and deleted.
func TestFiltersByExpiry(t *testing.T) {
	w := newLibrary(t,
		"media:logo#viewer@user:anna expires 2999-03-31T22:00:00Z", "media:note#viewer@user:anna expires 2999-04-30T22:00:00Z",
		"media:logo#viewer@user:bert expires 2999-03-31T21:59:59.999Z", "media:logo#viewer@user:carl",
	)
	before := timestamppb.New(time.Date(2999, 3, 31, 22, 0, 0, 1, time.UTC)) // rounded down to a millisecond
	later := timestamppb.New(time.Date(2999, 6, 1, 0, 0, 0, 0, time.UTC))
	for _, c := range []struct {
		name   string
		filter *usherv1.TupleFilter
		want   string
	}{
		{"all that expire", &usherv1.TupleFilter{ExpiresBefore: later}, "logo@anna logo@bert note@anna"},
		{"before a date", &usherv1.TupleFilter{ExpiresBefore: before}, "logo@bert"},
		{"of one object", &usherv1.TupleFilter{ObjectType: "media", ObjectId: "note", ExpiresBefore: later}, "note@anna"},
		{"of one subject", &usherv1.TupleFilter{SubjectType: "user", SubjectId: "anna", ExpiresBefore: later}, "logo@anna note@anna"},
		{"of one that never expires", &usherv1.TupleFilter{SubjectType: "user", SubjectId: "carl", ExpiresBefore: later}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := w.readPages(c.filter); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	t.Run("a precondition", func(t *testing.T) {
		_, err := w.tuples.Write(w.ctx, &usherv1.WriteRequest{
			Updates: updates(t, usherv1.Operation_OPERATION_TOUCH, "media:new#viewer@user:anna"),
			Preconditions: []*usherv1.Precondition{{Condition: &usherv1.Precondition_MustNotMatch{
				MustNotMatch: &usherv1.TupleFilter{SubjectType: "user", SubjectId: "bert", ExpiresBefore: before},
			}}},
		})
		refused := wantRefusal(t, err, codes.FailedPrecondition, "PRECONDITION_FAILED", "")
		if !strings.Contains(refused.message, "@user:bert(#?) expires before 2999-03-31T22:00:00Z") {
			t.Errorf("it does not say which filter: %s", refused.message)
		}
	})
	t.Run("a deletion", func(t *testing.T) {
		got, err := w.tuples.DeleteTuples(w.ctx, &usherv1.DeleteTuplesRequest{Filter: &usherv1.TupleFilter{ExpiresBefore: before}})
		if err != nil || got.GetDeleted() != 1 {
			t.Errorf("got %v, %v", got, err)
		}
	})
	t.Run("a time that is none", func(t *testing.T) {
		stream, err := w.tuples.Read(w.ctx, &usherv1.ReadRequest{Filter: &usherv1.TupleFilter{ExpiresBefore: &timestamppb.Timestamp{Seconds: -1}}})
		_, err = collect(stream, err)
		wantRefusal(t, err, codes.InvalidArgument, "INVALID_FIELD", "filter.expires_before")
	})
}

// readPages reads what a filter selects, a tuple a page: "logo@anna note@anna".
func (w *world) readPages(filter *usherv1.TupleFilter) string {
	w.t.Helper()
	var all []string
	r := &usherv1.ReadRequest{Filter: filter, PageSize: 1}
	for {
		pages, err := collect(w.tuples.Read(w.ctx, r))
		if err != nil {
			w.t.Fatal(err)
		}
		last := pages[len(pages)-1]
		for _, page := range pages {
			for _, t := range page.GetTuples() {
				all = append(all, t.GetObject().GetId()+"@"+t.GetSubject().GetId())
				r.Resume = &usherv1.Resume{Cursor: page.GetCursor(), After: wire.ToKey(t).String()}
			}
		}
		if !last.GetMore() {
			return strings.Join(all, " ")
		}
	}
}
