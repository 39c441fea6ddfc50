package examples_test

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc"

	"github.com/usher-authz/usher/check/checktest"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// menu is what somebody sets in a sharing menu for a selection of objects: who gets which
// role, in place of those named.
type menu struct {
	example, name string
	actor         string
	objects       string
	roles         string
	shares        []string // "viewer@user:anna", or "@user:anna" for none
	guards        []string // "actor can_share", "recipient can_receive" or "recipient member organisation:halden"
	refusedBy     string   // path of the guard that does not hold; "" for a write
	answers       []beforeAfter
}

var menus = []menu{
	{
		example: "organisation-shares", name: "A8 one right for the organisation ends the mixed of two media",
		actor: "user:mathilde", objects: "media:cell-drawings media:water-cycle-film", roles: "viewer editor",
		shares: []string{"viewer@organisation:lindgren#member"}, guards: []string{"actor can_share", "recipient can_receive"},
		answers: []beforeAfter{
			{"organisation:lindgren#member can_modify media:?", "cell-drawings glossary-cards", "glossary-cards"},
			{"user:henrik can_view media:cell-drawings", "allowed", "allowed"},
			{"user:jonas can_modify media:water-cycle-film", "allowed", "allowed"},
		},
	},
	{
		example: "organisation-shares", name: "A1 A5 the organisation may view, while one of it may edit",
		actor: "user:henrik", objects: "media:exam-scans media:report-drafts", roles: "viewer editor",
		shares: []string{"viewer@organisation:lindgren#member", "editor@user:mathilde"}, guards: []string{"actor can_share", "recipient can_receive"},
		answers: []beforeAfter{
			{"user:lucas can_view media:report-drafts", "denied", "allowed"},
			{"user:lucas can_modify media:report-drafts", "denied", "denied"},
			{"user:mathilde can_modify media:report-drafts", "denied", "allowed"},
			{"user:mathilde can_modify media:exam-scans", "denied", "allowed"},
		},
	},
	{
		example: "organisation-shares", name: "A6 a share with a user is switched off, whatever right it gave",
		actor: "user:jonas", objects: "media:volcano-model media:glossary-cards", roles: "viewer editor",
		shares: []string{"@user:wanjiru", "@user:priya"}, guards: []string{"actor can_share"},
		answers: []beforeAfter{
			{"user:wanjiru can_view media:volcano-model", "allowed", "denied"},
			{"user:priya can_view media:volcano-model", "allowed", "denied"},
			{"user:wanjiru can_modify media:glossary-cards", "allowed", "allowed"}, // with the whole school
		},
	},
	{
		example: "organisation-shares", name: "A6 from who has left the organisation, too",
		actor: "user:priya", objects: "media:timeline-1900", roles: "viewer editor",
		shares: []string{"@user:emil"}, guards: []string{"actor can_share", "recipient can_receive"},
		answers: []beforeAfter{{"user:emil editor media:timeline-1900", "allowed", "denied"}},
	},
	{
		example: "organisation-shares", name: "A2 one of two recipients is of another organisation",
		actor: "user:henrik", objects: "media:exam-scans", roles: "viewer editor",
		shares: []string{"viewer@user:jonas", "viewer@user:olga"}, guards: []string{"actor can_share", "recipient can_receive"},
		refusedBy: "guards[1].recipient_has",
		answers:   []beforeAfter{{"user:jonas can_view media:exam-scans", "denied", "denied"}},
	},
	{
		example: "organisation-shares", name: "A9 of two media one is not the actor's own",
		actor: "user:jonas", objects: "media:volcano-model media:water-cycle-film", roles: "viewer editor",
		shares: []string{"editor@user:lucas"}, guards: []string{"actor can_share", "recipient can_receive"},
		refusedBy: "guards[0].actor_has",
		answers:   []beforeAfter{{"user:lucas can_modify media:volcano-model", "denied", "denied"}},
	},
	{
		example: "internal-shares", name: "B2 B15 two shares get another group and another user in one request",
		actor: "user:tobias", objects: "share:fair share:team-marketing", roles: "recipient",
		shares: []string{"recipient@rights_group:sales#member", "recipient@user:bruno"}, guards: []string{"recipient can_receive mediaspace:kessler"},
		answers: []beforeAfter{
			{"user:farida can_view collection:?", "price-sheets", "fair-friedrichshafen price-sheets team-photos"},
			{"user:bruno can_view collection:?", "spring-campaign", "fair-friedrichshafen spring-campaign team-photos"},
		},
	},
	{
		example: "internal-shares", name: "B3 of two recipients one does not exist: nobody gets in",
		actor: "user:tobias", objects: "share:fair share:team-marketing", roles: "recipient",
		shares: []string{"recipient@user:farida", "recipient@user:faridah"}, guards: []string{"recipient can_receive mediaspace:kessler"},
		refusedBy: "guards[0].recipient_in",
		answers:   []beforeAfter{{"user:farida can_view collection:team-photos", "denied", "denied"}},
	},
	{
		example: "internal-shares", name: "B4 a group is withdrawn from a share, and its others stay",
		actor: "user:tobias", objects: "share:fair", roles: "recipient",
		shares: []string{"@rights_group:press-office#member"}, guards: []string{"actor can_withdraw"},
		answers: []beforeAfter{
			{"user:nils can_view collection:fair-friedrichshafen", "allowed", "denied"},
			{"user:henning can_view collection:fair-friedrichshafen", "allowed", "allowed"},
		},
	},
	{
		example: "session-roles", name: "E3 a viewer becomes an editor",
		actor: "user:agnes", objects: "session:regatta-final", roles: "viewer commenter editor admin",
		shares: []string{"editor@user:joel"}, guards: []string{"actor can_share"},
		answers: []beforeAfter{{"user:joel can_edit session:regatta-final", "denied", "allowed"}},
	},
	{
		example: "media-library", name: "A8 one right on a folder, a collection and a media at once",
		actor: "user:ingrid", objects: "folder:brand collection:kiln-selects media:fjord-captain", roles: "viewer commenter downloader editor admin",
		shares: []string{"commenter@user:hugo@kiln-and-clay.example"},
		answers: []beforeAfter{
			{"user:hugo@kiln-and-clay.example can_comment folder:brand", "denied", "allowed"},
			{"user:hugo@kiln-and-clay.example can_comment collection:kiln-selects", "allowed", "allowed"},
		},
	},
}

// A menu is set as a whole, and the very next check sees it; a guard that does not hold is
// named, and everything is as before.
func TestSharingMenus(t *testing.T) {
	for _, test := range menus {
		t.Run(test.example+"/"+test.name, func(t *testing.T) {
			t.Parallel()
			connection := serve(t, openDatabase(t, clockReading))
			upload(t, connection, find(t, test.example))
			expectAll(t, connection, "before", test.answers, func(a beforeAfter) string { return a.before })
			_, err := usherv1.NewTupleServiceClient(connection).SetShares(t.Context(), test.request(t))
			switch {
			case test.refusedBy == "" && err != nil:
				t.Fatal(err)
			case test.refusedBy != "":
				if got := failedPrecondition(t, err); got != test.refusedBy {
					t.Errorf("refused by %q, want %q: %v", got, test.refusedBy, err)
				}
			}
			expectAll(t, connection, "after", test.answers, func(a beforeAfter) string { return a.after })
		})
	}
}

// expectAll asks all questions and compares the answers with those of one side.
func expectAll(t *testing.T, connection *grpc.ClientConn, when string, all []beforeAfter, side func(beforeAfter) string) {
	t.Helper()
	answerer := remote{t: t, client: usherv1.NewPermissionServiceClient(connection)}
	for _, a := range all {
		if got := checktest.Ask(answerer, parseQuestion(t, a.question)); got != side(a) {
			t.Errorf("%s: %s = %s, want %s", when, a.question, got, side(a))
		}
	}
}

func (m menu) request(t *testing.T) *usherv1.SetSharesRequest {
	t.Helper()
	r := &usherv1.SetSharesRequest{
		Objects: parseObjects(t, m.objects), Shares: parseShares(t, m.shares), Roles: strings.Fields(m.roles), Actor: wire.FromSubject(parseSubject(t, m.actor)),
	}
	for _, text := range m.guards {
		words := strings.Fields(text)
		guard := &usherv1.ShareGuard{Guard: &usherv1.ShareGuard_ActorHas{ActorHas: words[1]}}
		switch {
		case len(words) == 3:
			in := &usherv1.Userset{Relation: words[1], Object: parseObjects(t, words[2])[0]}
			guard.Guard = &usherv1.ShareGuard_RecipientIn{RecipientIn: in}
		case words[0] == "recipient":
			guard.Guard = &usherv1.ShareGuard_RecipientHas{RecipientHas: words[1]}
		}
		r.Guards = append(r.Guards, guard)
	}
	return r
}

func parseObjects(t *testing.T, texts string) (list []*usherv1.Object) {
	t.Helper()
	for _, text := range strings.Fields(texts) {
		o, err := tuples.ParseObject(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, wire.FromObject(o))
	}
	return list
}

func parseShares(t *testing.T, texts []string) (list []*usherv1.Share) {
	t.Helper()
	for _, text := range texts {
		role, recipient, _ := strings.Cut(text, "@")
		list = append(list, &usherv1.Share{Subject: wire.FromSubject(parseSubject(t, recipient)), Relation: role})
	}
	return list
}

func parseSubject(t *testing.T, text string) tuples.Subject {
	t.Helper()
	s, err := tuples.ParseSubject(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// preview is a menu that is not set yet, and what its recipients would not see.
type preview struct {
	menu
	relation string
	unseen   []string // "user:anna media:logo", and what blocks that
}

var previews = []preview{
	{
		menu: menu{
			example: "media-library", name: "B8 a status hides some of the selection from clients, and one of it from everybody",
			objects: "media:fjord-captain media:fjord-crew-on-deck media:kiln-glaze-test", roles: "viewer commenter downloader editor admin",
			shares: []string{"viewer@group:client-fjord-ferries#member", "viewer@user:rosa", "viewer@user:tomas"},
		},
		relation: "can_view",
		unseen: []string{
			"group:client-fjord-ferries#member media:fjord-captain status:no-release#hidden_from status:no-release#hides media:fjord-captain#hidden",
			"user:rosa media:kiln-glaze-test status:in-dispute#hidden_from status:in-dispute#hides media:kiln-glaze-test#hidden",
		},
	},
	{
		menu: menu{
			example: "organisation-shares", name: "A2 a share with who has left gives nothing",
			objects: "media:exam-scans media:report-drafts", roles: "viewer editor", shares: []string{"viewer@user:emil", "viewer@user:lucas"},
		},
		relation: "can_view",
		unseen:   []string{"user:emil media:exam-scans media:exam-scans#can_receive", "user:emil media:report-drafts media:report-drafts#can_receive"},
	},
	{
		menu: menu{
			example: "organisation-shares", name: "A3 viewing gives no download, whatever the recipient had before",
			objects: "media:volcano-model", roles: "viewer editor", shares: []string{"viewer@user:wanjiru"},
		},
		relation: "can_download",
		unseen:   []string{"user:wanjiru media:volcano-model media:volcano-model#editor"},
	},
}

// Before a share is set, it is known what it would not open, and why.
func TestSharesArePreviewed(t *testing.T) {
	for _, test := range previews {
		t.Run(test.example+"/"+test.name, func(t *testing.T) {
			t.Parallel()
			connection := serve(t, openDatabase(t, clockReading))
			upload(t, connection, find(t, test.example))
			answer, err := usherv1.NewPermissionServiceClient(connection).PreviewShares(t.Context(), &usherv1.PreviewSharesRequest{
				Objects: parseObjects(t, test.objects), Shares: parseShares(t, test.shares), Roles: strings.Fields(test.roles), Relation: test.relation,
			})
			if err != nil {
				t.Fatal(err)
			}
			var unseen []string
			for _, p := range answer.GetPreviews() {
				for _, u := range p.GetUnseen() {
					line := fmt.Sprint(wire.ToSubject(p.GetSubject()), " ", wire.ToObject(u.GetObject()))
					for _, by := range u.GetBlockedBy() {
						line += fmt.Sprintf(" %s#%s", wire.ToObject(by.GetObject()), by.GetRelation())
					}
					unseen = append(unseen, line)
				}
			}
			if got, want := strings.Join(unseen, "\n"), strings.Join(test.unseen, "\n"); got != want {
				t.Errorf("unseen\n%s\nwant\n%s", got, want)
			}
		})
	}
}
