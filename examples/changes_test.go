package examples_test

import (
	"testing"

	"google.golang.org/grpc"

	"github.com/usher-authz/usher/check/checktest"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// change is one write, and what the checks before and after it answer.
type change struct {
	example, name string
	write         []string // "+" creates the tuple, "-" deletes it
	answers       []beforeAfter
}

type beforeAfter struct{ question, before, after string }

// changes show what a scenario cannot: the very next check sees a write.
var changes = []change{
	{
		"media-library", "A6 a share with a user is switched off",
		[]string{"-media:oskar-pinhole-tests#viewer@user:yara"},
		[]beforeAfter{{"user:yara can_view media:oskar-pinhole-tests", "allowed", "denied"}},
	},
	{
		"media-library", "A6 a share with the organisation is switched off",
		[]string{"-folder:brand#viewer@organisation:halden#member"},
		[]beforeAfter{{"user:david can_view media:letterhead", "allowed", "denied"}},
	},
	{
		"media-library", "B4 media leave a collection and are no longer seen through it",
		[]string{"-media:kiln-bowl-blue#collection@collection:kiln-selects"},
		[]beforeAfter{{"user:hugo@kiln-and-clay.example can_comment media:kiln-bowl-blue", "allowed", "denied"}},
	},
	{
		"media-library", "D8 a sealed folder is opened in one write",
		[]string{"-folder:contracts#sealed_parent@folder:library", "+folder:contracts#parent@folder:library"},
		[]beforeAfter{{"user:tomas can_view media:payroll-2026", "denied", "allowed"}},
	},
	{
		"media-library", "D8 an open folder is sealed in one write",
		[]string{"-folder:archive#parent@folder:library", "+folder:archive#sealed_parent@folder:library"},
		[]beforeAfter{{"user:ingrid can_view media:harbour-cafe-front", "allowed", "denied"}},
	},
	{
		"media-library", "B8 a status is set, and beats what was shared",
		[]string{"+media:fjord-crew-on-deck#status@status:no-release"},
		[]beforeAfter{
			{"user:olav@fjord-ferries.example can_view media:fjord-crew-on-deck", "allowed", "denied"},
			{"user:rosa can_view media:fjord-crew-on-deck", "allowed", "allowed"},
		},
	},
	{
		"media-library", "B13 a group loses the right to share collections, not the collections",
		[]string{"-organisation:halden#collection_sharer@group:production#member"},
		[]beforeAfter{
			{"user:petra can_share collection:portfolio", "allowed", "denied"},
			{"user:petra can_view collection:portfolio", "allowed", "allowed"},
		},
	},
	{
		"media-library", "C1 what was bought ends, and with it what teams gave",
		[]string{"-organisation:halden#teamwork@user:*"},
		[]beforeAfter{
			{"user:nora can_edit folder:kiln-relaunch", "allowed", "denied"},
			{"user:samuel can_edit folder:kiln-relaunch", "allowed", "allowed"},
		},
	},
	{
		"media-library", "C10 the lock is given back",
		[]string{"-media:kiln-catalogue-layout#locked@user:*", "-media:kiln-catalogue-layout#lock_holder@user:mika"},
		[]beforeAfter{{"user:anna can_save media:kiln-catalogue-layout", "denied", "allowed"}},
	},
	{
		"media-library", "D3 an invitation takes effect with the account",
		[]string{"+address:leif@tide-museum.example#account@user:leif"},
		[]beforeAfter{{"user:leif can_comment folder:museum-exhibition", "denied", "allowed"}},
	},
	{
		"organisation-shares", "A6 a share with a user is switched off",
		[]string{"-media:volcano-model#editor@user:wanjiru"},
		[]beforeAfter{
			{"user:wanjiru can_modify media:volcano-model", "allowed", "denied"},
			{"user:wanjiru can_view media:volcano-model", "allowed", "denied"},
			{"user:wanjiru can_view media:volcano-model-labelled", "allowed", "allowed"},
		},
	},
	{
		"organisation-shares", "A6 the share with the organisation is switched off, those with users stay",
		[]string{"-media:water-cycle-film#viewer@organisation:lindgren#member"},
		[]beforeAfter{
			{"user:henrik can_view media:water-cycle-film", "allowed", "denied"},
			{"user:priya can_view media:water-cycle-film", "allowed", "allowed"},
		},
	},
	{
		"organisation-shares", "A8 setting one right for the whole selection ends the Mixed in one write",
		[]string{
			"-media:cell-drawings#editor@organisation:lindgren#member",
			"+media:cell-drawings#viewer@organisation:lindgren#member",
			"+media:exam-scans#viewer@organisation:lindgren#member",
		},
		[]beforeAfter{
			{"organisation:lindgren#member can_view media:?", "cell-drawings chess-openings glossary-cards open-day-map school-anthem water-cycle-film",
				"cell-drawings chess-openings exam-scans glossary-cards open-day-map school-anthem water-cycle-film"},
			{"organisation:lindgren#member can_modify media:?", "cell-drawings glossary-cards", "glossary-cards"},
		},
	},
	{
		"organisation-shares", "A2 who leaves the organisation loses what was shared",
		[]string{"-organisation:lindgren#creator@user:wanjiru"},
		[]beforeAfter{
			{"user:wanjiru can_view media:school-anthem", "allowed", "denied"},
			{"user:wanjiru can_modify media:volcano-model", "allowed", "denied"},
		},
	},
	{
		"internal-shares", "B4 a share is withdrawn, and the others stay",
		[]string{"-collection:spring-campaign#share@share:spring-celeste"},
		[]beforeAfter{
			{"user:celeste can_view collection:spring-campaign", "allowed", "denied"},
			{"user:celeste can_edit media:gravel-hero", "allowed", "denied"},
			{"user:delia can_view media:gravel-hero", "allowed", "allowed"},
		},
	},
	{
		"internal-shares", "B8 media set back from red are seen again",
		[]string{"-media:battery-recall#status@status:red", "+media:battery-recall#status@status:green"},
		[]beforeAfter{
			{"user:farida can_view media:battery-recall", "denied", "allowed"},
			{"user:farida can_edit media:battery-recall", "denied", "allowed"},
		},
	},
	{
		"internal-shares", "B11 a collection goes, its media stay where they are",
		[]string{
			"-collection:fair-friedrichshafen#mediaspace@mediaspace:kessler",
			"-collection:fair-friedrichshafen#owner@user:tobias",
			"-collection:fair-friedrichshafen#share@share:fair",
			"-share:fair#collection@collection:fair-friedrichshafen",
			"-media:ebike-prototype#collection@collection:fair-friedrichshafen",
			"-media:fair-booth#collection@collection:fair-friedrichshafen",
		},
		[]beforeAfter{
			{"user:henning can_view collection:?", "fair-friedrichshafen price-sheets", "price-sheets"},
			{"user:henning can_view media:fair-booth", "allowed", "denied"},
			{"user:nils can_view media:fair-booth", "allowed", "allowed"},
			{"user:tobias owner media:?", "fair-booth gravel-geometry", "fair-booth gravel-geometry"},
		},
	},
	{
		"internal-shares", "B13 withdrawing the one right stops re-sharing, not the shares there are",
		[]string{"-mediaspace:kessler#collection_sharer@rights_group:dealers#member"},
		[]beforeAfter{
			{"user:delia can_share collection:spring-campaign", "allowed", "denied"},
			{"user:delia can_view collection:spring-campaign", "allowed", "allowed"},
			{"user:celeste can_view collection:spring-campaign", "allowed", "allowed"},
			{"user:delia can_withdraw share:spring-celeste", "allowed", "allowed"},
			{"user:delia can_withdraw share:spring-bruno", "allowed", "denied"},
		},
	},
	{
		"session-roles", "E3 a role is changed for a stronger one in one write",
		[]string{"-presentation:race-plan#commenter@user:greta", "+presentation:race-plan#editor@user:greta"},
		[]beforeAfter{
			{"user:greta can_comment clip:race-plan-start", "allowed", "allowed"},
			{"user:greta can_annotate clip:race-plan-start", "denied", "allowed"},
		},
	},
	{
		"session-roles", "E5 a timeline moves to another session, with the roles of that one",
		[]string{"-timeline:regatta-starts#session@session:regatta-final", "+timeline:regatta-starts#session@session:junior-trials"},
		[]beforeAfter{
			{"user:iris can_comment timeline:regatta-starts", "allowed", "denied"},
			{"user:hamid can_watch timeline:regatta-starts", "allowed", "allowed"},
			{"user:callum can_share timeline:regatta-starts", "denied", "allowed"},
		},
	},
}

func TestChanges(t *testing.T) {
	for _, test := range changes {
		t.Run(test.example+"/"+test.name, func(t *testing.T) {
			t.Parallel()
			connection := serve(t, openDatabase(t, clockReading))
			upload(t, connection, find(t, test.example))
			answerer := remote{t: t, client: usherv1.NewPermissionServiceClient(connection)}
			expect := func(when, question, want string) {
				t.Helper()
				if got := checktest.Ask(answerer, parseQuestion(t, question)); got != want {
					t.Errorf("%s: %s = %s, want %s", when, question, got, want)
				}
			}
			for _, a := range test.answers {
				expect("before the write", a.question, a.before)
			}
			apply(t, connection, test.write)
			for _, a := range test.answers {
				expect("after the write", a.question, a.after)
			}
		})
	}
}

// apply writes tuples, each behind "+" to create it or "-" to delete it, at one
// revision. Those to be deleted must be there.
func apply(t *testing.T, connection *grpc.ClientConn, updates []string) {
	t.Helper()
	request := &usherv1.WriteRequest{}
	for _, update := range updates {
		request.Updates = append(request.Updates, parseUpdate(t, update))
	}
	written, err := usherv1.NewTupleServiceClient(connection).Write(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	if written.GetUnchanged() != 0 {
		t.Fatalf("%d tuples to be deleted are not there: %q", written.GetUnchanged(), updates)
	}
}

// parseUpdate reads a tuple behind "+", to create it, or behind "-", to delete it.
func parseUpdate(t *testing.T, text string) *usherv1.TupleUpdate {
	t.Helper()
	tuple, err := tuples.ParseTuple(text[1:])
	if err != nil {
		t.Fatal(err)
	}
	operation := usherv1.Operation_OPERATION_CREATE
	if text[0] == '-' {
		operation = usherv1.Operation_OPERATION_DELETE
	}
	return &usherv1.TupleUpdate{Operation: operation, Tuple: wire.FromTuple(tuple)}
}
