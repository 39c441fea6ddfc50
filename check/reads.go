package check

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/usher-authz/usher/tuples"
)

// readSet collects what answers rest on: tuples that were asked for by their key, and
// lists that were read, which can be the lists of one kind of subject.
type readSet struct {
	edges      map[tuples.EdgeKey]struct{}
	lists      map[tuples.SubjectsOf]struct{}
	validUntil time.Time
}

func (r *readSet) edge(key tuples.EdgeKey) {
	if r != nil {
		r.edges[key] = struct{}{}
	}
}

func (r *readSet) list(list tuples.SubjectsOf) {
	if r != nil {
		r.lists[list] = struct{}{}
	}
}

func (r *readSet) saw(grant *tuples.Grant) {
	if r == nil || grant == nil || grant.Expires.IsZero() {
		return
	}
	if r.validUntil.IsZero() || grant.Expires.Before(r.validUntil) {
		r.validUntil = grant.Expires
	}
}

// TrackReads makes the evaluator remember what its answers rest on, from now on.
func (e *Evaluator) TrackReads() {
	e.graph.reads = &readSet{
		edges: make(map[tuples.EdgeKey]struct{}),
		lists: make(map[tuples.SubjectsOf]struct{}),
	}
}

// ReadSet returns what the answers since [Evaluator.TrackReads] rest on, for a
// write that must not happen if it has changed (design: a Check precondition).
func (e *Evaluator) ReadSet(ctx context.Context) (*tuples.ReadSet, error) {
	reads := e.graph.reads
	type list struct {
		object   tuples.Node
		relation tuples.Symbol
	}
	lists := make(map[list]struct{})
	for key := range reads.edges {
		lists[list{key.Object, key.Relation}] = struct{}{}
	}
	for read := range reads.lists {
		lists[list{read.Object, read.Relation}] = struct{}{}
	}
	nodes := make([]tuples.Node, 0, len(lists))
	relations := make([]tuples.Symbol, 0, len(lists))
	for list := range lists {
		nodes, relations = append(nodes, list.object), append(relations, list.relation)
	}
	objects, err := e.graph.objects(ctx, nodes)
	if err != nil {
		return nil, err
	}
	set := &tuples.ReadSet{
		Revision:   e.request.Snapshot.Revision(),
		ValidUntil: reads.validUntil,
		Lists:      make([]tuples.Userset, len(objects)),
	}
	for i, object := range objects {
		set.Lists[i] = tuples.Userset{Object: object, Relation: tuples.Relation(e.request.Program.Name(relations[i]))}
	}
	slices.SortFunc(set.Lists, func(a, b tuples.Userset) int { return strings.Compare(a.String(), b.String()) })
	return set, nil
}

// Reads returns the same in full, as filters that match the keys of all tuples the
// answers rest on, there or not: while none of these comes, changes or goes, an evaluator
// of the same model, subject and context gives the same answers (TraceAccess).
func (e *Evaluator) Reads(ctx context.Context) ([]tuples.Filter, error) {
	filters := make([]tuples.Filter, 0, len(e.graph.reads.edges)+len(e.graph.reads.lists))
	for key := range e.graph.reads.edges {
		named, err := e.key(ctx, key)
		if err != nil {
			return nil, err
		}
		filters = append(filters, named.Filter())
	}
	for list := range e.graph.reads.lists {
		objects, err := e.graph.objects(ctx, []tuples.Node{list.Object})
		if err != nil {
			return nil, err
		}
		subjectRelation := tuples.Relation(e.request.Program.Name(list.SubjectRelation))
		filters = append(filters, tuples.Filter{
			ObjectType: objects[0].Type, ObjectID: objects[0].ID,
			Relation:        tuples.Relation(e.request.Program.Name(list.Relation)),
			SubjectType:     tuples.ObjectType(e.request.Program.Name(list.Type)),
			SubjectRelation: &subjectRelation,
		})
	}
	return filters, nil
}

// Left is what is left of the work budget.
func (e *Evaluator) Left() int { return max(e.graph.budget, 0) }
