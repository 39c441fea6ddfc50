package bolt

import (
	"errors"
	"fmt"
	"slices"

	"github.com/usher-authz/usher/tuples"
)

// effect is what a commit does to one tuple.
type effect struct {
	mutation
	old []byte // the live row that it supersedes, nil if there is none
}

// plan is a commit that was accepted: what it will write, in the order of forward keys.
type plan struct {
	names   *newNames
	effects []effect
	// expired are live rows that have expired but were not yet collected, and that the
	// effects replace. They get a change of their own before, with cause expired.
	expired []effect
	outcome tuples.Committed
}

// target is a mutation of the request, by its key.
type target struct {
	key   edgeKey
	index int
}

func compareTargets(a, b target) int { return compareKeys(&a.key, &b.key) }

// plan resolves a commit's mutations and finds out what each of them changes.
func (d *draft) plan(w *write) (*plan, error) {
	p := &plan{names: d.newNames()}
	targets, err := d.targets(w, p)
	if err != nil {
		return nil, err
	}
	if err := d.planMutations(w, p, targets); err != nil {
		return nil, err
	}
	if w.Delete != nil {
		if err := d.planDelete(w.Delete, p, targets); err != nil {
			return nil, err
		}
	}
	if w.Erase != nil || w.Undo != nil {
		if err := d.planSource(newSource(w), p); err != nil {
			return nil, err
		}
	}
	if w.NewModel != nil {
		for _, name := range w.NewModel.Symbols {
			if _, err := p.names.symbol(name); err != nil {
				return nil, err
			}
		}
	}
	return p, nil
}

// targets resolves the mutations, in the order of their keys, and refuses two of one key
// unless they are a bulk.
func (d *draft) targets(w *write, p *plan) ([]target, error) {
	if w.bulk != nil {
		return d.bulkTargets(w, p)
	}
	targets := make([]target, 0, len(w.Mutations))
	for i := range w.Mutations {
		if m := &w.Mutations[i]; m.Op != tuples.OpDelete {
			edge, err := p.names.edge(m.Tuple.Key)
			if err != nil {
				return nil, tuples.Within(updateField(i), err)
			}
			targets = append(targets, target{key: forward.key(edge), index: i})
		}
	}
	targets, err := d.deleteTargets(w, p, targets)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(targets, compareTargets)
	for i := 1; i < len(targets); i++ {
		if targets[i-1].key == targets[i].key {
			return nil, duplicate(w, targets[i-1].index, targets[i].index)
		}
	}
	return targets, nil
}

// deleteTargets appends the deletes. Those of tuples that cannot be there, for want of
// a name, are counted and left out.
func (d *draft) deleteTargets(w *write, p *plan, targets []target) ([]target, error) {
	unknown := map[tuples.Key]int{}
	for i := range w.Mutations {
		m := &w.Mutations[i]
		if m.Op != tuples.OpDelete {
			continue
		}
		edge, ok, err := d.edgeKey(m.Tuple.Key)
		if err != nil {
			return nil, err
		}
		if ok {
			targets = append(targets, target{key: forward.key(edge), index: i})
			continue
		}
		if first, twice := unknown[m.Tuple.Key]; twice {
			return nil, duplicate(w, first, i)
		}
		unknown[m.Tuple.Key] = i
		p.outcome.Same++
	}
	if len(unknown) > 0 {
		for i := range w.Mutations {
			if first, there := unknown[w.Mutations[i].Tuple.Key]; there && first != i {
				return nil, duplicate(w, first, i)
			}
		}
	}
	return targets, nil
}

// updateField is the path of a mutation's tuple in the request.
func updateField(index int) string { return fmt.Sprintf("updates[%d].tuple", index) }

func duplicate(w *write, a, b int) error {
	first, second := min(a, b), max(a, b)
	return tuples.Invalid(updateField(second), w.Mutations[second].Tuple.Key.String(),
		fmt.Sprintf("is the tuple of updates[%d] too", first), "send one update for each tuple")
}

func (d *draft) planMutations(w *write, p *plan, targets []target) error {
	var exists *tuples.ExistsError
	p.effects = make([]effect, 0, len(targets))
	rows := d.rowsAhead()
	for _, t := range targets {
		m := &w.Mutations[t.index]
		row, err := rows.row(&t.key)
		if err != nil {
			return err
		}
		e, had, err := d.effectOn(p, mutation{op: m.Op, key: t.key, grant: w.grants[t.index]}, row)
		if err != nil {
			return err
		}
		if m.Op == tuples.OpCreate && e.old != nil {
			if exists == nil || t.index < exists.Index {
				exists = &tuples.ExistsError{Index: t.index, Key: m.Tuple.Key}
			}
			continue
		}
		p.add(e, had)
	}
	if exists != nil {
		return exists
	}
	rows.pack()
	return nil
}

// effect finds the tuple that a mutation is about, and what it grants.
func (d *draft) effect(p *plan, m mutation) (e effect, had grant, err error) {
	row, err := d.row(forward, m.key[:])
	if err != nil {
		return effect{mutation: m}, nil, err
	}
	return d.effectOn(p, m, row)
}

// effectOn is effect where the tuple's row was found, nil for none. One that has expired but
// was not collected yet counts as absent; if the mutation puts another into its place, the
// plan has it collected before.
func (d *draft) effectOn(p *plan, m mutation, row []byte) (e effect, had grant, err error) {
	e.mutation, e.old = m, row
	if row == nil {
		return e, nil, nil
	}
	if _, had, err = splitRow(e.old); err != nil || !had.expiredAt(d.now) {
		return e, had, err
	}
	if m.op != tuples.OpDelete {
		p.expired = append(p.expired, effect{mutation{tuples.OpDelete, m.key, had}, e.old})
	}
	e.old = nil
	return e, nil, nil
}

// add counts an effect on a tuple that had a grant, and keeps it unless it changes nothing.
func (p *plan) add(e effect, had grant) {
	switch e.op = e.over(had); e.op {
	case tuples.OpDelete:
		e.grant = had
		p.outcome.Deleted++
	case tuples.OpCreate:
		p.outcome.Created++
	case tuples.OpTouch:
		p.outcome.Updated++
	default:
		p.outcome.Same++
		return
	}
	p.effects = append(p.effects, e)
}

// errLarge says that a commit means more tuples than one transaction may write.
var errLarge = errors.New("too many tuples for one transaction")

// planSource adds what a source finds; errLarge if that is too much.
func (d *draft) planSource(src source, p *plan) error {
	var found []mutation
	done, err := src.scan(&piece{view: &d.view, rows: d.group.db.limits.whole, found: func(m mutation) { found = append(found, m) }})
	if err == nil && !done {
		err = errLarge
	}
	if err == nil {
		err = d.addFound(p, found)
	}
	if err == nil {
		err = src.count(&d.view, &p.outcome)
	}
	return err
}

// planDelete adds the deletes of a filter. A tuple that a mutation names is left to it.
func (d *draft) planDelete(del *tuples.DeleteMatching, p *plan, targets []target) error {
	var found []mutation
	err := d.match(del.Filter, func(edge tuples.EdgeKey, g grant) bool {
		key := forward.key(edge)
		if _, named := slices.BinarySearchFunc(targets, target{key: key}, compareTargets); named {
			return true
		}
		if len(found) == del.Limit {
			p.outcome.More = true
			return false
		}
		found = append(found, mutation{op: tuples.OpDelete, key: key, grant: g})
		return true
	})
	var tooMany *tuples.InvalidError
	switch {
	case errors.As(err, &tooMany) && del.Partial && len(found) > 0:
		p.outcome.More = true
	case err != nil:
		return err
	case p.outcome.More && !del.Partial:
		return tuples.Invalid("filter", del.Filter.String(), fmt.Sprintf("selects more than %d tuples", del.Limit),
			"narrow the filter, raise the limit, or allow a partial delete")
	}
	return d.addFound(p, found)
}

// addFound adds mutations of tuples that were found in no order.
func (d *draft) addFound(p *plan, found []mutation) error {
	for _, m := range found {
		if m.op == 0 {
			continue
		}
		e, had, err := d.effect(p, m)
		if err != nil {
			return err
		}
		p.add(e, had)
	}
	sortEffects(p.effects)
	sortEffects(p.expired)
	return nil
}

func sortEffects(effects []effect) {
	slices.SortFunc(effects, func(a, b effect) int { return compareKeys(&a.key, &b.key) })
}
