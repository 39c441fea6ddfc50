package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server"
	"github.com/usher-authz/usher/server/wire"
)

// setShares makes a request for the roles viewer and editor. Shares are written
// "viewer@user:anna", with what a tuple may go on with, or "@user:anna" for none.
func setShares(t testing.TB, objects string, shares ...string) *usherv1.SetSharesRequest {
	t.Helper()
	return &usherv1.SetSharesRequest{
		Objects: objectList(t, objects), Shares: shareList(t, shares...), Roles: []string{"viewer", "editor"},
	}
}

func objectList(t testing.TB, objects string) (list []*usherv1.Object) {
	t.Helper()
	for _, text := range strings.Fields(objects) {
		list = append(list, object(t, text))
	}
	return list
}

func shareList(t testing.TB, shares ...string) (list []*usherv1.Share) {
	t.Helper()
	for _, text := range shares {
		if recipient, none := strings.CutPrefix(text, "@"); none {
			list = append(list, &usherv1.Share{Subject: subject(t, recipient)})
			continue
		}
		m := tuple(t, "x:x#"+text)
		list = append(list, &usherv1.Share{
			Subject: m.GetSubject(), Relation: m.GetRelation(),
			Condition: m.GetCondition(), ExpiresAt: m.GetExpiresAt(), Attributes: m.GetAttributes(),
		})
	}
	return list
}

// lines returns all tuples of the store in text form, sorted.
func (w *world) lines() (all []string) {
	w.t.Helper()
	for _, m := range w.read(&usherv1.ReadRequest{}) {
		t, err := wire.ToTuple(m)
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, t.String())
	}
	slices.Sort(all)
	return all
}

func TestSetShares(t *testing.T) {
	for _, c := range []struct {
		name                                 string
		there                                []string
		objects                              string
		shares                               []string
		left                                 []string
		created, updated, deleted, unchanged int32
	}{
		{
			name: "a first share", objects: "media:a", shares: []string{"viewer@user:anna"},
			left: []string{"media:a#viewer@user:anna"}, created: 1,
		},
		{
			name: "another right replaces the one there was", objects: "media:a", shares: []string{"editor@user:anna"},
			there: []string{"media:a#viewer@user:anna", "media:a#viewer@user:bert"},
			left:  []string{"media:a#editor@user:anna", "media:a#viewer@user:bert"}, created: 1, deleted: 1,
		},
		{
			name: "A5 the organisation views while a user edits", objects: "media:a", shares: []string{"viewer@group:all#member", "editor@user:anna"},
			left: []string{"media:a#editor@user:anna", "media:a#viewer@group:all#member"}, created: 2,
		},
		{
			name: "A6 a share is switched off, whatever it was", objects: "media:a media:b media:c", shares: []string{"@user:anna"},
			there: []string{"media:a#viewer@user:anna", "media:b#editor@user:anna", "media:b#viewer@user:anna", "media:c#owner@user:anna"},
			left:  []string{"media:c#owner@user:anna"}, deleted: 3,
		},
		{
			name: "A8 one right for the selection ends the mixed", objects: "media:a media:b media:c", shares: []string{"viewer@user:anna"},
			there: []string{"media:a#viewer@user:anna", "media:b#editor@user:anna"},
			left:  []string{"media:a#viewer@user:anna", "media:b#viewer@user:anna", "media:c#viewer@user:anna"}, created: 2, deleted: 1, unchanged: 1,
		},
		{
			name: "B15 several objects and recipients in one request", objects: "media:a media:b", shares: []string{"viewer@user:anna", "editor@user:bert", "@user:carl"},
			there: []string{"media:b#viewer@user:carl"},
			left:  []string{"media:a#editor@user:bert", "media:a#viewer@user:anna", "media:b#editor@user:bert", "media:b#viewer@user:anna"}, created: 4, deleted: 1,
		},
		{
			name: "B4 a share that lasts becomes a temporary one", objects: "media:a", shares: []string{"viewer@user:anna expires 2099-01-01T00:00:00Z"},
			there: []string{"media:a#viewer@user:anna"},
			left:  []string{"media:a#viewer@user:anna expires 2099-01-01T00:00:00Z"}, updated: 1,
		},
		{
			name: "with a condition", objects: "media:a", shares: []string{`viewer@user:anna with office_hours {"opens":9}`},
			there: []string{"media:a#viewer@user:anna", "media:a#editor@user:anna"},
			left:  []string{`media:a#viewer@user:anna with office_hours {"opens":9}`}, updated: 1, deleted: 1,
		},
		{
			name: "objects of several types; a role that one of them lacks is none there", objects: "folder:f media:a", shares: []string{"viewer@user:*"},
			there: []string{"media:a#editor@group:all#member"},
			left:  []string{"folder:f#viewer@user:*", "media:a#editor@group:all#member", "media:a#viewer@user:*"}, created: 2,
		},
		{
			name: "nothing to do", objects: "media:a media:b", shares: []string{"viewer@user:anna", "@user:bert"},
			there: []string{"media:a#viewer@user:anna", "media:b#viewer@user:anna"},
			left:  []string{"media:a#viewer@user:anna", "media:b#viewer@user:anna"}, unchanged: 2,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newLibrary(t, c.there...)
			before := w.head()
			got, err := w.tuples.SetShares(w.ctx, setShares(t, c.objects, c.shares...))
			if err != nil {
				t.Fatal(err)
			}
			if got.GetCreated() != c.created || got.GetUpdated() != c.updated || got.GetDeleted() != c.deleted || got.GetUnchanged() != c.unchanged {
				t.Errorf("got %v", got)
			}
			if stored := w.lines(); !slices.Equal(stored, c.left) {
				t.Errorf("stored %q\nwant   %q", stored, c.left)
			}
			want := before
			if c.created+c.updated+c.deleted > 0 {
				want++
			}
			if got.GetRevision() != want || w.head() != want {
				t.Errorf("revision %d of %d, want one for all", got.GetRevision(), w.head())
			}
		})
	}
}

// head returns the revision of the default store.
func (w *world) head() uint64 {
	w.t.Helper()
	state, err := w.stores.GetStore(w.ctx, &usherv1.GetStoreRequest{})
	if err != nil {
		w.t.Fatal(err)
	}
	return state.GetStore().GetRevision()
}

func TestBadSetShares(t *testing.T) {
	w := newLibrary(t, "media:a#viewer@user:anna")
	good := func() *usherv1.SetSharesRequest { return setShares(t, "media:a folder:f", "viewer@user:anna") }
	many := func(n int) (list []*usherv1.Object) {
		for i := range n {
			list = append(list, object(t, fmt.Sprintf("media:%d", i)))
		}
		return list
	}
	recipients := func(n int) (list []*usherv1.Share) {
		for i := range n {
			list = append(list, shareList(t, fmt.Sprintf("viewer@user:%d", i))...)
		}
		return list
	}
	for _, c := range []struct {
		name, reason, field string
		change              func(*usherv1.SetSharesRequest)
	}{
		{"no objects", "INVALID_FIELD", "objects", func(r *usherv1.SetSharesRequest) { r.Objects = nil }},
		{"10,001 objects", "TOO_MANY_ITEMS", "objects", func(r *usherv1.SetSharesRequest) { r.Objects = many(10_001) }},
		{"an object twice", "INVALID_FIELD", "objects[2]", func(r *usherv1.SetSharesRequest) { r.Objects = objectList(t, "media:a media:b media:a") }},
		{"an object without id", "INVALID_FIELD", "objects[0].id", func(r *usherv1.SetSharesRequest) { r.Objects[0].Id = "" }},
		{"a type that is not in the model", "UNKNOWN_TYPE", "objects[1].type", func(r *usherv1.SetSharesRequest) { r.Objects[1].Type = "video" }},
		{"no shares", "INVALID_FIELD", "shares", func(r *usherv1.SetSharesRequest) { r.Shares = nil }},
		{"1,001 shares", "TOO_MANY_ITEMS", "shares", func(r *usherv1.SetSharesRequest) { r.Shares = recipients(1_001) }},
		{"100,100 objects and shares, multiplied", "TOO_MANY_ITEMS", "shares", func(r *usherv1.SetSharesRequest) {
			r.Objects, r.Shares = many(1_001), recipients(100)
		}},
		{"1,100,000 objects, shares and roles, multiplied", "TOO_MANY_ITEMS", "roles", func(r *usherv1.SetSharesRequest) {
			r.Objects, r.Shares, r.Roles = many(1_000), recipients(100), make([]string, 11)
		}},
		{"a recipient twice", "INVALID_FIELD", "shares[1].subject", func(r *usherv1.SetSharesRequest) {
			r.Shares = shareList(t, "viewer@user:anna", "@user:anna")
		}},
		{"no recipient", "INVALID_FIELD", "shares[0].subject.type", func(r *usherv1.SetSharesRequest) { r.Shares[0].Subject = nil }},
		{"a right that is no role", "INVALID_FIELD", "shares[0].relation", func(r *usherv1.SetSharesRequest) { r.Shares[0].Relation = "owner" }},
		{"a role that one of the types lacks", "UNKNOWN_RELATION", "shares[0].relation", func(r *usherv1.SetSharesRequest) { r.Shares[0].Relation = "editor" }},
		{"a role that takes no such recipient", "TUPLE_NOT_ALLOWED", "shares[0].subject", func(r *usherv1.SetSharesRequest) {
			r.Shares = shareList(t, "viewer@folder:f")
		}},
		{"a role that takes no tuples", "TUPLE_NOT_ALLOWED", "shares[0].relation", func(r *usherv1.SetSharesRequest) {
			r.Roles, r.Objects, r.Shares[0].Relation = []string{"can_share"}, r.Objects[:1], "can_share"
		}},
		{"a condition that the role does not take", "TUPLE_NOT_ALLOWED", "shares[0].condition.name", func(r *usherv1.SetSharesRequest) {
			r.Shares = shareList(t, `viewer@group:all#member with office_hours`)
		}},
		{"an expiry out of range", "INVALID_FIELD", "shares[0].expires_at", func(r *usherv1.SetSharesRequest) {
			r.Shares[0].ExpiresAt = &timestamppb.Timestamp{Seconds: -1}
		}},
		{"no right, but a condition", "INVALID_FIELD", "shares[0].condition", func(r *usherv1.SetSharesRequest) {
			r.Shares[0].Relation, r.Shares[0].Condition = "", &usherv1.Condition{Name: "office_hours"}
		}},
		{"no right, but an expiry", "INVALID_FIELD", "shares[0].expires_at", func(r *usherv1.SetSharesRequest) {
			r.Shares[0].Relation, r.Shares[0].ExpiresAt = "", timestamppb.Now()
		}},
		{"no right, but attributes", "INVALID_FIELD", "shares[0].attributes", func(r *usherv1.SetSharesRequest) {
			r.Shares[0].Relation, r.Shares[0].Attributes = "", map[string]*usherv1.AttributeValue{"size": {}}
		}},
		{"an attribute without a value", "INVALID_FIELD", "shares[0].attributes.size", func(r *usherv1.SetSharesRequest) {
			r.Shares[0].Attributes = map[string]*usherv1.AttributeValue{"size": {}}
		}},
		{"no roles", "INVALID_FIELD", "roles", func(r *usherv1.SetSharesRequest) { r.Roles = nil }},
		{"21 roles", "TOO_MANY_ITEMS", "roles", func(r *usherv1.SetSharesRequest) { r.Roles = make([]string, 21) }},
		{"a role twice", "INVALID_FIELD", "roles[1]", func(r *usherv1.SetSharesRequest) { r.Roles = []string{"viewer", "viewer"} }},
		{"a role without name", "INVALID_FIELD", "roles[1]", func(r *usherv1.SetSharesRequest) { r.Roles[1] = "" }},
		{"a role that no model ever had", "UNKNOWN_RELATION", "roles[1]", func(r *usherv1.SetSharesRequest) { r.Roles[1] = "edtor" }},
		{"an empty precondition", "INVALID_FIELD", "preconditions[0]", func(r *usherv1.SetSharesRequest) { r.Preconditions = []*usherv1.Precondition{{}} }},
		{"an actor without type", "INVALID_FIELD", "actor.type", func(r *usherv1.SetSharesRequest) { r.Actor = &usherv1.Subject{Id: "anna"} }},
		{"a long message", "INVALID_FIELD", "metadata", func(r *usherv1.SetSharesRequest) {
			r.Metadata = map[string]string{"message": strings.Repeat("x", 16<<10)}
		}},
		{"a long request id", "INVALID_FIELD", "request_id", func(r *usherv1.SetSharesRequest) { r.RequestId = strings.Repeat("x", 256) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := good()
			c.change(r)
			_, err := w.tuples.SetShares(w.ctx, r)
			wantRefusal(t, err, codes.InvalidArgument, c.reason, c.field)
		})
	}
	if stored := w.lines(); len(stored) != 1 {
		t.Errorf("refused requests left %q", stored)
	}
}

// The model's objections name the share, and an object of the type that they are about.
func TestForbiddenSharesNameTheType(t *testing.T) {
	w := newLibrary(t)
	_, err := w.tuples.SetShares(w.ctx, setShares(t, "media:a media:b folder:f folder:g", "editor@user:anna", "viewer@user:bert", "editor@user:carl"))
	r := wantRefusal(t, err, codes.InvalidArgument, "UNKNOWN_RELATION", "shares[0].relation")
	if want := []string{"shares[0].relation", "shares[2].relation"}; !slices.Equal(r.fields, want) {
		t.Errorf("got %q, want %q: each share once for each type", r.fields, want)
	}
	if want := `"editor": is not a relation of folder (objects[2] is a folder); `; !strings.HasPrefix(r.details[0], want) {
		t.Errorf("got %q, want %q…", r.details[0], want)
	}
	w.writeModel(strings.Replace(library, "define owner: [user]\n    define viewer: [user,", "define owner: [user]\n    define viewer: [folder#viewer, user,", 1))
	_, err = w.tuples.SetShares(w.ctx, setShares(t, "folder:f folder:g", "viewer@folder:g#viewer"))
	if r := wantRefusal(t, err, codes.InvalidArgument, "TUPLE_NOT_ALLOWED", "shares[0].subject"); !strings.Contains(r.details[0], "(objects[1] is a folder)") {
		t.Errorf("%q does not name the folder that would be shared with itself", r.details[0])
	}
}

func TestSetSharesWithoutAModel(t *testing.T) {
	w := newWorld(t, server.Options{})
	_, err := w.tuples.SetShares(w.ctx, setShares(t, "media:a", "@user:anna"))
	wantRefusal(t, err, codes.FailedPrecondition, "NO_MODEL", "")
}

// Within 24 hours the same id with the same request returns the first answer.
func TestSetSharesReplay(t *testing.T) {
	w := newLibrary(t, "media:a#viewer@user:anna", "media:b#editor@user:anna", "media:c#editor@user:anna")
	r := setShares(t, "media:a media:b media:c", "viewer@user:anna")
	r.RequestId = "share-1"
	first, err := w.tuples.SetShares(w.ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	w.remove("media:a#viewer@user:anna")
	again, err := w.tuples.SetShares(w.ctx, r)
	if err != nil || !again.GetReplayed() || again.GetToken() != first.GetToken() ||
		again.GetCreated() != 2 || again.GetDeleted() != 2 || again.GetUnchanged() != 1 {
		t.Errorf("got %v, %v", again, err)
	}
	r.Shares[0].Relation = "editor"
	_, err = w.tuples.SetShares(w.ctx, r)
	wantRefusal(t, err, codes.AlreadyExists, "REQUEST_ID_REUSED", "")
}

// Whoever watches sees one change, with its actor and message (B6).
func TestSetSharesIsOneChange(t *testing.T) {
	w := newLibrary(t, "media:a#editor@user:anna")
	before := w.touch("media:z#owner@user:zoe")
	r := setShares(t, "media:a media:b", "viewer@user:anna", "viewer@user:bert")
	r.Actor, r.Metadata = subject(t, "user:zoe"), map[string]string{"message": "have a look"}
	if _, err := w.tuples.SetShares(w.ctx, r); err != nil {
		t.Fatal(err)
	}
	c := w.changesAfter(before, 1)[0]
	if len(c.GetTuples()) != 5 || c.GetActor().GetId() != "zoe" || c.GetMetadata()["message"] != "have a look" || c.GetCause() != usherv1.Cause_CAUSE_WRITE {
		t.Errorf("got %v", c)
	}
}
