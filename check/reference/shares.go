package reference

import (
	"cmp"
	"maps"
	"slices"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// Shares is what one recipient has on a selection of objects.
type Shares struct {
	Recipient tuples.Subject
	On        []Right // one for each object
}

// Right is what a recipient has on one object.
type Right struct {
	Relation tuples.Relation // "" for none
	Answer   Answer          // of the relation
	Origins  []tuples.Tuple  // which name the recipient for it: the object's own first, then sorted
	Direct   bool            // the object's own are among them
}

// Shares tells for each recipient, sorted bytewise by its text form, the right that it
// has on each object: the last of the relations that it is named for and not denied.
func (spec *Spec) Shares(objects []tuples.Object, relations []tuples.Relation) []Shares {
	recipients := map[tuples.Subject]bool{}
	for _, object := range objects {
		for _, r := range relations {
			for _, n := range spec.named(tuples.Userset{Object: object, Relation: r}) {
				recipients[n.Subject] = true
			}
		}
	}
	var all []Shares
	for s := range recipients {
		shares, some := Shares{Recipient: s}, false
		for _, object := range objects {
			right := spec.right(object, relations, s)
			some = some || right.Relation != ""
			shares.On = append(shares.On, right)
		}
		if some {
			all = append(all, shares)
		}
	}
	slices.SortFunc(all, func(a, b Shares) int { return cmp.Compare(a.Recipient.String(), b.Recipient.String()) })
	return all
}

// right returns the strongest right of a recipient on one object.
func (spec *Spec) right(object tuples.Object, relations []tuples.Relation, s tuples.Subject) Right {
	for _, r := range slices.Backward(relations) {
		on := tuples.Userset{Object: object, Relation: r}
		var origins []tuples.Tuple
		for _, n := range spec.named(on) {
			if n.Subject == s {
				origins = append(origins, n.Tuple)
			}
		}
		if len(origins) == 0 {
			continue
		}
		if answer := spec.Check(on, s); answer.Outcome != Denied {
			slices.SortFunc(origins, func(a, b tuples.Tuple) int {
				if own, other := a.Object == object, b.Object == object; own != other {
					return map[bool]int{true: -1, false: 1}[own]
				}
				return a.Key.Compare(b.Key)
			})
			return Right{Relation: r, Answer: answer, Origins: origins, Direct: origins[0].Object == object}
		}
	}
	return Right{}
}

// naming is a tuple that names a recipient, and over how many tuples of tuplesets that
// lead to another object it is reached at least.
type naming struct {
	tuples.Tuple
	distance int
}

// named returns the tuples that name the recipients of a userset: those on the way down
// by computed usersets and tuplesets, but not into the usersets that tuples name.
func (spec *Spec) named(on tuples.Userset) []naming {
	w := walk{spec: spec, distances: map[tuples.Userset]int{on: 0}, found: map[tuples.Key]naming{}}
	for before := -1; before != w.changes; {
		before = w.changes
		for at, distance := range maps.Clone(w.distances) {
			if r := relation(spec.model, at); r != nil {
				w.read(at, distance, r.Rewrite)
			}
		}
	}
	return slices.Collect(maps.Values(w.found))
}

func relation(m *model.Model, on tuples.Userset) *model.Relation {
	if typ := m.Type(on.Object.Type); typ != nil {
		return typ.Relation(on.Relation)
	}
	return nil
}

// walk is the least distances of usersets and namings that are known so far.
type walk struct {
	spec      *Spec
	distances map[tuples.Userset]int
	found     map[tuples.Key]naming
	changes   int
}

// read takes one step down a rewrite. Of "but not" the left side counts.
func (w *walk) read(on tuples.Userset, distance int, rewrite model.Rewrite) {
	switch r := rewrite.(type) {
	case model.This:
		for _, e := range w.spec.lists[on] {
			known, ok := w.found[e.Key]
			if mayHold(e.condition) && (!ok || distance < known.distance) {
				w.found[e.Key] = naming{e.Tuple, distance}
				w.changes++
			}
		}
	case model.ComputedUserset:
		w.reach(tuples.Userset{Object: on.Object, Relation: r.Relation}, distance)
	case model.TupleToUserset:
		for _, e := range w.spec.lists[tuples.Userset{Object: on.Object, Relation: r.Tupleset}] {
			if !mayHold(e.condition) || e.Subject.IsUserset() || e.Subject.IsWildcard() {
				continue
			}
			further := distance
			if e.Subject.Object() != on.Object {
				further++
			}
			w.reach(tuples.Userset{Object: e.Subject.Object(), Relation: r.Computed}, further)
		}
	case model.Union:
		for _, operand := range r.Operands {
			w.read(on, distance, operand)
		}
	case model.Intersection:
		for _, operand := range r.Operands {
			w.read(on, distance, operand)
		}
	case model.Exclusion:
		w.read(on, distance, r.Base)
	}
}

func (w *walk) reach(on tuples.Userset, distance int) {
	if known, ok := w.distances[on]; !ok || distance < known {
		w.distances[on] = distance
		w.changes++
	}
}

// mayHold reports whether a condition is met, or may turn out to be.
func mayHold(condition formula) bool { return reading{open: true}.holds(condition) }
