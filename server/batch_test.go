package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

// answers has one of everything that an item can come to.
func answers(t *testing.T) *world {
	return newLibrary(t,
		"media:logo#viewer@user:anna",
		`media:poster#viewer@user:anna with office_hours {"opens":9}`,
		`media:broken#viewer@user:anna with office_hours {"hour":0,"opens":0}`,
	)
}

func TestBatchCheck(t *testing.T) {
	w := answers(t)
	questions := []string{
		"user:anna can_view media:logo",
		"user:bert can_view media:logo",
		"user:anna can_view media:poster",
		"user:anna can_view media:broken",
		"user:anna can_fly media:logo",
		"user:anna can_view video:logo",
		"robot:r2 can_view media:logo",
		"user:anna can_view media:logo",
	}
	r := &usherv1.BatchCheckRequest{Items: []*usherv1.BatchCheckItem{{}}}
	for _, text := range questions {
		q := question(t, text)
		r.Items = append(r.Items, &usherv1.BatchCheckItem{Object: q.GetObject(), Relation: q.GetRelation(), Subject: q.GetSubject()})
	}
	response, err := w.permissions.BatchCheck(w.ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, result := range response.GetResults() {
		got = append(got, shownResult(result.GetOutcome(), result.GetMissingContext(), result.GetError()))
	}
	want := []string{
		"3 INVALID_FIELD", "allowed", "denied", "conditional [hour]", "9 CONDITION_FAILED",
		"3 UNKNOWN_RELATION", "3 UNKNOWN_TYPE", "3 UNKNOWN_TYPE", "allowed",
	}
	if !slices.Equal(got, want) || response.GetToken() == "" || response.GetRevision() != 2 {
		t.Errorf("got  %q at %d\nwant %q", got, response.GetRevision(), want)
	}
	if text := response.GetResults()[5].GetError().GetMessage(); !strings.Contains(text, "use one of") {
		t.Errorf("message without a remedy: %s", text)
	}
}

// shownResult writes the result of one item as text.
func shownResult(o usherv1.Outcome, missing []string, failed *usherv1.ItemError) string {
	switch {
	case failed != nil:
		return fmt.Sprintf("%d %s", failed.GetCode(), strings.TrimPrefix(failed.GetReason().String(), "ERROR_REASON_"))
	case len(missing) > 0:
		return fmt.Sprintf("%s %v", outcome(o), missing)
	}
	return outcome(o)
}

func TestFilterObjects(t *testing.T) {
	w := answers(t)
	r := &usherv1.FilterObjectsRequest{
		Subject: subject(t, "user:anna"), Relation: "can_view", ObjectType: "media",
		ObjectIds: []string{"zebra", "poster", "logo", "a b", "broken", "logo", "*"},
	}
	got, err := w.permissions.FilterObjects(w.ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.GetAllowedIds(), []string{"logo", "logo"}) || got.GetToken() == "" || got.GetRevision() != 2 {
		t.Errorf("got %v", got)
	}
	if c := got.GetConditional(); len(c) != 1 || c[0].GetId() != "poster" || !slices.Equal(c[0].GetMissingContext(), []string{"hour"}) {
		t.Errorf("conditional: %v", c)
	}
	var failed []string
	for _, f := range got.GetFailed() {
		failed = append(failed, f.GetId()+": "+shownResult(0, nil, f.GetError()))
	}
	if want := []string{"a b: 3 INVALID_FIELD", "broken: 9 CONDITION_FAILED", "*: 3 INVALID_FIELD"}; !slices.Equal(failed, want) {
		t.Fatalf("failed: got %q, want %q", failed, want)
	}
	if message := got.GetFailed()[0].GetError().GetMessage(); !strings.Contains(message, "object_ids[3]") {
		t.Errorf("message %q does not name the candidate's place", message)
	}
}

func TestListRelations(t *testing.T) {
	w := answers(t)
	for _, c := range []struct {
		name, object, subject string
		relations, want       []string
	}{
		{"all, in the order of the model", "media:logo", "user:anna", nil, []string{
			"folder denied", "owner denied", "blocked denied", "editor denied", "viewer allowed", "can_view allowed", "can_share denied",
		}},
		{"some, in the order of the request", "media:poster", "user:anna", []string{"can_view", "owner", "can_fly", ""}, []string{
			"can_view conditional [hour]", "owner denied", "can_fly 3 UNKNOWN_RELATION", " 3 INVALID_FIELD",
		}},
		{"one that fails", "media:broken", "user:anna", []string{"viewer", "owner"}, []string{"viewer 9 CONDITION_FAILED", "owner denied"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			response, err := w.permissions.ListRelations(w.ctx, &usherv1.ListRelationsRequest{
				Object: object(t, c.object), Subject: subject(t, c.subject), Relations: c.relations,
			})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range response.GetResults() {
				got = append(got, r.GetRelation()+" "+shownResult(r.GetOutcome(), r.GetMissingContext(), r.GetError()))
			}
			if !slices.Equal(got, c.want) || response.GetToken() == "" || response.GetRevision() != 2 {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// Faults of the whole request refuse it; they are no item's.
func TestBadBatches(t *testing.T) {
	w := answers(t)
	many := make([]string, 10_001)
	for i := range many {
		many[i] = "logo"
	}
	filter := func(change func(*usherv1.FilterObjectsRequest)) error {
		r := &usherv1.FilterObjectsRequest{
			Subject: subject(t, "user:anna"), Relation: "can_view", ObjectType: "media", ObjectIds: []string{"logo"},
		}
		change(r)
		_, err := w.permissions.FilterObjects(w.ctx, r)
		return err
	}
	relations := func(change func(*usherv1.ListRelationsRequest)) error {
		r := &usherv1.ListRelationsRequest{Object: object(t, "media:logo"), Subject: subject(t, "user:anna")}
		change(r)
		_, err := w.permissions.ListRelations(w.ctx, r)
		return err
	}
	batch := func(r *usherv1.BatchCheckRequest) error {
		_, err := w.permissions.BatchCheck(w.ctx, r)
		return err
	}
	for _, c := range []struct {
		name, reason, field string
		err                 error
	}{
		{"an empty batch", "INVALID_FIELD", "items", batch(&usherv1.BatchCheckRequest{})},
		{"no candidates", "INVALID_FIELD", "object_ids", filter(func(r *usherv1.FilterObjectsRequest) { r.ObjectIds = nil })},
		{"10,001 candidates", "TOO_MANY_ITEMS", "object_ids", filter(func(r *usherv1.FilterObjectsRequest) { r.ObjectIds = many })},
		{"no type", "INVALID_FIELD", "object_type", filter(func(r *usherv1.FilterObjectsRequest) { r.ObjectType = "" })},
		{"no relation", "INVALID_FIELD", "relation", filter(func(r *usherv1.FilterObjectsRequest) { r.Relation = "" })},
		{"no subject", "INVALID_FIELD", "subject.type", filter(func(r *usherv1.FilterObjectsRequest) { r.Subject = nil })},
		{"unknown type", "UNKNOWN_TYPE", "object_type", filter(func(r *usherv1.FilterObjectsRequest) { r.ObjectType = "video" })},
		{"unknown relation", "UNKNOWN_RELATION", "relation", filter(func(r *usherv1.FilterObjectsRequest) { r.Relation = "can_fly" })},
		{"unknown subject type", "UNKNOWN_TYPE", "subject.type", filter(func(r *usherv1.FilterObjectsRequest) { r.Subject.Type = "robot" })},
		{"unknown subject relation", "UNKNOWN_RELATION", "subject.relation", filter(func(r *usherv1.FilterObjectsRequest) { r.Subject = subject(t, "group:design#boss") })},
		{"relations of no object", "INVALID_FIELD", "object.type", relations(func(r *usherv1.ListRelationsRequest) { r.Object = nil })},
		{"relations of no subject", "INVALID_FIELD", "subject.type", relations(func(r *usherv1.ListRelationsRequest) { r.Subject = nil })},
		{"relations of an unknown type", "UNKNOWN_TYPE", "object.type", relations(func(r *usherv1.ListRelationsRequest) { r.Object.Type = "video" })},
		{"relations of an unknown subject type", "UNKNOWN_TYPE", "subject.type", relations(func(r *usherv1.ListRelationsRequest) { r.Subject.Type = "robot" })},
		{"1,001 relations", "TOO_MANY_ITEMS", "relations", relations(func(r *usherv1.ListRelationsRequest) { r.Relations = many[:1001] })},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantRefusal(t, c.err, codes.InvalidArgument, c.reason, c.field)
		})
	}
}

// Ten thousand items are answered at one revision, sharing work.
func TestBatchAtTheLimit(t *testing.T) {
	w := newLibrary(t, "group:all#member@user:anna", "folder:f#viewer@group:all#member")
	var lines []string
	r := &usherv1.FilterObjectsRequest{Subject: subject(t, "user:anna"), Relation: "can_view", ObjectType: "media"}
	for i := range 10_000 {
		if i%2 == 0 {
			lines = append(lines, fmt.Sprintf("media:%d#folder@folder:f", i))
		}
		r.ObjectIds = append(r.ObjectIds, fmt.Sprint(i))
	}
	w.touch(lines...)
	got, err := w.permissions.FilterObjects(w.ctx, r)
	if err != nil || len(got.GetAllowedIds()) != 5_000 {
		t.Errorf("got %d, %v", len(got.GetAllowedIds()), err)
	}
}
