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
	return e.Subjects(on, kind).Items(ctx, after)
}

// Subjects is the list of [Evaluator.ListSubjects], to be read page by page.
func (e *Evaluator) Subjects(on tuples.Userset, kind SubjectKind) *List {
	s := &subjectList{evaluator: e, on: on, asked: kind}
	return &List{most: wholeReach, find: s.find, judge: s.judge}
}

// subjectList is the work on one list of subjects.
type subjectList struct {
	evaluator *Evaluator
	on        tuples.Userset
	asked     SubjectKind

	node     tuples.Node
	step     *model.Step // nil until the list is opened
	solver   solver      // for one candidate after the other
	kind     model.Kind
	found    *nodeSet
	rest     []int
	wildcard standing // of the wildcard among what was found
	everyone *Item    // the wildcard's item, nil if it is denied
	judged   bool     // everyone is
}

// open finds object, step and kind, once.
func (l *subjectList) open(ctx context.Context) error {
	if l.step != nil {
		return nil
	}
	e := l.evaluator
	step, node, err := e.atom(ctx, l.on)
	if err != nil {
		return err
	}
	t := e.request.Program.Type(l.asked.Type)
	if t == 0 {
		return &UnknownError{Type: l.asked.Type}
	}
	relation := e.graph.relation(l.asked.Type, l.asked.Relation)
	if l.asked.Relation != "" && relation == 0 {
		return &UnknownError{Type: l.asked.Type, Relation: l.asked.Relation}
	}
	l.kind = model.Kind{Type: t, Relation: relation}
	l.step, l.node = alias(step, l.kind), node
	return nil
}

// find walks to the candidates.
func (l *subjectList) find(ctx context.Context, after tuples.ID, most int) (*Stretch, error) {
	if err := l.open(ctx); err != nil {
		return nil, err
	}
	if l.found == nil {
		if err := l.walk(ctx); err != nil {
			return nil, err
		}
	}
	s, err := l.evaluator.stretch(ctx, l.kind.Type, l.found, after, most)
	if err == nil {
		s.rest, s.wildcard = l.rest, l.wildcard
	}
	return s, err
}

func (l *subjectList) walk(ctx context.Context) (err error) {
	g := newGates(l.evaluator, l.kind)
	if l.step.Op == model.OpUnion {
		l.found, err = g.descend(ctx, atomKey{l.node, l.step.ID})
	} else {
		l.found, l.rest, err = g.pass(ctx, atomKey{l.node, l.step.ID})
	}
	if err != nil {
		return err
	}
	switch w := l.found.get(0); {
	case w.sure&1 != 0:
		l.wildcard = certain
	case w.reached&1 != 0:
		l.wildcard = doubtful
	}
	if l.wildcard != absent {
		w := &l.found.words[l.found.at(0)]
		w.reached, w.sure = w.reached&^1, w.sure&^1
	}
	return nil
}

// judge yields the wildcard and who fares differently; without it, who is not denied.
func (l *subjectList) judge(ctx context.Context, s *Stretch, after tuples.ID, yield func(Item, error) bool) bool {
	if err := l.judgeEveryone(ctx, s); err != nil {
		yield(Item{}, err)
		return false
	}
	pending := l.everyone != nil && after < tuples.Wildcard
	for _, c := range s.behind(after) {
		if pending && c.id > tuples.Wildcard {
			pending = false
			if !yield(*l.everyone, nil) {
				return false
			}
		}
		item, err := l.item(ctx, c, s.rest)
		if err != nil {
			yield(Item{}, err)
			return false
		}
		if !l.belongs(&item) {
			continue
		}
		if !yield(item, nil) {
			return false
		}
	}
	if pending && s.last {
		return yield(*l.everyone, nil)
	}
	return true
}

// judgeEveryone finds out, once, how a subject fares that no tuple names.
func (l *subjectList) judgeEveryone(ctx context.Context, s *Stretch) error {
	if err := l.open(ctx); err != nil || l.judged {
		return err
	}
	l.judged = true
	if s.wildcard == absent {
		return nil
	}
	anyone := l.evaluator.graph.transientNode(l.kind.Type, tuples.Object{Type: l.asked.Type}) // an id that no object has
	item, err := l.itemOf(ctx, candidate{id: tuples.Wildcard, standing: s.wildcard}, s.rest, anyone)
	if err != nil {
		return err
	}
	if item.Err != nil || item.Decision.Outcome != Denied {
		l.everyone = &item
	}
	return nil
}

// item judges one candidate.
func (l *subjectList) item(ctx context.Context, c candidate, rest []int) (Item, error) {
	if c.standing == certain && len(rest) == 0 {
		return Item{ID: c.id, Decision: Decision{Outcome: Allowed}}, nil
	}
	node, err := l.evaluator.graph.nodeOf(ctx, l.asked.Type, &c)
	if err != nil {
		return Item{}, err
	}
	return l.itemOf(ctx, c, rest, node)
}

// itemOf asks what the walk left open. Nothing that the solver knows is kept: another
// candidate's answers do not follow from it.
func (l *subjectList) itemOf(ctx context.Context, c candidate, rest []int, node tuples.Node) (Item, error) {
	v := value{truth: yes}
	var err error
	l.solver.begin(l.evaluator, solverKey{node: node, relation: l.kind.Relation})
	switch {
	case c.standing == doubtful:
		v, err = l.solver.solve(ctx, l.node, l.step)
	case len(rest) > 0:
		v, err = l.solver.operands(ctx, l.node, l.step, rest)
	}
	if err != nil {
		return Item{}, err
	}
	return l.evaluator.item(ctx, c.id, v)
}

// belongs reports whether an item is one of the list.
func (l *subjectList) belongs(item *Item) bool {
	if l.everyone != nil {
		return !sameAnswer(item, l.everyone)
	}
	return item.Err != nil || item.Decision.Outcome != Denied
}

func sameAnswer(a, b *Item) bool {
	if a.Err != nil || b.Err != nil {
		return a.Err != nil && b.Err != nil // neither has an answer
	}
	return a.Decision.Outcome == b.Decision.Outcome && slices.Equal(a.Decision.Missing, b.Decision.Missing)
}
