package storetest

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/usher-authz/usher/tuples"
)

// press is a folder with a folder in it, and a medium in both; only the list of mentions
// speaks of what lies in it from outside.
var (
	press = []string{
		"folder:press#owner@user:anna",
		"folder:june#parent@folder:press",
		"media:logo#parent@folder:press",
		"media:logo#parent@folder:june",
		"media:logo#viewer@user:bert expires 2027-01-01T00:00:00Z",
		"group:team#member@folder:june#viewer",
	}
	mentions = []string{
		"folder:attic#owner@user:anna",
		"media:note#parent@folder:attic",
		"media:note#viewer@user:*",
	}
)

var eraseRules = []rule{
	{"erase removes what names the object on either side", func(h *harness) {
		h.create("group:design#member@user:anna", "media:logo#viewer@group:design#member", "media:logo#editor@group:design", anna)
		got := h.erase("group:design")
		equal(h, "deleted", got.Deleted, 3)
		equal(h, "objects", fmt.Sprint(got.Objects), "map[group:1]")
		h.wantTuples(anna)
		h.wantLast(tuples.CauseErase, tuples.OpDelete, 3)
	}},
	{"erase leaves what lies in the object unless it is told along what", func(h *harness) {
		h.create(append(press, mentions...)...)
		got := h.erase("folder:press")
		equal(h, "deleted", got.Deleted, 3)
		equal(h, "objects", fmt.Sprint(got.Objects), "map[folder:1]")
		h.wantTuples(append(press[3:], mentions...)...)
	}},
	{"erase goes along containments, to the bottom", func(h *harness) {
		h.create(append(press, mentions...)...)
		got := h.erase("folder:press", "media#parent", "folder#parent")
		equal(h, "deleted", got.Deleted, len(press))
		equal(h, "objects", fmt.Sprint(got.Objects), "map[folder:2 media:1]")
		h.wantTuples(mentions...)
	}},
	{"a containment can be of every type that has the relation", func(h *harness) {
		h.create(append(press, mentions...)...)
		equal(h, "deleted", h.erase("folder:press", "#parent").Deleted, len(press))
		h.wantTuples(mentions...)
	}},
	{"a containment is of its type alone", func(h *harness) {
		h.create(append(press, mentions...)...)
		equal(h, "objects", fmt.Sprint(h.erase("folder:press", "media#parent").Objects), "map[folder:1 media:1]")
		h.wantTuples(append(press[5:], mentions...)...)
	}},
	{"a userset or a wildcard contains nothing", func(h *harness) {
		h.create("media:logo#parent@folder:press#viewer", "media:note#parent@folder:*", "folder:press#owner@user:anna")
		equal(h, "objects", fmt.Sprint(h.erase("folder:press", "#parent").Objects), "map[folder:1]")
		h.wantTuples("media:note#parent@folder:*")
	}},
	{"erase ends where containments go round in circles", func(h *harness) {
		h.create("folder:a#parent@folder:c", "folder:b#parent@folder:a", "folder:c#parent@folder:b", "folder:c#parent@folder:c", anna)
		got := h.erase("folder:a", "folder#parent")
		equal(h, "deleted", got.Deleted, 4)
		equal(h, "objects", fmt.Sprint(got.Objects), "map[folder:3]")
		h.wantTuples(anna)
	}},
	{"what is reached along two ways is erased once", func(h *harness) {
		h.create("folder:b#parent@folder:a", "folder:c#parent@folder:a", "folder:d#parent@folder:b", "folder:d#parent@folder:c", "folder:d#owner@user:anna")
		got := h.erase("folder:a", "folder#parent")
		equal(h, "deleted", got.Deleted, 5)
		equal(h, "objects", fmt.Sprint(got.Objects), "map[folder:4]")
		h.wantTuples()
	}},
	{"several objects go at one revision", func(h *harness) {
		h.create(append(press, mentions...)...)
		before := h.store.Head()
		got := h.commit(tuples.Commit{Erase: &tuples.Erase{Objects: []tuples.Object{object("folder:attic"), object("media:logo"), object("media:logo"), object("media:none")}}})
		equal(h, "deleted", got.Deleted, 5)
		equal(h, "objects", fmt.Sprint(got.Objects), "map[folder:1 media:1]")
		equal(h, "revision", got.Revision, before+1)
	}},
	{"a wildcard is not an object of its type", func(h *harness) {
		h.create(anna, public, bert)
		equal(h, "deleted", h.erase("user:anna").Deleted, 1)
		h.wantTuples(public, bert)
	}},
	{"an object that no tuple names takes no revision", func(h *harness) {
		before := h.create(anna).Revision
		got := h.erase("media:unknown", "#parent")
		equal(h, "revision", got.Revision, before)
		equal(h, "objects", len(got.Objects), 0)
	}},
	{"what has expired counts as absent", func(h *harness) {
		h.create("media:logo#viewer@user:anna expires 2026-03-14T09:30:00Z", "media:note#parent@folder:press expires 2026-03-14T09:30:00Z", "media:note#viewer@user:bert")
		h.wall.add(time.Hour)
		got := h.erase("media:logo", "#parent")
		equal(h, "deleted", got.Deleted, 0)
		equal(h, "objects", len(got.Objects), 0)
		equal(h, "deleted with what lay in it once", h.erase("folder:press", "#parent").Deleted, 0)
		h.wantTuples("media:note#viewer@user:bert")
	}},
	{"a dry run counts and writes nothing", func(h *harness) {
		before := h.create(append(press, mentions...)...).Revision
		c := erase("folder:press", "#parent")
		c.DryRun = true
		got := h.commit(c)
		equal(h, "deleted", got.Deleted, len(press))
		equal(h, "objects", fmt.Sprint(got.Objects), "map[folder:2 media:1]")
		equal(h, "revision", got.Revision, before)
		equal(h, "head", h.store.Head(), before)
		h.wantTuples(append(press, mentions...)...)
	}},
	{"preconditions are judged before", func(h *harness) {
		h.create(press...)
		c := erase("folder:press", "#parent")
		for _, dry := range []bool{true, false} {
			c.DryRun = dry
			c.Preconditions = []tuples.Precondition{{Field: "preconditions[0]", Filter: filter("folder:press")}}
			_, err := h.store.Commit(h.ctx, c)
			var failed *tuples.PreconditionError
			if !errors.As(err, &failed) || failed.Field != "preconditions[0]" {
				h.Fatalf("got error %v, want a failed precondition", err)
			}
		}
		h.wantTuples(press...)
		c.Preconditions[0].MustMatch = true
		equal(h, "deleted", h.commit(c).Deleted, len(press))
	}},
	{"the same request again returns the first outcome, objects too", func(h *harness) {
		h.create(press...)
		c := erase("folder:press", "#parent")
		c.RequestID = "r1"
		first := h.commit(c)
		h.create(press...)
		h.reopen()
		again := h.commit(c)
		equal(h, "replayed", again.Replayed, true)
		equal(h, "deleted", again.Deleted, first.Deleted)
		equal(h, "objects", fmt.Sprint(again.Objects), fmt.Sprint(first.Objects))
		h.wantTuples(press...)
	}},
	{"what cannot be erased is refused by field", func(h *harness) {
		h.create(press...)
		for says, e := range map[string]tuples.Erase{
			"objects":           {},
			"objects[1].id":     {Objects: []tuples.Object{object("folder:press"), {Type: "folder", ID: tuples.Wildcard}}},
			"along[0].relation": {Objects: []tuples.Object{object("folder:press")}, Along: []tuples.Containment{{Type: "folder"}}},
			"along[0].type":     {Objects: []tuples.Object{object("folder:press")}, Along: []tuples.Containment{{Type: "a b", Relation: "parent"}}},
		} {
			_, err := h.store.Commit(h.ctx, tuples.Commit{Erase: &e})
			h.wantInvalid(err, says)
		}
		beside := erase("folder:press")
		beside.Mutations = h.mutations(tuples.OpTouch, anna)
		_, err := h.store.Commit(h.ctx, beside)
		h.wantInvalid(err, "beside something else")
		h.wantTuples(press...)
	}},
}

// object parses the text form.
func object(text string) tuples.Object {
	kind, id, _ := strings.Cut(text, ":")
	return tuples.Object{Type: tuples.ObjectType(kind), ID: tuples.ID(id)}
}

// erase is the erasing of an object along containments such as "media#parent".
func erase(name string, along ...string) tuples.Commit {
	e := &tuples.Erase{Objects: []tuples.Object{object(name)}}
	for _, text := range along {
		kind, relation, _ := strings.Cut(text, "#")
		e.Along = append(e.Along, tuples.Containment{Type: tuples.ObjectType(kind), Relation: tuples.Relation(relation)})
	}
	return tuples.Commit{Erase: e}
}

func (h *harness) erase(name string, along ...string) tuples.Committed {
	h.Helper()
	return h.commit(erase(name, along...))
}

// wantLast compares cause and operations of the last change.
func (h *harness) wantLast(cause tuples.Cause, op tuples.Op, n int) {
	h.Helper()
	changes := h.changesUpTo(h.store.Head())
	last := changes[len(changes)-1]
	ops := map[tuples.Op]int{}
	for _, m := range last.Mutations {
		ops[m.Op]++
	}
	if last.Cause != cause || !maps.Equal(ops, map[tuples.Op]int{op: n}) {
		h.Fatalf("the last change is %s of %v, want %s of %d %s", last.Cause, ops, cause, n, op)
	}
}
