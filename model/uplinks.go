package model

import "slices"

// Uplinks is what a walk from a subject up to the objects of one step goes by: the ways up
// ([Step.Uses]) that can lead to that step, without those that lead nowhere that another does
// not. Of a ladder of roles that all hold in what lies below, as in
//
//	define editor: [user] or editor from parent
//	define viewer: [user] or editor or viewer from parent
//
// the walk to viewer enters every rung and goes up by the last: who edits a folder
// views it, and what lies in it.
//
// The walk enters the "and" and "but not" steps on its way that [Gate.Circular] calls so
// through their driver. The others are its [Uplinks.Gates]: to be worked out by themselves.
type Uplinks struct {
	// Entries are where tuples that name a plain subject lead, and by which kind.
	Entries []Use
	Gates   []*Step
	// Steps are those that the walk passes and goes on from.
	Steps []*Step

	uses  [][]Use // by Step.ID
	place []*Step // by Step.ID: where the walk goes on from it; nil if it does not pass it
}

// Uplinks returns the ways up to a step. They are worked out once.
func (p *Program) Uplinks(target *Step) *Uplinks {
	known := &p.uplinks[target.ID]
	if u := known.Load(); u != nil {
		return u
	}
	u := newUplinks(p, target)
	known.Store(u)
	return u
}

// Place returns the step that stands for one on the walk: itself, or one that holds wherever
// it does and leads as far. It is nil if the step does not lead to the target.
func (u *Uplinks) Place(step *Step) *Step { return u.place[step.ID] }

// Uses returns the ways up from a step that is its own place.
func (u *Uplinks) Uses(step *Step) []Use { return u.uses[step.ID] }

func newUplinks(p *Program, target *Step) *Uplinks {
	u := &Uplinks{uses: make([][]Use, len(p.Steps)), place: make([]*Step, len(p.Steps))}
	passed := u.pass(target)
	for _, step := range passed {
		for _, use := range step.Uses {
			if u.place[use.Step.ID] != nil && use.Step.takes(step, use) {
				u.uses[step.ID] = append(u.uses[step.ID], use)
			}
		}
	}
	d := newDominance(u, passed, target)
	for _, step := range passed {
		u.place[step.ID] = d.highest(step)
	}
	for _, step := range passed {
		u.redirect(step)
		u.enter(step)
		if u.place[step.ID] == step {
			u.Steps = append(u.Steps, step)
		}
	}
	return u
}

// pass finds the steps on the walk: those that the target depends on, as far as the next
// steps that are worked out by themselves.
func (u *Uplinks) pass(target *Step) []*Step {
	var passed []*Step
	for stack := []*Step{target}; len(stack) > 0; {
		step := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if u.place[step.ID] != nil {
			continue
		}
		u.place[step.ID] = step
		passed = append(passed, step)
		switch {
		case step.Op == OpUnion:
			stack = append(stack, step.Supports()...)
		case step.Gate.Circular:
			stack = append(stack, step.Operands[step.Gate.Driver])
		default:
			u.Gates = append(u.Gates, step)
		}
	}
	return passed
}

// takes reports whether a walk gets into the step by a use of another.
func (s *Step) takes(below *Step, use Use) bool {
	switch {
	case s.Op == OpUnion:
		return true
	case !s.Gate.Circular:
		return false
	}
	return use.Via == nil && s.Operands[s.Gate.Driver] == below
}

// redirect lets the uses of a step lead to the places of their steps, each once; from a step
// that another stands for there are none.
func (u *Uplinks) redirect(step *Step) {
	all := u.uses[step.ID]
	u.uses[step.ID] = nil
	if u.place[step.ID] != step {
		return
	}
	for _, use := range all {
		use.Step = u.place[use.Step.ID]
		same := func(other Use) bool { return other.Step == use.Step && other.isLike(use) }
		if use.Via == nil && use.Step == step || slices.ContainsFunc(u.uses[step.ID], same) {
			continue
		}
		u.uses[step.ID] = append(u.uses[step.ID], use)
	}
}

// enter notes how tuples of plain subjects lead into a step.
func (u *Uplinks) enter(step *Step) {
	for _, alternative := range step.Alternatives {
		if direct, ok := alternative.(*Direct); ok {
			for i := range direct.Plain {
				u.Entries = append(u.Entries, Use{Step: u.place[step.ID], Via: &direct.Plain[i], Relation: step.Relation})
			}
		}
	}
}

// isLike reports whether two uses go by the same tuples, if to steps of the same type.
func (u Use) isLike(other Use) bool {
	if u.Via == nil || other.Via == nil {
		return u.Via == other.Via
	}
	return u.Relation == other.Relation && u.Via.Kind == other.Via.Kind && slices.Equal(u.Via.Conditions, other.Via.Conditions)
}

// dominance tells which steps lead as far as others: wherever the walk gets to from one, it
// gets to from the other too, or further up. It is the greatest such relation.
type dominance struct {
	uplinks *Uplinks
	target  *Step
	holds   map[[2]uint32]bool // by Step.ID of the lower and of the higher
}

func newDominance(u *Uplinks, passed []*Step, target *Step) *dominance {
	d := &dominance{uplinks: u, target: target, holds: make(map[[2]uint32]bool)}
	for _, low := range passed {
		for _, high := range passed {
			if low.Type == high.Type && (low != target || high == target) {
				d.holds[[2]uint32{low.ID, high.ID}] = true
			}
		}
	}
	for changed := true; changed; {
		changed = false
		for pair := range d.holds {
			if !d.covers(u.uses[pair[0]], pair[1]) {
				delete(d.holds, pair)
				changed = true
			}
		}
	}
	return d
}

// covers reports whether every one of some uses leads no further than a step does. One
// into a gate leads further than any but itself: whoever gets in there may be open for what
// the other operands are open for, and the target tells.
func (d *dominance) covers(uses []Use, high uint32) bool {
	for _, use := range uses {
		gate := use.Step.Op != OpUnion
		if use.Via == nil && !gate && d.holds[[2]uint32{use.Step.ID, high}] {
			continue
		}
		better := func(other Use) bool {
			if gate {
				return other.isLike(use) && other.Step == use.Step
			}
			return other.isLike(use) && d.holds[[2]uint32{use.Step.ID, other.Step.ID}]
		}
		if !slices.ContainsFunc(d.uplinks.uses[high], better) {
			return false
		}
	}
	return true
}

// highest returns the step to go on from: the last that holds wherever the given one does, by
// unions alone, and leads as far. Gates are never passed by.
func (d *dominance) highest(step *Step) *Step {
	for step.Op == OpUnion {
		i := slices.IndexFunc(d.uplinks.uses[step.ID], func(use Use) bool {
			return use.Via == nil && use.Step.Op == OpUnion && d.holds[[2]uint32{step.ID, use.Step.ID}]
		})
		if i < 0 {
			return step
		}
		step = d.uplinks.uses[step.ID][i].Step
	}
	return step
}
