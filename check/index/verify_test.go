package index

import (
	"errors"
	"strings"
	"testing"

	"github.com/usher-authz/usher/tuples"
)

var (
	bert      = tuples.NewNode(1, 2)
	bertViews = tuples.EdgeKey{Object: logo, Relation: 7, Subject: bert}
)

// TestVerifyFindsWhatIsWrong has an index told something else than the store did.
func TestVerifyFindsWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name string
		harm func(x *Index)
		want string // in the error; "" for none
	}{
		{"nothing", func(*Index) {}, ""},
		{"a tuple that is lost", func(x *Index) { x.Apply(1, deletions([]tuples.EdgeChange{{Key: annaViews}})) }, "lacks 1"},
		{"a tuple too many", func(x *Index) { x.Apply(1, []tuples.EdgeChange{{Key: bertViews, Op: tuples.OpTouch}}) }, "has 2 members, the store says 1"},
		{"a list too many", func(x *Index) {
			key := bertViews
			key.Object = tuples.NewNode(2, 9)
			x.Apply(1, []tuples.EdgeChange{{Key: key, Op: tuples.OpTouch}})
		}, "lists of"},
		{"another grant", func(x *Index) {
			x.Apply(1, []tuples.EdgeChange{{Key: annaViews, Op: tuples.OpTouch, Grant: grants[5]}})
		}, "with another grant"},
		{"a mask that hides a list", func(x *Index) { *x.kinds.objects[2].word(1) = 0 }, "a mask hides the forward list"},
		{"a mask that hides a list of the other direction", func(x *Index) { *x.kinds.subjects[1].word(1) = 0 }, "a mask hides the reverse list"},
		{"a kind that is not known", func(x *Index) { x.kinds.numbers.Store(&slots{}) }, "none of its kind"},
		{"a name of another node", func(x *Index) {
			x.names.types.Load().bySymbol[1].place(2, x.names.types.Load().bySymbol[1].spotOf(1))
		}, "node 4294967298 is user:anna, the store says user:bert"},
		{"an object that is taken for none", func(x *Index) {
			x.names.types.Load().byName["user"].hashed.Store(&nameTable{places: make([]uint64, 4)})
		}, "for no object"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := small(t, tuples.EdgeChange{Key: annaViews})
			m.history.name(bert, tuples.Object{Type: "user", ID: "bert"})
			m.index.Intern(bert, tuples.Object{Type: "user", ID: "bert"})
			m.index.loaded = 0 // takes changes of revision 1 again
			c.harm(m.index)
			got, err := m.index.Verify(t.Context(), m.history.snapshot(1, noon))
			switch {
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got error %v, want one with %q", err, c.want)
			case c.want == "" && (err != nil || got != Verified{Names: 3, Forward: 1, Reverse: 1}):
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestVerifyNeedsARevisionThatIsHeld(t *testing.T) {
	m := small(t, tuples.EdgeChange{Key: annaViews})
	m.history.commit(2, nil)
	for name, at := range map[string]tuples.Revision{"behind the head": 2, "before the floor": 0} {
		if _, err := m.index.Verify(t.Context(), m.history.snapshot(at, noon)); !errors.Is(err, errNotHeld) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// spotOf is where the id of an ordinal is.
func (t *typeNames) spotOf(ordinal uint32) uint32 { return (*t.spots.Load())[ordinal] }
