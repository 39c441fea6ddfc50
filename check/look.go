package check

import (
	"context"
	"errors"
	"slices"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// look is the work on one state of one object. Of the recipients that are not sure it
// checks as few as the state takes.
type look struct {
	*openness
	node      tuples.Node
	step      *model.Step
	bit       rights
	relatives []relative
	decided   map[int32]verdict
}

// verdict is the outcome for one recipient, or the condition that failed.
type verdict struct {
	outcome Outcome
	failed  *ConditionError
}

// state finds out how open the object is.
func (l *look) state(ctx context.Context, t tuples.ObjectType, inherits tuples.Relation) (ShareState, error) {
	program := l.evaluator.request.Program
	if program.Relation(t, inherits) == nil {
		return l.open(ctx, false)
	}
	switched, err := l.evaluator.hasTuple(ctx, l.node, program.Accepts(t, inherits), l.evaluator.graph.relation(t, inherits))
	if err != nil {
		return ShareState{}, err
	}
	state, err := l.open(ctx, true)
	state.Inherited = switched
	if !switched {
		state.Origins = nil
	}
	return state, err
}

// open returns the openness, by whom it was decided; switched says that whether it is
// inherited is decided elsewhere.
func (l *look) open(ctx context.Context, switched bool) (ShareState, error) {
	public := &decision{openness: Public, switched: switched, decides: func(r recipient, o Outcome) bool {
		return r.everybody() && o == Allowed
	}}
	some := &decision{openness: Invited, switched: switched, decides: func(_ recipient, o Outcome) bool {
		return o != Denied
	}}
	for _, d := range []*decision{public, some} {
		if err := l.search(ctx, d); err != nil {
			return ShareState{}, err
		}
		if d.made || d.failed != nil {
			return d.state(ctx, l.evaluator)
		}
	}
	return ShareState{Openness: Private}, nil
}

// decision is whether some recipient makes an object open in one way.
type decision struct {
	openness Openness
	switched bool
	decides  func(recipient, Outcome) bool

	made      bool
	own       bool            // by a tuple of the object itself
	origins   []tuples.Node   // the other objects whose tuples made it
	failed    *ConditionError // the first that might have made it
	ownFailed *ConditionError // the first of those of the object itself
}

// search goes through the relatives, the nearest first.
func (l *look) search(ctx context.Context, d *decision) error {
	for _, r := range l.relatives {
		own := r.node == l.node
		switch {
		case d.own && (own || !d.switched):
			continue
		case !own && (len(d.origins) == MaxShareOrigins || slices.Contains(d.origins, r.node)):
			continue
		case d.openness == Public && r.everyone.named&l.bit == 0:
			continue
		}
		made, err := l.searchRecord(ctx, d, r.record, own)
		if err != nil {
			return err
		}
		if made {
			d.made = true
			if own {
				d.own = true
			} else {
				d.origins = append(d.origins, r.node)
			}
		}
	}
	return nil
}

// searchRecord reports whether a tuple of a record makes the decision: those that are
// sure are looked at first.
func (l *look) searchRecord(ctx context.Context, d *decision, r *record, own bool) (bool, error) {
	sure := r.everyone.sure
	if d.openness == Invited {
		sure |= r.others.sure
	}
	if sure&l.bit != 0 {
		return true, nil
	}
	for _, n := range r.namings {
		who := l.survey.recipients[n.recipient]
		if n.named&l.bit == 0 || d.openness == Public && !who.everybody() {
			continue
		}
		v, err := l.verdict(ctx, n.recipient)
		if err != nil {
			return false, err
		}
		if v.failed != nil {
			d.fail(v.failed, own)
		} else if d.decides(who, v.outcome) {
			return true, nil
		}
	}
	return false, nil
}

func (d *decision) fail(by *ConditionError, own bool) {
	if d.failed == nil {
		d.failed = by
	}
	if own && d.ownFailed == nil {
		d.ownFailed = by
	}
}

// verdict checks one recipient.
func (l *look) verdict(ctx context.Context, number int32) (verdict, error) {
	if v, known := l.decided[number]; known {
		return v, nil
	}
	value, err := l.solverOf(l.survey.recipients[number]).solve(ctx, l.node, l.step)
	if err != nil {
		return verdict{}, err
	}
	var v verdict
	decision, err := l.evaluator.decide(ctx, value)
	if errors.As(err, &v.failed) {
		err = nil
	}
	v.outcome = decision.Outcome
	if l.decided == nil {
		l.decided = make(map[int32]verdict)
	}
	l.decided[number] = v
	return v, err
}

// state returns what a decision comes to. A condition that failed counts only where it
// matters: whether anybody decides, or whether the object itself does.
func (d *decision) state(ctx context.Context, e *Evaluator) (ShareState, error) {
	switch {
	case !d.made:
		return ShareState{}, d.failed
	case !d.switched && !d.own && d.ownFailed != nil:
		return ShareState{}, d.ownFailed
	}
	state := ShareState{Openness: d.openness, Inherited: !d.own}
	if d.own && !d.switched {
		return state, nil
	}
	var err error
	state.Origins, err = e.graph.objects(ctx, d.origins)
	return state, err
}

// hasTuple reports whether an object has a tuple of a relation that counts, or may count.
func (e *Evaluator) hasTuple(ctx context.Context, node tuples.Node, accepts []model.Accept, relation tuples.Symbol) (bool, error) {
	found := false
	for i := range accepts {
		a := &accepts[i]
		list := tuples.SubjectsOf{Object: node, Relation: relation, Type: a.Type, SubjectRelation: a.Relation}
		err := e.eachEdge(ctx, list, make([]tuples.Edge, 0, firstPage), func(edge tuples.Edge) *model.Accept {
			return findAccept(accepts, a.Kind, edge.Node.IsWildcard())
		}, func(tuples.Edge, value) bool {
			found = true
			return false
		})
		if err != nil || found {
			return found, err
		}
	}
	return false, nil
}
