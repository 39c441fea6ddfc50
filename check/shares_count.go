package check

import (
	"context"
	"strings"

	"github.com/usher-authz/usher/tuples"
)

// summary is the work on one query for shares.
//
// Objects that inherit from the same others are a group: what that gives is counted once
// for all of them, so that an object costs its own tuples alone.
type summary struct {
	evaluator *Evaluator
	query     SharesQuery
	demands   map[tuples.ObjectType][]demand
	nodes     []tuples.Node // of the objects
	only      *recipient    // nil for all
	survey    *survey
	lineages  *lineages
	groups    map[string]*group
	size      int // of the groups, in claims and relatives

	// By number of the recipient:
	own     []claim // of the object under way
	settled []int   // objects for each right, one behind the other
	direct  []int
	open    [][]openRight
	origins []originsOf // if there is one object
}

// openRight is an object on which the right of a recipient is not settled.
type openRight struct {
	object int32 // its place in the query
	claim
	own rights // for which a tuple of the object itself names the recipient
}

// group is what objects inherit that inherit from the same.
type group struct {
	objects   int
	relatives []relative
	claims    map[int32]claim
	open      []int32 // the recipients whose claim does not settle
}

// count goes through the objects.
func (s *summary) count(ctx context.Context) error {
	for i := range s.nodes {
		if s.size > maxRemembered {
			s.disband()
		}
		if err := s.countObject(ctx, i); err != nil {
			return err
		}
	}
	s.disband()
	return nil
}

// countObject adds what recipients have on one object.
func (s *summary) countObject(ctx context.Context, i int) error {
	record, err := s.survey.visit(ctx, visit{s.nodes[i], s.demands[s.query.Objects[i].Type]})
	if err != nil {
		return err
	}
	g, err := s.group(ctx, record)
	if err != nil {
		return err
	}
	g.objects++
	namings := record.namings
	for _, r := range g.relatives {
		if r.node == record.node { // by way of others it leads back to itself
			namings = append(namings, r.namings...)
		}
	}
	s.grow()
	for _, n := range namings {
		s.own[n.recipient] = s.own[n.recipient].join(n.claim)
	}
	if err := s.inherit(ctx, i, g); err != nil {
		return err
	}
	for _, n := range namings {
		own := s.own[n.recipient]
		if own.named == 0 {
			continue // a second tuple
		}
		s.own[n.recipient] = claim{}
		inherited, also := g.claims[n.recipient]
		if also && s.settles(inherited) {
			s.settled[s.place(n.recipient, inherited)]-- // which the group will count
		}
		s.add(n.recipient, openRight{int32(i), own.join(inherited), own.named})
	}
	if len(s.nodes) == 1 {
		s.origins = originsBy(len(s.own), record, g.relatives)
	}
	return nil
}

// inherit adds the rights that depend on the object for recipients that it only inherits.
func (s *summary) inherit(ctx context.Context, i int, g *group) error {
	for _, r := range g.open {
		if s.own[r].named == 0 {
			s.add(r, openRight{int32(i), g.claims[r], 0})
		}
	}
	return s.evaluator.graph.spend(ctx, len(g.open))
}

// add counts a right, or puts it off.
func (s *summary) add(r int32, o openRight) {
	if !s.settles(o.claim) {
		s.open[r] = append(s.open[r], o)
		return
	}
	s.settled[s.place(r, o.claim)]++
	if o.own&(1<<o.named.strongest()) != 0 {
		s.direct[r]++
	}
}

// settles reports whether a claim can be counted by itself. If one recipient is asked for,
// it is told of each object anyway.
func (s *summary) settles(c claim) bool { return s.only == nil && c.settles() }

func (s *summary) place(r int32, c claim) int {
	return int(r)*len(s.query.Relations) + c.named.strongest()
}

// grow makes room for the recipients that were named last.
func (s *summary) grow() {
	missing := len(s.survey.recipients) - len(s.own)
	s.own = append(s.own, make([]claim, missing)...)
	s.settled = append(s.settled, make([]int, missing*len(s.query.Relations))...)
	s.direct = append(s.direct, make([]int, missing)...)
	s.open = append(s.open, make([][]openRight, missing)...)
}

// group finds or makes the group of an object.
func (s *summary) group(ctx context.Context, r *record) (*group, error) {
	var b strings.Builder
	for _, onward := range r.onward {
		b.WriteString(onward.key())
	}
	key := b.String()
	if g, known := s.groups[key]; known {
		return g, nil
	}
	line, err := s.lineages.below(ctx, &record{node: r.node, onward: r.onward})
	if err != nil {
		return nil, err
	}
	g := &group{relatives: line.relatives, claims: make(map[int32]claim)}
	for _, relative := range g.relatives {
		for _, n := range relative.namings {
			g.claims[n.recipient] = g.claims[n.recipient].join(n.claim)
		}
		if err := s.evaluator.graph.spend(ctx, len(relative.namings)); err != nil {
			return nil, err
		}
	}
	for r, c := range g.claims {
		if !s.settles(c) {
			g.open = append(g.open, r)
		}
	}
	s.groups[key] = g
	s.size += len(g.claims) + len(g.relatives)
	return g, nil
}

// disband counts what the groups inherit, and forgets them.
func (s *summary) disband() {
	s.grow()
	for _, g := range s.groups {
		for r, c := range g.claims {
			if s.settles(c) {
				s.settled[s.place(r, c)] += g.objects
			}
		}
	}
	clear(s.groups)
	s.size = 0
}
