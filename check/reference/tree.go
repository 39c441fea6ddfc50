package reference

import (
	"slices"

	"github.com/usher-authz/usher/tuples"
)

// Openness tells for whom an object is open.
type Openness string

const (
	Private Openness = "private"
	Invited Openness = "invited"
	Public  Openness = "public"
	// Failing: the openness, or whether it is inherited, depends on a condition that failed.
	Failing Openness = "failing"
)

// State is how open an object is, and which other objects decide it, with their distance.
type State struct {
	Openness  Openness
	Inherited bool
	Origins   map[tuples.Object]int // only if it is inherited
}

// State tells how open an object is by a relation. switches is the relation whose tuples
// say that this is inherited; "" for none.
func (spec *Spec) State(on tuples.Userset, switches tuples.Relation) State {
	named := spec.named(on)
	public := func(n naming, o Outcome) bool { return n.Subject.IsWildcard() && o == Allowed }
	some := func(_ naming, o Outcome) bool { return o == Allowed || o == Conditional }
	state := State{Openness: Public}
	deciders := spec.deciders(on, named, public)
	if len(deciders) == 0 {
		state.Openness = Invited
		everybody := func(n naming) bool { return !n.Subject.IsWildcard() }
		if spec.fails(on, slices.DeleteFunc(slices.Clone(named), everybody)) {
			return State{Openness: Failing} // it might be public
		}
		deciders = spec.deciders(on, named, some)
	} else {
		named = slices.DeleteFunc(named, func(n naming) bool { return !n.Subject.IsWildcard() })
	}
	if len(deciders) == 0 {
		if state.Openness = Private; spec.fails(on, named) {
			return State{Openness: Failing}
		}
	}
	foreign := func(n naming) bool { return n.Object != on.Object }
	state.Inherited = len(deciders) > 0 && !slices.ContainsFunc(deciders, func(n naming) bool { return !foreign(n) })
	if relation(spec.model, tuples.Userset{Object: on.Object, Relation: switches}) != nil {
		list := spec.lists[tuples.Userset{Object: on.Object, Relation: switches}]
		state.Inherited = slices.ContainsFunc(list, func(e edge) bool { return mayHold(e.condition) })
	} else if state.Inherited && spec.fails(on, slices.DeleteFunc(named, foreign)) {
		return State{Openness: Failing} // it might be the object's own
	}
	if state.Inherited {
		state.Origins = origins(on.Object, deciders)
	}
	return state
}

// deciders are the namings of recipients whose answer decides.
func (spec *Spec) deciders(on tuples.Userset, named []naming, decides func(naming, Outcome) bool) []naming {
	var deciders []naming
	for _, n := range named {
		if decides(n, spec.Check(on, n.Subject).Outcome) {
			deciders = append(deciders, n)
		}
	}
	return deciders
}

func (spec *Spec) fails(on tuples.Userset, named []naming) bool {
	return slices.ContainsFunc(named, func(n naming) bool { return spec.Check(on, n.Subject).Outcome == Failed })
}

// origins are the other objects whose tuples decide.
func origins(of tuples.Object, deciders []naming) map[tuples.Object]int {
	all := map[tuples.Object]int{}
	for _, n := range deciders {
		if known, ok := all[n.Object]; n.Object != of && (!ok || n.distance < known) {
			all[n.Object] = n.distance
		}
	}
	return all
}

// Tree lists the objects of a tree, each with what it lies in: depth first, each once, what
// lies in one object sorted bytewise.
func (spec *Spec) Tree(roots []tuples.Object, along []tuples.Containment) [][2]tuples.Object {
	var tree [][2]tuples.Object
	seen := map[tuples.Object]bool{}
	var enter func(object, parent tuples.Object)
	enter = func(object, parent tuples.Object) {
		if seen[object] {
			return
		}
		seen[object] = true
		tree = append(tree, [2]tuples.Object{object, parent})
		for _, inside := range spec.inside(object, along) {
			enter(inside, object)
		}
	}
	for _, root := range roots {
		enter(root, tuples.Object{})
	}
	return tree
}

// inside are the objects that lie in one, sorted by their text form.
func (spec *Spec) inside(object tuples.Object, along []tuples.Containment) []tuples.Object {
	var inside []tuples.Object
	for list, edges := range spec.lists {
		for _, e := range edges {
			lies := slices.ContainsFunc(along, func(c tuples.Containment) bool {
				return c.Relation == list.Relation && (c.Type == "" || c.Type == list.Object.Type)
			})
			if lies && e.Subject == (tuples.Subject{Type: object.Type, ID: object.ID}) && mayHold(e.condition) {
				inside = append(inside, list.Object)
			}
		}
	}
	slices.SortFunc(inside, func(a, b tuples.Object) int {
		if a.String() < b.String() {
			return -1
		}
		return 1
	})
	return slices.Compact(inside)
}
