package check

import (
	"cmp"
	"context"
	"slices"
	"sort"

	"github.com/usher-authz/usher/tuples"
)

// overlay holds the contextual tuples of a request in interned form. Each hides
// the stored tuple of its key.
type overlay struct {
	edges map[tuples.EdgeKey]contextual
	from  map[tuples.SubjectsOf][]tuples.Edge // sorted by node, hidden ones included
	to    map[tuples.ObjectsOf][]tuples.Edge
}

type contextual struct {
	grant   *tuples.Grant
	visible bool // not expired at the snapshot's time
}

// expired marks, by address, the edges of contextual tuples that hide a stored
// tuple without being there themselves.
var expired = &tuples.Grant{}

// layOver interns the contextual tuples of a request. Of two with the same key the
// later counts.
func (g *graph) layOver(ctx context.Context, contextuals []tuples.Tuple) error {
	o := &overlay{
		edges: make(map[tuples.EdgeKey]contextual, len(contextuals)),
		from:  make(map[tuples.SubjectsOf][]tuples.Edge),
		to:    make(map[tuples.ObjectsOf][]tuples.Edge),
	}
	for i := range contextuals {
		t := &contextuals[i]
		key, err := g.edgeKey(ctx, t.Key)
		if err != nil {
			return err
		}
		c := contextual{visible: !t.ExpiredAt(g.snapshot.Time())}
		if !t.Grant.IsZero() {
			c.grant = &t.Grant
		}
		o.edges[key] = c
	}
	for key, c := range o.edges {
		o.insert(key, c)
	}
	for _, list := range o.from {
		slices.SortFunc(list, byNode)
	}
	for _, list := range o.to {
		slices.SortFunc(list, byNode)
	}
	g.overlay = o
	return nil
}

func (g *graph) edgeKey(ctx context.Context, k tuples.Key) (tuples.EdgeKey, error) {
	object, err := g.node(ctx, k.Object)
	if err != nil {
		return tuples.EdgeKey{}, err
	}
	subject, err := g.node(ctx, k.Subject.Object())
	if err != nil {
		return tuples.EdgeKey{}, err
	}
	return tuples.EdgeKey{
		Object:          object,
		Relation:        g.relation(k.Object.Type, k.Relation),
		Subject:         subject,
		SubjectRelation: g.relation(k.Subject.Type, k.Subject.Relation),
	}, nil
}

// relation returns the symbol of a relation, 0 if the model has none of that name.
func (g *graph) relation(t tuples.ObjectType, r tuples.Relation) tuples.Symbol {
	if step := g.program.Relation(t, r); step != nil {
		return step.Relation
	}
	return 0
}

func (o *overlay) insert(key tuples.EdgeKey, c contextual) {
	grant := c.grant
	if !c.visible {
		grant = expired
	}
	from := tuples.SubjectsOf{
		Object: key.Object, Relation: key.Relation,
		Type: key.Subject.Type(), SubjectRelation: key.SubjectRelation,
	}
	o.from[from] = append(o.from[from], tuples.Edge{Node: key.Subject, Grant: grant})
	to := tuples.ObjectsOf{
		Subject: key.Subject, SubjectRelation: key.SubjectRelation,
		Type: key.Object.Type(), Relation: key.Relation,
	}
	o.to[to] = append(o.to[to], tuples.Edge{Node: key.Object, Grant: grant})
}

func byNode(a, b tuples.Edge) int { return cmp.Compare(a.Node, b.Node) }

// edge returns the contextual tuple of a key, whether it counts, and whether there is one.
func (o *overlay) edge(key tuples.EdgeKey) (edge tuples.Edge, visible, ok bool) {
	c, ok := o.edges[key]
	return tuples.Edge{Node: key.Subject, Grant: c.grant}, c.visible, ok
}

func (o *overlay) mergeFrom(list tuples.SubjectsOf, after tuples.Node, page []tuples.Edge) []tuples.Edge {
	return merge(o.from[list], after, page)
}

func (o *overlay) mergeTo(list tuples.ObjectsOf, after tuples.Node, page []tuples.Edge) []tuples.Edge {
	return merge(o.to[list], after, page)
}

// merge lays contextual edges over a page of stored ones and keeps the page's
// promise: ascending, and as long as its capacity unless nothing follows. Hidden
// edges stay in the page as places, so that it is never short; their grant is [expired].
func merge(over []tuples.Edge, after tuples.Node, page []tuples.Edge) []tuples.Edge {
	start := sort.Search(len(over), func(i int) bool { return over[i].Node > after })
	over = over[start:]
	if len(over) == 0 {
		return page
	}
	limit, full := cap(page), len(page) == cap(page)
	merged := make([]tuples.Edge, 0, limit)
	for len(merged) < limit && (len(page) > 0 || len(over) > 0 && !full) {
		switch {
		case len(over) == 0 || len(page) > 0 && page[0].Node < over[0].Node:
			merged, page = append(merged, page[0]), page[1:]
		case len(page) > 0 && page[0].Node == over[0].Node:
			merged, page, over = append(merged, over[0]), page[1:], over[1:]
		default:
			merged, over = append(merged, over[0]), over[1:]
		}
	}
	return merged
}
