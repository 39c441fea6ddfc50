package examples_test

import (
	"slices"
	"testing"

	"github.com/usher-authz/usher/check/checktest"
	"github.com/usher-authz/usher/examples"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// E9: from a denial alone a caller can tell which role is missing, and who can give it.
func TestADenialNamesTheMissingRole(t *testing.T) {
	e, ok := examples.Find("session-roles")
	if !ok {
		t.Fatal("there is no example session-roles")
	}
	connection := serve(t, openDatabase(t, clockReading))
	upload(t, connection, e)
	permissions := usherv1.NewPermissionServiceClient(connection)
	joel := wire.FromSubject(tuples.Subject{Type: "user", ID: "joel"})
	answer, err := permissions.Check(t.Context(), &usherv1.CheckRequest{
		Object:   wire.FromObject(tuples.Object{Type: "timeline", ID: "trials-starts"}),
		Relation: "can_comment", Subject: joel, Explain: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	var grants []string
	for _, grant := range answer.GetExplanation().GetWouldGrant() {
		grants = append(grants, wire.ToObject(grant.GetObject()).String()+"#"+grant.GetRelation())
	}
	if answer.GetOutcome() != usherv1.Outcome_OUTCOME_DENIED || len(grants) == 0 || grants[0] != "timeline:trials-starts#commenter" {
		t.Fatalf("%s, and would be granted by %q, want timeline:trials-starts#commenter first", answer.GetOutcome(), grants)
	}
	if slices.Contains(grants, "timeline:trials-starts#viewer") {
		t.Errorf("the role that joel has is among those that would grant it: %q", grants)
	}

	missing := answer.GetExplanation().GetWouldGrant()[0]
	who, err := checktest.ParseQuestion("user:? can_share " + wire.ToObject(missing.GetObject()).String())
	if err != nil {
		t.Fatal(err)
	}
	if got := who.Ask(remote{t: t, client: permissions}); got != "agnes callum esme" {
		t.Errorf("%s = %s, want agnes callum esme", who, got)
	}
}
