package bolt

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/usher-authz/usher/tuples"
)

// A bulk commit goes through each bucket once, in the order of its keys: names, then the rows
// of one order, then those of the other. What needs no state, such as finding out which names
// there are and sorting them, is done before, while the committer writes something else.

// maxBulk is how many mutations a bulk commit can have. Writing them takes about a second.
const maxBulk = 250_000

// bulk is the mutations of a bulk commit by their names.
type bulk struct {
	objects []tuples.Object // of both sides, each once, ascending
	types   []uint16        // of the objects, in words
	words   []string        // names of types and relations, each once
	rows    []bulkRow       // of the mutations, in their order
}

// bulkRow is a mutation's key: places in objects and words.
type bulkRow struct {
	object, subject           uint32
	relation, subjectRelation uint16
}

// prepareBulk takes apart the names of a bulk commit, and refuses what it cannot have.
func prepareBulk(c *tuples.Commit) (*bulk, error) {
	if n := len(c.Mutations); n > maxBulk {
		return nil, tuples.Invalid("updates", fmt.Sprint(n), fmt.Sprintf("are more than the %d of a bulk commit", maxBulk),
			"make several commits of them")
	}
	if c.Delete != nil || c.NewModel != nil || c.Erase != nil || c.Undo != nil {
		return nil, tuples.Invalid("commit", "", "is a bulk commit with more than mutations", "make a commit of each")
	}
	b := &bulk{rows: make([]bulkRow, len(c.Mutations))}
	words := dictionary[string, uint16]{places: map[string]uint16{}}
	objects := dictionary[tuples.Object, uint32]{places: make(map[tuples.Object]uint32, len(c.Mutations))}
	for i := range c.Mutations {
		m := &c.Mutations[i]
		if m.Op != tuples.OpTouch {
			return nil, tuples.Invalid(fmt.Sprintf("updates[%d].op", i), m.Op.String(), "is not an operation of a bulk commit", "use touch")
		}
		k := &m.Tuple.Key
		b.rows[i] = bulkRow{
			object: objects.place(k.Object), subject: objects.place(k.Subject.Object()),
			relation: words.place(string(k.Relation)), subjectRelation: words.place(string(k.Subject.Relation)),
		}
	}
	b.sortObjects(objects.list)
	b.types = make([]uint16, len(b.objects))
	for i := range b.objects {
		b.types[i] = words.place(string(b.objects[i].Type))
	}
	b.words = words.list
	return b, nil
}

// sortObjects puts the objects in order, and the places of the rows with them.
func (b *bulk) sortObjects(found []tuples.Object) {
	order := make([]uint32, len(found))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(x, y uint32) int { return found[x].Compare(found[y]) })
	b.objects = make([]tuples.Object, len(found))
	places := make([]uint32, len(found))
	for place, i := range order {
		b.objects[place], places[i] = found[i], uint32(place)
	}
	for i := range b.rows {
		row := &b.rows[i]
		row.object, row.subject = places[row.object], places[row.subject]
	}
}

// dictionary gives values their places in a list.
type dictionary[V comparable, P uint16 | uint32] struct {
	list   []V
	places map[V]P
	last   V // the value asked for last, which is often the next one too
	at     P
}

func (d *dictionary[V, P]) place(value V) P {
	if len(d.list) > 0 && value == d.last {
		return d.at
	}
	place, known := d.places[value]
	if !known {
		place = P(len(d.list))
		d.places[value] = place
		d.list = append(d.list, value)
	}
	d.last, d.at = value, place
	return place
}

// bulkTargets resolves the mutations of a bulk commit, in the order of their keys. Of several
// of one key the last counts.
func (d *draft) bulkTargets(w *write, p *plan) ([]target, error) {
	symbols := make([]tuples.Symbol, len(w.bulk.words))
	for i, word := range w.bulk.words {
		var err error
		if symbols[i], err = p.names.symbol(word); err != nil {
			return nil, err
		}
	}
	nodes, err := w.bulk.nodes(p.names, symbols)
	if err != nil {
		return nil, err
	}
	targets := make([]target, len(w.bulk.rows))
	for i, row := range w.bulk.rows {
		targets[i] = target{index: i, key: forward.key(tuples.EdgeKey{
			Object: nodes[row.object], Relation: symbols[row.relation],
			Subject: nodes[row.subject], SubjectRelation: symbols[row.subjectRelation],
		})}
	}
	slices.SortFunc(targets, func(a, b target) int { return cmp.Or(compareTargets(a, b), a.index-b.index) })
	last := targets[:0]
	for i := range targets {
		if i+1 == len(targets) || targets[i].key != targets[i+1].key {
			last = append(last, targets[i])
		}
	}
	p.outcome.Same = len(targets) - len(last)
	return last, nil
}

// nodes returns the nodes of the objects, new ones for those that are new.
func (b *bulk) nodes(names *newNames, symbols []tuples.Symbol) ([]tuples.Node, error) {
	nodes := make([]tuples.Node, len(b.objects))
	bucket := names.draft.part(partIDs)
	var ids ahead
	var key []byte
	for i, o := range b.objects {
		t := symbols[b.types[i]]
		if i == 0 || o.Type != b.objects[i-1].Type { // symbols are in another order than types
			ids = ahead{cursor: bucket.Cursor()}
		}
		if o.ID == tuples.Wildcard {
			nodes[i] = tuples.WildcardNode(t)
			continue
		}
		key = append(binary.BigEndian.AppendUint16(key[:0], uint16(t)), o.ID...)
		ordinal := ids.find(key)
		var err error
		if ordinal != nil {
			nodes[i], err = decodeOrdinal(o, t, ordinal)
		} else {
			nodes[i], err = names.next(o, t)
		}
		if err != nil {
			return nil, err
		}
	}
	return nodes, nil
}
