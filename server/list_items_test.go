package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// Conditional items are marked, and a wildcard comes with all its exclusions.
func TestListedOutcomes(t *testing.T) {
	w := newLibrary(t,
		"media:a#viewer@user:*",
		`media:b#viewer@user:anna with office_hours {"opens":9}`,
		"media:a#blocked@user:carl", "media:a#blocked@user:dora",
	)
	objects, err := collect(w.permissions.ListObjects(w.ctx, &usherv1.ListObjectsRequest{
		ObjectType: "media", Relation: "can_view", Subject: subject(t, "user:anna"),
	}))
	if err != nil || len(objects) != 1 || len(objects[0].GetObjects()) != 2 {
		t.Fatalf("got %v, %v", objects, err)
	}
	var got []string
	for _, o := range objects[0].GetObjects() {
		got = append(got, o.GetId()+" "+shownResult(o.GetOutcome(), o.GetMissingContext(), nil))
	}
	if want := []string{"a allowed", "b conditional [hour]"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	subjects, err := collect(w.permissions.ListSubjects(w.ctx, &usherv1.ListSubjectsRequest{
		Object: object(t, "media:a"), Relation: "can_view", SubjectType: "user",
	}))
	if err != nil {
		t.Fatal(err)
	}
	got = nil
	for _, s := range subjects[0].GetSubjects() {
		got = append(got, s.GetId()+" "+shownResult(s.GetOutcome(), s.GetMissingContext(), nil))
	}
	if want := []string{"* allowed", "carl denied", "dora denied"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A condition that fails for one item ends the list there, and the status says how to
// go on behind it: nothing is left out silently.
func TestListWithAFailingItem(t *testing.T) {
	w := newLibrary(t,
		"media:a#viewer@user:anna",
		`media:b#viewer@user:anna with office_hours {"hour":0,"opens":0}`,
		"media:c#viewer@user:anna",
	)
	r := &usherv1.ListObjectsRequest{ObjectType: "media", Relation: "can_view", Subject: subject(t, "user:anna")}
	got, err := collect(w.permissions.ListObjects(w.ctx, r))
	if len(got) != 1 || !slices.Equal(ids(got[0].GetObjects()), []string{"a"}) || !got[0].GetMore() {
		t.Fatalf("got %v", got)
	}
	failed := wantRefusal(t, err, codes.FailedPrecondition, "CONDITION_FAILED", "")
	if failed.metadata["resume_after"] != "media:b" || failed.metadata["condition"] != "office_hours" ||
		failed.metadata["tuple"] != "media:b#viewer@user:anna" || failed.metadata["cursor"] != got[0].GetCursor() {
		t.Fatalf("got %v", failed.metadata)
	}
	r.Resume = &usherv1.Resume{Cursor: failed.metadata["cursor"], After: failed.metadata["resume_after"]}
	rest, err := collect(w.permissions.ListObjects(w.ctx, r))
	if err != nil || len(rest) != 1 || !slices.Equal(ids(rest[0].GetObjects()), []string{"c"}) {
		t.Errorf("got %v, %v", rest, err)
	}
}

func TestBadLists(t *testing.T) {
	w := newLibrary(t)
	objects := func(change func(*usherv1.ListObjectsRequest)) error {
		r := &usherv1.ListObjectsRequest{ObjectType: "media", Relation: "can_view", Subject: subject(t, "user:anna")}
		change(r)
		_, err := collect(w.permissions.ListObjects(w.ctx, r))
		return err
	}
	subjects := func(change func(*usherv1.ListSubjectsRequest)) error {
		r := &usherv1.ListSubjectsRequest{Object: object(t, "media:a"), Relation: "can_view", SubjectType: "user"}
		change(r)
		_, err := collect(w.permissions.ListSubjects(w.ctx, r))
		return err
	}
	for _, c := range []struct {
		name, reason, field string
		err                 error
	}{
		{"objects of no type", "INVALID_FIELD", "object_type", objects(func(r *usherv1.ListObjectsRequest) { r.ObjectType = "" })},
		{"objects by no relation", "INVALID_FIELD", "relation", objects(func(r *usherv1.ListObjectsRequest) { r.Relation = "" })},
		{"objects of no subject", "INVALID_FIELD", "subject.type", objects(func(r *usherv1.ListObjectsRequest) { r.Subject = nil })},
		{"objects of an unknown type", "UNKNOWN_TYPE", "object_type", objects(func(r *usherv1.ListObjectsRequest) { r.ObjectType = "video" })},
		{"objects by an unknown relation", "UNKNOWN_RELATION", "relation", objects(func(r *usherv1.ListObjectsRequest) { r.Relation = "can_fly" })},
		{"objects of an unknown subject", "UNKNOWN_TYPE", "subject.type", objects(func(r *usherv1.ListObjectsRequest) { r.Subject.Type = "robot" })},
		{"subjects of no object", "INVALID_FIELD", "object.type", subjects(func(r *usherv1.ListSubjectsRequest) { r.Object = nil })},
		{"subjects by no relation", "INVALID_FIELD", "relation", subjects(func(r *usherv1.ListSubjectsRequest) { r.Relation = "" })},
		{"subjects of no type", "INVALID_FIELD", "subject_type", subjects(func(r *usherv1.ListSubjectsRequest) { r.SubjectType = "" })},
		{"subjects by a broken relation", "INVALID_FIELD", "subject_relation", subjects(func(r *usherv1.ListSubjectsRequest) { r.SubjectRelation = "a b" })},
		{"subjects of an unknown object type", "UNKNOWN_TYPE", "object.type", subjects(func(r *usherv1.ListSubjectsRequest) { r.Object.Type = "video" })},
		{"subjects of an unknown type", "UNKNOWN_TYPE", "subject_type", subjects(func(r *usherv1.ListSubjectsRequest) { r.SubjectType = "robot" })},
		{"subjects by an unknown relation", "UNKNOWN_RELATION", "subject_relation", subjects(func(r *usherv1.ListSubjectsRequest) {
			r.SubjectType, r.SubjectRelation = "group", "boss"
		})},
		{"a read by an id without a type", "INVALID_FIELD", "filter.subject_id", func() error {
			_, err := collect(w.tuples.Read(w.ctx, &usherv1.ReadRequest{Filter: &usherv1.TupleFilter{SubjectId: "anna"}}))
			return err
		}()},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantRefusal(t, c.err, codes.InvalidArgument, c.reason, c.field)
		})
	}
}

// Messages are bounded in bytes too, so that no client refuses them.
func TestMessagesAreBounded(t *testing.T) {
	w := newLibrary(t)
	big := strings.Repeat("x", 30<<10)
	w.writeModel("model\n  schema 1.1\ntype user\ntype doc\n  relations\n    define reader: [user with c]\ncondition c(text: string) {\n  text == \"\"\n}\n")
	for i := range 90 {
		w.touch(fmt.Sprintf(`doc:%d#reader@user:anna with c {"text":"%s"}`, i, big))
	}
	messages, err := collect(w.tuples.Read(w.ctx, &usherv1.ReadRequest{}))
	if err != nil || len(messages) != 3 {
		t.Fatalf("got %d messages, %v", len(messages), err)
	}
	total := 0
	for _, m := range messages {
		total += len(m.GetTuples())
	}
	if total != 90 {
		t.Errorf("got %d tuples", total)
	}
}
