package server

import (
	"context"

	"github.com/usher-authz/usher/tuples"
)

// newlyGiven tells of each mutation whether it is a create of a tuple whose subject is
// new to its object: before the revision no tuple named it there, with whatever relation
// (B6, D10). A tuple that had expired when it was written gives nothing. The state before is read as it was at the time of the change, so that what
// had expired by then does not count.
func (w *watch) newlyGiven(ctx context.Context, c *tuples.Change, mutations []tuples.Mutation) ([]bool, error) {
	newly := make([]bool, len(mutations))
	var creates []int
	var objects []tuples.Object
	for i, m := range mutations {
		if m.Op == tuples.OpCreate && !m.Tuple.ExpiredAt(c.Time) {
			newly[i] = true
			creates, objects = append(creates, i), append(objects, m.Tuple.Object, m.Tuple.Subject.Object())
		}
	}
	if len(creates) == 0 || c.Revision == 1 { // before the first nobody had anything
		return newly, nil
	}
	before, err := w.open(ctx, tuples.At{Revision: c.Revision - 1, Time: c.Time})
	if err != nil {
		return nil, err
	}
	defer before.close()
	nodes := make([]tuples.Node, len(objects))
	if err := before.snapshot.Nodes(ctx, objects, nodes); err != nil {
		return nil, err
	}
	for i, create := range creates {
		subject := mutations[create].Tuple.Subject
		had, err := before.related(ctx, nodes[2*i], nodes[2*i+1], w.store.Symbols().Lookup(string(subject.Relation)))
		if err != nil {
			return nil, err
		}
		newly[create] = !had
	}
	return newly, nil
}

// related reports whether a subject has any relation to an object by a tuple of its own.
// It asks for every name there is, since earlier models may have had relations that
// today's lacks: a lookup each is cheap, and a list can be long.
func (v view) related(ctx context.Context, object, subject tuples.Node, subjectRelation tuples.Symbol) (bool, error) {
	key := tuples.EdgeKey{Object: object, Subject: subject, SubjectRelation: subjectRelation}
	for n := v.store.Symbols().Len(); n > 0; n-- {
		key.Relation = tuples.Symbol(n)
		if _, there, err := v.snapshot.Edge(ctx, key); err != nil || there {
			return there, err
		}
	}
	return false, nil
}
