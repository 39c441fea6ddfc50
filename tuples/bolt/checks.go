package bolt

import (
	"bytes"
	"fmt"

	"github.com/usher-authz/usher/tuples"
)

// maxTail bounds the revisions, and the mutations in them, that a read set is held
// against. A decision older than that is made again.
const maxTail = 10_000

func (d *draft) checkModel(c *tuples.Commit) error {
	if have := d.inForce(); c.InForce != "" && c.InForce != have {
		return fmt.Errorf("%w: model %s is in force now, the write was validated against %s", tuples.ErrConflict, have, c.InForce)
	}
	if c.NewModel != nil && d.part(partModelIDs).Get([]byte(c.NewModel.ID)) != nil {
		return tuples.Invalid("model.id", string(c.NewModel.ID), "is the id of another version", "make a new id")
	}
	return nil
}

// checkReadSet looks for changes of the lists that a decision rests on. Collected
// expiries are none: a tuple that was live when it was read bounds ValidUntil. Its
// cost is that of the changes since, however many lists there are: a Check reads up to
// millions, and every other write waits.
func (d *draft) checkReadSet(w *write) error {
	r := w.ReadSet
	if r == nil {
		return nil
	}
	if !r.ValidUntil.IsZero() && d.now >= r.ValidUntil.UnixMilli() {
		return fmt.Errorf("%w: a tuple that the decision rests on has expired", tuples.ErrConflict)
	}
	if r.Revision < d.state.oldest || r.Revision > d.state.head || d.state.head-r.Revision > maxTail {
		return fmt.Errorf("%w: the decision was made at revision %d, too far from %d", tuples.ErrConflict, r.Revision, d.state.head)
	}
	looked := 0
	log := d.part(partLog).Cursor()
	for key, value := log.Seek(number(r.Revision + 1)); key != nil && len(w.read) > 0; key, value = log.Next() {
		revision, c, err := decodeLog(key, value)
		if err != nil {
			return err
		}
		if c.cause == tuples.CauseExpired {
			continue
		}
		if err := d.checkUnread(w, c.mutations, revision, &looked); err != nil {
			return err
		}
	}
	if d.state.merging > r.Revision && len(w.read) > 0 {
		return d.checkUnmerged(w, looked)
	}
	return nil
}

// checkUnmerged is checkReadSet for what the log does not have yet of a large change.
func (d *draft) checkUnmerged(w *write, looked int) error {
	var next [1]mutation
	c := d.staged(forward).Cursor()
	for key, _ := c.First(); key != nil; key, _ = c.Next() {
		copy(next[0].key[:], key)
		if err := d.checkUnread(w, next[:], d.state.merging, &looked); err != nil {
			return err
		}
	}
	return nil
}

// checkUnread fails if mutations touch a list of the read set, or with those looked at
// before are too many. They come in the order of forward keys, so those of one list
// are neighbours.
func (d *draft) checkUnread(w *write, mutations []mutation, revision tuples.Revision, looked *int) error {
	var last []byte
	for i := range mutations {
		m := &mutations[i]
		if bytes.Equal(last, m.key[:8]) {
			continue
		}
		last = m.key[:8]
		edge := forward.edge(m.key[:])
		object, err := d.object(edge.Object)
		if err != nil {
			return err
		}
		list := tuples.Userset{Object: object, Relation: tuples.Relation(d.names.Name(edge.Relation))}
		if _, read := w.read[list]; read {
			return fmt.Errorf("%w: %s changed at revision %d", tuples.ErrConflict, list, revision)
		}
	}
	if *looked += len(mutations); *looked > maxTail {
		return fmt.Errorf("%w: more than %d tuples changed since revision %d", tuples.ErrConflict, maxTail, w.ReadSet.Revision)
	}
	return nil
}

func (d *draft) checkPreconditions(preconditions []tuples.Precondition) error {
	for i := range preconditions {
		p := &preconditions[i]
		var found *tuples.EdgeKey
		err := d.match(p.Filter, func(edge tuples.EdgeKey, _ grant) bool {
			found = &edge
			return false
		})
		switch {
		case err != nil:
			return tuples.Within(p.Field, err)
		case p.MustMatch && found == nil:
			return &tuples.PreconditionError{Field: p.Field, Reason: "no tuple matches " + p.Filter.String()}
		case !p.MustMatch && found != nil:
			key, err := d.key(*found)
			if err != nil {
				return err
			}
			return &tuples.PreconditionError{Field: p.Field, Reason: fmt.Sprintf("tuple %s matches %s", key, p.Filter)}
		}
	}
	return nil
}

// match visits the live tuples that a filter selects until visit returns false. It
// fails with an InvalidError when the filters of the commit have looked at too many rows.
func (d *draft) match(f tuples.Filter, visit func(edge tuples.EdgeKey, g grant) bool) error {
	sel, err := d.choose(f)
	if err != nil || sel.empty {
		return err
	}
	w, most := d.walk(sel.order, sel.prefix), d.group.db.limits.scanned
	for ; w.key != nil && bytes.HasPrefix(w.key, sel.prefix); w = d.goOn(w, &sel) {
		if d.scanned++; d.scanned > most {
			return tuples.Invalid("filter", f.String(), fmt.Sprintf("has, with the filters before it, more than %d tuples to look through", most),
				"name an object, a subject, or a rarer type")
		}
		edge := sel.order.edge(w.key)
		if w.row == nil || !sel.matches(edge) {
			continue
		}
		g, expired, err := d.grantOf(sel.order, w.key, w.row)
		if err != nil {
			return err
		}
		if !expired && sel.takes(g) && !visit(edge, g) {
			break
		}
	}
	return w.err
}
