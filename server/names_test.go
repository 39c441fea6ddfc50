package server_test

import (
	"testing"

	"google.golang.org/grpc/codes"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// A filter with a name that no model ever had is refused wherever it stands: as a guard
// it would hold whatever the tuples are.
func TestFiltersWithUnknownNames(t *testing.T) {
	w := newLibrary(t, "media:logo#owner@user:anna")
	for _, c := range []struct {
		name, reason, field string
		filter              *usherv1.TupleFilter
	}{
		{"type of the object", "UNKNOWN_TYPE", "object_type", &usherv1.TupleFilter{ObjectType: "medai", ObjectId: "logo"}},
		{"relation", "UNKNOWN_RELATION", "relation", &usherv1.TupleFilter{ObjectType: "media", Relation: "ownre"}},
		{"type of the subject", "UNKNOWN_TYPE", "subject_type", &usherv1.TupleFilter{SubjectType: "usr"}},
		{"relation of the subject", "UNKNOWN_RELATION", "subject_relation", &usherv1.TupleFilter{SubjectRelation: ptr("membr")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := collect(w.tuples.Read(w.ctx, &usherv1.ReadRequest{Filter: c.filter}))
			wantRefusal(t, err, codes.InvalidArgument, c.reason, "filter."+c.field)
			_, err = w.tuples.DeleteTuples(w.ctx, &usherv1.DeleteTuplesRequest{Filter: c.filter})
			wantRefusal(t, err, codes.InvalidArgument, c.reason, "filter."+c.field)
			_, err = w.tuples.Write(w.ctx, &usherv1.WriteRequest{
				Updates: updates(t, usherv1.Operation_OPERATION_TOUCH, "media:logo#viewer@user:bert"),
				Preconditions: []*usherv1.Precondition{
					{Condition: &usherv1.Precondition_MustNotMatch{MustNotMatch: c.filter}},
				},
			})
			wantRefusal(t, err, codes.InvalidArgument, c.reason, "preconditions[0].must_not_match."+c.field)
		})
	}
	if got := len(w.read(&usherv1.ReadRequest{})); got != 1 {
		t.Errorf("%d tuples are stored, want the first alone", got)
	}
}

// Names that an earlier model had are known for ever: its tuples are to be found.
func TestFiltersWithNamesOfAnEarlierModel(t *testing.T) {
	w := newLibrary(t, "media:logo#owner@user:anna")
	w.writeModel("model\n  schema 1.1\ntype user\n")
	filter := &usherv1.TupleFilter{ObjectType: "media", Relation: "owner"}
	if got := len(w.read(&usherv1.ReadRequest{Filter: filter})); got != 1 {
		t.Errorf("%d tuples were read, want 1", got)
	}
	if got, err := w.tuples.DeleteTuples(w.ctx, &usherv1.DeleteTuplesRequest{Filter: filter}); err != nil || got.GetDeleted() != 1 {
		t.Errorf("got %v, %v", got, err)
	}
}
