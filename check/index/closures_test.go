package index_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/usher-authz/usher/check/index"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// library has groups in groups, an organisation whose members are its groups', a team whose
// active members nobody but the engine can tell, and media with roles.
const libraryModel = `
type user
type organisation
  relations
    define administrator: [user, group#member]
    define member: [user] or administrator
type team
  relations
    define organisation: [organisation]
    define left: [user]
    define joined: [user, group#member] or member from organisation
    define active: joined but not left
type group
  relations
    define member: [user, user:*, user with vip, group#member]
    define guest: [user, team#active, team#joined, group#guest] or member
type media
  relations
    define viewer: [user, group#member, group#guest, organisation#member] or owner
    define owner: [user]
condition vip(on: bool) {
  on
}
`

// club is a feed with the closures of libraryModel.
type club struct {
	*feed
	t        testing.TB
	program  *model.Program
	closures *index.Closures
	revision tuples.Revision
	now      time.Time
}

func newClub(t testing.TB, memory int64, lines ...string) *club {
	t.Helper()
	m, _, err := model.Parse(model.Source{DSL: "model\n  schema 1.1\n" + libraryModel})
	if err != nil {
		t.Fatal(err)
	}
	c := &club{feed: newFeed(m), t: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	if c.program, err = model.Compile(m, c.symbols); err != nil {
		t.Fatal(err)
	}
	c.closures = c.index.ClosuresIn(memory, c.program)
	c.write(tuples.OpTouch, lines...)
	return c
}

func (c *club) write(op tuples.Op, lines ...string) {
	c.t.Helper()
	var mutations []tuples.Mutation
	for _, line := range lines {
		tuple, err := tuples.ParseTuple(line)
		if err != nil {
			c.t.Fatal(err)
		}
		mutations = append(mutations, tuples.Mutation{Op: op, Tuple: tuple})
	}
	c.revision++
	c.commit(c.revision, mutations)
}

func (c *club) of(text string) *index.Closure {
	c.t.Helper()
	subject, err := tuples.ParseSubject(text)
	if err != nil {
		c.t.Fatal(err)
	}
	s := c.index.Over(pinned{revision: c.revision, now: c.now})
	closure, _, err := c.closures.Of(c.t.Context(), s, c.node(subject.Object()), c.relation(subject.Relation))
	if err != nil {
		c.t.Fatal(err)
	}
	return closure
}

func (c *club) step(t tuples.ObjectType, r tuples.Relation) *model.Step {
	return c.program.Relation(t, r)
}

// in asks a closure about a userset in text form.
func (c *club) in(closure *index.Closure, text string) index.Membership {
	c.t.Helper()
	on, err := tuples.ParseSubject(text)
	if err != nil {
		c.t.Fatal(err)
	}
	return closure.In(c.node(on.Object()), c.step(on.Type, on.Relation))
}

func TestWhatClosuresDecide(t *testing.T) {
	c := newClub(t, 1<<20,
		"group:motion#member@user:anna", "group:design#member@group:motion#member", "group:motion#member@group:design#member",
		"group:vips#member@user:anna with vip", "group:all#member@group:vips#member",
		"group:trial#member@user:anna expires 2026-03-02T00:00:00Z",
		"group:public#member@user:*",
		"organisation:studio#administrator@group:design#member", "team:film#organisation@organisation:studio",
		"group:crew#guest@team:film#active", "group:crowd#guest@team:film#joined",
		"media:logo#viewer@group:design#member", "media:logo#viewer@user:anna",
		"group:refused#member@organisation:studio", // forbidden by the model
	)
	for _, q := range []struct {
		subject, on string
		want        index.Membership
	}{
		{"user:anna", "group:motion#member", index.In},
		{"user:anna", "group:design#member", index.In}, // two groups that contain each other
		{"user:anna", "group:design#guest", index.In},
		{"user:anna", "group:public#member", index.In},
		{"user:anna", "organisation:studio#administrator", index.In},
		{"user:anna", "organisation:studio#member", index.In},
		{"user:anna", "team:film#joined", index.In},
		{"user:anna", "group:crowd#guest", index.In},
		{"user:anna", "group:other#member", index.Out},
		{"user:bert", "group:design#member", index.Out},
		{"user:bert", "group:public#member", index.In},
		{"user:*", "group:public#member", index.In},
		{"user:*", "group:motion#member", index.Out},
		{"group:motion#member", "group:motion#member", index.In},
		{"group:motion#member", "organisation:studio#member", index.In},
		{"group:public#member", "group:motion#member", index.Out},
		{"organisation:studio", "group:refused#member", index.Out},
		// Conditions and expiries, whatever follows from them, and whatever needs a "but not".
		{"user:anna", "group:vips#member", index.Unknown},
		{"user:anna", "group:all#member", index.Unknown},
		{"user:anna", "group:trial#member", index.Unknown},
		{"user:anna", "team:film#active", index.Unknown},
		{"user:anna", "group:crew#guest", index.Unknown},
		{"user:bert", "group:crew#guest", index.Unknown},
		// Rights on what is shared are not what closures are for.
		{"user:anna", "media:logo#viewer", index.Unknown},
	} {
		if got := c.in(c.of(q.subject), q.on); got != q.want {
			t.Errorf("%s is %s %s, want %s", q.subject, got, q.on, q.want)
		}
	}
	for relation, holds := range map[tuples.Relation]bool{"viewer": false, "owner": false} {
		if got := c.closures.Holds(c.step("media", relation)); got != holds {
			t.Errorf("closures hold media#%s: %v", relation, got)
		}
	}
	if !c.closures.Holds(c.step("group", "member")) || c.closures.Holds(c.step("team", "active")) {
		t.Error("closures hold usersets that are unions, and no others")
	}
}

func TestTheGroupsOfASubjectAscend(t *testing.T) {
	var lines []string
	for i := range 100 {
		lines = append(lines, fmt.Sprintf("group:g%d#member@group:g%d#member", (i*7+1)%100, i*7%100))
	}
	c := newClub(t, 1<<20, append(lines, "group:g0#member@user:anna")...)
	groups := c.of("user:anna").Groups(c.step("group", "member"))
	if len(groups) != 100 || !slices.IsSorted(groups) {
		t.Errorf("got %d groups: %d", len(groups), groups)
	}
	if none := c.of("user:bert").Groups(c.step("group", "member")); len(none) != 0 {
		t.Errorf("got groups %d", none)
	}
}

func TestWhichCommitsConcernAClosure(t *testing.T) {
	for _, q := range []struct {
		tuple     string
		concerned bool
	}{
		{"group:design#member@user:anna", true},
		{"group:design#member@user:*", true},
		{"group:design#member@group:motion#member", true},
		{"team:film#organisation@organisation:studio", true},
		{"organisation:studio#administrator@user:anna", true},
		{"group:design#member@user:bert", false},
		{"media:logo#viewer@user:anna", false},
		{"media:logo#viewer@group:motion#member", false},
	} {
		t.Run(q.tuple, func(t *testing.T) {
			c := newClub(t, 1<<20, "group:motion#member@user:anna", "group:motion#member@user:bert")
			first := c.of("user:anna")
			if c.of("user:anna") != first {
				t.Fatal("a closure is not remembered")
			}
			c.write(tuples.OpTouch, q.tuple)
			if again := c.of("user:anna"); (again != first) != q.concerned {
				t.Errorf("the closure is another one: %v, want %v", again != first, q.concerned)
			}
		})
	}
}

func TestAClosureIsOfItsRevisionAndTime(t *testing.T) {
	c := newClub(t, 1<<20, "group:trial#member@user:anna expires 2026-03-02T00:00:00Z")
	before := c.revision
	c.write(tuples.OpTouch, "group:motion#member@user:anna")
	c.now = c.now.AddDate(0, 1, 0)
	late := c.of("user:anna")
	if got := c.in(late, "group:trial#member"); got != index.Out {
		t.Errorf("behind the expiry anna is %s", got)
	}
	c.now = c.now.AddDate(0, -1, 0)
	if got := c.in(c.of("user:anna"), "group:trial#member"); got != index.Unknown {
		t.Errorf("when the clock of a request is before the expiry, anna is %s", got)
	}
	c.revision = before
	if got := c.in(c.of("user:anna"), "group:motion#member"); got != index.Out {
		t.Errorf("before the commit anna is %s", got)
	}
}

func TestClosuresKeepWithinTheirMemory(t *testing.T) {
	const memory = 20_000
	c := newClub(t, memory)
	var lines []string
	for u := range 100 {
		for g := range 20 {
			lines = append(lines, fmt.Sprintf("group:g%d#member@user:u%d", g, u))
		}
	}
	c.write(tuples.OpTouch, lines...)
	for u := range 100 {
		closure := c.of(fmt.Sprintf("user:u%d", u))
		if got := len(closure.Groups(c.step("group", "member"))); got != 20 {
			t.Fatalf("u%d is in %d groups", u, got)
		}
		if bytes := c.closures.Bytes(); bytes > memory+memory/32 {
			t.Fatalf("closures take %d bytes of %d", bytes, memory)
		}
	}
}

func TestSubjectsOfTooManyGroupsHaveNoClosure(t *testing.T) {
	c := newClub(t, 1<<20)
	anna, member := c.node(tuples.Object{Type: "user", ID: "anna"}), c.relation("member")
	var changes []tuples.EdgeChange
	for i := range uint32(1<<16 + 1) {
		changes = append(changes, tuples.EdgeChange{Op: tuples.OpTouch, Key: tuples.EdgeKey{
			Object: tuples.NewNode(c.symbols.Lookup("group"), i+1), Relation: member, Subject: anna,
		}})
	}
	c.revision++
	c.index.Apply(c.revision, changes)
	c.index.Publish(c.revision)
	for range 2 { // worked out, and remembered
		if closure := c.of("user:anna"); closure != nil {
			t.Errorf("got a closure of %d groups", len(closure.Groups(c.step("group", "member"))))
		}
	}
}

func TestClosuresThatAreClosedRememberNothing(t *testing.T) {
	c := newClub(t, 1<<20, "group:motion#member@user:anna")
	first := c.of("user:anna")
	c.closures.Close()
	c.write(tuples.OpDelete, "group:motion#member@user:anna")
	if got := c.in(c.of("user:anna"), "group:motion#member"); got != index.Out {
		t.Errorf("anna is %s", got)
	}
	if again := c.of("user:anna"); again == first || again == c.of("user:anna") {
		t.Error("a closure is remembered")
	}
}

func TestClosuresOfASnapshotThatFails(t *testing.T) {
	c := newClub(t, 1<<20, "group:motion#member@group:design#member", "group:design#member@user:anna")
	for _, text := range []string{"user:anna", "group:design#member"} {
		subject, err := tuples.ParseSubject(text)
		if err != nil {
			t.Fatal(err)
		}
		s := c.index.Over(pinned{revision: c.revision, now: c.now})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		closure, _, err := c.closures.Of(ctx, s, c.node(subject.Object()), c.relation(subject.Relation))
		if !errors.Is(err, context.Canceled) || closure != nil {
			t.Errorf("%s: got %v, %v", text, closure, err)
		}
	}
}

// TestNoClosureIsStale has a writer put a user into a group and take it out again, at full
// speed, while readers ask at the published revision (promise 2 of the design).
func TestNoClosureIsStale(t *testing.T) {
	const commits = 2000
	c := newClub(t, 1<<20, "group:all#member@group:motion#member")
	motion, all := c.node(tuples.Object{Type: "group", ID: "motion"}), c.node(tuples.Object{Type: "group", ID: "all"})
	anna, member := c.node(tuples.Object{Type: "user", ID: "anna"}), c.step("group", "member")
	first := c.revision
	done := make(chan struct{})
	var running sync.WaitGroup
	for range 2 {
		running.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				revision := c.index.Stats().Head
				closure, _, err := c.closures.Of(t.Context(), c.index.Over(pinned{revision: revision, now: c.now}), anna, 0)
				if err != nil {
					t.Error(err)
					return
				}
				want := index.Out
				if (revision-first)%2 == 1 { // odd commits put anna in
					want = index.In
				}
				if closure.In(motion, member) != want || closure.In(all, member) != want {
					t.Errorf("at revision %d anna is %s, want %s", revision, closure.In(all, member), want)
					return
				}
			}
		})
	}
	change := tuples.EdgeChange{Key: tuples.EdgeKey{Object: motion, Relation: member.Relation, Subject: anna}}
	for i := range commits {
		change.Op = tuples.OpTouch
		if i%2 == 1 {
			change.Op = tuples.OpDelete
		}
		c.revision++
		c.index.Apply(c.revision, []tuples.EdgeChange{change})
		c.index.Publish(c.revision)
	}
	close(done)
	running.Wait()
}

// Where there is memory few closures take the place of others, however many there are.
func TestClosuresStayBesideEachOther(t *testing.T) {
	const users = 1000
	c := newClub(t, 1<<20)
	of := func(i int) *index.Closure { return c.of(fmt.Sprintf("user:u%d", i)) }
	known := make([]*index.Closure, users)
	for i := range known {
		known[i] = of(i)
	}
	anew := 0
	for i, before := range known {
		if of(i) != before {
			anew++
		}
	}
	if anew > users/20 {
		t.Errorf("%d of %d closures were worked out anew, want %d at most", anew, users, users/20)
	}
}
