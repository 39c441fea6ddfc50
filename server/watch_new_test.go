package server_test

import (
	"slices"
	"testing"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/server"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// marked returns the tuples of a change, those that are newly given with a "new " in front.
func marked(m *usherv1.WatchResponse) []string {
	var shown []string
	for _, c := range m.GetChanges().GetTuples() {
		text := wire.ToKey(c.GetTuple()).String()
		if c.GetNewlyGives() {
			text = "new " + text
		}
		shown = append(shown, text)
	}
	slices.Sort(shown)
	return shown
}

// B6, D10: whoever sends notifications needs to know which shares are new, and which only
// differ from those that were there.
func TestWatchTellsWhatIsNew(t *testing.T) {
	w := newLibrary(t)
	stream, _ := w.watch(&usherv1.WatchRequest{})
	roles := updates(t, usherv1.Operation_OPERATION_DELETE, "media:logo#viewer@user:anna")
	roles = append(roles, updates(t, create, "media:logo#editor@user:anna", "media:logo#editor@user:carl")...)
	for _, c := range []struct {
		name  string
		write []*usherv1.TupleUpdate
		want  []string
	}{
		{"a first share", updates(t, touch, "media:logo#viewer@user:anna"), []string{"new media:logo#viewer@user:anna"}},
		{"set again beside a new one", updates(t, touch, "media:logo#viewer@user:anna", "media:logo#viewer@user:bert"),
			[]string{"new media:logo#viewer@user:bert"}},
		{"set again with an end", updates(t, touch, "media:logo#viewer@user:anna expires 2099-01-01T00:00:00Z"),
			[]string{"media:logo#viewer@user:anna"}},
		{"viewer becomes editor, beside a new editor", roles,
			[]string{"media:logo#editor@user:anna", "media:logo#viewer@user:anna", "new media:logo#editor@user:carl"}},
		{"a second right", updates(t, create, "media:logo#owner@user:anna"), []string{"media:logo#owner@user:anna"}},
		{"two rights at once", updates(t, create, "media:logo#viewer@user:dora", "media:logo#editor@user:dora"),
			[]string{"new media:logo#editor@user:dora", "new media:logo#viewer@user:dora"}},
		{"another object", updates(t, create, "media:note#viewer@user:anna"), []string{"new media:note#viewer@user:anna"}},
		{"everybody", updates(t, create, "media:logo#viewer@user:*"), []string{"new media:logo#viewer@user:*"}},
		{"a userset", updates(t, create, "media:logo#viewer@group:design#member"), []string{"new media:logo#viewer@group:design#member"}},
		{"its other right", updates(t, create, "media:logo#editor@group:design#member"), []string{"media:logo#editor@group:design#member"}},
		{"what has ended already", updates(t, create, "media:logo#viewer@user:emil expires 2001-01-01T00:00:00Z"),
			[]string{"media:logo#viewer@user:emil"}},
		{"taken away", updates(t, usherv1.Operation_OPERATION_DELETE, "media:logo#viewer@user:bert"), []string{"media:logo#viewer@user:bert"}},
		{"given back", updates(t, create, "media:logo#viewer@user:bert"), []string{"new media:logo#viewer@user:bert"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.write(&usherv1.WriteRequest{Updates: c.write})
			if got := marked(changes(t, stream, 1)[0]); !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// A tuple of a relation that only an earlier model had is a tuple all the same.
func TestRelationsOfEarlierModelsAreNotNew(t *testing.T) {
	w := newWorld(t, server.Options{})
	w.writeModel(writers)
	w.touch("doc:a#writer@user:anna")
	w.writeModel(readers)
	stream, _ := w.watch(&usherv1.WatchRequest{})
	w.touch("doc:a#reader@user:anna", "doc:a#reader@user:bert")
	want := []string{"doc:a#reader@user:anna", "new doc:a#reader@user:bert"}
	if got := marked(changes(t, stream, 1)[0]); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Before the first revision nobody had anything.
func TestFirstRevisionIsNew(t *testing.T) {
	w := newWorld(t, server.Options{})
	stream, began := w.watch(&usherv1.WatchRequest{})
	if began.GetRevision() != 0 {
		t.Fatalf("began at %d", began.GetRevision())
	}
	store, err := w.db.Store(t.Context(), server.DefaultStore)
	if err != nil {
		t.Fatal(err)
	}
	share, err := tuples.ParseTuple("doc:a#reader@user:anna")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Commit(t.Context(), tuples.Commit{
		NewModel:  &tuples.NewModel{ID: "m", Source: model.Source{DSL: readers}.Encode(), Symbols: []string{"user", "doc", "reader"}},
		Mutations: []tuples.Mutation{{Op: tuples.OpCreate, Tuple: share}},
	}); err != nil {
		t.Fatal(err)
	}
	if got := marked(changes(t, stream, 1)[0]); !slices.Equal(got, []string{"new doc:a#reader@user:anna"}) {
		t.Errorf("got %q", got)
	}
}

// What had expired before a share was set again does not count, collected or not.
func TestSharesAfterAnExpiryAreNew(t *testing.T) {
	w := newClocked(t)
	w.touch("media:logo#viewer@user:anna expires 2026-06-01T13:00:00Z", "media:logo#viewer@user:bert expires 2026-06-01T15:00:00Z")
	w.later()
	w.later()
	stream, began := w.watch(&usherv1.WatchRequest{})
	w.touch("media:logo#editor@user:anna", "media:logo#editor@user:bert")
	want := []string{"media:logo#editor@user:bert", "new media:logo#editor@user:anna"}
	if got := marked(changes(t, stream, 1)[0]); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	w.later()
	w.later()
	stream, _ = w.watch(&usherv1.WatchRequest{After: began.GetToken()})
	if got := marked(changes(t, stream, 1)[0]); !slices.Equal(got, want) {
		t.Errorf("to who reads it when all has expired: got %q, want %q", got, want)
	}
}
