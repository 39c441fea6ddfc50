package examples_test

import (
	"slices"
	"testing"

	"github.com/usher-authz/usher/check/checktest"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// E9: from a denial alone a caller can tell which role is missing, and who can give it.
func TestADenialNamesTheMissingRole(t *testing.T) {
	connection := serve(t, openDatabase(t, clockReading))
	upload(t, connection, find(t, "session-roles"))
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
	who := parseQuestion(t, "user:? can_share "+wire.ToObject(missing.GetObject()).String())
	if got := checktest.Ask(remote{t: t, client: permissions}, who); got != "agnes callum esme" {
		t.Errorf("%s = %s, want agnes callum esme", who, got)
	}
}
