package index_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/usher-authz/usher/check/index"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// through writes out the parts of media#viewer that a sieve lets through for a subject.
func (c *club) through(object, subject string) string {
	c.t.Helper()
	on, err := tuples.ParseObject(object)
	if err != nil {
		c.t.Fatal(err)
	}
	by, err := tuples.ParseSubject(subject)
	if err != nil {
		c.t.Fatal(err)
	}
	step, node := c.step("media", "viewer"), c.node(by.Object())
	plan := c.program.Plan(model.Kind{Type: node.Type(), Relation: c.relation(by.Relation)})
	sieve := c.closures.Sieve(c.index.Over(pinned{revision: c.revision, now: c.now}), plan)
	parts := sieve.Parts(c.node(on), node, step)
	var texts []string
	for i, p := range plan.Rule(step).Parts {
		if parts>>i&1 == 1 {
			texts = append(texts, c.program.Name(p.Relation)+"@"+c.program.Name(p.Accept.Type))
		}
	}
	slices.Sort(texts)
	return strings.Join(texts, " ")
}

func TestASieveLetsThroughWhatCanFindTuples(t *testing.T) {
	c := newClub(t, 1<<20,
		"media:logo#viewer@group:design#member", "media:logo#owner@user:anna",
		"media:clip#viewer@user:anna", "media:clip#owner@user:bert",
	)
	for _, tc := range []struct{ name, object, subject, want string }{
		{"a list, and the lookup of a subject that has such tuples", "media:logo", "user:anna", "owner@user viewer@group"},
		{"no lookup of a subject that has none", "media:logo", "user:cleo", "viewer@group"},
		{"of two lookups the one of which the subject has tuples", "media:clip", "user:bert", "owner@user"},
		{"nothing of an object without tuples", "media:none", "user:anna", ""},
		{"a userset is looked up and may be in others", "media:logo", "group:design#member", "viewer@group viewer@group"},
		{"a userset that no tuple names", "media:logo", "group:sales#member", "viewer@group"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := c.through(tc.object, tc.subject); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

// A kind of tuple that the store never had is known from the commit on that brings it.
func TestASieveLearnsOfNewKinds(t *testing.T) {
	c := newClub(t, 1<<20, "media:logo#owner@user:anna")
	if got, want := c.through("media:logo", "user:anna"), "owner@user"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	c.write(tuples.OpTouch, "media:logo#viewer@organisation:studio#member")
	if got, want := c.through("media:logo", "user:anna"), "owner@user viewer@organisation"; got != want {
		t.Errorf("%q behind the commit, want %q", got, want)
	}
}

// Of what a snapshot shows that is not the index's a sieve knows nothing.
func TestThereIsNoSieveForAnotherSnapshot(t *testing.T) {
	c := newClub(t, 1<<20, "media:logo#owner@user:anna")
	plan := c.program.Plan(model.Kind{Type: c.node(tuples.Object{Type: "user", ID: "anna"}).Type()})
	now := pinned{revision: c.revision, now: c.now}
	other := index.New(1 << 20)
	if err := other.Load(0).Finish(); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]tuples.Snapshot{
		"the store's":       now,
		"one before a load": c.index.Over(pinned{revision: c.revision + 1, now: c.now}),
		"another index's":   other.Over(pinned{now: c.now}),
	} {
		if c.closures.Sieve(s, plan) != nil {
			t.Errorf("there is a sieve for %s snapshot, want none", name)
		}
	}
	if c.closures.Sieve(c.index.Over(now), plan) == nil {
		t.Error("there is no sieve for the index's snapshot")
	}
}

// Where the words do not fit into memory every part may find something.
func TestASieveWithoutWordsLetsAllThrough(t *testing.T) {
	c := newClub(t, 1<<20, "media:logo#owner@user:anna")
	c.index.DropMasks()
	const all = "owner@user viewer@group viewer@group viewer@organisation viewer@user"
	if got := c.through("media:logo", "user:cleo"); got != all {
		t.Errorf("%q, want %q", got, all)
	}
}
