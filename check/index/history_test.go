package index

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/usher-authz/usher/tuples"
)

// history is what an index is compared with: all tuples of every revision, in maps.
type history struct {
	mu        sync.RWMutex
	head      tuples.Revision
	revisions map[tuples.Revision]state
	nodes     map[tuples.Object]tuples.Node
	objects   map[tuples.Node]tuples.Object
}

type state map[tuples.EdgeKey]*tuples.Grant

func newHistory() *history {
	return &history{
		revisions: map[tuples.Revision]state{0: {}},
		nodes:     make(map[tuples.Object]tuples.Node),
		objects:   make(map[tuples.Node]tuples.Object),
	}
}

func (h *history) name(n tuples.Node, o tuples.Object) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.nodes[o], h.objects[n] = n, o
}

// commit makes a revision.
func (h *history) commit(revision tuples.Revision, changes []tuples.EdgeChange) {
	h.mu.Lock()
	defer h.mu.Unlock()
	next := maps.Clone(h.revisions[h.head])
	for _, c := range changes {
		if c.Op == tuples.OpDelete {
			delete(next, c.Key)
		} else {
			next[c.Key] = c.Grant
		}
	}
	h.head = revision
	h.revisions[revision] = next
}

// snapshot is a store's snapshot of a revision.
func (h *history) snapshot(revision tuples.Revision, now time.Time) *past {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return &past{history: h, state: h.revisions[revision], revision: revision, now: now}
}

// past is a snapshot that looks at every tuple there is.
type past struct {
	history  *history
	state    state
	revision tuples.Revision
	now      time.Time
	reads    int // of the graph
	closed   bool
}

func (p *past) Revision() tuples.Revision { return p.revision }
func (p *past) Time() time.Time           { return p.now }
func (p *past) Close()                    { p.closed = true }

func (p *past) Nodes(_ context.Context, objects []tuples.Object, nodes []tuples.Node) error {
	p.reads++
	p.history.mu.RLock()
	defer p.history.mu.RUnlock()
	for i, o := range objects {
		nodes[i] = p.history.nodes[o]
	}
	return nil
}

var errNoNode = errors.New("no such node")

func (p *past) Objects(_ context.Context, nodes []tuples.Node, objects []tuples.Object) error {
	p.reads++
	p.history.mu.RLock()
	defer p.history.mu.RUnlock()
	for i, n := range nodes {
		o, ok := p.history.objects[n]
		if !ok {
			return errNoNode
		}
		objects[i] = o
	}
	return nil
}

func (p *past) Edge(_ context.Context, key tuples.EdgeKey) (tuples.Edge, bool, error) {
	p.reads++
	grant, there := p.state[key]
	if !there || grant != nil && grant.ExpiredAt(p.now) {
		return tuples.Edge{}, false, nil
	}
	return tuples.Edge{Node: key.Subject, Grant: grant}, true, nil
}

func (p *past) EdgesFrom(_ context.Context, list tuples.SubjectsOf, after tuples.Node, buf []tuples.Edge) ([]tuples.Edge, error) {
	p.reads++
	return p.edges(func(k tuples.EdgeKey) (tuples.Node, bool) {
		return k.Subject, list == tuples.SubjectsOf{
			Object: k.Object, Relation: k.Relation, Type: k.Subject.Type(), SubjectRelation: k.SubjectRelation,
		}
	}, after, buf), nil
}

func (p *past) EdgesTo(_ context.Context, list tuples.ObjectsOf, after tuples.Node, buf []tuples.Edge) ([]tuples.Edge, error) {
	p.reads++
	return p.edges(func(k tuples.EdgeKey) (tuples.Node, bool) {
		return k.Object, list == tuples.ObjectsOf{
			Subject: k.Subject, SubjectRelation: k.SubjectRelation, Type: k.Object.Type(), Relation: k.Relation,
		}
	}, after, buf), nil
}

func (p *past) edges(selects func(tuples.EdgeKey) (tuples.Node, bool), after tuples.Node, buf []tuples.Edge) []tuples.Edge {
	var found []tuples.Edge
	for key, grant := range p.state {
		node, selected := selects(key)
		if selected && (after == 0 || node > after) && (grant == nil || !grant.ExpiredAt(p.now)) {
			found = append(found, tuples.Edge{Node: node, Grant: grant})
		}
	}
	slices.SortFunc(found, func(a, b tuples.Edge) int { return cmp.Compare(a.Node, b.Node) })
	return append(buf, found[:min(len(found), cap(buf)-len(buf))]...)
}

// readRow is what Read returns, to see that an index passes it on.
var readRow = tuples.Tuple{Key: tuples.Key{Relation: "read"}}

func (p *past) Read(context.Context, tuples.Filter, *tuples.Key, []tuples.Tuple) ([]tuples.Tuple, *tuples.Key, bool, error) {
	return []tuples.Tuple{readRow}, nil, false, nil
}

func (p *past) LastChange(context.Context, []tuples.Filter) (tuples.LastChange, error) {
	return tuples.LastChange{Revision: p.revision}, nil
}

func (p *past) EachName(_ context.Context, visit func(tuples.Node, tuples.Object) error) error {
	p.history.mu.RLock()
	defer p.history.mu.RUnlock()
	for _, node := range slices.Sorted(maps.Keys(p.history.objects)) {
		if err := visit(node, p.history.objects[node]); err != nil {
			return err
		}
	}
	return nil
}

func (p *past) EachEdge(_ context.Context, visit func(tuples.EdgeKey, *tuples.Grant) error) error {
	for _, key := range sortedKeys(p.state) {
		if err := visit(key, p.state[key]); err != nil {
			return err
		}
	}
	return nil
}
