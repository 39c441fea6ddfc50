package check

import (
	"context"
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// A recipient is whom a tuple names on the way down from a relation of an object, along
// computed usersets and tuplesets, but not into usersets: a group is a recipient, its
// members are not. Of an intersection every operand is walked, of an exclusion the first.
//
// What is walked from several relations at once is walked once: each step carries the
// set of relations that it was reached from.

// rights is a set of the relations that are asked for, by their place in the request.
type rights uint32

// strongest returns the place of the last right of a set that is not empty.
func (r rights) strongest() int { return bits.Len32(uint32(r)) - 1 }

// claim is the rights for which a step was reached, or a recipient named.
type claim struct {
	named rights
	// sure are those of named that hold: reached along unions alone, and by tuples
	// without open conditions. The others need a Check.
	sure rights
}

// join returns what both claims say.
func (c claim) join(d claim) claim { return claim{c.named | d.named, c.sure | d.sure} }

// under returns the claim behind a tuple whose condition came to guard.
func (c claim) under(guard value) claim {
	if guard.truth != yes {
		c.sure = 0
	}
	return c
}

// settles reports whether the strongest right of the claim needs no Check.
func (c claim) settles() bool { return c.sure.strongest() == c.named.strongest() }

// recipient is a subject that tuples name.
type recipient struct {
	node     tuples.Node
	relation tuples.Symbol // 0 unless it is a userset
}

// everybody reports whether the recipient is a wildcard.
func (r recipient) everybody() bool { return r.node.IsWildcard() }

// naming is one tuple that names a recipient.
type naming struct {
	recipient int32 // its number, see [survey.recipients]
	relation  tuples.Symbol
	claim
	grant *tuples.Grant
}

// demand is a step that is walked, and for which rights.
type demand struct {
	step *model.Step
	claim
}

// visit is an object with what is asked of it.
type visit struct {
	node    tuples.Node
	demands []demand // one for each step, sorted by its id
}

// key returns the visit in a form that is equal for equal visits, and in a row of several
// shows where one ends.
func (v visit) key() string {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 12+12*len(v.demands)), uint64(v.node))
	b = binary.BigEndian.AppendUint32(b, uint32(len(v.demands)))
	for _, d := range v.demands {
		b = binary.BigEndian.AppendUint32(b, d.step.ID)
		b = binary.BigEndian.AppendUint32(b, uint32(d.named))
		b = binary.BigEndian.AppendUint32(b, uint32(d.sure))
	}
	return string(b)
}

// record is what the tuples of one object say to a visit.
type record struct {
	node     tuples.Node
	namings  []naming
	onward   []visit // what other objects are asked in turn, one for each
	everyone claim   // of the namings of wildcards together
	others   claim   // of all other namings
}

// survey reads the tuples of objects one by one.
type survey struct {
	evaluator  *Evaluator
	recipients []recipient // all that were named so far, in the order of their numbers
	numbers    map[recipient]int32
	only       *recipient // name this one alone; nil for all

	// Of the visit under way:
	record    *record
	claims    []claim       // by step
	reached   []*model.Step // those with a claim
	queue     []*model.Step
	onward    map[tuples.Node]int // place in record.onward
	tuplesets []tupleset
	page      []tuples.Edge
}

// tupleset is a list that one or more alternatives follow.
type tupleset struct {
	relation tuples.Symbol
	kind     model.Kind
	edges    []followed
}

// followed is one tuple of a tupleset that counts, or may count.
type followed struct {
	node  tuples.Node
	guard value
}

func newSurvey(e *Evaluator, only *recipient) *survey {
	return &survey{
		evaluator: e,
		numbers:   make(map[recipient]int32),
		only:      only,
		claims:    make([]claim, len(e.request.Program.Steps)),
		onward:    make(map[tuples.Node]int),
		page:      make([]tuples.Edge, 0, pageSize),
	}
}

// visit reads what the tuples of an object say.
func (s *survey) visit(ctx context.Context, v visit) (*record, error) {
	s.record = &record{node: v.node}
	for _, d := range v.demands {
		s.reach(d.step, d.claim)
	}
	err := s.run(ctx)
	for _, step := range s.reached {
		s.claims[step.ID] = claim{}
	}
	s.reached, s.queue, s.tuplesets = s.reached[:0], s.queue[:0], s.tuplesets[:0]
	clear(s.onward)
	for _, onward := range s.record.onward {
		slices.SortFunc(onward.demands, func(a, b demand) int { return int(a.step.ID) - int(b.step.ID) })
	}
	return s.record, err
}

// run walks to every step of the object, and then reads whom tuples name there: by then
// it is known for which rights.
func (s *survey) run(ctx context.Context) error {
	for len(s.queue) > 0 {
		step := s.queue[len(s.queue)-1]
		s.queue = s.queue[:len(s.queue)-1]
		if err := s.descend(ctx, step); err != nil {
			return err
		}
	}
	for _, step := range s.reached {
		for _, alternative := range step.Alternatives {
			if direct, ok := alternative.(*model.Direct); ok {
				if err := s.collect(ctx, step, direct); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// reach queues a step when its claim grows.
func (s *survey) reach(step *model.Step, c claim) {
	before := s.claims[step.ID]
	grown := before.join(c)
	if grown == before {
		return
	}
	if before == (claim{}) {
		s.reached = append(s.reached, step)
	}
	s.claims[step.ID] = grown
	s.queue = append(s.queue, step)
}

// descend reaches what a step leads to.
func (s *survey) descend(ctx context.Context, step *model.Step) error {
	if err := s.evaluator.graph.spend(ctx, 1); err != nil {
		return err
	}
	c := s.claims[step.ID]
	operands := step.Operands
	if step.Op == model.OpExclusion {
		operands = operands[:1]
	}
	for _, operand := range operands {
		s.reach(operand, claim{named: c.named})
	}
	for _, alternative := range step.Alternatives {
		switch a := alternative.(type) {
		case *model.Same:
			s.reach(a.Target, c)
		case *model.FromTupleset:
			for i := range a.Objects {
				edges, err := s.tupleset(ctx, a.Tupleset, &a.Objects[i])
				if err != nil {
					return err
				}
				for _, edge := range edges {
					s.ask(edge.node, a.Objects[i].Target, c.under(edge.guard))
				}
			}
		}
	}
	return nil
}

// ask reaches a step of an object that a tuple leads to. That may be the object itself.
func (s *survey) ask(node tuples.Node, step *model.Step, c claim) {
	if node == s.record.node {
		s.reach(step, c)
		return
	}
	place, known := s.onward[node]
	if !known {
		place = len(s.record.onward)
		s.onward[node] = place
		s.record.onward = append(s.record.onward, visit{node: node})
	}
	onward := &s.record.onward[place]
	for i := range onward.demands {
		if d := &onward.demands[i]; d.step == step {
			d.claim = d.join(c)
			return
		}
	}
	onward.demands = append(onward.demands, demand{step, c})
}

// tupleset reads the tuples of one kind that "x from y" follows, once for all that do.
func (s *survey) tupleset(ctx context.Context, relation tuples.Symbol, accept *model.Accept) ([]followed, error) {
	for _, t := range s.tuplesets {
		if t.relation == relation && t.kind == accept.Kind {
			return t.edges, nil
		}
	}
	t := tupleset{relation: relation, kind: accept.Kind}
	list := tuples.SubjectsOf{Object: s.record.node, Relation: relation, Type: accept.Type}
	err := s.evaluator.eachEdge(ctx, list, s.page, concreteOnly(accept), func(edge tuples.Edge, guard value) bool {
		t.edges = append(t.edges, followed{edge.Node, guard})
		return true
	})
	s.tuplesets = append(s.tuplesets, t)
	return t.edges, err
}
