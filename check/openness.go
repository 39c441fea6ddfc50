package check

import (
	"context"
	"slices"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// Openness tells for whom an object is open in one setting (requirements D6, D7).
type Openness uint8

const (
	// OpennessUnknown: the type lacks the setting's relation.
	OpennessUnknown Openness = iota
	// Private: for no recipient, that is nobody whom a tuple names for it.
	Private
	// Invited: for some recipients, or for whoever meets a condition whose context was not
	// given.
	Invited
	// Public: a wildcard such as "user:*" is a recipient and allowed.
	Public
)

// String returns "unknown", "private", "invited" or "public".
func (o Openness) String() string {
	switch o {
	case Private:
		return "private"
	case Invited:
		return "invited"
	case Public:
		return "public"
	}
	return "unknown"
}

// ShareState is how open an object is in one setting.
type ShareState struct {
	Openness Openness
	// Inherited: the object has a tuple of the setting's Inherits relation. Where its type
	// has no such relation: all recipients that decide the openness are named by tuples of
	// other objects. The public decides what is public, all recipients what is invited.
	Inherited bool
	// Origins are the other objects whose tuples name those recipients, if the state is
	// inherited: the nearest first, in no promised order among equally near ones,
	// [MaxShareOrigins] at most.
	Origins []tuples.Object
}

// MaxShareOrigins is how many origins of a state are told.
const MaxShareOrigins = 5

// openness is the work on the states of objects, one after the other.
type openness struct {
	evaluator *Evaluator
	settings  []TreeSetting
	survey    *survey
	lineages  *lineages
}

func newOpenness(e *Evaluator, settings []TreeSetting) *openness {
	o := &openness{evaluator: e, settings: settings, survey: newSurvey(e, nil)}
	o.lineages = newLineages(o.survey, enoughOrigins(len(settings)))
	return o
}

// enoughOrigins returns what shortens a lineage: it drops relatives that stand behind
// enough sure ones to tell openness and origins, for each setting. One more than is told
// is enough: the object asked about may be among them.
func enoughOrigins(settings int) func([]relative) []relative {
	return func(relatives []relative) []relative {
		var public, others sureOrigins
		kept := relatives[:0]
		for _, r := range relatives {
			if (r.everyone.named&^public.enough)|(r.others.named&^others.enough) == 0 {
				continue
			}
			kept = append(kept, r)
			public.add(r.node, r.everyone.sure, settings)
			others.add(r.node, r.others.sure, settings)
		}
		return kept
	}
}

// sureOrigins counts the objects whose tuples settle each setting.
type sureOrigins struct {
	nodes  [MaxRights][]tuples.Node
	enough rights
}

func (s *sureOrigins) add(node tuples.Node, sure rights, settings int) {
	for i := range settings {
		bit := rights(1) << i
		if sure&bit == 0 || s.enough&bit != 0 || slices.Contains(s.nodes[i], node) {
			continue
		}
		if s.nodes[i] = append(s.nodes[i], node); len(s.nodes[i]) > MaxShareOrigins {
			s.enough |= bit
		}
	}
}

// states returns the states of one object.
func (o *openness) states(ctx context.Context, t tuples.ObjectType, node tuples.Node) ([]ShareState, error) {
	var demands []demand
	steps := make([]*model.Step, len(o.settings))
	for i, setting := range o.settings {
		if steps[i] = o.evaluator.request.Program.Relation(t, setting.Relation); steps[i] != nil {
			bit := rights(1) << i
			demands = append(demands, demand{steps[i], claim{named: bit, sure: bit}})
		}
	}
	record, err := o.survey.visit(ctx, visit{node, demands})
	if err != nil {
		return nil, err
	}
	line, err := o.lineages.below(ctx, record)
	if err != nil {
		return nil, err
	}
	states := make([]ShareState, len(o.settings))
	for i, step := range steps {
		if step == nil {
			continue
		}
		l := &look{openness: o, node: node, step: step, bit: rights(1) << i, relatives: line.relatives}
		if states[i], err = l.state(ctx, t, o.settings[i].Inherits); err != nil {
			return nil, err
		}
	}
	return states, nil
}

// solverOf returns the solver for a recipient. Objects of a tree follow each other, so what
// one Check found out is of use for the next.
func (o *openness) solverOf(r recipient) *solver {
	s := o.evaluator.solverOf(solverKey{node: r.node, relation: r.relation})
	if len(s.atoms.list) > maxAtoms {
		s.abandon()
	}
	return s
}

// maxAtoms bounds what a solver remembers from object to object, to some 8 MB. Only tests
// change it.
var maxAtoms = 1 << 16
