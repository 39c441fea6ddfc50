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

// eachWay calls visit for the ways into a union that could lead to the subject, until
// that returns false. Tuples that name the subject come with those whose condition is
// not met; they have no part in answers, but explanations show them.
func (s *solver) eachWay(ctx context.Context, node tuples.Node, step *model.Step, visit func(way) bool) error {
	w := wayWalk{solver: s, node: node, relation: step.Relation, more: true, page: make([]tuples.Edge, 0, pageSize)}
	w.visit = func(found way) { w.more = visit(found) }
	for _, alternative := range step.Alternatives {
		var err error
		switch a := alternative.(type) {
		case *model.Same:
			if w.more {
				w.visit(way{node: node, step: a.Target, guard: value{truth: yes}})
			}
		case *model.Direct:
			if err = w.direct(ctx, a); err == nil {
				err = w.lists(ctx, a.Usersets, step.Relation, "")
			}
		case *model.FromTupleset:
			err = w.lists(ctx, a.Objects, a.Tupleset, " from "+s.evaluator.request.Program.Name(a.Tupleset))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// wayWalk is one call of [solver.eachWay].
type wayWalk struct {
	*solver
	node     tuples.Node
	relation tuples.Symbol
	visit    func(way)
	more     bool // visit wants more
	page     []tuples.Edge
}

// direct visits the tuples that name the subject, or the wildcard it falls under.
func (w *wayWalk) direct(ctx context.Context, direct *model.Direct) error {
	for i := range direct.Plain {
		accept := &direct.Plain[i]
		node, applies := w.subject.matches(accept)
		if !applies || !w.more {
			continue
		}
		key := tuples.EdgeKey{Object: w.node, Relation: w.relation, Subject: node}
		edge, ok, err := w.graph.edge(ctx, key)
		if err != nil {
			return err
		}
		if _, allowed := accept.Allows(edge.Grant); !ok || !allowed {
			continue
		}
		guard, err := w.evaluator.guard(ctx, accept, edge.Grant, key)
		if err != nil {
			return err
		}
		w.visit(way{tuple: &key, grant: edge.Grant, guard: guard, rule: "direct"})
	}
	return nil
}

// lists visits the tuples that lead to other atoms.
func (w *wayWalk) lists(ctx context.Context, accepts []model.Accept, relation tuples.Symbol, from string) error {
	for i := range accepts {
		accept := &accepts[i]
		if !w.more || !accept.Target.Reaches(w.subject.kind) {
			continue
		}
		rule := "direct"
		if from != "" {
			rule = w.evaluator.request.Program.Name(accept.Target.Relation) + from
		}
		list := tuples.SubjectsOf{Object: w.node, Relation: relation, Type: accept.Type, SubjectRelation: accept.Relation}
		err := w.evaluator.eachEdge(ctx, list, w.page, concreteOnly(accept), func(edge tuples.Edge, guard value) bool {
			key := tuples.EdgeKey{Object: w.node, Relation: relation, Subject: edge.Node, SubjectRelation: accept.Relation}
			w.visit(way{tuple: &key, grant: edge.Grant, guard: guard, node: edge.Node, step: accept.Target, rule: rule})
			return w.more
		})
		if err != nil {
			return err
		}
	}
	return nil
}
