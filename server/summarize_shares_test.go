package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server"
	"github.com/usher-authz/usher/server/wire"
)

// sharesRequest asks with whom objects are shared as viewer, editor or owner.
func sharesRequest(t testing.TB, objects ...string) *usherv1.SummarizeSharesRequest {
	r := &usherv1.SummarizeSharesRequest{Relations: []string{"viewer", "editor", "owner"}}
	for _, o := range objects {
		r.Objects = append(r.Objects, object(t, o))
	}
	return r
}

// shares returns what a summary says, a line for each recipient.
func (w *world) shares(r *usherv1.SummarizeSharesRequest) ([]string, error) {
	messages, err := collect(w.permissions.SummarizeShares(w.ctx, r))
	var lines []string
	for _, m := range messages {
		for _, recipient := range m.GetRecipients() {
			lines = append(lines, sharesLine(recipient))
		}
	}
	return lines, err
}

func sharesLine(m *usherv1.RecipientSummary) string {
	line := wire.ToSubject(m.GetSubject()).String() + " is " + m.GetRelation()
	if m.GetMixed() {
		line += "mixed"
	}
	for _, c := range m.GetCounts() {
		line += fmt.Sprintf(", %d %s", c.GetObjects(), c.GetRelation())
		if c.GetConditional() > 0 {
			line += fmt.Sprintf(" (%d conditional)", c.GetConditional())
		}
		if len(c.GetWhich()) > 0 {
			line += fmt.Sprint(c.GetWhich())
		}
	}
	line += fmt.Sprintf(", %d direct", m.GetDirect())
	for _, o := range m.GetOrigins() {
		text := "by "
		if o.GetInherited() {
			text = "from "
		}
		tuple, _ := wire.ToTuple(o.GetTuple())
		line += ", " + text + tuple.String()
	}
	return line
}

func TestSummarizeShares(t *testing.T) {
	w := newLibrary(t,
		"media:a#folder@folder:top", "media:b#folder@folder:top", "folder:top#viewer@group:design#member",
		"media:a#viewer@user:anna", "media:b#editor@user:anna",
		"media:a#owner@user:bert", "media:b#owner@user:bert", "media:b#viewer@user:bert",
		`media:b#viewer@user:carl with office_hours {"opens":9}`,
		"media:a#viewer@user:*", "group:design#member@user:dora",
	)
	for _, c := range []struct {
		name    string
		request *usherv1.SummarizeSharesRequest
		want    []string
	}{
		{"A7 A8 a selection has one right for each recipient, or a mixture", sharesRequest(t, "media:a", "media:b"), []string{
			"group:design#member is viewer, 2 viewer, 0 direct",
			"user:* is mixed, 1 viewer, 1 , 1 direct",
			"user:anna is mixed, 1 editor, 1 viewer, 2 direct",
			"user:bert is owner, 2 owner, 2 direct",
			"user:carl is mixed, 1 viewer (1 conditional), 1 , 1 direct",
		}},
		{"E10 of one object it is told where each right is from", sharesRequest(t, "media:b"), []string{
			"group:design#member is viewer, 1 viewer, 0 direct, from folder:top#viewer@group:design#member",
			"user:anna is editor, 1 editor, 1 direct, by media:b#editor@user:anna",
			"user:bert is owner, 1 owner, 1 direct, by media:b#owner@user:bert",
			`user:carl is viewer, 1 viewer (1 conditional), 1 direct, by media:b#viewer@user:carl with office_hours {"opens":9}`,
		}},
		{"A8 the breakdown behind a mixture names the objects", func() *usherv1.SummarizeSharesRequest {
			r := sharesRequest(t, "media:a", "media:b", "media:c")
			r.Recipient = subject(t, "user:anna")
			return r
		}(), []string{"user:anna is mixed, 1 editor[1], 1 viewer[0], 1 [2], 2 direct"}},
		{"a member is no recipient, and has nothing of its own", func() *usherv1.SummarizeSharesRequest {
			r := sharesRequest(t, "media:a")
			r.Recipient = subject(t, "user:dora")
			return r
		}(), []string{"user:dora is , 1 [0], 0 direct"}},
		{"a restriction is checked", func() *usherv1.SummarizeSharesRequest {
			r := sharesRequest(t, "media:b")
			r.Relations = []string{"can_view", "can_share"}
			r.ContextualTuples = []*usherv1.Tuple{tuple(t, "media:b#blocked@user:anna")}
			return r
		}(), []string{
			"group:design#member is can_view, 1 can_view, 0 direct, from folder:top#viewer@group:design#member",
			"user:bert is can_share, 1 can_share, 1 direct, by media:b#owner@user:bert",
			`user:carl is can_view, 1 can_view (1 conditional), 1 direct, by media:b#viewer@user:carl with office_hours {"opens":9}`,
		}},
		{"context decides a condition", func() *usherv1.SummarizeSharesRequest {
			r := sharesRequest(t, "media:b")
			r.Context, r.Recipient = values(t, map[string]any{"hour": 10.0}), subject(t, "user:carl")
			return r
		}(), []string{`user:carl is viewer, 1 viewer[0], 1 direct, by media:b#viewer@user:carl with office_hours {"opens":9}`}},
		{"an object that nobody has heard of is shared with nobody", sharesRequest(t, "media:none"), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := w.shares(c.request)
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\n%v, want\n%s", strings.Join(got, "\n"), err, strings.Join(c.want, "\n"))
			}
		})
	}
}

// A condition that fails for one recipient ends the list there; the status says of which
// object, and how to go on behind the recipient.
func TestSharesWithAFailingRecipient(t *testing.T) {
	w := newLibrary(t, "media:a#viewer@user:anna", "media:b#viewer@user:carl",
		`media:b#viewer@user:bert with office_hours {"hour":0,"opens":0}`, "media:a#viewer@user:bert")
	r := sharesRequest(t, "media:a", "media:b")
	got, err := w.shares(r)
	if want := []string{"user:anna is mixed, 1 viewer, 1 , 1 direct"}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	failed := wantRefusal(t, err, codes.FailedPrecondition, "CONDITION_FAILED", "")
	if failed.metadata["object"] != "media:b" || failed.metadata["resume_after"] != "user:bert" ||
		failed.metadata["tuple"] != "media:b#viewer@user:bert" {
		t.Fatalf("got %v", failed.metadata)
	}
	r.Resume = &usherv1.Resume{Cursor: failed.metadata["cursor"], After: failed.metadata["resume_after"]}
	got, err = w.shares(r)
	if want := []string{"user:carl is mixed, 1 viewer, 1 , 1 direct"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestBadSummaries(t *testing.T) {
	w := newLibrary(t)
	many := make([]*usherv1.Object, 10_001)
	for i := range many {
		many[i] = object(t, fmt.Sprintf("media:%d", i))
	}
	for _, c := range []struct {
		name, reason, field string
		change              func(*usherv1.SummarizeSharesRequest)
	}{
		{"no objects", "INVALID_FIELD", "objects", func(r *usherv1.SummarizeSharesRequest) { r.Objects = nil }},
		{"too many objects", "TOO_MANY_ITEMS", "objects", func(r *usherv1.SummarizeSharesRequest) { r.Objects = many }},
		{"an object without an id", "INVALID_FIELD", "objects[1].id", func(r *usherv1.SummarizeSharesRequest) {
			r.Objects = append(r.Objects, &usherv1.Object{Type: "media"})
		}},
		{"an object twice", "INVALID_FIELD", "objects[1]", func(r *usherv1.SummarizeSharesRequest) {
			r.Objects = append(r.Objects, r.Objects[0])
		}},
		{"an unknown type", "UNKNOWN_TYPE", "objects[1].type", func(r *usherv1.SummarizeSharesRequest) {
			r.Objects = append(r.Objects, object(t, "video:a"))
		}},
		{"no relations", "INVALID_FIELD", "relations", func(r *usherv1.SummarizeSharesRequest) { r.Relations = nil }},
		{"too many relations", "TOO_MANY_ITEMS", "relations", func(r *usherv1.SummarizeSharesRequest) { r.Relations = make([]string, 21) }},
		{"a relation without a name", "INVALID_FIELD", "relations[0]", func(r *usherv1.SummarizeSharesRequest) { r.Relations[0] = "" }},
		{"a relation twice", "INVALID_FIELD", "relations[2]", func(r *usherv1.SummarizeSharesRequest) { r.Relations[2] = "viewer" }},
		{"a relation that one of the types lacks", "UNKNOWN_RELATION", "relations[1]", func(r *usherv1.SummarizeSharesRequest) {
			r.Objects = append(r.Objects, object(t, "folder:a"))
		}},
		{"a recipient without an id", "INVALID_FIELD", "recipient.id", func(r *usherv1.SummarizeSharesRequest) {
			r.Recipient = &usherv1.Subject{Type: "user"}
		}},
		{"a recipient of an unknown type", "UNKNOWN_TYPE", "recipient.type", func(r *usherv1.SummarizeSharesRequest) {
			r.Recipient = subject(t, "robot:r")
		}},
		{"a recipient of an unknown relation", "UNKNOWN_RELATION", "recipient.relation", func(r *usherv1.SummarizeSharesRequest) {
			r.Recipient = subject(t, "group:g#boss")
		}},
		{"a contextual tuple that the model forbids", "TUPLE_NOT_ALLOWED", "contextual_tuples[0].subject", func(r *usherv1.SummarizeSharesRequest) {
			r.ContextualTuples = []*usherv1.Tuple{tuple(t, "media:a#owner@group:g#member")}
		}},
		{"a negative page size", "INVALID_FIELD", "page_size", func(r *usherv1.SummarizeSharesRequest) { r.PageSize = -1 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := sharesRequest(t, "media:a")
			c.change(r)
			_, err := w.shares(r)
			wantRefusal(t, err, codes.InvalidArgument, c.reason, c.field)
		})
	}
}

// What a summary may cost is bounded like any question.
func TestSummariesKeepToTheBudget(t *testing.T) {
	w := newWorld(t, server.Options{WorkBudget: 10})
	w.writeModel(library)
	for i := range 20 {
		w.touch(fmt.Sprintf("media:a#viewer@user:%d", i))
	}
	_, err := w.shares(sharesRequest(t, "media:a"))
	wantRefusal(t, err, codes.ResourceExhausted, "WORK_BUDGET_EXHAUSTED", "")
	_, err = collect(w.permissions.SummarizeTree(w.ctx, treeRequest(t, "media:a")))
	wantRefusal(t, err, codes.ResourceExhausted, "WORK_BUDGET_EXHAUSTED", "")
}
