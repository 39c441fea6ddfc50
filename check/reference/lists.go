package reference

import (
	"cmp"
	"maps"
	"slices"

	"github.com/usher-authz/usher/tuples"
)

// Item is one entry of a list.
type Item struct {
	ID     tuples.ID
	Answer Answer
}

// ListObjects lists the objects of a type that the subject has, or may have, a
// relation to, sorted bytewise by id.
func (spec *Spec) ListObjects(t tuples.ObjectType, r tuples.Relation, s tuples.Subject) []Item {
	var items []Item
	for _, id := range spec.ids(t, s.Object()) {
		on := tuples.Userset{Object: tuples.Object{Type: t, ID: id}, Relation: r}
		if answer := spec.Check(on, s); answer.Outcome != Denied {
			items = append(items, Item{id, answer})
		}
	}
	return items
}

// ListSubjects lists the objects of a type that have, or may have, a relation to
// an object, sorted bytewise by id.
//
// An object that no tuple names stands for all the others. If it is not denied, then
// the list has its answer as the item "*", and besides only the objects that fare
// otherwise, the denied among them: they are what the wildcard excludes.
func (spec *Spec) ListSubjects(on tuples.Userset, t tuples.ObjectType) []Item {
	ids := spec.ids(t, on.Object)
	others := spec.Check(on, tuples.Subject{Type: t, ID: unused(ids)})
	var items []Item
	if others.Outcome != Denied {
		items = append(items, Item{tuples.Wildcard, others})
	}
	for _, id := range ids {
		answer := spec.Check(on, tuples.Subject{Type: t, ID: id})
		if !answer.Same(others) {
			items = append(items, Item{id, answer})
		}
	}
	slices.SortFunc(items, func(a, b Item) int { return cmp.Compare(a.ID, b.ID) })
	return items
}

// ListUsersets lists the usersets t:id#r that have, or may have, a relation to an
// object, sorted bytewise by id.
func (spec *Spec) ListUsersets(on tuples.Userset, t tuples.ObjectType, r tuples.Relation) []Item {
	var items []Item
	for _, id := range spec.ids(t, on.Object) {
		answer := spec.Check(on, tuples.Subject{Type: t, ID: id, Relation: r})
		if answer.Outcome != Denied {
			items = append(items, Item{id, answer})
		}
	}
	return items
}

// Tuples returns the visible tuples of one list, sorted: what the leaves of an
// expanded userset show.
func (spec *Spec) Tuples(on tuples.Userset) []tuples.Tuple {
	var visible []tuples.Tuple
	for _, e := range spec.lists[on] {
		visible = append(visible, e.Tuple)
	}
	slices.SortFunc(visible, func(a, b tuples.Tuple) int { return a.Key.Compare(b.Key) })
	return visible
}

// Same reports whether two answers say the same to a caller, who is not told of
// more than one failed condition.
func (a Answer) Same(b Answer) bool {
	return a.Outcome == b.Outcome && slices.Equal(a.Missing, b.Missing)
}

// ids are the objects of a type that a visible tuple names, and one that the
// question names if it is of that type, sorted.
func (spec *Spec) ids(t tuples.ObjectType, asked tuples.Object) []tuples.ID {
	objects := maps.Clone(spec.objects)
	if asked.ID != tuples.Wildcard {
		objects[asked] = true
	}
	var ids []tuples.ID
	for object := range objects {
		if object.Type == t {
			ids = append(ids, object.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// unused returns an id that is not among ids.
func unused(ids []tuples.ID) tuples.ID {
	other := tuples.ID("other")
	for slices.Contains(ids, other) {
		other += "'"
	}
	return other
}
