package bolt

import (
	"bytes"
	"errors"

	"github.com/usher-authz/usher/tuples"
)

// eraser is the [source] of an erase. It works through a queue of nodes, the objects to
// erase: of each it looks at the tuples that have it as object, then at those that have it
// as subject. A tuple of the latter that puts its object into the node puts the
// object into the queue.
type eraser struct {
	erase   *tuples.Erase
	along   []containment         // of the view under way
	unknown []tuples.Object       // of those named: the store has not seen them so far
	roots   map[tuples.Node]bool  // the others
	inside  map[tuples.Symbol]int // how many objects lie in them, by type

	// nodes are the objects to erase, and whether all tuples of each were looked at.
	nodes map[tuples.Node]bool
	queue []tuples.Node // those of nodes that are not done
	order order         // of the first of the queue, and where to go on in it
	from  []byte
}

// containment is a [tuples.Containment] in interned form.
type containment struct {
	kind     tuples.Symbol // 0 for every type
	relation tuples.Symbol
}

func newEraser(erase *tuples.Erase) *eraser {
	return &eraser{
		erase: erase, unknown: erase.Objects,
		roots: map[tuples.Node]bool{}, inside: map[tuples.Symbol]int{}, nodes: map[tuples.Node]bool{},
	}
}

// scan implements [source]. A tuple between two objects to erase is found at the one that
// is looked at first.
func (e *eraser) scan(p *piece) (done bool, err error) {
	if err := e.resolve(p.view); err != nil {
		return false, err
	}
	for len(e.queue) > 0 {
		if p.rows <= 0 {
			return false, nil
		}
		if err := e.look(p); err != nil {
			return false, err
		}
	}
	return true, nil
}

// resolve finds the nodes and symbols of the names that the store knows. It may get to
// know more of them before the next piece.
func (e *eraser) resolve(v *view) error {
	e.along = e.along[:0]
	for _, c := range e.erase.Along {
		kind, relation := v.names.Lookup(string(c.Type)), v.names.Lookup(string(c.Relation))
		if relation != 0 && (kind != 0 || c.Type == "") {
			e.along = append(e.along, containment{kind, relation})
		}
	}
	var unknown []tuples.Object
	for _, o := range e.unknown {
		n, err := v.node(o)
		if err != nil {
			return err
		}
		if n == 0 {
			unknown = append(unknown, o)
		} else if e.add(n) {
			e.roots[n] = true
		}
	}
	e.unknown = unknown
	return nil
}

// add puts a node into the queue, and reports whether it was not there before.
func (e *eraser) add(n tuples.Node) bool {
	if _, known := e.nodes[n]; known {
		return false
	}
	e.nodes[n] = false
	e.queue = append(e.queue, n)
	return true
}

// enter takes in an object that lies in one to erase.
func (e *eraser) enter(n tuples.Node) {
	if e.add(n) {
		e.inside[n.Type()]++
	}
}

// holds reports whether a tuple puts its object into its subject.
func (e *eraser) holds(edge tuples.EdgeKey) bool {
	if edge.SubjectRelation != 0 {
		return false
	}
	for _, c := range e.along {
		if c.relation == edge.Relation && (c.kind == 0 || c.kind == edge.Object.Type()) {
			return true
		}
	}
	return false
}

// look goes on with the first node of the queue in one order.
func (e *eraser) look(p *piece) error {
	node := e.queue[0]
	prefix := nodeKey(node)
	p.rows-- // for the seek
	w := p.walk(e.order, append(prefix[:nodeLen:nodeLen], e.from...))
	for ; w.key != nil && bytes.HasPrefix(w.key, prefix); w.next() {
		if p.rows--; p.rows < 0 {
			e.from = bytes.Clone(w.key[nodeLen:])
			return nil
		}
		if w.row == nil {
			continue
		}
		g, expired, err := p.grantOf(e.order, w.key, w.row)
		if err != nil {
			return err
		}
		if !expired {
			e.visit(p, node, e.order.edge(w.key), g)
		}
	}
	if e.from = nil; e.order == forward {
		e.order = reverse
	} else {
		e.nodes[node] = true
		e.order, e.queue = forward, e.queue[1:]
	}
	return w.err
}

// visit takes in a tuple that names the node under way.
func (e *eraser) visit(p *piece, node tuples.Node, edge tuples.EdgeKey, g grant) {
	other := edge.Subject
	if e.order == reverse {
		if other = edge.Object; other == node {
			return // found as its object
		}
		if e.holds(edge) {
			e.enter(edge.Object)
		}
	}
	if !e.nodes[other] {
		p.found(mutation{op: tuples.OpDelete, key: forward.key(edge), grant: g})
	}
}

// errMoved says that an object that was found to be inside is so no more.
var errMoved = errors.New("an object was moved out of one that is being erased")

// follow implements [source].
func (e *eraser) follow(p *piece, mutations []mutation) error {
	if err := e.resolve(p.view); err != nil {
		return err
	}
	for i := range mutations {
		m := &mutations[i]
		edge := forward.edge(m.key[:])
		_, object := e.nodes[edge.Object]
		_, subject := e.nodes[edge.Subject]
		inside := subject && e.holds(edge)
		switch {
		case m.op == tuples.OpDelete && object && inside:
			return errMoved
		case m.op == tuples.OpDelete:
			p.found(mutation{key: m.key})
		case object || subject:
			if inside {
				e.enter(edge.Object)
			}
			p.found(mutation{op: tuples.OpDelete, key: m.key, grant: m.grant})
		}
	}
	return nil
}

// count implements [source]. What lies in an object is named by the tuple that says so;
// an object of the request may be named by none.
func (e *eraser) count(v *view, outcome *tuples.Committed) error {
	objects := map[tuples.ObjectType]int{}
	for kind, n := range e.inside {
		objects[tuples.ObjectType(v.names.Name(kind))] = n
	}
	for node := range e.roots {
		named, err := v.named(forward, node)
		if err == nil && !named {
			named, err = v.named(reverse, node)
		}
		if err != nil {
			return err
		}
		if named {
			objects[tuples.ObjectType(v.names.Name(node.Type()))]++
		}
	}
	if len(objects) > 0 {
		outcome.Objects = objects
	}
	return nil
}

// named reports whether a tuple has the node on the left side of its key.
func (v *view) named(o order, node tuples.Node) (bool, error) {
	prefix := nodeKey(node)
	w := v.walk(o, prefix)
	for ; w.key != nil && bytes.HasPrefix(w.key, prefix); w.next() {
		if w.row == nil {
			continue
		}
		if _, expired, err := v.grantOf(o, w.key, w.row); err != nil || !expired {
			return err == nil, err
		}
	}
	return false, w.err
}
