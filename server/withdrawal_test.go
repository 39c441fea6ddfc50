package server_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

const (
	checkers = 32
	// withdrawals are how often shares are given and withdrawn, in three ways in turn.
	withdrawals = 102
)

// stage counts what happens to the shares: they are withdrawn, being given, given, being
// withdrawn, and so on. While it stands on withdrawn or given, that is acknowledged.
type stage struct{ atomic.Uint64 }

// settled returns what every Check must say that begins and ends in a stage.
func settled(n uint64) (want string, ok bool) {
	switch n % 4 {
	case 0:
		return "denied", true
	case 2:
		return "allowed", true
	}
	return "", false
}

// A share withdrawn is denied by the very next Check of everybody, while all of them check
// all the time (A6, B4). No write goes on before each has asked once in its stage.
func TestWithdrawnIsDeniedToAllAtOnce(t *testing.T) {
	w := newLibrary(t, "media:logo#folder@folder:press")
	w.ctx = t.Context() // on a busy machine the race detector takes most of a minute
	users := make([]string, checkers)
	for i := range users {
		users[i] = fmt.Sprintf("user:u%d", i)
		w.touch("group:all#member@" + users[i])
	}
	var now stage
	var wait sync.WaitGroup
	stop, asked := make(chan struct{}), make(chan struct{}, checkers)
	defer wait.Wait()
	defer close(stop)
	for _, user := range users {
		c := w.newChecker(user)
		wait.Go(func() { c.run(&now, asked, stop) })
	}
	ways := []func(give bool){
		w.shareByName(t, users), w.shareFolderWithGroup(t), w.shareByWrite(t),
	}
	for round := range withdrawals {
		share := ways[round%len(ways)]
		for _, give := range []bool{true, false} {
			now.Add(1)
			share(give)
			now.Add(1)
			for range checkers {
				<-asked
			}
		}
	}
}

// shareByName shares the media with each user, or withdraws it from them.
func (w *world) shareByName(t *testing.T, users []string) func(give bool) {
	return func(give bool) {
		role := map[bool]string{true: "viewer", false: ""}[give]
		r := setShares(t, "media:logo")
		for _, user := range users {
			r.Shares = append(r.Shares, &usherv1.Share{Subject: subject(t, user), Relation: role})
		}
		w.mustSetShares(t, r)
	}
}

// shareFolderWithGroup shares the folder of the media with the group of all users.
func (w *world) shareFolderWithGroup(t *testing.T) func(give bool) {
	return func(give bool) {
		w.mustSetShares(t, setShares(t, "folder:press", map[bool]string{true: "viewer", false: ""}[give]+"@group:all#member"))
	}
}

// shareByWrite shares the media with the group by one tuple.
func (w *world) shareByWrite(*testing.T) func(give bool) {
	return func(give bool) {
		if give {
			w.touch("media:logo#editor@group:all#member")
		} else {
			w.remove("media:logo#editor@group:all#member")
		}
	}
}

func (w *world) mustSetShares(t *testing.T, r *usherv1.SetSharesRequest) {
	t.Helper()
	if _, err := w.tuples.SetShares(w.ctx, r); err != nil {
		t.Fatal(err)
	}
}

// checker is a client with a connection of its own, on behalf of one user.
type checker struct {
	*world
	client  usherv1.PermissionServiceClient
	request *usherv1.CheckRequest
}

func (w *world) newChecker(user string) *checker {
	conn, err := grpc.NewClient(w.conn.Target(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = conn.Close() })
	return &checker{world: w, client: usherv1.NewPermissionServiceClient(conn), request: question(w.t, user+" can_view media:logo")}
}

// run asks again and again, and says so once in each stage in which the answer is certain.
func (c *checker) run(now *stage, asked chan<- struct{}, stop <-chan struct{}) {
	var told uint64 // the stage that was told of last
	for {
		select {
		case <-stop:
			return
		default:
		}
		began := now.Load()
		answer, err := c.client.Check(c.ctx, c.request)
		if err != nil {
			c.t.Error(err)
		}
		want, certain := settled(began)
		if certain && now.Load() == began && err == nil && outcome(answer.GetOutcome()) != want {
			c.t.Errorf("stage %d: %s, want %s", began, outcome(answer.GetOutcome()), want)
		}
		if certain && began > told {
			told = began
			asked <- struct{}{}
		}
	}
}
