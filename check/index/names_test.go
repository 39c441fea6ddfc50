package index

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-authz/usher/tuples"
)

func newNames(limit int64) *names {
	n := &New(0).names
	n.limit.Store(limit)
	n.whole.Store(true)
	return n
}

func TestNamesAreFoundBothWays(t *testing.T) {
	ids := rapid.Custom(func(t *rapid.T) tuples.ID {
		id := rapid.StringMatching(`[a-c]{1,3}`).Draw(t, "id")
		return tuples.ID(strings.Repeat(id, rapid.SampledFrom([]int{1, 2, 50, 341}).Draw(t, "times"))) // to 1023 bytes
	})
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.SampledFrom([]int64{0, 3000, 1 << 30}).Draw(t, "limit")
		n := newNames(limit)
		nodes, objects := make(map[tuples.Object]tuples.Node), make(map[tuples.Node]tuples.Object)
		types := []tuples.ObjectType{"user", "media"}
		for range rapid.IntRange(0, 200).Draw(t, "names") {
			symbol := rapid.IntRange(1, 2).Draw(t, "type")
			o := tuples.Object{Type: types[symbol-1], ID: ids.Draw(t, "id")}
			node, known := nodes[o]
			if !known {
				node = tuples.NewNode(tuples.Symbol(symbol), uint32(len(nodes)+1))
				nodes[o], objects[node] = node, o
			}
			n.intern(node, o) // again, now and then
			if rapid.IntRange(0, 50).Draw(t, "fit") == 0 {
				n.fit()
			}
		}
		for o, node := range nodes {
			if got, known := n.node(o); known && got != node || !known && limit == 1<<30 {
				t.Fatalf("%s: got node %d, %v, want %d", o, got, known, node)
			}
			if got, known := n.object(node); known && got != o || !known && limit == 1<<30 {
				t.Fatalf("%d: got object %s, %v, want %s", node, got, known, o)
			}
		}
		holdNamesTogether(t, n, objects)
		for _, o := range []tuples.Object{{Type: "user", ID: "nobody"}, {Type: "media", ID: "a b"}} {
			if got, _ := n.node(o); got != 0 {
				t.Fatalf("%s: got node %d, want none", o, got)
			}
		}
	})
}

// holdNamesTogether holds names that are asked for together, with wildcards and with nodes that
// have none, against those asked for one by one.
func holdNamesTogether(t *rapid.T, n *names, objects map[tuples.Node]tuples.Object) {
	nodes := append(slices.Sorted(maps.Keys(objects)),
		tuples.WildcardNode(1), tuples.WildcardNode(3), tuples.NewNode(1, 1000), tuples.NewNode(2, tuples.FirstTransient))
	if rapid.Bool().Draw(t, "mixed") {
		nodes = rapid.Permutation(nodes).Draw(t, "nodes")
	}
	got := slices.Repeat([]tuples.Object{{Type: "left", ID: "over"}}, len(nodes))
	all, wantAll := n.objects(nodes, got), true
	for i, node := range nodes {
		want, known := n.object(node)
		if !known {
			want, wantAll = tuples.Object{}, false
		}
		if got[i] != want {
			t.Fatalf("%d, number %d: got object %s, want %s", node, i, got[i], want)
		}
	}
	if all != wantAll {
		t.Fatalf("all known: got %v, want %v", all, wantAll)
	}
}

func TestNamesThatAreNotHeld(t *testing.T) {
	user := func(id tuples.ID) tuples.Object { return tuples.Object{Type: "user", ID: id} }
	fill := func(n *names, count uint32) {
		for i := range count {
			n.intern(tuples.NewNode(1, i+1), user(tuples.ID(fmt.Sprintf("u%d", i))))
		}
	}
	for _, c := range []struct {
		name  string
		names func() *names
		of    tuples.Object
		node  tuples.Node
		known bool
	}{
		{"of a type that was never seen", func() *names { return newNames(1 << 20) }, user("anna"), 0, false},
		{"while the store is not loaded", func() *names {
			n := newNames(1 << 20)
			fill(n, 3)
			n.whole.Store(false)
			return n
		}, user("anna"), 0, false},
		{"of no object", func() *names {
			n := newNames(1 << 20)
			fill(n, 3)
			return n
		}, user("anna"), 0, true},
		{"beyond the memory", func() *names {
			n := newNames(5000)
			fill(n, 10_000)
			return n
		}, user("u9999"), 0, false},
		{"held before the memory was full", func() *names {
			n := newNames(5000)
			fill(n, 10_000)
			return n
		}, user("u0"), tuples.NewNode(1, 1), true},
		{"the wildcard", func() *names {
			n := newNames(1 << 20)
			fill(n, 1)
			return n
		}, user(tuples.Wildcard), tuples.WildcardNode(1), true},
		{"longer than a page", func() *names {
			n := newNames(1 << 30)
			fill(n, 1)
			n.intern(tuples.NewNode(1, 2), user(tuples.ID(strings.Repeat("x", pageSize))))
			return n
		}, user(tuples.ID(strings.Repeat("x", pageSize))), 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if node, known := c.names().node(c.of); node != c.node || known != c.known {
				t.Errorf("got %d, %v, want %d, %v", node, known, c.node, c.known)
			}
		})
	}
}

func TestNodesWithoutNames(t *testing.T) {
	n := newNames(1 << 20)
	n.intern(tuples.NewNode(1, 1), tuples.Object{Type: "user", ID: "anna"})
	n.intern(tuples.WildcardNode(1), tuples.Object{Type: "user", ID: tuples.Wildcard})
	n.intern(tuples.NewNode(1, tuples.FirstTransient), tuples.Object{Type: "user", ID: "guest"})
	for name, node := range map[string]tuples.Node{
		"of another type":       tuples.NewNode(2, 1),
		"that was never seen":   tuples.NewNode(1, 2),
		"beyond what is held":   tuples.NewNode(1, tuples.FirstTransient-1),
		"of one request's own":  tuples.NewNode(1, tuples.FirstTransient),
		"of the largest number": tuples.NewNode(1, math.MaxUint32),
	} {
		if o, known := n.object(node); known {
			t.Errorf("a node %s is %s", name, o)
		}
	}
	if o, known := n.object(tuples.WildcardNode(1)); !known || o.ID != tuples.Wildcard || o.Type != "user" {
		t.Errorf("the wildcard is %s, %v", o, known)
	}
	if count := n.count.Load(); count != 1 {
		t.Errorf("%d names are held, want 1", count)
	}
}

func TestIDsWhoseHashesCannotBeToldApartAreCompared(t *testing.T) {
	names := newTypeNames("user", 1)
	hash := func(i uint32) uint64 { return uint64(i%3) << 62 } // at the beginning, in the middle, near the end
	for i := range uint32(1000) {
		names.add(hash(i), i+1, tuples.ID(fmt.Sprintf("u%d", i)))
	}
	for i := range uint32(1000) {
		if got := names.ordinal(hash(i), tuples.ID(fmt.Sprintf("u%d", i))); got != i+1 {
			t.Fatalf("u%d has ordinal %d, want %d", i, got, i+1)
		}
		if got := names.ordinal(hash(i), "other"); got != 0 {
			t.Fatalf("another id with the hash of u%d has ordinal %d", i, got)
		}
	}
}

func TestIDsFillPages(t *testing.T) {
	n := newNames(1 << 30)
	long := strings.Repeat("x", tuples.MaxIDBytes-8)
	object := func(i uint32) tuples.Object {
		return tuples.Object{Type: "media", ID: tuples.ID(fmt.Sprintf("%s%08d", long, i))}
	}
	const count = 5 * pageSize / tuples.MaxIDBytes
	for i := range uint32(count) {
		n.intern(tuples.NewNode(1, i+1), object(i))
	}
	for i := range uint32(count) {
		if o, _ := n.object(tuples.NewNode(1, i+1)); o != object(i) {
			t.Fatalf("node %d is %s, want %s", i+1, o, object(i))
		}
	}
	if pages := len(*n.types.Load().bySymbol[1].pages.Load()); pages < 5 {
		t.Errorf("%d ids of %d bytes are on %d pages", count, tuples.MaxIDBytes, pages)
	}
}
