package check

import (
	"context"
	"slices"
	"strings"

	"github.com/usher-authz/usher/tuples"
)

// Stretch is a piece of a list as far as a walk decides it: the candidates behind a place,
// sorted. It holds nothing of its request's own, so that a later page goes on with it in
// another, of the same question, model, revision, clock reading, context and contextual
// tuples. It is immutable.
type Stretch struct {
	after      tuples.ID   // the candidates are those behind it,
	candidates []candidate // sorted bytewise by id,
	last       bool        // and all of them
	rest       []int       // the operands of the question's step that even sure candidates depend on
	wildcard   standing    // of a list of subjects: whether everybody is a candidate
}

// candidate is an object or subject that may belong to a list.
type candidate struct {
	id tuples.ID
	// node is 0 for an object that the store has never seen: those have numbers in one request.
	node tuples.Node
	// standing and causes are what the walk knows, but for the rest of the operands.
	standing standing
	causes   *causes // of one that is open
}

// standing is what a walk knows of a candidate.
type standing uint8

const (
	absent   standing = iota
	doubtful          // only a Check knows
	pended            // it is open, with causes
	certain           // it belongs to the list
)

// value returns what the walk knows of the candidate, which is not doubtful.
func (c *candidate) value() value {
	if c.standing == certain {
		return value{truth: yes}
	}
	return value{truth: open, causes: c.causes}
}

const (
	sizeOfStretch   = 128
	sizeOfCandidate = 40
)

// Bytes estimates the memory that the stretch takes.
func (s *Stretch) Bytes() int {
	n := sizeOfStretch + cap(s.candidates)*sizeOfCandidate
	for i := range s.candidates {
		n += len(s.candidates[i].id)
	}
	return n
}

// has reports whether what lies behind a place begins in the stretch.
func (s *Stretch) has(after tuples.ID) bool {
	if s == nil || after < s.after {
		return false
	}
	n := len(s.candidates)
	return s.last || n > 0 && after < s.candidates[n-1].id
}

// behind returns the candidates behind a place.
func (s *Stretch) behind(after tuples.ID) []candidate {
	from, found := slices.BinarySearchFunc(s.candidates, after, func(c candidate, id tuples.ID) int {
		return strings.Compare(string(c.id), string(id))
	})
	if found {
		from++
	}
	return s.candidates[from:]
}

// stretch names the objects of a set, and returns the first behind a place, most of them at
// least if there are so many.
func (e *Evaluator) stretch(ctx context.Context, t tuples.Symbol, set *nodeSet, after tuples.ID, most int) (*Stretch, error) {
	f := &e.listRoom().first
	f.begin(after, most, set.count())
	err := set.inOrder(&f.inOrder, func(w *word) error { // neighbours lie together on disk
		return w.nodes(t, w.reached, func(node tuples.Node, bit uint64) error {
			f.nodes = append(f.nodes, node)
			f.known = append(f.known, set.candidate(node, w.sure&bit != 0))
			if len(f.nodes) < namesPerRead {
				return nil
			}
			return f.take(ctx, &e.graph)
		})
	})
	if err == nil {
		err = f.take(ctx, &e.graph)
	}
	if err != nil {
		return nil, err
	}
	candidates := f.found()
	return &Stretch{after: after, candidates: candidates, last: !f.more}, nil
}

// candidate returns what is known of an object, without its id. A failed condition is left
// to a Check, for it names nodes.
func (s *nodeSet) candidate(node tuples.Node, sure bool) candidate {
	c := candidate{node: node, standing: doubtful}
	if node.Ordinal() >= tuples.FirstTransient {
		c.node = 0
	}
	if sure {
		c.standing = certain
	} else if why := s.open[node.Ordinal()]; why != nil && why.failed == nil {
		c.standing, c.causes = pended, why
	}
	return c
}

// nodeOf returns the node of a candidate of a type.
func (g *graph) nodeOf(ctx context.Context, t tuples.ObjectType, c *candidate) (tuples.Node, error) {
	if c.node != 0 {
		return c.node, nil
	}
	return g.node(ctx, tuples.Object{Type: t, ID: c.id})
}

// name fills names with those of nodes.
func (g *graph) name(ctx context.Context, nodes []tuples.Node, names []tuples.Object) error {
	if len(g.unseen) == 0 {
		return g.snapshot.Objects(ctx, nodes, names)
	}
	objects, err := g.objects(ctx, nodes)
	copy(names, objects)
	return err
}
