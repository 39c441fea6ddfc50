package index

import (
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// ladder is what a closure climbs: the unions of a program by which a subject gets into the
// usersets that tuples can name, such as group#member, and which tuples lead from one to
// the next.
type ladder struct {
	program *model.Program
	rungs   []rung                // by step ID
	entries []entry               // where tuples that name a plain subject lead
	rests   map[uint64]dependence // by packed kind: the tuples that closures rest on
}

// rung is what a step is to closures.
type rung uint8

const (
	// outside steps are in no closure: an "and", a "but not", or a union that no
	// userset needs, such as a role on a folder.
	outside rung = iota
	// partial steps have members that no closure shows, since they also depend on
	// steps outside.
	partial
	// whole steps have no members but those that closures show.
	whole
)

// entry is a kind of tuple that puts a plain subject into a step.
type entry struct {
	step   *model.Step
	accept *model.Accept
}

// dependence says whose closures a tuple of a kind can change.
type dependence uint8

const (
	// ofSubject: those of the subject that the tuple names, if it is not a wildcard.
	ofSubject dependence = iota + 1
	// ofAll: those of anybody, for example of all members of the group that it names.
	ofAll
)

func newLadder(p *model.Program) *ladder {
	l := &ladder{program: p, rungs: make([]rung, len(p.Steps)), rests: make(map[uint64]dependence)}
	for _, step := range p.Steps {
		for _, alternative := range step.Alternatives {
			if direct, ok := alternative.(*model.Direct); ok {
				for _, accept := range direct.Usersets {
					l.include(accept.Target)
				}
			}
		}
	}
	l.taint()
	for _, step := range p.Steps {
		if l.rungs[step.ID] != outside {
			l.ground(step)
		}
	}
	return l
}

// include takes in a step and the unions that it depends on.
func (l *ladder) include(step *model.Step) {
	for stack := []*model.Step{step}; len(stack) > 0; {
		step := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if step.Op == model.OpUnion && l.rungs[step.ID] == outside {
			l.rungs[step.ID] = whole
			stack = append(stack, step.Supports()...)
		}
	}
}

// taint finds the steps that depend on others outside, directly or not.
func (l *ladder) taint() {
	for changed := true; changed; {
		changed = false
		for _, step := range l.program.Steps {
			if l.rungs[step.ID] != whole {
				continue
			}
			for _, support := range step.Supports() {
				if l.rungs[support.ID] != whole {
					l.rungs[step.ID] = partial
					changed = true
					break
				}
			}
		}
	}
}

// ground notes which tuples lead into a step.
func (l *ladder) ground(step *model.Step) {
	for _, alternative := range step.Alternatives {
		switch a := alternative.(type) {
		case *model.Direct:
			for i := range a.Plain {
				l.entries = append(l.entries, entry{step, &a.Plain[i]})
				l.rest(step, step.Relation, a.Plain[i].Kind, ofSubject)
			}
			for _, accept := range a.Usersets {
				l.rest(step, step.Relation, accept.Kind, ofAll)
			}
		case *model.FromTupleset:
			for _, accept := range a.Objects {
				l.rest(step, a.Tupleset, accept.Kind, ofAll)
			}
		}
	}
}

func (l *ladder) rest(step *model.Step, relation tuples.Symbol, k model.Kind, d dependence) {
	packed := packKind(step.Type, relation, k.Type, k.Relation)
	l.rests[packed] = max(l.rests[packed], d)
}

// holds reports whether closures show members of a step.
func (l *ladder) holds(step *model.Step) bool { return l.rungs[step.ID] != outside }
