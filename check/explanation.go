package check

import (
	"context"
	"slices"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// Explanation tells why a question was answered as it was.
type Explanation struct {
	Decision Decision
	// Root is the question and, below it, how it was answered: if allowed, one path
	// that grants; else the branches tried.
	Root *Reason
	// WouldGrant are usersets in which a tuple of the subject would have been enough,
	// nearest first, [MaxWouldGrant] at most. Empty if allowed.
	WouldGrant []tuples.Userset
	// Truncated says that the tree was cut at [MaxReasons], or that the work budget
	// ended before all of WouldGrant was found.
	Truncated bool
}

// Reason is one step of an explanation.
type Reason struct {
	On       tuples.Userset
	Rule     string        // of the model, in its language: "viewer from parent"
	Tuple    *tuples.Tuple // that the step rests on; nil if it rests on none
	Decision Decision
	Note     string // why there is nothing below, where that is not plain
	Children []*Reason
}

// Limits of one explanation. A tree of a thousand steps is more than a person reads,
// and its protobuf form stays well within the nesting that decoders accept.
const (
	MaxReasons    = 1000
	MaxWouldGrant = 10
)

// Notes of reasons.
const (
	noteSelf       = "the subject itself"
	noteAbove      = "explained above"
	noteUnreached  = "no subject of this kind can be here"
	noteCut        = "explanation cut here"
	noteParadox    = "undefined: it holds only if it does not"
	noteUnmet      = "condition not met"
	noteFailed     = "condition failed: "
	noteNoTuple    = "no tuple names the subject"
	noteNotBlocked = "not excluded"
)

// Explain answers like [Evaluator.Check] and tells why.
func (e *Evaluator) Explain(ctx context.Context, on tuples.Userset, subject tuples.Subject) (*Explanation, error) {
	s, step, node, err := e.written(ctx, on, subject)
	if err != nil {
		return nil, err
	}
	v, err := s.solve(ctx, node, step)
	if err != nil {
		return nil, err
	}
	decision, err := e.decide(ctx, v)
	if err != nil {
		return nil, err
	}
	x := &explainer{solver: s, evaluator: e, shown: make(map[int32]bool)}
	explanation := &Explanation{Decision: decision}
	if explanation.Root, err = x.atom(ctx, node, step); err != nil {
		return nil, err
	}
	explanation.Truncated = x.truncated
	if decision.Outcome != Allowed {
		var complete bool
		explanation.WouldGrant, complete, err = e.wouldGrant(ctx, s, node, step, on, subject)
		explanation.Truncated = explanation.Truncated || !complete
	}
	return explanation, err
}

// explainer draws what a solver found out.
type explainer struct {
	solver    *solver
	evaluator *Evaluator
	shown     map[int32]bool
	reasons   int
	truncated bool
}

// reason makes one step of the tree; nil when the tree is full.
func (x *explainer) reason(ctx context.Context, node tuples.Node, relation tuples.Symbol, rule string, v value) (*Reason, error) {
	if x.reasons++; x.reasons > MaxReasons {
		x.truncated = true
		return nil, nil
	}
	objects, err := x.evaluator.graph.objects(ctx, []tuples.Node{node})
	if err != nil {
		return nil, err
	}
	r := &Reason{
		On:   tuples.Userset{Object: objects[0], Relation: tuples.Relation(x.evaluator.request.Program.Name(relation))},
		Rule: rule,
	}
	r.describe(v)
	return r, nil
}

// describe fills in what a value means for people.
func (r *Reason) describe(v value) {
	switch {
	case v.truth == yes:
		r.Decision.Outcome = Allowed
	case v.truth != open:
		r.Decision.Outcome = Denied
	case v.causes == nil:
		r.Note = noteParadox
	case v.causes.failed != nil:
		r.Note = noteFailed + v.causes.failed.err.Error()
	default:
		r.Decision = Decision{Outcome: Conditional, Missing: slices.Clone(v.causes.missing)}
	}
}

// atom explains one atom. nil means that the tree is full.
func (x *explainer) atom(ctx context.Context, node tuples.Node, step *model.Step) (*Reason, error) {
	v, err := x.solver.solve(ctx, node, step)
	if err != nil {
		return nil, err
	}
	r, err := x.reason(ctx, node, step.Relation, step.Text, v)
	if r == nil || err != nil {
		return nil, err
	}
	i, _ := x.solver.atoms.find(node, step)
	subject := &x.solver.subject
	switch {
	case subject.is(node, step):
		r.Note = noteSelf
		return r, nil
	case !step.Reaches(subject.kind):
		r.Note = noteUnreached
		return r, nil
	case x.shown[i]:
		r.Note = noteAbove
		return r, nil
	}
	x.shown[i] = true
	if step.Op == model.OpUnion {
		err = x.union(ctx, i, r)
	} else {
		err = x.operands(ctx, node, step, v, r)
	}
	if err == nil && len(r.Children) == 0 && r.Note == "" && v.truth == no {
		r.Note = noteNoTuple
	}
	return r, err
}

// operands explains an intersection or exclusion: by all operands if it holds, else
// by those that keep it from holding.
func (x *explainer) operands(ctx context.Context, node tuples.Node, step *model.Step, v value, r *Reason) error {
	for i, operand := range step.Operands {
		part, err := x.solver.solve(ctx, node, operand)
		if err != nil {
			return err
		}
		negated := step.Op == model.OpExclusion && i == 1
		if negated {
			part = part.not()
		}
		if v.truth != yes && part.truth == yes {
			continue
		}
		if negated && part.truth == yes {
			child, err := x.reason(ctx, node, operand.Relation, operand.Text, value{truth: no})
			if err != nil {
				return err
			}
			if child != nil {
				child.Note = noteNotBlocked
			}
			r.append(child)
			continue
		}
		child, err := x.atom(ctx, node, operand)
		if err != nil {
			return err
		}
		r.append(child)
	}
	return nil
}

func (r *Reason) append(child *Reason) {
	if child == nil {
		r.Note = noteCut
		return
	}
	r.Children = append(r.Children, child)
}
