package checktest

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// kind is one entry of a direct type restriction, with the relation that it is of.
type kind struct {
	objects  tuples.ObjectType
	relation tuples.Relation
	model.Restriction
}

func kindsOf(m *model.Model) []kind {
	var kinds []kind
	for _, typ := range m.Types {
		for _, r := range typ.Relations {
			for _, restriction := range r.Direct {
				kinds = append(kinds, kind{typ.Name, r.Name, restriction})
			}
		}
	}
	return kinds
}

// drawer draws tuples for one model.
type drawer struct {
	model *model.Model
	kinds []kind
}

// commit draws writes of new tuples, now and then of one that an earlier commit
// wrote, and deletes of such.
func (d drawer) commit(t *rapid.T, earlier [][]tuples.Mutation) []tuples.Mutation {
	var known []tuples.Key
	for _, m := range slices.Concat(earlier...) {
		known = append(known, m.Tuple.Key)
	}
	var commit []tuples.Mutation
	batches := 1
	if len(known) == 0 {
		batches = 10
	}
	for _, tuple := range drawTuples(t, batches, d.stored) {
		commit = append(commit, tuples.Mutation{Op: tuples.OpTouch, Tuple: tuple})
	}
	for range min(roll(t, 4), len(known)) {
		key := pick(t, known)
		if !slices.ContainsFunc(commit, func(m tuples.Mutation) bool { return m.Tuple.Key == key }) {
			commit = append(commit, tuples.Mutation{Op: tuples.OpDelete, Tuple: tuples.Tuple{Key: key}})
		}
	}
	return commit
}

// crowd draws tuples that differ in one end only. If that is the subject, then the
// tuples lead to other objects, and one more tuple leads on from the last of them.
func (d drawer) crowd(t *rapid.T) []tuples.Tuple {
	var leading []kind
	for _, k := range d.kinds {
		if len(d.onward(k)) > 0 {
			leading = append(leading, k)
		}
	}
	var crowd []tuples.Tuple
	size := 66 + roll(t, 4)
	if roll(t, 2) == 0 || len(leading) == 0 {
		tuple := d.permitted(t)
		for i := range size {
			tuple.Object.ID = crowdID(i)
			crowd = append(crowd, tuple)
		}
		return crowd
	}
	lead := pick(t, leading)
	tuple := d.tuple(t, lead)
	for i := range size {
		tuple.Subject.ID = crowdID(i)
		crowd = append(crowd, tuple)
	}
	last := d.tuple(t, pick(t, d.onward(lead)))
	last.Object.ID = crowdID(size - 1)
	return append(crowd, last)
}

func crowdID(i int) tuples.ID { return tuples.ID(fmt.Sprintf("crowd-%d", i)) }

// onward are the kinds of tuples that may lead on from the subject of a kind.
func (d drawer) onward(k kind) []kind {
	var onward []kind
	for _, next := range d.kinds {
		if !k.Wildcard && next.objects == k.Type && (k.Relation == "" || k.Relation == next.relation) {
			onward = append(onward, next)
		}
	}
	return onward
}

// drawTuples draws tuples of different keys, some five for each batch. A batch can
// shrink to none.
func drawTuples(t *rapid.T, batches int, draw func(*rapid.T) tuples.Tuple) []tuples.Tuple {
	batch := rapid.SliceOfN(rapid.Custom(draw), 0, 12)
	seen := map[tuples.Key]bool{}
	var drawn []tuples.Tuple
	for _, tuple := range slices.Concat(rapid.SliceOfN(batch, batches, batches).Draw(t, "tuples")...) {
		if !seen[tuple.Key] {
			seen[tuple.Key] = true
			drawn = append(drawn, tuple)
		}
	}
	return drawn
}

// stored draws a tuple that the model permits or, one time in ten, one that an
// earlier model may have permitted.
func (d drawer) stored(t *rapid.T) tuples.Tuple {
	tuple := d.permitted(t)
	if roll(t, 10) < 9 {
		return tuple
	}
	switch roll(t, 6) {
	case 0:
		tuple.Relation = "dropped"
	case 1:
		tuple.Object.Type = "dropped"
	case 2:
		tuple.Subject = tuples.Subject{Type: "dropped", ID: drawID(t)}
	case 3:
		tuple.Subject = tuples.Subject{Type: tuple.Object.Type, ID: drawID(t), Relation: "dropped"}
	case 4:
		tuple.Subject = tuples.Subject{Type: pick(t, d.model.Types).Name, ID: tuples.Wildcard}
	case 5:
		tuple.Relation = pick(t, d.kinds).relation
	}
	return tuple
}

// permitted draws a tuple of one of the kinds that the model permits.
func (d drawer) permitted(t *rapid.T) tuples.Tuple { return d.tuple(t, pick(t, d.kinds)) }

func (d drawer) tuple(t *rapid.T, k kind) tuples.Tuple {
	tuple := tuples.Tuple{Key: tuples.Key{
		Object:   tuples.Object{Type: k.objects, ID: drawID(t)},
		Relation: k.relation,
		Subject:  tuples.Subject{Type: k.Type, ID: tuples.Wildcard, Relation: k.Relation},
	}}
	if !k.Wildcard {
		tuple.Subject.ID = drawID(t)
	}
	if k.Condition != "" {
		tuple.Condition = &tuples.Condition{Name: k.Condition}
		if roll(t, 2) == 1 {
			tuple.Condition.Context = drawContext(t)
		}
	}
	if roll(t, 6) == 5 {
		tuple.Expires = Now.Add(time.Duration(roll(t, 3)-1) * time.Minute)
	}
	return tuple
}

// drawID draws one of three ids, which are the same for all types, "1" more often
// than the others. "!" sorts before the wildcard "*".
func drawID(t *rapid.T) tuples.ID {
	return pick(t, []tuples.ID{"1", "1", "2", "!"})
}

// drawContext draws values for some of the parameters of the conditions.
func drawContext(t *rapid.T) tuples.Context {
	values := tuples.Context{}
	if i := roll(t, 4); i < 2 {
		values["on"] = i == 0
	}
	if i := roll(t, 6); i < 4 {
		values["level"] = []any{1.0, 5.0, 0.0, "many"}[i] // met, unmet, division by zero, not a number
	}
	if i := roll(t, 3); i < 2 {
		values["tag"] = []string{"x", "y"}[i]
	}
	return values
}
