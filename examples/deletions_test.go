package examples_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
)

// deletion is an object that goes, alone or with what lies in it.
type deletion struct {
	example, name string
	object        string
	contents      []string // "folder#parent"
	guard         string   // the question that must be allowed
	objects       map[string]int64
	answers       []beforeAfter
}

var deletions = []deletion{
	{
		example: "internal-shares", name: "B11 a collection goes, its media stay",
		object: "collection:fair-friedrichshafen", guard: "user:nils can_delete collection:fair-friedrichshafen",
		objects: map[string]int64{"collection": 1},
		answers: []beforeAfter{
			{"user:henning can_view collection:?", "fair-friedrichshafen price-sheets", "price-sheets"},
			{"user:henning can_view media:fair-booth", "allowed", "denied"},
			{"user:nils can_view media:fair-booth", "allowed", "allowed"},
			{"user:tobias owner media:?", "fair-booth gravel-geometry", "fair-booth gravel-geometry"},
		},
	},
	{
		example: "shared-folders", name: "C5 a folder goes, its contents stay where they were made",
		object: "folder:project-week", guard: "user:miriam can_manage folder:project-week",
		objects: map[string]int64{"folder": 1},
		answers: []beforeAfter{
			{"user:tobias can_edit bound:harbour-rally", "allowed", "denied"},
			{"user:miriam owner bound:?", "fish-market-rally harbour-rally", "fish-market-rally harbour-rally"},
			{"user:selma owner bound:?", "lighthouse-quiz", "lighthouse-quiz"},
		},
	},
	{
		example: "shared-folders", name: "C5 a folder goes with its subfolders and all that is in them",
		object: "folder:project-week", contents: []string{"folder#parent", "bound#folder"}, guard: "user:miriam can_manage folder:project-week",
		objects: map[string]int64{"folder": 3, "bound": 4},
		answers: []beforeAfter{
			{"user:miriam owner bound:?", "fish-market-rally harbour-rally", "nothing"},
			{"user:selma owner bound:?", "lighthouse-quiz", "nothing"},
			{"user:aylin owner bound:?", "aylins-first-try", "aylins-first-try"},
		},
	},
	{
		example: "media-library", name: "C5 a folder goes with sealed folders and parts of media",
		object: "folder:pitches", contents: []string{"parent", "sealed_parent"}, guard: "user:ingrid can_delete folder:pitches",
		answers: []beforeAfter{{"user:ingrid can_view folder:pitches", "allowed", "denied"}},
	},
}

// A deletion does what its dry run says, leaves no tuple that names what is gone, and is
// taken back by an undo.
func TestDeletions(t *testing.T) {
	for _, test := range deletions {
		t.Run(test.example+"/"+test.name, func(t *testing.T) {
			t.Parallel()
			connection := serve(t, openDatabase(t, clockReading))
			upload(t, connection, find(t, test.example))
			client, before := usherv1.NewTupleServiceClient(connection), readAll(t, connection)
			expectAll(t, connection, "before", test.answers, func(a beforeAfter) string { return a.before })
			r := test.request(t)
			r.DryRun = true
			tried, err := client.DeleteObject(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			r.DryRun = false
			deleted, err := client.DeleteObject(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			left := readAll(t, connection)
			if int(deleted.GetDeleted()) != len(before)-len(left) || tried.GetDeleted() != deleted.GetDeleted() || !maps.Equal(tried.GetObjects(), deleted.GetObjects()) {
				t.Errorf("%d tuples are left of %d after %v, in a dry run %v", len(left), len(before), deleted, tried)
			}
			if test.objects != nil && !maps.Equal(deleted.GetObjects(), test.objects) {
				t.Errorf("deleted %v, want %v", deleted.GetObjects(), test.objects)
			}
			for _, line := range left {
				if strings.HasPrefix(line, test.object+"#") || strings.Contains(line+" ", "@"+test.object+" ") || strings.Contains(line, "@"+test.object+"#") {
					t.Errorf("%s is left", line)
				}
			}
			expectAll(t, connection, "after", test.answers, func(a beforeAfter) string { return a.after })
			if _, err := client.UndoDelete(t.Context(), &usherv1.UndoDeleteRequest{DeletedAt: deleted.GetToken()}); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(readAll(t, connection), before) {
				t.Error("the undo does not bring back what there was")
			}
			expectAll(t, connection, "undone", test.answers, func(a beforeAfter) string { return a.before })
		})
	}
}

func (d deletion) request(t *testing.T) *usherv1.DeleteObjectRequest {
	t.Helper()
	q := parseQuestion(t, d.guard)
	r := &usherv1.DeleteObjectRequest{
		Object: parseObjects(t, d.object)[0], Actor: wire.FromSubject(q.Subject),
		Preconditions: []*usherv1.Precondition{{Condition: &usherv1.Precondition_MustBeAllowed{MustBeAllowed: &usherv1.CheckPrecondition{
			Object: wire.FromObject(q.On.Object), Relation: string(q.On.Relation), Subject: wire.FromSubject(q.Subject),
		}}}},
	}
	for _, text := range d.contents {
		kind, relation, ofType := strings.Cut(text, "#")
		if !ofType {
			kind, relation = "", text
		}
		r.Contents = append(r.Contents, &usherv1.Containment{ObjectType: kind, Relation: relation})
	}
	return r
}

// readAll returns all tuples in text form, sorted.
func readAll(t *testing.T, connection *grpc.ClientConn) (all []string) {
	t.Helper()
	stream, err := usherv1.NewTupleServiceClient(connection).Read(t.Context(), &usherv1.ReadRequest{})
	for _, message := range receive(t, stream, err) {
		for _, m := range message.GetTuples() {
			tuple, err := wire.ToTuple(m)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, tuple.String())
		}
	}
	slices.Sort(all)
	return all
}
