package examples_test

import (
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
)

// guarded is an update, "+" before the tuple to create it and "-" to delete it, and the
// checks that must be allowed for it.
type guarded struct {
	update string
	guards []string
}

// guardedWrite is what an application sends when somebody shares: the write with the
// questions whether that person may.
type guardedWrite struct {
	example, name string
	updates       []guarded
	refusedBy     string // path of the precondition that does not hold; "" for a write
}

var guardedWrites = []guardedWrite{
	{"media-library", "B13 a producer shares on what is shared with her", []guarded{
		{"+collection:portfolio#viewer@user:maren@fjord-ferries.example", []string{"user:petra can_share collection:portfolio"}},
	}, ""},
	{"media-library", "C8 an editor there who may not delete here moves nothing", []guarded{
		{"-media:fjord-ferry-at-dawn#parent@folder:fjord-summer-shoot", []string{"user:leila can_delete media:fjord-ferry-at-dawn"}},
		{"+media:fjord-ferry-at-dawn#parent@folder:fjord-rebrand", []string{"user:leila can_add folder:fjord-rebrand"}},
	}, "updates[0].preconditions[0].must_be_allowed"},
	{"media-library", "C10 the lock of a media that nobody has open is taken", []guarded{
		{"+media:kiln-cover#locked@user:* expires 2026-12-01T09:10:00Z", []string{"user:anna can_lock media:kiln-cover"}},
		{"+media:kiln-cover#lock_holder@user:anna expires 2026-12-01T09:10:00Z", nil},
	}, ""},
	{"media-library", "C10 that of another's is not", []guarded{
		{"+media:kiln-catalogue-layout#lock_holder@user:anna expires 2026-12-01T09:10:00Z", []string{"user:anna can_lock media:kiln-catalogue-layout"}},
	}, "updates[0].preconditions[0].must_be_allowed"},
	{"media-library", "E4 an editor does not share", []guarded{
		{"+media:kiln-shop-wireframes#viewer@user:rosa", []string{"user:hugo@kiln-and-clay.example can_share media:kiln-shop-wireframes"}},
	}, "updates[0].preconditions[0].must_be_allowed"},

	{"organisation-shares", "A2 an owner shares with a member of the organisation", []guarded{
		{"+media:exam-scans#editor@user:jonas", []string{"user:henrik can_share media:exam-scans", "user:jonas can_receive media:exam-scans"}},
	}, ""},
	{"organisation-shares", "A2 and with the organisation itself", []guarded{
		{"+media:exam-scans#viewer@organisation:lindgren#member", []string{"organisation:lindgren#member can_receive media:exam-scans"}},
	}, ""},
	{"organisation-shares", "A2 of two recipients one is of another organisation", []guarded{
		{"+media:exam-scans#editor@user:jonas", []string{"user:jonas can_receive media:exam-scans"}},
		{"+media:exam-scans#editor@user:olga", []string{"user:olga can_receive media:exam-scans"}},
	}, "updates[1].preconditions[0].must_be_allowed"},
	{"organisation-shares", "A4 A9 who may edit makes a new media, its own", []guarded{
		{"+media:water-cycle-quiz#owner@user:priya", []string{"user:priya can_modify media:water-cycle-film"}},
		{"+media:water-cycle-quiz#organisation@organisation:lindgren", nil},
	}, ""},
	{"organisation-shares", "A3 who may view makes none", []guarded{
		{"+media:water-cycle-quiz#owner@user:henrik", []string{"user:henrik can_modify media:water-cycle-film"}},
		{"+media:water-cycle-quiz#organisation@organisation:lindgren", nil},
	}, "updates[0].preconditions[0].must_be_allowed"},
	{"organisation-shares", "A9 who may edit does not share", []guarded{
		{"+media:water-cycle-film#editor@user:henrik", []string{"user:priya can_share media:water-cycle-film"}},
	}, "updates[0].preconditions[0].must_be_allowed"},

	{"internal-shares", "B1 B15 an owner shares two collections at once", []guarded{
		{"+collection:fair-friedrichshafen#share@share:fair-sales", []string{"user:tobias can_share collection:fair-friedrichshafen"}},
		{"+share:fair-sales#collection@collection:fair-friedrichshafen", nil},
		{"+share:fair-sales#author@user:tobias", nil},
		{"+share:fair-sales#recipient@rights_group:sales#member", []string{"rights_group:sales#member can_receive mediaspace:kessler"}},
		{"+collection:sketches-2028#share@share:sketches-sales", []string{"user:tobias can_share collection:sketches-2028"}},
		{"+share:sketches-sales#collection@collection:sketches-2028", nil},
		{"+share:sketches-sales#author@user:tobias", nil},
		{"+share:sketches-sales#recipient@rights_group:sales#member", []string{"rights_group:sales#member can_receive mediaspace:kessler"}},
	}, ""},
	{"internal-shares", "B15 of two collections one may not be shared: none is", []guarded{
		{"+collection:spring-campaign#share@share:spring-sales", []string{"user:jana can_share collection:spring-campaign"}},
		{"+share:spring-sales#collection@collection:spring-campaign", nil},
		{"+share:spring-sales#author@user:jana", nil},
		{"+share:spring-sales#recipient@rights_group:sales#member", nil},
		{"+collection:sketches-2028#share@share:sketches-sales", []string{"user:jana can_share collection:sketches-2028"}},
		{"+share:sketches-sales#collection@collection:sketches-2028", nil},
		{"+share:sketches-sales#author@user:jana", nil},
		{"+share:sketches-sales#recipient@rights_group:sales#member", nil},
	}, "updates[4].preconditions[0].must_be_allowed"},
	{"internal-shares", "B3 one of the recipients does not exist: nobody is let in", []guarded{
		{"+share:fair#recipient@user:farida", []string{"user:farida can_receive mediaspace:kessler"}},
		{"+share:fair#recipient@user:faridah", []string{"user:faridah can_receive mediaspace:kessler"}},
		{"+share:fair#recipient@user:yusuf", []string{"user:yusuf can_receive mediaspace:kessler"}},
	}, "updates[1].preconditions[0].must_be_allowed"},
	{"internal-shares", "B4 its author withdraws a share of another's collection", []guarded{
		{"-collection:spring-campaign#share@share:spring-celeste", []string{"user:delia can_withdraw share:spring-celeste"}},
	}, ""},
	{"internal-shares", "B4 its recipient does not", []guarded{
		{"-collection:spring-campaign#share@share:spring-celeste", []string{"user:celeste can_withdraw share:spring-celeste"}},
	}, "updates[0].preconditions[0].must_be_allowed"},
	{"internal-shares", "B10 a recipient adds a media of its own", []guarded{
		{"+media:shop-window#collection@collection:spring-campaign", []string{"user:delia can_edit collection:spring-campaign", "user:delia owner media:shop-window"}},
	}, ""},
	{"internal-shares", "B10 and none of another's", []guarded{
		{"+media:fair-booth#collection@collection:spring-campaign", []string{"user:delia can_edit collection:spring-campaign", "user:delia owner media:fair-booth"}},
	}, "updates[0].preconditions[1].must_be_allowed"},
	{"internal-shares", "B13 a recipient with the right shares on", []guarded{
		{"+collection:spring-campaign#share@share:spring-mara", []string{"user:delia can_share collection:spring-campaign"}},
		{"+share:spring-mara#collection@collection:spring-campaign", nil},
		{"+share:spring-mara#author@user:delia", nil},
		{"+share:spring-mara#recipient@user:mara", []string{"user:mara can_receive mediaspace:kessler"}},
	}, ""},
	{"internal-shares", "B13 a recipient without the right does not", []guarded{
		{"+collection:spring-campaign#share@share:spring-mara", []string{"user:celeste can_share collection:spring-campaign"}},
		{"+share:spring-mara#collection@collection:spring-campaign", nil},
		{"+share:spring-mara#author@user:celeste", nil},
		{"+share:spring-mara#recipient@user:mara", nil},
	}, "updates[0].preconditions[0].must_be_allowed"},

	{"shared-folders", "C2 a co-user must be a colleague", []guarded{
		{"+folder:project-week#member@user:freya", []string{"user:miriam can_manage folder:project-week", "user:freya can_be_co_user folder:project-week"}},
	}, "updates[0].preconditions[1].must_be_allowed"},
	{"shared-folders", "C7 an upload is its folder owner's", []guarded{
		{"+media:anchor#folder@media_folder:school-photos", []string{"user:jonas can_add media_folder:school-photos"}},
		{"+media:anchor#owner@user:miriam", []string{"user:miriam owner media_folder:school-photos"}},
	}, ""},
	{"shared-folders", "C7 and not the uploader's", []guarded{
		{"+media:anchor#folder@media_folder:school-photos", []string{"user:jonas can_add media_folder:school-photos"}},
		{"+media:anchor#owner@user:jonas", []string{"user:jonas owner media_folder:school-photos"}},
	}, "updates[1].preconditions[0].must_be_allowed"},
	{"shared-folders", "C8 a bound is moved with the right to add there and to delete here", []guarded{
		{"-bound:harbour-rally#folder@folder:project-week", []string{"user:tobias can_delete bound:harbour-rally"}},
		{"+bound:harbour-rally#folder@folder:project-week-drafts", []string{"user:tobias can_add folder:project-week-drafts"}},
	}, ""},
	{"shared-folders", "C8 and not with the right to add there alone", []guarded{
		{"-bound:harbour-rally#folder@folder:project-week", []string{"user:jonas can_delete bound:harbour-rally"}},
		{"+bound:harbour-rally#folder@folder:project-week-drafts", []string{"user:jonas can_add folder:project-week-drafts"}},
	}, "updates[0].preconditions[0].must_be_allowed"},
	{"shared-folders", "C8 nor with the right to take out here alone", []guarded{
		{"-media:opera-roof-at-dusk#folder@media_folder:tour-photos", []string{"user:henrik can_take_out media_folder:tour-photos"}},
		{"+media:opera-roof-at-dusk#folder@media_folder:tour-photos-winter", []string{"user:henrik can_add media_folder:tour-photos-winter"}},
	}, "updates[1].preconditions[0].must_be_allowed"},
	{"shared-folders", "C10 a lock that has expired can be taken", []guarded{
		{"+bound:harbour-rally#locked@user:* expires 2026-12-01T09:10:00Z", []string{"user:tobias can_lock bound:harbour-rally"}},
		{"+bound:harbour-rally#lock_holder@user:tobias expires 2026-12-01T09:10:00Z", nil},
	}, ""},
	{"shared-folders", "C10 one that holds cannot", []guarded{
		{"+bound:opera-roof-walk#lock_holder@user:freya expires 2026-12-01T09:10:00Z", []string{"user:freya can_lock bound:opera-roof-walk"}},
	}, "updates[0].preconditions[0].must_be_allowed"},

	{"session-roles", "E4 an admin shares on", []guarded{
		{"+session:regatta-final#commenter@user:joel", []string{"user:agnes can_share session:regatta-final"}},
	}, ""},
	{"session-roles", "E4 an editor does not", []guarded{
		{"+session:regatta-final#commenter@user:joel", []string{"user:kirsty can_share session:regatta-final"}},
	}, "updates[0].preconditions[0].must_be_allowed"},
	{"session-roles", "E5 who made a timeline shares it, and not the session", []guarded{
		{"+timeline:regatta-starts#editor@user:joel", []string{"user:esme can_share timeline:regatta-starts"}},
		{"+session:regatta-final#editor@user:joel", []string{"user:esme can_share session:regatta-final"}},
	}, "updates[1].preconditions[0].must_be_allowed"},
}

// A guard that does not hold is named, and nothing of its write is stored; where all
// hold, everything is.
func TestGuardedWrites(t *testing.T) {
	for _, test := range guardedWrites {
		t.Run(test.example+"/"+test.name, func(t *testing.T) {
			t.Parallel()
			db := openDatabase(t, clockReading)
			store := newStore(t, db, find(t, test.example))
			before := store.Head()
			_, err := usherv1.NewTupleServiceClient(serve(t, db)).Write(t.Context(), test.request(t))
			if test.refusedBy == "" {
				if err != nil || store.Head() == before {
					t.Errorf("the write fails with %v, from revision %d to %d", err, before, store.Head())
				}
				return
			}
			if got := failedPrecondition(t, err); got != test.refusedBy {
				t.Errorf("refused by %q, want %q: %v", got, test.refusedBy, err)
			}
			if store.Head() != before {
				t.Errorf("a refused write took the store from revision %d to %d", before, store.Head())
			}
		})
	}
}

func (w guardedWrite) request(t *testing.T) *usherv1.WriteRequest {
	t.Helper()
	request := &usherv1.WriteRequest{}
	for _, g := range w.updates {
		update := parseUpdate(t, g.update)
		for _, guard := range g.guards {
			question := parseQuestion(t, guard)
			update.Preconditions = append(update.Preconditions, &usherv1.Precondition{
				Condition: &usherv1.Precondition_MustBeAllowed{MustBeAllowed: &usherv1.CheckPrecondition{
					Object: wire.FromObject(question.On.Object), Relation: string(question.On.Relation), Subject: wire.FromSubject(question.Subject),
				}},
			})
		}
		request.Updates = append(request.Updates, update)
	}
	return request
}

// failedPrecondition returns the path that the server names in its refusal.
func failedPrecondition(t *testing.T, err error) string {
	t.Helper()
	refusal := status.Convert(err)
	if refusal.Code() != codes.FailedPrecondition {
		t.Fatalf("error %v, want a precondition that failed", err)
	}
	for _, detail := range refusal.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return info.GetMetadata()["field"]
		}
	}
	t.Fatalf("error %v has no ErrorInfo", err)
	return ""
}
