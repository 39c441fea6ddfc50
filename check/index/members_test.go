package index

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-authz/usher/tuples"
)

// held is a list as a map.
type held map[uint32]*tuples.Grant

func (m held) edges(from uint32) []tuples.Edge {
	var edges []tuples.Edge
	for _, ordinal := range slices.Sorted(maps.Keys(m)) {
		if ordinal >= from && (m[ordinal] == nil || !m[ordinal].ExpiredAt(noon)) {
			edges = append(edges, tuples.Edge{Node: tuples.NewNode(1, ordinal), Grant: m[ordinal]})
		}
	}
	return edges
}

// steps draws ops on few members, on many that are spread, and on many that lie together.
func steps(t *rapid.T, list held) []op {
	grant := rapid.SampledFrom(grants)
	there := rapid.Bool().Draw(t, "there")
	var ops []op
	switch rapid.SampledFrom([]string{"few", "many", "span", "same"}).Draw(t, "which") {
	case "few":
		ordinals := rapid.SliceOfNDistinct(rapid.Uint32Range(0, 9_000), 1, 5, rapid.ID).Draw(t, "ordinals")
		slices.Sort(ordinals)
		for _, ordinal := range ordinals {
			ops = append(ops, op{ordinal: ordinal, there: rapid.Bool().Draw(t, "there"), grant: grant.Draw(t, "grant")})
		}
	case "many":
		first, step := rapid.Uint32Range(0, 50).Draw(t, "first"), rapid.Uint32Range(1, 50).Draw(t, "step")
		for ordinal := first; ordinal < 9_000; ordinal += step {
			ops = append(ops, op{ordinal: ordinal, there: there})
		}
	case "span":
		first, length := rapid.Uint32Range(0, 9_000).Draw(t, "first"), rapid.Uint32Range(1, 6_000).Draw(t, "length")
		all := grant.Draw(t, "grant")
		for ordinal := first; ordinal < first+length; ordinal++ {
			ops = append(ops, op{ordinal: ordinal, there: there, grant: all})
		}
	case "same":
		for _, ordinal := range slices.Sorted(maps.Keys(list)) {
			ops = append(ops, op{ordinal: ordinal, there: true, grant: list[ordinal]})
		}
	}
	return ops
}

func TestLongListsAreWhatTheirChangesMadeThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var list members
		want := held{}
		for range rapid.IntRange(1, 8).Draw(t, "changes") {
			ops := steps(t, want)
			past, snapshot := list, list.fill(1, 0, noon, make([]tuples.Edge, 0, 16_000))
			differs := false
			for _, o := range ops {
				before, there := want[o.ordinal]
				differs = differs || there != o.there || there && before != o.grant
				if delete(want, o.ordinal); o.there {
					want[o.ordinal] = o.grant
				}
			}
			next, shared, changed := list.with(ops)
			if changed != differs {
				t.Fatalf("changed is %v, want %v", changed, differs)
			}
			if shared > list.size() || shared > next.size() {
				t.Fatalf("%d bytes are shared by lists of %d and %d", shared, list.size(), next.size())
			}
			list = next
			wantMembers(t, &list, want)
			if again := past.fill(1, 0, noon, make([]tuples.Edge, 0, 16_000)); !slices.Equal(again, snapshot) {
				t.Fatal("the list before the change is another one now")
			}
		}
	})
}

func wantMembers(t *rapid.T, list *members, want held) {
	if edges := list.fill(1, 0, noon, make([]tuples.Edge, 0, len(want)+1)); !slices.Equal(edges, want.edges(0)) {
		t.Fatalf("got %d members, want %d", len(edges), len(want.edges(0)))
	}
	for _, c := range list.chunks {
		if c.first != c.ordinals[0] || len(c.ordinals) > maxRun {
			t.Fatalf("chunk from %d has %d members from %d", c.first, len(c.ordinals), c.ordinals[0])
		}
	}
	from, room := rapid.Uint32Range(0, 16_000).Draw(t, "from"), rapid.IntRange(1, 3000).Draw(t, "room")
	page := want.edges(from)
	page = page[:min(room, len(page))]
	if edges := list.fill(1, from, noon, make([]tuples.Edge, 0, room)); !slices.Equal(edges, page) {
		t.Fatalf("from %d: got %d members, want %d", from, len(edges), len(page))
	}
	grant, there := list.find(from, noon)
	grantOf, has := want[from]
	if has = has && (grantOf == nil || !grantOf.ExpiredAt(noon)); there != has || has && grant != grantOf {
		t.Fatalf("member %d: got %v, %v, want %v, %v", from, grant, there, grantOf, has)
	}
}

func TestAChangeOfALongListCopiesLittle(t *testing.T) {
	for members, most := range map[uint32]int{500: 2100, 1_000: 1 << 10, 20_000: 3 << 10, 1_000_000: 20 << 10} {
		ordinals := make([]uint32, members)
		for i := range ordinals {
			ordinals[i] = uint32(2 * i)
		}
		list := newMembers(ordinals, nil)
		for where, ordinal := range map[string]uint32{"the beginning": 1, "the middle": members + 1, "the end": 2*members + 1} {
			t.Run(fmt.Sprintf("of %d members, at %s", members, where), func(t *testing.T) {
				next, shared, _ := list.with([]op{{ordinal: ordinal, there: true}})
				if copied := next.size() - shared; copied > most {
					t.Errorf("%d bytes of %d were copied", copied, next.size())
				}
			})
		}
	}
}

// A list that grows member by member has as few runs as one that is made at once, about.
func TestAListThatGrowsHasLongRuns(t *testing.T) {
	const n = 60_000
	for name, place := range map[string]func(i uint32) uint32{
		"at its end": func(i uint32) uint32 { return i },
		"anywhere":   func(i uint32) uint32 { return i * 7919 % n },
	} {
		t.Run(name, func(t *testing.T) {
			var list members
			ordinals := make([]uint32, n)
			for i := range uint32(n) {
				ordinals[i] = i
				list, _, _ = list.with([]op{{ordinal: place(i), there: true}})
			}
			whole := newMembers(ordinals, nil)
			if got, want := len(list.chunks), len(whole.chunks); list.len() != n || got > 3*want {
				t.Errorf("%d members in %d runs, %d when they come at once", list.len(), got, want)
			}
		})
	}
}

func TestAListThatShrinksIsShortAgain(t *testing.T) {
	var ops []op
	for i := range uint32(5 * maxRun) {
		ops = append(ops, op{ordinal: i, there: true})
	}
	var list members
	list, _, _ = list.with(ops)
	if len(list.chunks) < 5 {
		t.Fatalf("%d members are %d chunks", len(ops), len(list.chunks))
	}
	for i := range ops {
		ops[i].there = false
	}
	for i := range ops[:len(ops)-3] { // one by one, so that chunks join
		list, _, _ = list.with(ops[i : i+1])
	}
	if len(list.chunks) != 0 || !slices.Equal(list.ordinals, []uint32{5*maxRun - 3, 5*maxRun - 2, 5*maxRun - 1}) {
		t.Errorf("got %d chunks and %d", len(list.chunks), list.ordinals)
	}
	list, _, _ = list.with(ops)
	if list.size() != 0 {
		t.Errorf("an empty list takes %d bytes", list.size())
	}
}
