package server_test

import (
	"fmt"
	"testing"

	"google.golang.org/grpc/codes"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

func actorHas(relation string) *usherv1.ShareGuard {
	return &usherv1.ShareGuard{Guard: &usherv1.ShareGuard_ActorHas{ActorHas: relation}}
}

func recipientHas(relation string) *usherv1.ShareGuard {
	return &usherv1.ShareGuard{Guard: &usherv1.ShareGuard_RecipientHas{RecipientHas: relation}}
}

func recipientIn(t testing.TB, on, relation string) *usherv1.ShareGuard {
	return &usherv1.ShareGuard{Guard: &usherv1.ShareGuard_RecipientIn{
		RecipientIn: &usherv1.Userset{Object: object(t, on), Relation: relation},
	}}
}

func TestShareGuards(t *testing.T) {
	there := []string{
		"media:a#owner@user:anna", "media:b#owner@user:anna", "media:c#owner@user:carl",
		"group:all#member@user:bert", "group:all#member@group:design#member", "media:a#blocked@user:zoe", "media:a#viewer@user:zoe",
		`media:a#viewer@user:dora with office_hours {"opens":9}`,
	}
	w := newLibrary(t, there...)
	for _, c := range []struct {
		name    string
		objects string
		shares  []string
		guards  []*usherv1.ShareGuard
		want    string // of the refusal; "" for a write
	}{
		{"E4 the actor may share every object", "media:a media:b", []string{"viewer@user:bert"}, []*usherv1.ShareGuard{actorHas("can_share")}, ""},
		{"E4 but not this one", "media:a media:b media:c", []string{"viewer@user:bert"}, []*usherv1.ShareGuard{actorHas("can_share")},
			"precondition guards[0].actor_has failed: user:anna is denied can_share of media:c"},
		{"E4 nor may the actor withdraw from it", "media:c", []string{"@user:bert"}, []*usherv1.ShareGuard{actorHas("can_share")},
			"precondition guards[0].actor_has failed: user:anna is denied can_share of media:c"},
		{"A2 members are recipients, and groups of them", "media:a media:b", []string{"viewer@user:bert", "editor@group:design#member"},
			[]*usherv1.ShareGuard{actorHas("can_share"), recipientIn(t, "group:all", "member")}, ""},
		{"A2 B3 others are not", "media:a media:b", []string{"viewer@user:bert", "viewer@user:ghost"},
			[]*usherv1.ShareGuard{actorHas("can_share"), recipientIn(t, "group:all", "member")},
			"precondition guards[1].recipient_in failed: user:ghost is denied member of group:all"},
		{"A6 who is no member any more can lose the share", "media:a", []string{"@user:ghost"},
			[]*usherv1.ShareGuard{actorHas("can_share"), recipientIn(t, "group:all", "member"), recipientHas("can_view")}, ""},
		{"a guard of each recipient and object", "media:a media:b", []string{"editor@user:anna", "viewer@user:bert"}, []*usherv1.ShareGuard{recipientHas("can_view")},
			"precondition guards[0].recipient_has failed: user:bert is denied can_view of media:a"},
		{"that all of them pass", "media:a media:b", []string{"editor@user:anna"}, []*usherv1.ShareGuard{recipientHas("can_view")}, ""},
		{"conditional is not enough", "media:a", []string{"editor@user:dora"}, []*usherv1.ShareGuard{recipientHas("can_view")},
			"precondition guards[0].recipient_has failed: user:dora is conditional can_view of media:a, for want of context [hour]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newLibrary(t, there...)
			r := setShares(t, c.objects, c.shares...)
			r.Actor, r.Guards = subject(t, "user:anna"), c.guards
			_, err := w.tuples.SetShares(w.ctx, r)
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if got := wantRefusal(t, err, codes.FailedPrecondition, "PRECONDITION_FAILED", ""); got.message != c.want {
				t.Errorf("got  %s\nwant %s", got.message, c.want)
			}
			if stored := w.lines(); len(stored) != len(there) {
				t.Errorf("the refused request left %q", stored)
			}
		})
	}
	t.Run("preconditions beside guards", func(t *testing.T) {
		r := setShares(t, "media:a", "viewer@user:bert")
		r.Preconditions = []*usherv1.Precondition{mustBeAllowed(t, "user:bert can_share media:a")}
		_, err := w.tuples.SetShares(w.ctx, r)
		if got := wantRefusal(t, err, codes.FailedPrecondition, "PRECONDITION_FAILED", ""); got.metadata["field"] != "preconditions[0].must_be_allowed" {
			t.Errorf("got %v", got.metadata)
		}
	})
}

func TestBadShareGuards(t *testing.T) {
	w := newLibrary(t)
	for _, c := range []struct {
		name, reason, field string
		change              func(*usherv1.SetSharesRequest)
	}{
		{"no guard", "INVALID_FIELD", "guards[0]", func(r *usherv1.SetSharesRequest) { r.Guards = []*usherv1.ShareGuard{{}} }},
		{"11 guards", "TOO_MANY_ITEMS", "guards", func(r *usherv1.SetSharesRequest) { r.Guards = make([]*usherv1.ShareGuard, 11) }},
		{"20,002 checks", "TOO_MANY_ITEMS", "guards", func(r *usherv1.SetSharesRequest) {
			r.Objects = nil
			for i := range 6_667 {
				r.Objects = append(r.Objects, object(t, fmt.Sprintf("media:%d", i)))
			}
			r.Guards = []*usherv1.ShareGuard{actorHas("can_share"), recipientHas("can_view"), actorHas("can_view"), recipientIn(t, "group:all", "member")}
		}},
		{"no actor to ask about", "INVALID_FIELD", "actor", func(r *usherv1.SetSharesRequest) {
			r.Actor, r.Guards = nil, []*usherv1.ShareGuard{actorHas("can_share")}
		}},
		{"no relation", "INVALID_FIELD", "guards[0].actor_has", func(r *usherv1.SetSharesRequest) { r.Guards = []*usherv1.ShareGuard{actorHas("")} }},
		{"no relation of the recipient", "INVALID_FIELD", "guards[0].recipient_has", func(r *usherv1.SetSharesRequest) { r.Guards = []*usherv1.ShareGuard{recipientHas("")} }},
		{"nothing to be in", "INVALID_FIELD", "guards[0].recipient_in.object.type", func(r *usherv1.SetSharesRequest) {
			r.Guards = []*usherv1.ShareGuard{{Guard: &usherv1.ShareGuard_RecipientIn{}}}
		}},
		{"a relation that the type lacks", "UNKNOWN_RELATION", "guards[0].actor_has", func(r *usherv1.SetSharesRequest) {
			r.Guards = []*usherv1.ShareGuard{actorHas("can_fly")}
		}},
		{"a type to be in that there is not", "UNKNOWN_TYPE", "guards[0].recipient_in.object.type", func(r *usherv1.SetSharesRequest) {
			r.Guards = []*usherv1.ShareGuard{recipientIn(t, "club:all", "member")}
		}},
		{"a type of the actor that there is not", "UNKNOWN_TYPE", "actor.type", func(r *usherv1.SetSharesRequest) {
			r.Actor, r.Guards = subject(t, "robot:r2"), []*usherv1.ShareGuard{actorHas("can_share")}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := setShares(t, "media:a", "viewer@user:bert")
			r.Actor = subject(t, "user:anna")
			c.change(r)
			_, err := w.tuples.SetShares(w.ctx, r)
			wantRefusal(t, err, codes.InvalidArgument, c.reason, c.field)
		})
	}
}
