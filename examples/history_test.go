package examples_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/usher-authz/usher/check/checktest"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
	"github.com/usher-authz/usher/tuples/bolt"
)

// step is a write of the past: on a day, by somebody.
type step struct {
	day           time.Time
	author        string
	touch, remove []string
}

// trace is a past, and since when somebody has access after it, by whose write, and
// through what. Tuples of the example itself are of 1 June and of nobody.
type trace struct {
	example, name string
	past          []step
	question      string
	since         string
	path          []string
}

func june(day int) time.Time { return time.Date(2026, 6, day, 12, 0, 0, 0, time.UTC) }

var traces = []trace{
	{
		example: "organisation-shares", name: "A6 a share that was switched off counts from when it was switched on again",
		past: []step{
			{day: june(2), author: "henrik", touch: []string{"media:report-drafts#viewer@user:priya"}},
			{day: june(3), author: "henrik", remove: []string{"media:report-drafts#viewer@user:priya"}},
			{day: june(9), author: "henrik", touch: []string{"media:report-drafts#viewer@user:priya"}},
		},
		question: "user:priya can_view media:report-drafts", since: "2026-06-09 by henrik",
		path: []string{
			"media:report-drafts#viewer@user:priya 2026-06-09 by henrik", "media:report-drafts#organisation@organisation:lindgren 2026-06-01",
			"organisation:lindgren#creator@user:priya 2026-06-01",
		},
	},
	{
		example: "internal-shares", name: "B4 a share is withdrawn by its author, and the owner makes another",
		past: []step{
			{day: june(2), author: "delia", touch: []string{
				"collection:spring-campaign#share@share:spring-nils", "share:spring-nils#author@user:delia", "share:spring-nils#recipient@user:nils",
			}},
			{day: june(4), author: "delia", remove: []string{"share:spring-nils#recipient@user:nils"}},
			{day: june(8), author: "jana", touch: []string{
				"collection:spring-campaign#share@share:spring-press", "share:spring-press#recipient@rights_group:press-office#member",
			}},
		},
		question: "user:nils can_view collection:spring-campaign", since: "2026-06-08 by jana",
		path: []string{
			"collection:spring-campaign#share@share:spring-press 2026-06-08 by jana",
			"share:spring-press#recipient@rights_group:press-office#member 2026-06-08 by jana", "rights_group:press-office#member@user:nils 2026-06-01",
		},
	},
	{
		example: "internal-shares", name: "B8 a status hid the media for a while",
		past: []step{
			{day: june(5), author: "jana", touch: []string{"media:gravel-hero#status@status:red"}},
			{day: june(6), author: "tobias", remove: []string{"media:gravel-hero#status@status:red"}},
		},
		question: "user:henning can_view media:gravel-hero", since: "2026-06-06 by tobias",
		path: []string{
			"media:gravel-hero#folder@folder:products-2027 2026-06-01", "folder:products-2027#parent@folder:products 2026-06-01",
			"folder:products#viewer@rights_group:sales#member 2026-06-01", "rights_group:sales#member@user:henning 2026-06-01",
		},
	},
	{
		example: "shared-folders", name: "C1 the feature was paid again, with no share rewritten",
		past: []step{
			{day: june(40), author: "billing", touch: []string{"license:garden-club#shared_folders@user:*"}},
		},
		question: "user:walter can_view folder:garden-trails", since: "2026-07-10 by billing",
	},
	{
		example: "portal-visibility", name: "D3 an invitation waited for the account",
		past: []step{
			{day: june(2), author: "ingvild", touch: []string{"container:rehearsals#viewer@address:mona@nattradio.example#account"}},
			{day: june(20), author: "accounts", touch: []string{"address:mona@nattradio.example#account@user:mona"}},
		},
		question: "user:mona can_view container:rehearsals", since: "2026-06-20 by accounts",
		path: []string{
			"container:rehearsals#native@container:rehearsals 2026-06-01",
			"container:rehearsals#viewer@address:mona@nattradio.example#account 2026-06-02 by ingvild",
			"address:mona@nattradio.example#account@user:mona 2026-06-20 by accounts",
		},
	},
}

// Since when has somebody access, through which share, and who granted it? The history
// answers, for all that the systems make of an access.
func TestAccessIsTracedToItsBeginning(t *testing.T) {
	for _, test := range traces {
		t.Run(test.example+"/"+test.name, func(t *testing.T) {
			p := newPast(t, test.example)
			for _, s := range test.past {
				p.write(s)
			}
			q := parseQuestion(t, test.question)
			got, err := p.permissions.TraceAccess(t.Context(), &usherv1.TraceAccessRequest{
				Object: wire.FromObject(q.On.Object), Relation: string(q.On.Relation), Subject: wire.FromSubject(q.Subject),
			})
			if err != nil {
				t.Fatal(err)
			}
			if got.GetOlder() || dayText(got.GetSince()) != test.since {
				t.Errorf("since %q, older %v, want %q", dayText(got.GetSince()), got.GetOlder(), test.since)
			}
			var path []string
			for _, traced := range got.GetPath() {
				path = append(path, wire.ToKey(traced.GetTuple()).String()+" "+dayText(traced.GetMade()))
			}
			if test.path != nil && strings.Join(path, "\n") != strings.Join(test.path, "\n") {
				t.Errorf("through\n  %s\nwant\n  %s", strings.Join(path, "\n  "), strings.Join(test.path, "\n  "))
			}
		})
	}
}

// B4, D9: what ends by itself is seen coming, and what was open is known afterwards.
func TestExpiryIsSeenBeforeAndAfter(t *testing.T) {
	p := newPast(t, "portal-visibility")
	before := timestamppb.New(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC))
	stream, err := p.tuples.Read(t.Context(), &usherv1.ReadRequest{Filter: &usherv1.TupleFilter{ObjectType: "container", ExpiresBefore: before}})
	var expiring []string
	for _, message := range receive(t, stream, err) {
		for _, tuple := range message.GetTuples() {
			expiring = append(expiring, wire.ToKey(tuple).String())
		}
	}
	if got := strings.Join(expiring, " "); got != "container:rehearsals#viewer@address:liv@reisemagasin.example#account" {
		t.Errorf("until the end of the year expires %s", got)
	}
	p.now.Store(time.Date(2027, 1, 2, 0, 0, 0, 0, time.UTC).UnixMilli())
	for at, want := range map[time.Time]string{
		time.Date(2026, 12, 31, 22, 59, 59, 0, time.UTC): "bodil@aftenkritikk.example liv@reisemagasin.example per@kulturbladet.example",
		time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC):   "bodil@aftenkritikk.example per@kulturbladet.example",
	} {
		stream, err := p.permissions.ListSubjects(t.Context(), &usherv1.ListSubjectsRequest{
			Object: wire.FromObject(tuples.Object{Type: "container", ID: "rehearsals"}), Relation: "viewer",
			SubjectType: "address", SubjectRelation: "account",
			Consistency: &usherv1.Consistency{Requirement: &usherv1.Consistency_AtTime{AtTime: timestamppb.New(at)}},
		})
		var invited []string
		for _, message := range receive(t, stream, err) {
			for _, s := range message.GetSubjects() {
				invited = append(invited, s.GetId())
			}
		}
		if got := strings.Join(invited, " "); got != want {
			t.Errorf("at %s invited were %s, want %s", at, got, want)
		}
	}
}

// E9: from a denial alone a caller can tell which role is missing, and who can give it.
func TestADenialNamesWhoCanGiveTheMissingRole(t *testing.T) {
	p := newPast(t, "session-roles")
	q := parseQuestion(t, "user:joel can_comment timeline:trials-starts")
	answer, err := p.permissions.Check(t.Context(), &usherv1.CheckRequest{
		Object: wire.FromObject(q.On.Object), Relation: string(q.On.Relation), Subject: wire.FromSubject(q.Subject),
		Explain: true, GivenBy: "can_share",
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, grant := range answer.GetExplanation().GetWouldGrant() {
		var givers []string
		for _, giver := range grant.GetGivers() {
			givers = append(givers, wire.ToSubject(giver).String())
		}
		got = append(got, fmt.Sprintf("%s of %s by %s", grant.GetRelation(), wire.ToObject(grant.GetObject()), strings.Join(givers, ", ")))
	}
	const first = "commenter of timeline:trials-starts by group:coaches#member, user:esme"
	if answer.GetOutcome() != usherv1.Outcome_OUTCOME_DENIED || len(got) == 0 || got[0] != first {
		t.Fatalf("%s, would be allowed as\n  %s\nwant first\n  %s", answer.GetOutcome(), strings.Join(got, "\n  "), first)
	}
	for _, grant := range got {
		if strings.Contains(grant, "of group:") || strings.Contains(grant, "of hub:") {
			t.Errorf("nobody shares %s", grant)
		}
	}
	// Who is named as a group stands for its members.
	who := checktest.Ask(remote{t: t, client: p.permissions}, parseQuestion(t, "user:? can_share timeline:trials-starts"))
	if who != "agnes callum esme" {
		t.Errorf("one by one it is %s", who)
	}
}

// past is a server with an example, and a clock that the test sets.
type past struct {
	t           *testing.T
	now         atomic.Int64 // ms
	permissions usherv1.PermissionServiceClient
	tuples      usherv1.TupleServiceClient
}

// newPast loads an example on 1 June.
func newPast(t *testing.T, example string) *past {
	t.Helper()
	p := &past{t: t}
	p.now.Store(june(1).UnixMilli())
	db, err := bolt.Open(filepath.Join(t.TempDir(), "usher.db"), bolt.Options{
		NoSync: true, CollectEvery: -1, Clock: func() time.Time { return time.UnixMilli(p.now.Load()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	connection := serve(t, db)
	upload(t, connection, find(t, example))
	p.permissions, p.tuples = usherv1.NewPermissionServiceClient(connection), usherv1.NewTupleServiceClient(connection)
	return p
}

func (p *past) write(s step) {
	p.t.Helper()
	p.now.Store(s.day.UnixMilli())
	updates := touches(p.t, s.touch)
	for _, removed := range touches(p.t, s.remove) {
		removed.Operation = usherv1.Operation_OPERATION_DELETE
		updates = append(updates, removed)
	}
	if _, err := p.tuples.Write(p.t.Context(), &usherv1.WriteRequest{
		Updates: updates, Actor: &usherv1.Subject{Type: "user", Id: s.author},
	}); err != nil {
		p.t.Fatal(err)
	}
}

// dayText returns day and author of a change.
func dayText(c *usherv1.AccessChange) string {
	text := c.GetTime().AsTime().Format(time.DateOnly)
	if c.GetActor() != nil {
		text += " by " + c.GetActor().GetId()
	}
	return text
}
