package examples_test

import (
	"context"
	"slices"
	"testing"

	"google.golang.org/grpc"

	"github.com/usher-authz/usher/check/checktest"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// event is a write that lets somebody in, and what a watch makes of it.
type event struct {
	example, name, author string
	touch                 []string
	changed               []string // what of it is new
	notified, who         string   // the question whom to write to, and its answer
}

var events = []event{
	{
		example: "internal-shares", name: "B6 recipients are added to a share", author: "jana",
		touch: []string{
			"share:spring-dealers#recipient@rights_group:dealers#member",
			"share:spring-dealers#recipient@user:henning",
			"share:spring-dealers#recipient@user:nils",
		},
		changed:  []string{"share:spring-dealers#recipient@user:henning", "share:spring-dealers#recipient@user:nils"},
		notified: "user:? can_be_notified share:spring-dealers", who: "delia henning", // nils did not opt in
	},
	{
		example: "portal-visibility", name: "D10 users are invited to a container", author: "ingvild",
		touch: []string{
			"container:rehearsals#viewer@group:critics#member",
			"container:rehearsals#viewer@address:mona@nattradio.example#account",
		},
		changed:  []string{"container:rehearsals#viewer@address:mona@nattradio.example#account"},
		notified: "address:?#account viewer container:rehearsals",
		who:      "bodil@aftenkritikk.example liv@reisemagasin.example mona@nattradio.example per@kulturbladet.example",
	},
}

// Who sends mail about shares watches changes. Touching recipients that are there already
// is no change, so a change names those who are new, with author, message and time.
func TestNewRecipientsCanBeNotified(t *testing.T) {
	const message = "Have a look before Friday"
	for _, test := range events {
		t.Run(test.example+"/"+test.name, func(t *testing.T) {
			connection := serve(t, openDatabase(t, clockReading))
			upload(t, connection, find(t, test.example))
			author := tuples.Subject{Type: "user", ID: tuples.ID(test.author)}
			change := watchWrite(t, connection, touches(t, test.touch), author, message)

			var changed []string
			for _, c := range change.GetTuples() {
				changed = append(changed, wire.ToKey(c.GetTuple()).String())
			}
			slices.Sort(changed)
			if !slices.Equal(changed, test.changed) {
				t.Errorf("changed is %q, want %q", changed, test.changed)
			}
			if wire.ToSubject(change.GetActor()) != author || change.GetMetadata()["message"] != message || !change.GetTime().AsTime().Equal(clockReading) {
				t.Errorf("the change is by %s, says %q, was at %s", change.GetActor(), change.GetMetadata(), change.GetTime().AsTime())
			}
			question := parseQuestion(t, test.notified)
			if got := checktest.Ask(remote{t: t, client: usherv1.NewPermissionServiceClient(connection)}, question); got != test.who {
				t.Errorf("%s = %s, want %s", question, got, test.who)
			}
		})
	}
}

func touches(t *testing.T, lines []string) []*usherv1.TupleUpdate {
	t.Helper()
	var updates []*usherv1.TupleUpdate
	for _, line := range lines {
		tuple, err := tuples.ParseTuple(line)
		if err != nil {
			t.Fatal(err)
		}
		updates = append(updates, &usherv1.TupleUpdate{Operation: usherv1.Operation_OPERATION_TOUCH, Tuple: wire.FromTuple(tuple)})
	}
	return updates
}

// watchWrite watches, writes, and returns the change that the watch reports.
func watchWrite(t *testing.T, connection *grpc.ClientConn, updates []*usherv1.TupleUpdate, author tuples.Subject, message string) *usherv1.ChangeSet {
	t.Helper()
	client := usherv1.NewTupleServiceClient(connection)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream, err := client.Watch(ctx, &usherv1.WatchRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil { // says where the stream begins
		t.Fatal(err)
	}
	if _, err := client.Write(t.Context(), &usherv1.WriteRequest{
		Updates: updates, Actor: wire.FromSubject(author), Metadata: map[string]string{"message": message},
	}); err != nil {
		t.Fatal(err)
	}
	for {
		event, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if event.GetChanges() != nil {
			return event.GetChanges()
		}
	}
}
