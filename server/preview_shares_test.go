package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server"
)

// statuses is a library with marks that hide media from some, and members who alone can
// be recipients.
const statuses = `
model
  schema 1.1

type user

type group
  relations
    define member: [user, group#member]

type status
  relations
    define hidden_from: [user, group#member]

type media
  relations
    define status: [status]
    define library: [group]
    define hidden: hidden_from from status
    define editor: [user, group#member]
    define viewer: [user, group#member, user with office_hours] or editor
    define can_view: viewer but not hidden
    define can_edit: editor and member from library

condition office_hours(hour: int) {
  hour >= 9
}
`

// newStatuses makes twenty media, m0 to m19, of which three are red, and bert, whose
// group does not see these.
func newStatuses(t *testing.T, lines ...string) *world {
	t.Helper()
	w := newWorld(t, server.Options{})
	w.writeModel(statuses)
	lines = append(lines, "status:red#hidden_from@group:freelancers#member", "group:freelancers#member@user:bert", "status:green#hidden_from@group:clients#member",
		"group:halden#member@user:anna")
	for i := range 20 {
		status := "status:green"
		if i%7 == 3 {
			status = "status:red"
		}
		lines = append(lines, fmt.Sprintf("media:m%d#status@%s", i, status), fmt.Sprintf("media:m%d#library@group:halden", i))
	}
	w.touch(lines...)
	return w
}

func previewShares(t testing.TB, relation string, objects int, shares ...string) *usherv1.PreviewSharesRequest {
	t.Helper()
	r := &usherv1.PreviewSharesRequest{Shares: shareList(t, shares...), Roles: []string{"viewer", "editor"}, Relation: relation}
	for i := range objects {
		r.Objects = append(r.Objects, object(t, fmt.Sprintf("media:m%d", i)))
	}
	return r
}

// previewText is a preview in one line for each object that is not seen.
func previewText(p *usherv1.SharePreview) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%s sees %d\n", p.GetSubject().GetType(), p.GetSubject().GetId(), p.GetAllowed())
	for _, u := range p.GetUnseen() {
		fmt.Fprintf(&b, "%s is %s%v", u.GetObject().GetId(), outcome(u.GetOutcome()), u.GetMissingContext())
		for _, by := range u.GetBlockedBy() {
			fmt.Fprintf(&b, " %s:%s#%s", by.GetObject().GetType(), by.GetObject().GetId(), by.GetRelation())
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestPreviewShares(t *testing.T) {
	for _, c := range []struct {
		name    string
		there   []string
		request *usherv1.PreviewSharesRequest
		want    string
	}{
		{
			name: "B8 3 of 20 are hidden from bert by status red", request: previewShares(t, "can_view", 20, "viewer@user:bert"),
			want: `
user:bert sees 17
m3 is denied[] status:red#hidden_from media:m3#hidden
m10 is denied[] status:red#hidden_from media:m10#hidden
m17 is denied[] status:red#hidden_from media:m17#hidden
`,
		},
		{
			name: "several recipients, a group among them", request: previewShares(t, "can_view", 4, "viewer@group:freelancers#member", "editor@user:zoe"),
			want: `
group:freelancers sees 3
m3 is denied[] status:red#hidden_from media:m3#hidden
user:zoe sees 4
`,
		},
		{
			name: "what a recipient has is replaced", request: previewShares(t, "can_edit", 2, "viewer@user:anna"),
			there: []string{"media:m0#editor@user:anna", "media:m1#editor@user:anna"},
			want: `
user:anna sees 0
m0 is denied[] media:m0#editor
m1 is denied[] media:m1#editor
`,
		},
		{
			name: "or taken away", request: previewShares(t, "can_view", 2, "@user:anna"),
			there: []string{"media:m0#editor@user:anna", "media:m0#viewer@user:anna", "media:m1#viewer@group:halden#member"},
			want: `
user:anna sees 1
m0 is denied[]
`,
		},
		{
			name: "a group that loses a share takes it from its members", request: previewShares(t, "can_view", 2, "@group:halden#member", "editor@user:zoe", "@user:anna"),
			there: []string{"media:m0#viewer@group:halden#member"},
			want: `
group:halden sees 0
m0 is denied[]
m1 is denied[]
user:zoe sees 2
user:anna sees 0
m0 is denied[]
m1 is denied[]
`,
		},
		{
			name: "A2 who is no member is not helped by a share", request: previewShares(t, "can_edit", 1, "editor@user:anna", "editor@user:zoe"),
			want: `
user:anna sees 1
user:zoe sees 0
m0 is denied[] group:halden#member
`,
		},
		{
			name: "a share with a condition", request: previewShares(t, "can_view", 4, "viewer@user:zoe with office_hours", "viewer@user:bert with office_hours"),
			want: `
user:zoe sees 0
m0 is conditional[hour]
m1 is conditional[hour]
m2 is conditional[hour]
m3 is conditional[hour]
user:bert sees 0
m0 is conditional[hour]
m1 is conditional[hour]
m2 is conditional[hour]
m3 is denied[] status:red#hidden_from media:m3#hidden
`,
		},
		{
			name: "a share that is over", request: previewShares(t, "can_view", 1, "viewer@user:zoe expires 2020-01-01T00:00:00Z"),
			there: []string{"media:m0#viewer@user:zoe"},
			want:  "\nuser:zoe sees 0\nm0 is denied[]\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newStatuses(t, c.there...)
			before := w.lines()
			got, err := w.permissions.PreviewShares(w.ctx, c.request)
			if err != nil {
				t.Fatal(err)
			}
			text := "\n"
			for _, p := range got.GetPreviews() {
				text += previewText(p)
			}
			if text != c.want || got.GetToken() == "" || got.GetRevision() != w.head() {
				t.Errorf("got %s\nwant %s", text, c.want)
			}
			if !slices.Equal(w.lines(), before) {
				t.Error("a preview wrote something")
			}
			w.expectPreviewed(t, c.request, got)
		})
	}
}

// expectPreviewed sets the shares, and finds what the preview said.
func (w *world) expectPreviewed(t *testing.T, r *usherv1.PreviewSharesRequest, got *usherv1.PreviewSharesResponse) {
	t.Helper()
	set := &usherv1.SetSharesRequest{Objects: r.GetObjects(), Shares: r.GetShares(), Roles: r.GetRoles()}
	if _, err := w.tuples.SetShares(w.ctx, set); err != nil {
		t.Fatal(err)
	}
	for i, preview := range got.GetPreviews() {
		unseen := map[string]usherv1.Outcome{}
		for _, u := range preview.GetUnseen() {
			unseen[u.GetObject().GetId()] = u.GetOutcome()
		}
		for _, o := range r.GetObjects() {
			want, ok := unseen[o.GetId()]
			if !ok {
				want = usherv1.Outcome_OUTCOME_ALLOWED
			}
			answer, err := w.permissions.Check(w.ctx, &usherv1.CheckRequest{Object: o, Relation: r.GetRelation(), Subject: r.GetShares()[i].GetSubject()})
			if err != nil || answer.GetOutcome() != want {
				t.Errorf("%v is %v for share %d, %v, the preview said %v", o, answer.GetOutcome(), i, err, want)
			}
		}
	}
}

// A preview answers from the state, the model and the context that it is asked about.
func TestPreviewSharesOfAnotherState(t *testing.T) {
	w := newStatuses(t)
	old := w.touch("media:m0#viewer@user:zoe")
	model, err := w.models.ReadModel(w.ctx, &usherv1.ReadModelRequest{})
	if err != nil {
		t.Fatal(err)
	}
	w.touch("status:red#hidden_from@user:zoe")
	w.writeModel(strings.Replace(statuses, "viewer but not hidden", "viewer", 1))
	for _, c := range []struct {
		name   string
		change func(*usherv1.PreviewSharesRequest)
		seen   int32
	}{
		{"the head", func(*usherv1.PreviewSharesRequest) {}, 4},
		{"the model of before", func(r *usherv1.PreviewSharesRequest) { r.ModelId = model.GetModel().GetId() }, 3},
		{"the state of before", func(r *usherv1.PreviewSharesRequest) { r.Consistency = exactly(old) }, 4},
		{"with context", func(r *usherv1.PreviewSharesRequest) {
			r.Shares = shareList(t, "viewer@user:zoe with office_hours")
			r.Context = values(t, map[string]any{"hour": 12})
		}, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := previewShares(t, "can_view", 4, "viewer@user:zoe")
			c.change(r)
			got, err := w.permissions.PreviewShares(w.ctx, r)
			if err != nil || got.GetPreviews()[0].GetAllowed() != c.seen {
				t.Errorf("got %v, %v, want %d of 4", got, err, c.seen)
			}
		})
	}
}

func TestBadPreviewShares(t *testing.T) {
	w := newStatuses(t)
	for _, c := range []struct {
		name, reason, field string
		code                codes.Code
		change              func(*usherv1.PreviewSharesRequest)
	}{
		{"no objects", "INVALID_FIELD", "objects", codes.InvalidArgument, func(r *usherv1.PreviewSharesRequest) { r.Objects = nil }},
		{"101 shares", "TOO_MANY_ITEMS", "shares", codes.InvalidArgument, func(r *usherv1.PreviewSharesRequest) { r.Shares = make([]*usherv1.Share, 101) }},
		{"10,020 objects and shares, multiplied", "TOO_MANY_ITEMS", "shares", codes.InvalidArgument, func(r *usherv1.PreviewSharesRequest) {
			r.Objects, r.Shares = make([]*usherv1.Object, 334), make([]*usherv1.Share, 30)
		}},
		{"no relation", "INVALID_FIELD", "relation", codes.InvalidArgument, func(r *usherv1.PreviewSharesRequest) { r.Relation = "" }},
		{"a relation that the type lacks", "UNKNOWN_RELATION", "relation", codes.InvalidArgument, func(r *usherv1.PreviewSharesRequest) { r.Relation = "can_fly" }},
		{"a type that there is not", "UNKNOWN_TYPE", "objects[0].type", codes.InvalidArgument, func(r *usherv1.PreviewSharesRequest) { r.Objects[0].Type = "video" }},
		{"a role that no model ever had", "UNKNOWN_RELATION", "roles[1]", codes.InvalidArgument, func(r *usherv1.PreviewSharesRequest) { r.Roles[1] = "edtor" }},
		{"a recipient that cannot have the role", "TUPLE_NOT_ALLOWED", "shares[0].subject", codes.InvalidArgument, func(r *usherv1.PreviewSharesRequest) {
			r.Shares = shareList(t, "viewer@status:red")
		}},
		{"a recipient of a type that there is not, who loses what it has", "UNKNOWN_TYPE", "shares[0].subject.type", codes.InvalidArgument, func(r *usherv1.PreviewSharesRequest) {
			r.Shares = shareList(t, "@robot:r2")
		}},
		{"a recipient of a relation that there is not", "UNKNOWN_RELATION", "shares[0].subject.relation", codes.InvalidArgument, func(r *usherv1.PreviewSharesRequest) {
			r.Shares = shareList(t, "@group:halden#boss")
		}},
		{"long context", "INVALID_FIELD", "context", codes.InvalidArgument, func(r *usherv1.PreviewSharesRequest) {
			r.Context = values(t, map[string]any{"hour": strings.Repeat("x", 32<<10)})
		}},
		{"a condition that fails", "CONDITION_FAILED", "", codes.FailedPrecondition, func(r *usherv1.PreviewSharesRequest) {
			r.Shares, r.Context = shareList(t, "viewer@user:zoe with office_hours"), values(t, map[string]any{"hour": "noon"})
		}},
		{"a model that there is not", "MODEL_NOT_FOUND", "", codes.NotFound, func(r *usherv1.PreviewSharesRequest) { r.ModelId = "01ARZ3NDEKTSV4RRFFQ69G5FAV" }},
		{"a forged token", "FORGED_TOKEN", "consistency.exactly", codes.InvalidArgument, func(r *usherv1.PreviewSharesRequest) { r.Consistency = exactly("AAAA") }},
		{"a store that there is not", "STORE_NOT_FOUND", "", codes.NotFound, func(r *usherv1.PreviewSharesRequest) { r.Store = "nowhere" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := previewShares(t, "can_view", 2, "viewer@user:zoe")
			c.change(r)
			_, err := w.permissions.PreviewShares(w.ctx, r)
			wantRefusal(t, err, c.code, c.reason, c.field)
		})
	}
	t.Run("the object whose condition fails", func(t *testing.T) {
		r := previewShares(t, "can_view", 2, "viewer@user:zoe with office_hours")
		r.Context = values(t, map[string]any{"hour": "noon"})
		_, err := w.permissions.PreviewShares(w.ctx, r)
		got := wantRefusal(t, err, codes.FailedPrecondition, "CONDITION_FAILED", "")
		if want := r.GetObjects()[0]; got.metadata["object"] != want.GetType()+":"+want.GetId() {
			t.Errorf("got %v, want the object %v", got.metadata, want)
		}
	})
	t.Run("more work than the budget", func(t *testing.T) {
		_, err := serve(t, w.db, server.Options{WorkBudget: 20}).permissions.PreviewShares(w.ctx, previewShares(t, "can_view", 20, "viewer@user:bert"))
		wantRefusal(t, err, codes.ResourceExhausted, "WORK_BUDGET_EXHAUSTED", "")
	})
}
