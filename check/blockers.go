package check

import (
	"context"
	"slices"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

const (
	// MaxBlockers bounds what [Evaluator.Blockers] names.
	MaxBlockers = 10
	// maxFollowed bounds the atoms that one search for them goes through. What stands in
	// the way of a share is near to it.
	maxFollowed = 1000
)

// Blockers names what keeps a subject from a relation although something leads to it: the
// relations that it has and that a "but not" excludes, and those that it lacks and that an
// "and" requires (B8: hidden by its status). Of an excluded relation the usersets by which
// it holds are named too, the deepest first: status:red#hidden_from, media:logo#hidden.
//
// There are [MaxBlockers] at most, none if nothing leads to the relation, and none unless
// it is denied. The errors are those of [Evaluator.Check].
func (e *Evaluator) Blockers(ctx context.Context, on tuples.Userset, subject tuples.Subject) ([]tuples.Userset, error) {
	s, step, node, err := e.written(ctx, on, subject)
	if err != nil {
		return nil, err
	}
	b := &blockers{explainer: explainer{solver: s, evaluator: e}, trails: make(map[atomKey]trail)}
	t, err := b.follow(ctx, node, step)
	if err != nil {
		return nil, err
	}
	for _, barrier := range t.barriers {
		if len(b.found) >= MaxBlockers {
			break
		}
		if barrier.excluded {
			err = b.nameExcluded(ctx, barrier.place)
		} else {
			err = b.nameRequired(ctx, barrier.place)
		}
		if err != nil {
			return nil, err
		}
	}
	return b.found, nil
}

// blockers is one search.
type blockers struct {
	explainer
	trails map[atomKey]trail // of the atoms that do not hold
	found  []tuples.Userset
}

// trail tells whether something leads to an atom: it holds, may hold for want of context,
// or would hold without these barriers.
type trail struct {
	leads    bool
	barriers []barrier
}

// barrier is an operand that keeps an atom from holding.
type barrier struct {
	place
	excluded bool // it holds and must not; else it does not hold and must
}

// place is a step of an object.
type place struct {
	node tuples.Node
	step *model.Step
}

// follow finds the trail to an atom. In a cycle nothing leads to what is being followed.
func (b *blockers) follow(ctx context.Context, node tuples.Node, step *model.Step) (trail, error) {
	v, err := b.solver.solve(ctx, node, step)
	if err != nil || v.truth != no {
		return trail{leads: true}, err
	}
	key := atomKey{node, step.ID}
	if t, followed := b.trails[key]; followed {
		return t, nil
	}
	if len(b.trails) == maxFollowed || !b.evaluator.canBar(step) {
		return trail{}, nil
	}
	b.trails[key] = trail{}
	t, err := b.followRule(ctx, node, step)
	b.trails[key] = t
	return t, err
}

func (b *blockers) followRule(ctx context.Context, node tuples.Node, step *model.Step) (trail, error) {
	if step.Op == model.OpUnion {
		return b.followUnion(ctx, node, step)
	}
	required := step.Operands
	if step.Op == model.OpExclusion {
		required = step.Operands[:1]
	}
	t, err := b.followAll(ctx, node, required)
	if err != nil || !t.leads || step.Op != model.OpExclusion {
		return t, err
	}
	excluded, err := b.solver.solve(ctx, node, step.Operands[1])
	if excluded.truth == yes {
		t.barriers = append(t.barriers, barrier{place: place{node, step.Operands[1]}, excluded: true})
	}
	return t, err
}

// followUnion joins the trails of the ways that lead somewhere.
func (b *blockers) followUnion(ctx context.Context, node tuples.Node, step *model.Step) (t trail, err error) {
	var ways []way
	err = b.solver.eachWay(ctx, node, step, func(w way) bool {
		if w.step != nil && b.evaluator.canBar(w.step) {
			ways = append(ways, w)
		}
		return len(ways) < maxFollowed
	})
	if err != nil {
		return t, err
	}
	for _, w := range ways {
		way, err := b.follow(ctx, w.node, w.step)
		if err != nil {
			return t, err
		}
		t.leads = t.leads || way.leads
		t.barriers = append(t.barriers, way.barriers...)
	}
	return t, nil
}

// followAll joins the trails of operands that must all hold. Something leads to them if it
// leads to one; the others stand in the way then.
func (b *blockers) followAll(ctx context.Context, node tuples.Node, operands []*model.Step) (t trail, err error) {
	trails := make([]trail, len(operands))
	for i, operand := range operands {
		if trails[i], err = b.follow(ctx, node, operand); err != nil {
			return t, err
		}
		t.leads = t.leads || trails[i].leads
	}
	if !t.leads {
		return t, nil
	}
	for i, operand := range operands {
		t.barriers = append(t.barriers, trails[i].barriers...)
		if !trails[i].leads {
			t.barriers = append(t.barriers, barrier{place: place{node, operand}})
		}
	}
	return t, nil
}

// nameExcluded names the usersets by which an excluded step holds, down to where a tuple
// names the subject or a userset that it belongs to (why it does is not what bars), or
// where several relations hold together.
func (b *blockers) nameExcluded(ctx context.Context, p place) error {
	var path []place
	for p.step != nil {
		if p.step.Root || len(path) == 0 {
			path = append(path, p)
		}
		if b.solver.subject.is(p.node, p.step) || p.step.Op == model.OpIntersection {
			break
		}
		if p.step.Op == model.OpExclusion {
			p.step = p.step.Operands[0]
			continue
		}
		i, _ := b.solver.atoms.find(p.node, p.step)
		ways, err := b.ways(ctx, i)
		if err != nil {
			return err
		}
		if len(ways) == 0 || ways[0].tuple != nil && ways[0].tuple.SubjectRelation != 0 {
			break
		}
		p = place{ways[0].node, ways[0].step}
	}
	slices.Reverse(path)
	return b.name(ctx, path)
}

// nameRequired names a required step that does not hold: the relation, or those that the
// operand consists of.
func (b *blockers) nameRequired(ctx context.Context, p place) error {
	if p.step.Root {
		return b.name(ctx, []place{p})
	}
	var parts []place
	switch p.step.Op {
	case model.OpExclusion:
		return b.nameRequired(ctx, place{p.node, p.step.Operands[0]})
	case model.OpIntersection:
		for _, operand := range p.step.Operands {
			v, err := b.solver.solve(ctx, p.node, operand)
			if err != nil {
				return err
			}
			if v.truth == no {
				parts = append(parts, place{p.node, operand})
			}
		}
	case model.OpUnion:
		err := b.solver.eachWay(ctx, p.node, p.step, func(w way) bool {
			if w.tuple == nil || w.tuple.Relation != p.step.Relation {
				parts = append(parts, place{w.node, w.step})
			}
			return len(parts) < MaxBlockers
		})
		if err != nil {
			return err
		}
	}
	if len(parts) == 0 {
		return b.name(ctx, []place{p}) // a tuple of it is required, or of a tupleset
	}
	for _, part := range parts {
		if err := b.nameRequired(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

// name takes usersets into what was found, each once.
func (b *blockers) name(ctx context.Context, places []place) error {
	for _, p := range places {
		if len(b.found) == MaxBlockers {
			return nil
		}
		objects, err := b.evaluator.graph.objects(ctx, []tuples.Node{p.node})
		if err != nil {
			return err
		}
		u := tuples.Userset{Object: objects[0], Relation: tuples.Relation(b.evaluator.request.Program.Name(p.step.Relation))}
		if !slices.Contains(b.found, u) {
			b.found = append(b.found, u)
		}
	}
	return nil
}

// canBar reports whether an "and" or "but not" lies at or below a step, by the model.
func (e *Evaluator) canBar(step *model.Step) bool {
	if bars, known := e.bars[step.ID]; known {
		return bars
	}
	seen := map[uint32]bool{step.ID: true}
	queue := []*model.Step{step}
	bars := false
	for len(queue) > 0 && !bars {
		s := queue[0]
		queue = queue[1:]
		bars = s.Op != model.OpUnion
		for _, target := range targets(s) {
			if !seen[target.ID] {
				seen[target.ID] = true
				queue = append(queue, target)
			}
		}
	}
	if e.bars == nil {
		e.bars = make(map[uint32]bool)
	}
	e.bars[step.ID] = bars
	return bars
}

// targets returns the steps that the alternatives of a union lead to.
func targets(s *model.Step) (steps []*model.Step) {
	for _, alternative := range s.Alternatives {
		switch a := alternative.(type) {
		case *model.Same:
			steps = append(steps, a.Target)
		case *model.Direct:
			for i := range a.Usersets {
				steps = append(steps, a.Usersets[i].Target)
			}
		case *model.FromTupleset:
			for i := range a.Objects {
				steps = append(steps, a.Objects[i].Target)
			}
		}
	}
	return steps
}
