package server_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// watch opens a watch and reads its first message.
func (w *world) watch(r *usherv1.WatchRequest) (receiver[usherv1.WatchResponse], *usherv1.WatchResponse) {
	w.t.Helper()
	stream, err := w.tuples.Watch(w.ctx, r)
	if err != nil {
		w.t.Fatal(err)
	}
	first, err := stream.Recv()
	if err != nil {
		w.t.Fatal(err)
	}
	return stream, first
}

// B6: a consumer hears of the tuples it asks for, and of models unless it does not want them.
func TestWatchFilters(t *testing.T) {
	w := newLibrary(t)
	_, began := w.watch(&usherv1.WatchRequest{})
	w.touch("media:logo#viewer@user:anna", "folder:press#viewer@user:anna", "media:logo#viewer@user:bert")
	w.touch("group:design#member@user:carl")
	w.remove("media:logo#viewer@user:bert")
	w.writeModel(library + "\n# the same, with a remark\n")
	w.touch("media:last#owner@user:bert")
	const (
		first   = "2 CAUSE_WRITE"
		anna    = " OPERATION_CREATE media:logo#viewer@anna"
		press   = " OPERATION_CREATE folder:press#viewer@anna"
		bert    = " OPERATION_CREATE media:logo#viewer@bert"
		member  = "3 CAUSE_WRITE OPERATION_CREATE group:design#member@carl"
		removed = "4 CAUSE_WRITE OPERATION_DELETE media:logo#viewer@bert"
		model   = "5 CAUSE_MODEL"
		last    = "6 CAUSE_WRITE OPERATION_CREATE media:last#owner@bert"
	)
	plain := ""
	for _, c := range []struct {
		name       string
		filters    []*usherv1.TupleFilter
		tuplesOnly bool
		want       []string
	}{
		{"none", nil, false, []string{first + press + anna + bert, member, removed, model, last}},
		{"none, tuples only", nil, true, []string{first + press + anna + bert, member, removed, last}},
		{"a type", []*usherv1.TupleFilter{{ObjectType: "media"}}, false, []string{first + anna + bert, removed, model, last}},
		{"a relation", []*usherv1.TupleFilter{{Relation: "viewer"}}, true, []string{first + press + anna + bert, removed}},
		{"a subject", []*usherv1.TupleFilter{{SubjectType: "user", SubjectId: "bert"}}, true, []string{first + bert, removed, last}},
		{"one of two that overlap", []*usherv1.TupleFilter{{ObjectType: "media", ObjectId: "logo"}, {Relation: "viewer", SubjectRelation: &plain}}, true,
			[]string{first + press + anna + bert, removed}},
		{"everything", []*usherv1.TupleFilter{{}}, true, []string{first + press + anna + bert, member, removed, last}},
		{"nothing but models", []*usherv1.TupleFilter{{ObjectType: "folder", ObjectId: "none"}}, false, []string{model}},
	} {
		t.Run(c.name, func(t *testing.T) {
			stream, _ := w.watch(&usherv1.WatchRequest{After: began.GetToken(), Filters: c.filters, TuplesOnly: c.tuplesOnly})
			var got []string
			for _, m := range changes(t, stream, len(c.want)) {
				got = append(got, shownChange(m))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// Revisions that filters leave out advance the token: while others write without a
// pause, the consumer gets signs of life, and goes on behind them.
func TestWatchTokensAdvancePastFilteredRevisions(t *testing.T) {
	w := newLibrary(t)
	request := &usherv1.WatchRequest{
		Filters: []*usherv1.TupleFilter{{ObjectType: "folder"}}, Heartbeat: durationpb.New(time.Second),
	}
	stream, began := w.watch(request)
	beaten, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-beaten:
				return
			default:
				if err := w.tryWrite(touch, fmt.Sprintf("media:%d#viewer@user:anna", i), ""); err != nil {
					t.Error(err)
					return
				}
			}
		}
	}()
	beat, err := stream.Recv()
	close(beaten)
	<-stopped
	if err != nil || beat.GetChanges() != nil || beat.GetToken() == "" || beat.GetRevision() <= began.GetRevision() {
		t.Fatalf("got %v, %v", beat, err)
	}
	w.touch("folder:press#viewer@user:anna")
	request.After = beat.GetToken()
	again, _ := w.watch(request)
	if got := changes(t, again, 1)[0].GetChanges().GetTuples(); len(got) != 1 || got[0].GetTuple().GetObject().GetId() != "press" {
		t.Errorf("got %v", got)
	}
}
