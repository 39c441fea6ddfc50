package check

import (
	"context"
	"iter"
	"slices"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// ListSubjects yields the subjects of a kind that have a relation to an object,
// sorted bytewise by id, behind after ("" for the beginning).
//
// If every other object of the type is a member too, the list has the item "*"; it
// then names only the subjects that fare differently, the denied ones (the
// wildcard's exclusions) included. Without "*" no item is denied. For usersets the
// items' ids are those of their objects.
func (e *Evaluator) ListSubjects(
	ctx context.Context, on tuples.Userset, kind SubjectKind, after tuples.ID,
) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		l, err := e.newSubjectList(ctx, on, kind)
		if err != nil {
			yield(Item{}, err)
			return
		}
		sorted, err := e.sortByID(ctx, l.found, after)
		if err != nil {
			yield(Item{}, err)
			return
		}
		if l.everyone == nil {
			e.yieldVerified(ctx, sorted, yield, l.verify(ctx))
			return
		}
		l.yieldAround(ctx, sorted, after, yield)
	}
}

// subjectList is the work on one list of subjects.
type subjectList struct {
	evaluator *Evaluator
	node      tuples.Node
	step      *model.Step
	kind      model.Kind
	found     map[tuples.Node]bool // candidates, and whether they are sure
	everyone  *Item                // the wildcard's item, nil if it is denied
}

func (e *Evaluator) newSubjectList(ctx context.Context, on tuples.Userset, kind SubjectKind) (*subjectList, error) {
	step, node, err := e.atom(ctx, on)
	if err != nil {
		return nil, err
	}
	t := e.request.Program.Type(kind.Type)
	if t == 0 {
		return nil, &UnknownError{Type: kind.Type}
	}
	relation := e.graph.relation(kind.Type, kind.Relation)
	if kind.Relation != "" && relation == 0 {
		return nil, &UnknownError{Type: kind.Type, Relation: kind.Relation}
	}
	l := &subjectList{evaluator: e, node: node, step: step, kind: model.Kind{Type: t, Relation: relation}}
	if l.found, err = newDescent(e, l.kind).run(ctx, node, step); err != nil {
		return nil, err
	}
	wildcard := tuples.WildcardNode(t)
	if sure, reached := l.found[wildcard]; reached {
		delete(l.found, wildcard)
		return l, l.judgeEveryone(ctx, kind.Type, sure)
	}
	return l, nil
}

// judgeEveryone finds out how a subject fares that no tuple names.
func (l *subjectList) judgeEveryone(ctx context.Context, t tuples.ObjectType, sure bool) error {
	anyone := l.evaluator.graph.transientNode(l.kind.Type, tuples.Object{Type: t}) // an id that no object has
	item, err := l.evaluator.judge(ctx, candidate{id: tuples.Wildcard, node: anyone, sure: sure}, l.verify(ctx))
	if err != nil {
		return err
	}
	if item.Err != nil || item.Decision.Outcome != Denied {
		l.everyone = &item
	}
	return nil
}

// verify judges one candidate by a Check. Its solver is not kept: another
// candidate's answers do not follow from it.
func (l *subjectList) verify(ctx context.Context) func(candidate) (value, error) {
	return func(c candidate) (value, error) {
		return newSolver(l.evaluator, solverKey{node: c.node, relation: l.kind.Relation}).solve(ctx, l.node, l.step)
	}
}

// yieldAround yields the wildcard and the subjects that fare differently.
func (l *subjectList) yieldAround(ctx context.Context, sorted []candidate, after tuples.ID, yield func(Item, error) bool) {
	pendingWildcard := after < tuples.Wildcard
	for _, c := range sorted {
		if pendingWildcard && c.id > tuples.Wildcard {
			pendingWildcard = false
			if !yield(*l.everyone, nil) {
				return
			}
		}
		item, err := l.evaluator.judge(ctx, c, l.verify(ctx))
		if err != nil {
			yield(Item{}, err)
			return
		}
		if !sameAnswer(item, *l.everyone) && !yield(item, nil) {
			return
		}
	}
	if pendingWildcard {
		yield(*l.everyone, nil)
	}
}

func sameAnswer(a, b Item) bool {
	if a.Err != nil || b.Err != nil {
		return a.Err != nil && b.Err != nil // neither has an answer
	}
	return a.Decision.Outcome == b.Decision.Outcome && slices.Equal(a.Decision.Missing, b.Decision.Missing)
}

// descent walks from an object's step downwards to every subject of a kind that is
// named on the way, under "and" and on both sides of "but not" too.
type descent struct {
	evaluator *Evaluator
	kind      model.Kind
	found     map[tuples.Node]bool
	seen      map[atomKey]bool
	queue     []ascent
	page      []tuples.Edge
}

func newDescent(e *Evaluator, kind model.Kind) *descent {
	return &descent{
		evaluator: e,
		kind:      kind,
		found:     make(map[tuples.Node]bool),
		seen:      make(map[atomKey]bool),
		page:      make([]tuples.Edge, 0, pageSize),
	}
}

// run returns the subjects found, and whether they are sure.
func (d *descent) run(ctx context.Context, node tuples.Node, step *model.Step) (map[tuples.Node]bool, error) {
	d.reach(node, step, true)
	for len(d.queue) > 0 {
		a := d.queue[len(d.queue)-1]
		d.queue = d.queue[:len(d.queue)-1]
		if err := d.evaluator.graph.spend(ctx, 1); err != nil {
			return nil, err
		}
		if d.kind.Relation != 0 && a.step.Root && a.step.Type == d.kind.Type && a.step.Relation == d.kind.Relation {
			d.add(a.node, a.sure)
		}
		for _, operand := range a.step.Operands {
			d.reach(a.node, operand, false)
		}
		for _, alternative := range a.step.Alternatives {
			if direct, ok := alternative.(*model.Direct); ok && d.kind.Relation == 0 {
				if err := d.collect(ctx, a, direct.Plain); err != nil {
					return nil, err
				}
			}
			if err := d.descend(ctx, a, alternative); err != nil {
				return nil, err
			}
		}
	}
	return d.found, nil
}

// descend reaches what an alternative leads to.
func (d *descent) descend(ctx context.Context, a ascent, alternative model.Alternative) error {
	switch way := alternative.(type) {
	case *model.Same:
		d.reach(a.node, way.Target, a.sure)
	case *model.Direct:
		return d.followTuples(ctx, a, way.Usersets, a.step.Relation)
	case *model.FromTupleset:
		return d.followTuples(ctx, a, way.Objects, way.Tupleset)
	}
	return nil
}

// followTuples reaches what the subjects of the tuples stand for.
func (d *descent) followTuples(ctx context.Context, a ascent, accepts []model.Accept, relation tuples.Symbol) error {
	for i := range accepts {
		accept := &accepts[i]
		if !accept.Target.Reaches(d.kind) {
			continue
		}
		list := tuples.SubjectsOf{Object: a.node, Relation: relation, Type: accept.Type, SubjectRelation: accept.Relation}
		err := d.evaluator.eachEdge(ctx, list, d.page, concreteOnly(accept), func(edge tuples.Edge, guard value) bool {
			d.reach(edge.Node, accept.Target, a.sure && guard.truth == yes)
			return true
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// collect adds the plain subjects and the wildcard of the wanted type.
func (d *descent) collect(ctx context.Context, a ascent, plain []model.Accept) error {
	var concrete, wildcard *model.Accept
	for i := range plain {
		switch {
		case plain[i].Kind != d.kind:
		case plain[i].Wildcard:
			wildcard = &plain[i]
		default:
			concrete = &plain[i]
		}
	}
	if concrete == nil && wildcard == nil {
		return nil
	}
	list := tuples.SubjectsOf{Object: a.node, Relation: a.step.Relation, Type: d.kind.Type}
	return d.evaluator.eachEdge(ctx, list, d.page, func(edge tuples.Edge) *model.Accept {
		if edge.Node.IsWildcard() {
			return wildcard
		}
		return concrete
	}, func(edge tuples.Edge, guard value) bool {
		d.add(edge.Node, a.sure && guard.truth == yes)
		return true
	})
}

// reach queues an atom when it is new, and again when it becomes sure.
func (d *descent) reach(node tuples.Node, step *model.Step, sure bool) {
	key := atomKey{node, step.ID}
	if before, seen := d.seen[key]; seen && (before || !sure) {
		return
	}
	d.seen[key] = sure
	d.queue = append(d.queue, ascent{node, step, sure})
}

func (d *descent) add(node tuples.Node, sure bool) {
	d.found[node] = d.found[node] || sure
}
