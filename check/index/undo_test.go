package index

import (
	"testing"

	"github.com/usher-authz/usher/tuples"
)

// A revision of too many changes is not undone, in however many calls they come.
func TestALargeRevisionIsNotUndone(t *testing.T) {
	l := newLibrary(1000)
	for _, c := range []struct {
		name   string
		pieces int
		undone bool
	}{{"as many changes as can be undone", 4, true}, {"one more piece", 5, false}} {
		t.Run(c.name, func(t *testing.T) {
			const piece = 10
			x := loadLibrary(t, l, 1<<30)
			x.bulk = 4 * piece
			for i := range c.pieces {
				var changes []tuples.EdgeChange
				for _, key := range l.keys[i*piece:][:piece] {
					changes = append(changes, tuples.EdgeChange{Key: key, Op: tuples.OpDelete})
				}
				x.Apply(2, changes)
			}
			if s := x.Stats(); (s.Floor == 1) != c.undone || (s.UndoBytes > 0) != c.undone {
				t.Errorf("before it is published: %+v", s)
			}
			x.Publish(2)
			x.Apply(3, []tuples.EdgeChange{{Key: l.keys[0], Op: tuples.OpTouch}}) // counts from 0 again
			x.Publish(3)
			if s := x.Stats(); s.Head != 3 || s.UndoBytes == 0 || (s.Floor == 1) != c.undone {
				t.Errorf("behind the next commit: %+v", s)
			}
		})
	}
}

// Names that were let go are asked of the store, those of types that come later too: an id
// that is not held is no proof that there is no such object.
func TestBehindADropNoTypeIsKnownWhole(t *testing.T) {
	x := New(1 << 20)
	if err := x.Load(1).Finish(); err != nil {
		t.Fatal(err)
	}
	anna, bert := tuples.Object{Type: "user", ID: "anna"}, tuples.Object{Type: "user", ID: "bert"}
	x.Intern(tuples.NewNode(1, 1), anna)
	if _, known := x.names.node(bert); !known {
		t.Fatal("bert may be an object, though every name of the type is held")
	}
	x.names.drop()
	x.Intern(tuples.NewNode(1, 2), bert)
	if node, known := x.names.node(bert); !known || node != tuples.NewNode(1, 2) {
		t.Errorf("bert, who came later, is %d, known %t", node, known)
	}
	if node, known := x.names.node(anna); known {
		t.Errorf("anna, who was let go, is known to be node %d", node)
	}
}
