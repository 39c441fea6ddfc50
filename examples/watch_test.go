package examples_test

import (
	"context"
	"slices"
	"testing"

	"google.golang.org/grpc"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
)

// following is a service that writes mail about shares, and what it hears while it is
// connected, and when it connects again.
type following struct {
	example, name string
	filter        *usherv1.TupleFilter
	known         []string // who is a recipient before
	write, heard  []string
	missed, later []string // written while it is away, and what it hears of it
}

var followings = []following{
	{
		example: "internal-shares", name: "B6 recipients are told once, through a change of the share and a lost connection",
		filter: &usherv1.TupleFilter{ObjectType: "share", ObjectId: "fair", Relation: "recipient"},
		known:  []string{"share:fair#recipient@rights_group:press-office#member", "share:fair#recipient@user:henning"},
		write:  []string{"share:fair#recipient@user:henning", "share:fair#recipient@user:nils", "share:prices#recipient@user:nils"},
		heard:  []string{"new share:fair#recipient@user:nils"},
		missed: []string{"share:fair#recipient@user:nils", "share:fair#recipient@user:bruno"},
		later:  []string{"new share:fair#recipient@user:bruno"},
	},
	{
		example: "portal-visibility", name: "D10 invited users are told once, not when their invitation gets an end",
		filter: &usherv1.TupleFilter{ObjectType: "container", ObjectId: "rehearsals", SubjectType: "address"},
		known:  []string{"container:rehearsals#viewer@address:liv@reisemagasin.example#account"},
		write: []string{
			"container:rehearsals#viewer@address:liv@reisemagasin.example#account",
			"container:rehearsals#viewer@address:mona@nattradio.example#account",
		},
		heard: []string{
			"container:rehearsals#viewer@address:liv@reisemagasin.example#account", // without its end
			"new container:rehearsals#viewer@address:mona@nattradio.example#account",
		},
		missed: []string{"container:rehearsals#viewer@address:mona@nattradio.example#account expires 2027-01-01T00:00:00Z"},
		later:  []string{"container:rehearsals#viewer@address:mona@nattradio.example#account"},
	},
}

// Who follows shares begins with those there are, hears of each that is new, and after a
// lost connection goes on where it was: nothing is missed, and nobody is told twice.
func TestSharesCanBeFollowed(t *testing.T) {
	for _, test := range followings {
		t.Run(test.example+"/"+test.name, func(t *testing.T) {
			connection := serve(t, openDatabase(t, clockReading))
			upload(t, connection, find(t, test.example))
			f := follower{t: t, connection: connection, filter: test.filter}

			ctx, hangUp := context.WithCancel(t.Context())
			f.connect(ctx)
			f.expect("before", test.known)
			f.write(test.write)
			f.expect("while connected", test.heard)
			hangUp()

			f.write(test.missed)
			f.connect(t.Context())
			f.expect("after the connection was lost", test.later)
		})
	}
}

// follower keeps the token of the last message it has taken.
type follower struct {
	t          *testing.T
	connection *grpc.ClientConn
	filter     *usherv1.TupleFilter
	stream     grpc.ServerStreamingClient[usherv1.WatchResponse]
	token      string
}

func (f *follower) connect(ctx context.Context) {
	f.t.Helper()
	var err error
	f.stream, err = usherv1.NewTupleServiceClient(f.connection).Watch(ctx, &usherv1.WatchRequest{
		After: f.token, Snapshot: usherv1.SnapshotMode_SNAPSHOT_MODE_IF_BEHIND,
		Filters: []*usherv1.TupleFilter{f.filter}, TuplesOnly: true,
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *follower) write(lines []string) {
	f.t.Helper()
	request := &usherv1.WriteRequest{Updates: touches(f.t, lines)}
	if _, err := usherv1.NewTupleServiceClient(f.connection).Write(f.t.Context(), request); err != nil {
		f.t.Fatal(err)
	}
}

// expect takes the next message that has tuples: those of a snapshot, or changes.
func (f *follower) expect(when string, want []string) {
	f.t.Helper()
	var got []string
	for len(got) == 0 {
		message, err := f.stream.Recv()
		if err != nil {
			f.t.Fatal(err)
		}
		f.token = message.GetToken()
		for _, tuple := range message.GetSnapshot().GetTuples() {
			got = append(got, wire.ToKey(tuple).String())
		}
		for _, change := range message.GetChanges().GetTuples() {
			text := wire.ToKey(change.GetTuple()).String()
			if change.GetNewlyGives() {
				text = "new " + text
			}
			got = append(got, text)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		f.t.Errorf("%s: got %q, want %q", when, got, want)
	}
}
