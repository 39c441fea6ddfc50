package check

import (
	"context"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// way is one way into a union: a tuple, an atom, or a tuple that leads to an atom.
type way struct {
	tuple *tuples.EdgeKey
	grant *tuples.Grant
	guard value
	node  tuples.Node
	step  *model.Step // nil if the tuple names the subject itself
	rule  string
}

// union explains a union: if it holds by the first way whose own proof is older, so
// that no proof rests on itself; else by all ways.
func (x *explainer) union(ctx context.Context, i int32, r *Reason) error {
	ways, err := x.ways(ctx, i)
	if err != nil {
		return err
	}
	for _, w := range ways {
		child, err := x.way(ctx, i, w)
		if err != nil {
			return err
		}
		r.append(child)
		if child == nil {
			return nil
		}
	}
	return nil
}

// proves reports whether a way alone makes the atom hold.
func (x *explainer) proves(w way, i int32) bool {
	if w.guard.truth != yes {
		return false
	}
	if w.step == nil || x.solver.subject.is(w.node, w.step) {
		return true
	}
	child, visited := x.solver.index[atomKey{w.node, w.step.ID}]
	if !visited {
		return false
	}
	a, own := &x.solver.atoms[child], &x.solver.atoms[i]
	return a.value.truth == yes && a.proof < own.proof
}

// way explains one way.
func (x *explainer) way(ctx context.Context, i int32, w way) (*Reason, error) {
	if w.tuple == nil {
		return x.atom(ctx, w.node, w.step)
	}
	v := w.guard
	if w.step != nil {
		reached, err := x.solver.solve(ctx, w.node, w.step)
		if err != nil {
			return nil, err
		}
		v = reached.and(w.guard)
	}
	a := &x.solver.atoms[i]
	r, err := x.reason(ctx, a.node, a.step.Relation, w.rule, v)
	if r == nil || err != nil {
		return nil, err
	}
	key, err := x.evaluator.key(ctx, *w.tuple)
	if err != nil {
		return nil, err
	}
	r.Tuple = &tuples.Tuple{Key: key}
	if w.grant != nil {
		r.Tuple.Grant = *w.grant
	}
	if w.guard.truth == no {
		r.Note = noteUnmet
		return r, nil
	}
	if w.step != nil {
		child, err := x.atom(ctx, w.node, w.step)
		if err != nil {
			return nil, err
		}
		r.append(child)
	}
	return r, nil
}

// wayList collects the ways into a union that an explanation has use for. A list of a
// million groups may lead there, so it stops reading when it is full.
type wayList struct {
	*explainer
	atom  int32
	holds bool // only a way that proves it counts
	room  int
	ways  []way
}

// ways lists the ways into a union that could lead to the subject: one that proves it
// if it holds, else as many as the tree has room for and one more, which shows the cut.
func (x *explainer) ways(ctx context.Context, i int32) ([]way, error) {
	a := x.solver.atoms[i]
	l := &wayList{explainer: x, atom: i, room: max(MaxReasons-x.reasons, 0) + 1}
	if l.holds = a.value.truth == yes; l.holds {
		l.room = 1
	}
	for _, alternative := range a.step.Alternatives {
		var err error
		switch w := alternative.(type) {
		case *model.Same:
			l.add(way{node: a.node, step: w.Target, guard: value{truth: yes}})
		case *model.Direct:
			if err = l.direct(ctx, a, w); err == nil {
				err = l.lists(ctx, a, w.Usersets, a.step.Relation, "")
			}
		case *model.FromTupleset:
			err = l.lists(ctx, a, w.Objects, w.Tupleset, " from "+x.evaluator.request.Program.Name(w.Tupleset))
		}
		if err != nil {
			return nil, err
		}
	}
	return l.ways, nil
}

// add takes a way in, and reports whether there is room for more.
func (l *wayList) add(w way) bool {
	if !l.full() && (!l.holds || l.proves(w, l.atom)) {
		l.ways = append(l.ways, w)
	}
	return !l.full()
}

func (l *wayList) full() bool { return len(l.ways) == l.room }

// direct adds the tuples that name the subject, or the wildcard it falls under,
// those whose condition is not met included.
func (l *wayList) direct(ctx context.Context, a atom, direct *model.Direct) error {
	for i := range direct.Plain {
		accept := &direct.Plain[i]
		node, applies := l.solver.subject.matches(accept)
		if !applies || l.full() {
			continue
		}
		key := tuples.EdgeKey{Object: a.node, Relation: a.step.Relation, Subject: node}
		edge, ok, err := l.evaluator.graph.edge(ctx, key)
		if err != nil {
			return err
		}
		if _, allowed := accept.Allows(edge.Grant); !ok || !allowed {
			continue
		}
		guard, err := l.evaluator.guard(ctx, accept, edge.Grant, key)
		if err != nil {
			return err
		}
		l.add(way{tuple: &key, grant: edge.Grant, guard: guard, rule: "direct"})
	}
	return nil
}

// lists adds the tuples that lead to other atoms.
func (l *wayList) lists(ctx context.Context, a atom, accepts []model.Accept, relation tuples.Symbol, from string) error {
	page := make([]tuples.Edge, 0, pageSize)
	for i := range accepts {
		accept := &accepts[i]
		if l.full() || !accept.Target.Reaches(l.solver.subject.kind) {
			continue
		}
		rule := "direct"
		if from != "" {
			rule = l.evaluator.request.Program.Name(accept.Target.Relation) + from
		}
		list := tuples.SubjectsOf{Object: a.node, Relation: relation, Type: accept.Type, SubjectRelation: accept.Relation}
		err := l.evaluator.eachEdge(ctx, list, page, concreteOnly(accept), func(edge tuples.Edge, guard value) bool {
			key := tuples.EdgeKey{Object: a.node, Relation: relation, Subject: edge.Node, SubjectRelation: accept.Relation}
			return l.add(way{tuple: &key, grant: edge.Grant, guard: guard, node: edge.Node, step: accept.Target, rule: rule})
		})
		if err != nil {
			return err
		}
	}
	return nil
}
