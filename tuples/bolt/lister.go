package bolt

import "github.com/usher-authz/usher/tuples"

// lister is the [source] of mutations too many for one transaction.
//
// The names of its tuples are added piece by piece, those of deletes too. They stay if the
// commit fails in the end; no tuple has them then.
type lister struct {
	*write
	next    int             // of the mutations
	indexes map[edgeKey]int // of those before, by their tuples
	unknown map[tuples.Key]int
	exists  error // of the first create of a tuple that is there
}

func newLister(w *write) *lister {
	return &lister{write: w, indexes: make(map[edgeKey]int, len(w.Mutations)), unknown: map[tuples.Key]int{}}
}

// scan implements [source].
func (l *lister) scan(p *piece) (done bool, err error) {
	for ; l.next < len(l.Mutations); l.next++ {
		if p.rows--; p.rows < 0 {
			return false, nil
		}
		if err := l.take(p, l.next); err != nil {
			return false, err
		}
	}
	return true, l.exists
}

// take looks at one mutation.
func (l *lister) take(p *piece, index int) error {
	m := &l.Mutations[index]
	edge, known, err := p.edge(m.Tuple.Key)
	if err != nil {
		return tuples.Within(updateField(index), err)
	}
	if !known { // in a dry run: the tuple cannot be there
		if first, twice := l.unknown[m.Tuple.Key]; twice {
			return duplicate(l.write, first, index)
		}
		l.unknown[m.Tuple.Key] = index
		p.found(mutation{op: (&mutation{op: m.Op}).over(nil)})
		return nil
	}
	key := forward.key(edge)
	if first, twice := l.indexes[key]; twice {
		return duplicate(l.write, first, index)
	}
	l.indexes[key] = index
	return l.want(p, key, index)
}

// edge returns a tuple's key in interned form, with new names if the piece takes them.
func (p *piece) edge(k tuples.Key) (edge tuples.EdgeKey, known bool, err error) {
	if p.names == nil {
		return p.edgeKey(k)
	}
	edge, err = p.names.edge(k)
	return edge, true, err
}

// want finds what a mutation changes.
func (l *lister) want(p *piece, key edgeKey, index int) error {
	had, err := p.current(key[:])
	if err != nil {
		return err
	}
	m := mutation{op: l.Mutations[index].Op, key: key, grant: l.grants[index]}
	if m.op == tuples.OpCreate && had != nil {
		if l.exists == nil {
			l.exists = &tuples.ExistsError{Index: index, Key: l.Mutations[index].Tuple.Key}
		}
		return nil
	}
	m.op = m.over(had)
	p.found(m)
	return nil
}

// follow implements [source].
func (l *lister) follow(p *piece, mutations []mutation) error {
	for i := range mutations {
		key := mutations[i].key
		if index, ours := l.indexes[key]; ours {
			if err := l.want(p, key, index); err != nil {
				return err
			}
		}
	}
	return nil
}

// count implements [source].
func (l *lister) count(_ *view, outcome *tuples.Committed) error {
	outcome.Same = len(l.Mutations) - outcome.Created - outcome.Updated - outcome.Deleted
	return nil
}
