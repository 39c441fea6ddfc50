package check

import (
	"context"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// collect reads whom the tuples of a relation name.
func (s *survey) collect(ctx context.Context, step *model.Step, direct *model.Direct) error {
	for i := range direct.Plain {
		a := &direct.Plain[i]
		if findAccept(direct.Plain[:i], a.Kind, !a.Wildcard) != nil {
			continue // a wildcard is in the list of its type, which was read for the other
		}
		if err := s.collectKind(ctx, step, direct.Plain, a.Kind); err != nil {
			return err
		}
	}
	for i := range direct.Usersets {
		if err := s.collectKind(ctx, step, direct.Usersets[i:i+1], direct.Usersets[i].Kind); err != nil {
			return err
		}
	}
	return nil
}

// findAccept returns how a kind of subject is accepted, nil if it is not.
func findAccept(accepts []model.Accept, k model.Kind, wildcard bool) *model.Accept {
	for i := range accepts {
		if a := &accepts[i]; a.Kind == k && a.Wildcard == wildcard {
			return a
		}
	}
	return nil
}

// collectKind reads the subjects of one kind.
func (s *survey) collectKind(ctx context.Context, step *model.Step, accepts []model.Accept, k model.Kind) error {
	accept := func(edge tuples.Edge) *model.Accept { return findAccept(accepts, k, edge.Node.IsWildcard()) }
	named := func(edge tuples.Edge, guard value) bool {
		s.name(recipient{edge.Node, k.Relation}, step, guard, edge.Grant)
		return true
	}
	list := tuples.SubjectsOf{Object: s.record.node, Relation: step.Relation, Type: k.Type, SubjectRelation: k.Relation}
	if s.only == nil {
		return s.evaluator.eachEdge(ctx, list, s.page, accept, named)
	}
	if s.only.node.Type() != k.Type || s.only.relation != k.Relation {
		return nil
	}
	return s.evaluator.oneEdge(ctx, list, s.only.node, accept, named)
}

// name notes a recipient that a tuple names in a step.
func (s *survey) name(r recipient, step *model.Step, guard value, grant *tuples.Grant) {
	c := s.claims[step.ID].under(guard)
	s.record.namings = append(s.record.namings, naming{s.number(r), step.Relation, c, grant})
	if r.everybody() {
		s.record.everyone = s.record.everyone.join(c)
	} else {
		s.record.others = s.record.others.join(c)
	}
}

// number returns the number of a recipient, a new one for a new recipient.
func (s *survey) number(r recipient) int32 {
	number, known := s.numbers[r]
	if !known {
		number = int32(len(s.recipients))
		s.numbers[r] = number
		s.recipients = append(s.recipients, r)
	}
	return number
}

// oneEdge is [Evaluator.eachEdge] for the tuple of one subject.
func (e *Evaluator) oneEdge(
	ctx context.Context, list tuples.SubjectsOf, subject tuples.Node,
	accept func(tuples.Edge) *model.Accept, visit func(tuples.Edge, value) bool,
) error {
	key := tuples.EdgeKey{Object: list.Object, Relation: list.Relation, Subject: subject, SubjectRelation: list.SubjectRelation}
	edge, ok, err := e.graph.edge(ctx, key)
	if err != nil || !ok {
		return err
	}
	by := accept(edge)
	if by == nil {
		return nil
	}
	guard, err := e.guard(ctx, by, edge.Grant, key)
	if err == nil && guard.truth != no {
		visit(edge, guard)
	}
	return err
}
