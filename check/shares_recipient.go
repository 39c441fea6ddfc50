package check

import (
	"context"
	"slices"

	"github.com/usher-authz/usher/tuples"
)

// portrait is the work on what one recipient has on the objects of a query.
type portrait struct {
	*summary
	number      int32
	solver      *solver // nil until something is to be checked
	counts      []int   // objects, by right
	conditional []int   // of counts; nil if there are none
	direct      int
	standing    map[int32]int // by object: the right; only for a recipient that the query names
}

// add finds the right on one object.
func (p *portrait) add(ctx context.Context, o openRight) error {
	right, outcome, err := p.strongest(ctx, o)
	if err != nil || outcome == Denied {
		return err
	}
	p.counts[right]++
	if outcome == Conditional {
		if p.conditional == nil {
			p.conditional = make([]int, len(p.counts))
		}
		p.conditional[right]++
	}
	if o.own&(1<<right) != 0 {
		p.direct++
	}
	if p.only != nil {
		if p.standing == nil {
			p.standing = make(map[int32]int)
		}
		p.standing[o.object] = right
	}
	return nil
}

// strongest returns the last right for which the recipient is named and not denied.
func (p *portrait) strongest(ctx context.Context, o openRight) (int, Outcome, error) {
	for right := len(p.counts) - 1; right >= 0; right-- {
		bit := rights(1) << right
		switch {
		case o.sure&bit != 0:
			return right, Allowed, nil
		case o.named&bit == 0:
			continue
		}
		if p.solver == nil {
			r := p.survey.recipients[p.number]
			p.solver = newSolver(p.evaluator, solverKey{node: r.node, relation: r.relation})
		}
		if len(p.solver.atoms.list) > maxAtoms {
			p.solver.abandon()
		}
		v, err := p.solver.solve(ctx, p.nodes[o.object], p.step(int(o.object), right))
		if err != nil {
			return 0, Denied, err
		}
		decision, err := p.evaluator.decide(ctx, v)
		if err != nil || decision.Outcome != Denied {
			return right, decision.Outcome, err
		}
	}
	return 0, Denied, nil
}

// shares returns what the recipient has. Counts is empty if it has nothing and was not
// asked for.
func (p *portrait) shares(ctx context.Context) (RecipientShares, error) {
	shares := RecipientShares{Direct: p.direct}
	none := len(p.nodes)
	for right := len(p.counts) - 1; right >= 0; right-- {
		if p.counts[right] == 0 {
			continue
		}
		none -= p.counts[right]
		count := ShareCount{Relation: p.query.Relations[right], Objects: p.counts[right], Which: p.which(right)}
		if p.conditional != nil {
			count.Conditional = p.conditional[right]
		}
		shares.Counts = append(shares.Counts, count)
	}
	if none == len(p.nodes) && p.only == nil {
		return RecipientShares{}, nil
	}
	if none > 0 {
		shares.Counts = append(shares.Counts, ShareCount{Objects: none, Which: p.which(noRight)})
	}
	if len(p.nodes) > 1 || none > 0 {
		return shares, nil
	}
	var err error
	shares.Origins, err = p.tuples(ctx, p.origins[p.number], p.right())
	return shares, err
}

// noRight stands for no right among standings.
const noRight = -1

// which returns the objects on which a recipient that the query names has a right.
func (p *portrait) which(right int) []int32 {
	if p.only == nil {
		return nil
	}
	var which []int32
	for i := range int32(len(p.nodes)) {
		standing, ok := p.standing[i]
		if !ok {
			standing = noRight
		}
		if standing == right {
			which = append(which, i)
		}
	}
	return which
}

// right is the only right there is.
func (p *portrait) right() int {
	return slices.IndexFunc(p.counts, func(n int) bool { return n > 0 })
}

// originsOf are the tuples that name one recipient.
type originsOf []origin

type origin struct {
	naming
	node tuples.Node
}

// originsBy returns who is named where, by number of the recipient, the object's own
// tuples first.
func originsBy(recipients int, own *record, relatives []relative) []originsOf {
	by := make([]originsOf, recipients)
	add := func(r *record) {
		for _, n := range r.namings {
			by[n.recipient] = append(by[n.recipient], origin{n, r.node})
		}
	}
	add(own)
	for _, r := range relatives {
		add(r.record)
	}
	return by
}

// tuples names the tuples that give a right: those of the object itself first, then
// sorted.
func (p *portrait) tuples(ctx context.Context, origins originsOf, right int) ([]tuples.Tuple, error) {
	if err := p.evaluator.graph.spend(ctx, len(origins)); err != nil {
		return nil, err
	}
	var named []tuples.Tuple
	r := p.survey.recipients[p.number]
	for _, o := range origins {
		if o.named&(1<<right) == 0 {
			continue
		}
		key, err := p.evaluator.key(ctx, tuples.EdgeKey{
			Object: o.node, Relation: o.relation, Subject: r.node, SubjectRelation: r.relation,
		})
		if err != nil {
			return nil, err
		}
		t := tuples.Tuple{Key: key}
		if o.grant != nil {
			t.Grant = *o.grant
		}
		named = append(named, t)
	}
	asked := p.query.Objects[0]
	slices.SortFunc(named, func(a, b tuples.Tuple) int {
		switch {
		case a.Object == asked && b.Object != asked:
			return -1
		case a.Object != asked && b.Object == asked:
			return 1
		}
		return a.Key.Compare(b.Key)
	})
	named = slices.CompactFunc(named, func(a, b tuples.Tuple) bool { return a.Key == b.Key })
	return named[:min(len(named), MaxOrigins)], nil
}
