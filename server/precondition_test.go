package server_test

import (
	"fmt"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

func TestPreconditions(t *testing.T) {
	w := newLibrary(t,
		"media:logo#owner@user:anna",
		`media:logo#viewer@user:dora with office_hours {"opens":9}`,
		"media:logo#viewer@user:late expires 2020-01-01T00:00:00Z",
	)
	match := func(id string) *usherv1.TupleFilter {
		return &usherv1.TupleFilter{ObjectType: "media", ObjectId: "logo", SubjectType: "user", SubjectId: id}
	}
	must := func(id string) *usherv1.Precondition {
		return &usherv1.Precondition{Condition: &usherv1.Precondition_MustMatch{MustMatch: match(id)}}
	}
	mustNot := func(id string) *usherv1.Precondition {
		return &usherv1.Precondition{Condition: &usherv1.Precondition_MustNotMatch{MustNotMatch: match(id)}}
	}
	for _, c := range []struct {
		name  string
		guard *usherv1.Precondition
		want  string // of the refusal; "" for a write
	}{
		{"a tuple that is there", must("anna"), ""},
		{"a tuple that is not there", must("bert"), "no tuple matches media:logo#?@user:bert(#?)"},
		{"no tuple that is not there", mustNot("bert"), ""},
		{"no tuple that is there", mustNot("anna"), "tuple media:logo#owner@user:anna matches media:logo#?@user:anna(#?)"},
		{"an expired tuple is absent", must("late"), "no tuple matches media:logo#?@user:late(#?)"},
		{"an allowed check", mustBeAllowed(t, "user:anna can_share media:logo"), ""},
		{"a denied check", mustBeAllowed(t, "user:bert can_share media:logo"), "user:bert is denied can_share of media:logo"},
		{"a conditional check is not enough", mustBeAllowed(t, "user:dora can_view media:logo"),
			"user:dora is conditional can_view of media:logo, for want of context [hour]"},
	} {
		for _, place := range []string{"preconditions[0]", "updates[0].preconditions[0]"} {
			t.Run(c.name+" in "+place, func(t *testing.T) {
				r := &usherv1.WriteRequest{Updates: updates(t, usherv1.Operation_OPERATION_TOUCH, "media:other#viewer@user:anna")}
				if place == "preconditions[0]" {
					r.Preconditions = []*usherv1.Precondition{c.guard}
				} else {
					r.Updates[0].Preconditions = []*usherv1.Precondition{c.guard}
				}
				_, err := w.tuples.Write(w.ctx, r)
				if c.want == "" {
					if err != nil {
						t.Error(err)
					}
					return
				}
				got := wantRefusal(t, err, codes.FailedPrecondition, "PRECONDITION_FAILED", "")
				field := place + map[bool]string{true: ".must_be_allowed", false: ".must_match"}[c.guard.GetMustBeAllowed() != nil]
				if c.guard.GetMustNotMatch() != nil {
					field = place + ".must_not_match"
				}
				if want := "precondition " + field + " failed: " + c.want; got.message != want || got.metadata["field"] != field {
					t.Errorf("got  %q (%v)\nwant %q", got.message, got.metadata, want)
				}
			})
		}
	}
}

// A guard that cannot be asked is the request's fault, by its field.
func TestBadGuards(t *testing.T) {
	w := newLibrary(t, `media:bad#viewer@user:anna with office_hours {"hour":0,"opens":0}`)
	for _, c := range []struct {
		name, question, reason, field string
		code                          codes.Code
	}{
		{"unknown type", "user:anna can_view video:a", "UNKNOWN_TYPE", "preconditions[0].must_be_allowed.object.type", codes.InvalidArgument},
		{"unknown relation", "user:anna can_fly media:a", "UNKNOWN_RELATION", "preconditions[0].must_be_allowed.relation", codes.InvalidArgument},
		{"failing condition", "user:anna can_view media:bad", "CONDITION_FAILED", "", codes.FailedPrecondition},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := w.tuples.Write(w.ctx, &usherv1.WriteRequest{
				Updates:       updates(t, usherv1.Operation_OPERATION_TOUCH, "media:a#viewer@user:anna"),
				Preconditions: []*usherv1.Precondition{mustBeAllowed(t, c.question)},
			})
			wantRefusal(t, err, c.code, c.reason, c.field)
		})
	}
}

// A share that is guarded by the right to share, and the loss of that right, race.
// Whatever the outcome, no share is made at a revision behind that of the loss.
func TestGuardedWriteRacesWithRevocation(t *testing.T) {
	w := newLibrary(t)
	for round := range 25 {
		media := fmt.Sprintf("media:m%d", round)
		w.touch("folder:f#viewer@user:zoe", media+"#owner@user:anna")
		var wait sync.WaitGroup
		shared := make([]uint64, 4)
		var revoked uint64
		for i := range shared {
			wait.Go(func() {
				response, err := w.tuples.Write(w.ctx, &usherv1.WriteRequest{
					Updates:       updates(t, usherv1.Operation_OPERATION_TOUCH, fmt.Sprintf("%s#viewer@user:guest%d", media, i)),
					Preconditions: []*usherv1.Precondition{mustBeAllowed(t, "user:anna can_share "+media)},
				})
				if err == nil {
					shared[i] = response.GetRevision()
				} else if r := refusalOf(err); r.reason != "PRECONDITION_FAILED" {
					t.Error(err)
				}
			})
		}
		wait.Go(func() {
			revoked = w.write(&usherv1.WriteRequest{
				Updates: updates(t, usherv1.Operation_OPERATION_DELETE, media+"#owner@user:anna"),
			}).GetRevision()
		})
		wait.Wait()
		for i, revision := range shared {
			if revision > revoked {
				t.Errorf("round %d: share %d at revision %d, after the revocation at %d", round, i, revision, revoked)
			}
		}
	}
}

// Two writers that each take a lock only if nobody holds it: one gets it (C10).
func TestOneOfManyTakesALock(t *testing.T) {
	w := newLibrary(t)
	var wait sync.WaitGroup
	won := make([]bool, 8)
	for i := range won {
		wait.Go(func() {
			_, err := w.tuples.Write(w.ctx, &usherv1.WriteRequest{
				Updates: updates(t, usherv1.Operation_OPERATION_CREATE, fmt.Sprintf("media:clip#editor@user:u%d", i)),
				Preconditions: []*usherv1.Precondition{{Condition: &usherv1.Precondition_MustNotMatch{
					MustNotMatch: &usherv1.TupleFilter{ObjectType: "media", ObjectId: "clip", Relation: "editor"},
				}}},
			})
			won[i] = err == nil
		})
	}
	wait.Wait()
	winners := 0
	for _, ok := range won {
		if ok {
			winners++
		}
	}
	if winners != 1 || len(w.read(&usherv1.ReadRequest{})) != 1 {
		t.Errorf("%d writers took the lock", winners)
	}
}

// A share to an unknown user in the middle of 500 is refused by the guard of its own
// update, with all of the request (B3).
func TestGuardedUpdatesAtScale(t *testing.T) {
	const members = 500
	known := make([]string, members)
	for i := range known {
		known[i] = fmt.Sprintf("group:all#member@user:u%d", i)
	}
	w := newLibrary(t, known...)
	request := func(unknown int) *usherv1.WriteRequest {
		r := &usherv1.WriteRequest{}
		for i := range members {
			user := fmt.Sprintf("user:u%d", i)
			if i == unknown {
				user = "user:nobody"
			}
			update := updates(t, touch, "media:logo#viewer@"+user)[0]
			update.Preconditions = []*usherv1.Precondition{mustBeAllowed(t, user+" member group:all")}
			r.Updates = append(r.Updates, update)
		}
		return r
	}
	_, err := w.tuples.Write(w.ctx, request(250))
	r := wantRefusal(t, err, codes.FailedPrecondition, "PRECONDITION_FAILED", "")
	const field = "updates[250].preconditions[0].must_be_allowed"
	if want := "precondition " + field + " failed: user:nobody is denied member of group:all"; r.message != want {
		t.Errorf("got  %s\nwant %s", r.message, want)
	}
	if r.metadata["field"] != field || r.metadata["subject"] != "user:nobody" || r.metadata["object"] != "group:all" {
		t.Errorf("got %v", r.metadata)
	}
	if stored := w.read(&usherv1.ReadRequest{}); len(stored) != members {
		t.Errorf("the refused request stored something: %d tuples, want the %d from before", len(stored), members)
	}
	if got := w.write(request(-1)); got.GetCreated() != members {
		t.Errorf("with all of them known: %v", got)
	}
}
