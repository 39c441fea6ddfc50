package check

import (
	"context"

	"github.com/usher-authz/usher/tuples"
)

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
	child, visited := x.solver.atoms.find(w.node, w.step)
	if !visited {
		return false
	}
	a, own := &x.solver.atoms.list[child], &x.solver.atoms.list[i]
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
	a := &x.solver.atoms.list[i]
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

// ways lists the ways into a union that an explanation has use for: one that proves it
// if it holds, else as many as the tree has room for and one more, which shows the cut.
// A list of a million groups may lead there, so it reads no further than that.
func (x *explainer) ways(ctx context.Context, i int32) ([]way, error) {
	a := x.solver.atoms.list[i]
	room := max(MaxReasons-x.reasons, 0) + 1
	holds := a.value.truth == yes
	if holds {
		room = 1
	}
	var ways []way
	err := x.solver.eachWay(ctx, a.node, a.step, func(w way) bool {
		if !holds || x.proves(w, i) {
			ways = append(ways, w)
		}
		return len(ways) < room
	})
	return ways, err
}
