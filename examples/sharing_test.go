package examples_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// opening is what a sharing menu shows when it opens, for all recipients or for one: their
// rights with the number of objects, and what the right on one object comes from.
type opening struct {
	example, name string
	objects       string
	relations     string // the weakest first
	recipient     string // "" for all
	shown         []string
}

var openings = []opening{
	{
		example: "organisation-shares", name: "A8 the breakdown behind mixed names the media of each right",
		objects: "media:volcano-model media:water-cycle-film media:exam-scans", relations: "viewer editor", recipient: "user:priya",
		shown: []string{"user:priya: editor on media:water-cycle-film, viewer on media:volcano-model, none on media:exam-scans"},
	},
	{
		example: "organisation-shares", name: "A5 A7 owners apart, the strongest right of each shows",
		objects: "media:glossary-cards", relations: "viewer editor owner",
		shown: []string{
			"organisation:lindgren#member: 1 editor by media:glossary-cards#editor@organisation:lindgren#member",
			"user:jonas: 1 owner by media:glossary-cards#owner@user:jonas",
			"user:wanjiru: 1 viewer by media:glossary-cards#viewer@user:wanjiru",
		},
	},
	{
		example: "internal-shares", name: "B2 B5 administrators are recipients already, of collections shared with nobody too",
		objects: "collection:fair-friedrichshafen collection:sketches-2028", relations: "shown_recipient",
		shown: []string{
			"rights_group:administration#member: 2 shown_recipient",
			"rights_group:press-office#member: 1 shown_recipient, 1 none",
			"user:henning: 1 shown_recipient, 1 none",
		},
	},
	{
		example: "internal-shares", name: "B2 B4 each recipient with the share that it has it through",
		objects: "collection:spring-campaign", relations: "shared_with",
		shown: []string{
			"rights_group:dealers#member: 1 shared_with from share:spring-dealers#recipient@rights_group:dealers#member",
			"user:bruno: 1 shared_with from share:spring-bruno#recipient@user:bruno",
			"user:celeste: 1 shared_with from share:spring-celeste#recipient@user:celeste",
		},
	},
	{
		example: "session-roles", name: "E5 E10 a timeline is shared with those of its session, and with others",
		objects: "timeline:trials-starts", relations: "viewer commenter editor admin owner",
		shown: []string{
			"group:coaches#member: 1 admin from session:junior-trials#admin@group:coaches#member",
			"group:juniors#member: 1 viewer by timeline:trials-starts#viewer@group:juniors#member",
			"user:esme: 1 owner by timeline:trials-starts#owner@user:esme",
			"user:finlay: 1 commenter by timeline:trials-starts#commenter@user:finlay",
			"user:hamid: 1 viewer from session:junior-trials#viewer@user:hamid expires 2027-06-30T22:00:00Z",
		},
	},
	{
		example: "session-roles", name: "E10 of several items the list tells where roles differ",
		objects: "presentation:race-plan presentation:blade-work", relations: "viewer commenter editor admin owner",
		shown: []string{
			"group:womens-eight#member: 1 viewer, 1 none",
			"hub:harbour#member: 1 viewer, 1 none",
			"user:agnes: 1 owner, 1 none",
			"user:callum: 1 owner, 1 admin",
			"user:esme: 1 editor, 1 none",
			"user:greta: 1 commenter, 1 none",
		},
	},
}

// A sharing menu opens with what is shared with whom, over the API.
func TestSharingMenusOpen(t *testing.T) {
	for _, test := range openings {
		t.Run(test.example+"/"+test.name, func(t *testing.T) {
			t.Parallel()
			connection := serve(t, openDatabase(t, clockReading))
			upload(t, connection, find(t, test.example))
			request := &usherv1.SummarizeSharesRequest{Objects: parseObjects(t, test.objects), Relations: strings.Fields(test.relations)}
			if test.recipient != "" {
				request.Recipient = wire.FromSubject(parseSubject(t, test.recipient))
			}
			stream, err := usherv1.NewPermissionServiceClient(connection).SummarizeShares(t.Context(), request)
			var shown []string
			for _, message := range receive(t, stream, err) {
				for _, r := range message.GetRecipients() {
					shown = append(shown, menuLine(t, r, strings.Fields(test.objects)))
				}
			}
			if !slices.Equal(shown, test.shown) {
				t.Errorf("shown\n%s\nwant\n%s", strings.Join(shown, "\n"), strings.Join(test.shown, "\n"))
			}
		})
	}
}

// menuLine is the line of one recipient.
func menuLine(t *testing.T, r *usherv1.RecipientSummary, objects []string) string {
	t.Helper()
	var rights []string
	for _, c := range r.GetCounts() {
		right := c.GetRelation()
		if right == "" {
			right = "none"
		}
		if r.GetMixed() != (len(r.GetCounts()) > 1) || !r.GetMixed() && right != r.GetRelation() {
			t.Errorf("%v is at odds with its counts", r)
		}
		if len(c.GetWhich()) == 0 {
			rights = append(rights, fmt.Sprintf("%d %s", c.GetObjects(), right))
			continue
		}
		var which []string
		for _, place := range c.GetWhich() {
			which = append(which, objects[place])
		}
		rights = append(rights, right+" on "+strings.Join(which, " "))
	}
	line := wire.ToSubject(r.GetSubject()).String() + ": " + strings.Join(rights, ", ")
	for _, origin := range r.GetOrigins() {
		tuple, err := wire.ToTuple(origin.GetTuple())
		if err != nil {
			t.Fatal(err)
		}
		by := " by "
		if origin.GetInherited() {
			by = " from "
		}
		line += by + tuple.String()
	}
	return line
}

// glance is a tree with the states of its objects, in the order of the relations: "+"
// public, "o" invited, "-" private; behind it where an inherited one comes from, "^" for
// from somewhere.
type glance struct {
	example, name string
	root          string
	containedBy   string
	settings      string // "RELATION" or "RELATION=INHERITS"
	context       tuples.Context
	seen          string
}

var glances = []glance{
	{
		example: "portal-visibility", name: "D2 D4 D6 D7 view and download of the whole portal",
		root: "container:opera", containedBy: "container#parent", settings: "view_setting=inherits download_setting=inherits",
		context: tuples.Context{"kind": "image", "size": 0.0, "clean_jpeg": false},
		seen: `
container:opera - -
  container:archive o o
    container:archive-1960s o^container:archive o^container:archive
    container:archive-letters - -
  container:brochure + +
  container:outtakes - -
  container:press + +
    container:premieres +^container:press +^container:press
      container:aida +^container:press +^container:press
      container:tosca +^container:press +^container:press
    container:rehearsals o -
  container:radio + o
  container:sponsors o o
    container:gala o^container:sponsors o^container:sponsors
  container:touring-kit o o`,
	},
	{
		example: "portal-visibility", name: "D6 D7 files too, one of them in two galleries",
		root: "container:outtakes container:sponsors", containedBy: "parent", settings: "view_setting=inherits",
		seen: `
container:outtakes -
  file:broken-set -^
  file:curtain +
container:sponsors o
  container:gala o^container:sponsors
    file:gala-film o^container:sponsors
    file:gala-toast o^container:sponsors
  file:founder-portrait o^container:sponsors container:archive`,
	},
	{
		example: "portal-visibility", name: "D8 what is switched to inherit shows its parent's permissions, and no staff",
		root: "container:gala", containedBy: "container#parent", settings: "view_explicit=inherits can_view=inherits",
		seen: `
container:gala o^container:sponsors o^container:sponsors library:nordlys`,
	},
}

// How open the containers of a tree are can be read at a glance, in one request.
func TestTreesAtAGlance(t *testing.T) {
	for _, test := range glances {
		t.Run(test.example+"/"+test.name, func(t *testing.T) {
			t.Parallel()
			connection := serve(t, openDatabase(t, clockReading))
			upload(t, connection, find(t, test.example))
			stream, err := usherv1.NewPermissionServiceClient(connection).SummarizeTree(t.Context(), test.request(t))
			var seen string
			for _, message := range receive(t, stream, err) {
				for _, o := range message.GetObjects() {
					seen += "\n" + glanceLine(o)
				}
			}
			if seen != test.seen {
				t.Errorf("seen%s\nwant%s", seen, test.seen)
			}
		})
	}
}

func (g glance) request(t *testing.T) *usherv1.SummarizeTreeRequest {
	t.Helper()
	r := &usherv1.SummarizeTreeRequest{Roots: parseObjects(t, g.root), Context: wire.FromContext(g.context)}
	kind, relation, typed := strings.Cut(g.containedBy, "#")
	if !typed {
		kind, relation = "", g.containedBy
	}
	r.ContainedBy = []*usherv1.Containment{{ObjectType: kind, Relation: relation}}
	for _, setting := range strings.Fields(g.settings) {
		relation, inherits, _ := strings.Cut(setting, "=")
		r.Relations = append(r.Relations, &usherv1.TreeRelation{Relation: relation, Inherits: inherits})
	}
	return r
}

func glanceLine(o *usherv1.TreeObject) string {
	line := strings.Repeat("  ", int(o.GetDepth())) + wire.ToObject(o.GetObject()).String()
	for _, state := range o.GetStates() {
		line += " " + map[usherv1.Openness]string{
			usherv1.Openness_OPENNESS_PUBLIC: "+", usherv1.Openness_OPENNESS_INVITED: "o", usherv1.Openness_OPENNESS_PRIVATE: "-",
		}[state.GetOpenness()]
		if state.GetInherited() {
			var origins []string
			for _, origin := range state.GetOrigins() {
				origins = append(origins, wire.ToObject(origin).String())
			}
			line += "^" + strings.Join(origins, " ")
		}
	}
	return line
}
