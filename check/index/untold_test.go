package index_test

import (
	"context"
	"slices"
	"testing"

	"github.com/usher-authz/usher/check/index"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// asked is a store's snapshot in which a subject is a member of one group, or of none.
type asked struct {
	pinned
	list  tuples.ObjectsOf
	group tuples.Node // 0 for none
}

func (a asked) EdgesTo(_ context.Context, list tuples.ObjectsOf, after tuples.Node, buf []tuples.Edge) ([]tuples.Edge, error) {
	if a.group != 0 && list == a.list && after == 0 {
		buf = append(buf, tuples.Edge{Node: a.group})
	}
	return buf, nil
}

func (asked) EachName(context.Context, func(tuples.Node, tuples.Object) error) error { return nil }

func (a asked) EachEdge(_ context.Context, visit func(tuples.EdgeKey, *tuples.Grant) error) error {
	if a.group == 0 {
		return nil
	}
	return visit(tuples.EdgeKey{Object: a.group, Relation: a.list.Relation, Subject: a.list.Subject}, nil)
}

func (asked) Close() {}

// snapshot is a revision of the club's store in which anna is a member of motion, or is not.
func (c *club) snapshot(revision tuples.Revision, member bool) asked {
	anna, motion := c.node(tuples.Object{Type: "user", ID: "anna"}), c.node(tuples.Object{Type: "group", ID: "motion"})
	a := asked{
		pinned: pinned{revision: revision, now: c.now},
		list:   tuples.ObjectsOf{Subject: anna, Type: motion.Type(), Relation: c.relation("member")},
	}
	if member {
		a.group = motion
	}
	return a
}

// annaIn asks closures about anna and motion.
func (c *club) annaIn(closures *index.Closures, s tuples.Snapshot) index.Membership {
	c.t.Helper()
	closure, _, err := closures.Of(c.t.Context(), s, c.node(tuples.Object{Type: "user", ID: "anna"}), 0)
	if err != nil {
		c.t.Fatal(err)
	}
	return c.in(closure, "group:motion#member")
}

// What a large commit does is told when readers can see it already: until then a closure must
// not stand for revisions that the index has not been told of.
func TestNoClosureCountsAtARevisionThatWasNotTold(t *testing.T) {
	c := newClub(t, 1<<20, "group:design#member@user:bert")
	if got := c.in(c.of("user:anna"), "group:motion#member"); got != index.Out {
		t.Fatalf("before the commit anna is %s", got)
	}
	if got := c.annaIn(c.closures, c.index.Over(c.snapshot(2, true))); got != index.In {
		t.Errorf("behind a commit that was not told yet anna is %s", got)
	}
}

// A model that comes into use late knows nothing of which commits concerned whom before.
func TestClosuresOfANewModelTrustNoEarlierRevision(t *testing.T) {
	c := newClub(t, 1<<20, "group:design#member@user:bert")
	c.write(tuples.OpTouch, "group:motion#member@user:anna")
	c.closures = c.index.ClosuresIn(1<<20, c.program)
	for _, q := range []struct {
		at   tuples.Revision
		want index.Membership
	}{{1, index.Out}, {2, index.In}, {1, index.Out}} {
		c.revision = q.at
		if got := c.in(c.of("user:anna"), "group:motion#member"); got != q.want {
			t.Errorf("at revision %d anna is %s, want %s", q.at, got, q.want)
		}
	}
}

// takeover is a store that an index begins to follow at a revision; behind that it commits
// another before the index hears where it began.
type takeover struct {
	tuples.Store
	at        tuples.Snapshot
	meanwhile func()
}

func (s takeover) Follow(context.Context, tuples.Follower) (tuples.Snapshot, error) {
	s.meanwhile()
	return s.at, nil
}

// An index that begins to follow a store, or follows it anew, has not heard of all that was
// committed before. Closures that were remembered earlier must not outlive that.
func TestClosuresForgetWhatTheyMissedBeforeALoad(t *testing.T) {
	m, _, err := model.Parse(model.Source{DSL: "model\n  schema 1.1\n" + libraryModel})
	if err != nil {
		t.Fatal(err)
	}
	for _, late := range []bool{false, true} {
		c := &club{feed: newFeed(m), t: t}
		if c.program, err = model.Compile(m, c.symbols); err != nil {
			t.Fatal(err)
		}
		c.index = index.New(1 << 30) // not loaded
		earlier := c.index.Closures(c.program)
		c.index.Publish(1)
		if got := c.annaIn(earlier, c.snapshot(1, false)); got != index.Out {
			t.Fatalf("at revision 1 anna is %s", got)
		}
		// Revision 2, which the index is not told of, adds anna.
		all := []*index.Closures{earlier}
		meanwhile := func() {
			if late {
				all = append(all, c.index.Closures(c.program))
				if got := c.annaIn(all[1], c.snapshot(1, false)); got != index.Out {
					t.Errorf("at revision 1 anna is %s", got)
				}
			}
			c.commit(3, nil)
			for i, closures := range slices.Clone(all) {
				if got := c.annaIn(closures, c.snapshot(3, true)); got != index.In {
					t.Errorf("late %t: while the load begins anna is %s to closures %d", late, got, i)
				}
			}
		}
		if _, err := c.index.Warm(t.Context(), takeover{at: c.snapshot(2, true), meanwhile: meanwhile}); err != nil {
			t.Fatal(err)
		}
		for i, closures := range all {
			if got := c.annaIn(closures, c.index.Over(c.snapshot(3, true))); got != index.In {
				t.Errorf("late %t: behind the load anna is %s to closures %d", late, got, i)
			}
		}
	}
}
