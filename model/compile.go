package model

import (
	"cmp"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/usher-authz/usher/tuples"
)

// Symbols returns the names that a store interns before it compiles the model:
// its types and relations, sorted.
func (m *Model) Symbols() []string {
	var names []string
	for _, t := range m.Types {
		names = append(names, string(t.Name))
		for _, r := range t.Relations {
			names = append(names, string(r.Name))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Compile turns a valid model into a program. Its names must be in symbols: an
// error says that one is not.
func Compile(m *Model, symbols *tuples.Symbols) (*Program, error) {
	names := make(map[tuples.Symbol]string)
	for _, name := range m.Symbols() {
		symbol := symbols.Lookup(name)
		if symbol == 0 {
			return nil, fmt.Errorf("compile model: the store has no symbol for %q", name)
		}
		names[symbol] = name
	}
	c := &compiler{
		model:   m,
		symbols: symbols,
		program: &Program{
			Model:     m,
			types:     make(map[tuples.ObjectType]tuples.Symbol, len(m.Types)),
			relations: make(map[relationKey]*Step),
			accepts:   make(map[relationKey][]Accept),
			names:     names,
		},
	}
	c.declare()
	c.define()
	c.deriveUses()
	c.deriveReach()
	c.deriveGates()
	c.program.uplinks = make([]atomic.Pointer[Uplinks], len(c.program.Steps))
	return c.program, nil
}

type compiler struct {
	model   *Model
	symbols *tuples.Symbols
	program *Program
}

// declare makes the root step of every relation, so that steps can refer to each
// other in cycles.
func (c *compiler) declare() {
	for _, t := range c.model.Types {
		c.program.types[t.Name] = c.symbols.Lookup(string(t.Name))
		for _, r := range t.Relations {
			step := c.newStep(t, r, r.Rewrite)
			step.Root = true
			c.program.relations[relationKey{t.Name, r.Name}] = step
		}
	}
}

func (c *compiler) define() {
	for _, t := range c.model.Types {
		for _, r := range t.Relations {
			c.program.accepts[relationKey{t.Name, r.Name}] = c.accepts(r)
			c.fill(c.program.Relation(t.Name, r.Name), t, r, r.Rewrite)
		}
	}
}

func (c *compiler) newStep(t *Type, r *Relation, rewrite Rewrite) *Step {
	step := &Step{
		ID:       uint32(len(c.program.Steps)),
		Type:     c.symbols.Lookup(string(t.Name)),
		Relation: c.symbols.Lookup(string(r.Name)),
		Rewrite:  rewrite,
		Text:     Format(rewrite, r.Direct),
	}
	c.program.Steps = append(c.program.Steps, step)
	return step
}

// fill compiles a rewrite into a step.
func (c *compiler) fill(step *Step, t *Type, r *Relation, rewrite Rewrite) {
	switch w := rewrite.(type) {
	case Intersection:
		step.Op = OpIntersection
		for _, operand := range w.Operands {
			step.Operands = append(step.Operands, c.operand(t, r, operand))
		}
	case Exclusion:
		step.Op = OpExclusion
		step.Operands = []*Step{c.operand(t, r, w.Base), c.operand(t, r, w.Subtract)}
	case Union:
		step.Op = OpUnion
		for _, operand := range w.Operands {
			step.Alternatives = append(step.Alternatives, c.alternatives(t, r, operand)...)
		}
		slices.SortStableFunc(step.Alternatives, func(a, b Alternative) int { return cmp.Compare(cost(a), cost(b)) })
	case This, ComputedUserset, TupleToUserset:
		step.Op = OpUnion
		step.Alternatives = c.alternatives(t, r, rewrite)
	default:
		panic(fmt.Sprintf("model: unknown rewrite %T", rewrite))
	}
}

// cost orders the alternatives of a union: what a single lookup can answer first.
func cost(a Alternative) int {
	switch a.(type) {
	case *Direct:
		return 0
	case *Same:
		return 1
	}
	return 2
}

// operand returns the step of one operand of an intersection or exclusion.
func (c *compiler) operand(t *Type, r *Relation, rewrite Rewrite) *Step {
	if w, ok := rewrite.(ComputedUserset); ok {
		return c.program.Relation(t.Name, w.Relation)
	}
	step := c.newStep(t, r, rewrite)
	c.fill(step, t, r, rewrite)
	return step
}

// alternatives returns what one operand of a union contributes. Unions within unions
// are flattened.
func (c *compiler) alternatives(t *Type, r *Relation, rewrite Rewrite) []Alternative {
	switch w := rewrite.(type) {
	case This:
		return []Alternative{c.direct(r)}
	case ComputedUserset:
		return []Alternative{&Same{Target: c.program.Relation(t.Name, w.Relation)}}
	case TupleToUserset:
		return []Alternative{c.fromTupleset(t, w)}
	case Union:
		var all []Alternative
		for _, operand := range w.Operands {
			all = append(all, c.alternatives(t, r, operand)...)
		}
		return all
	}
	return []Alternative{&Same{Target: c.operand(t, r, rewrite)}}
}

func (c *compiler) direct(r *Relation) *Direct {
	d := &Direct{}
	for _, accept := range c.accepts(r) {
		if accept.Relation == 0 {
			d.Plain = append(d.Plain, accept)
			continue
		}
		accept.Target = c.step(accept.Kind)
		d.Usersets = append(d.Usersets, accept)
	}
	return d
}

func (c *compiler) fromTupleset(t *Type, w TupleToUserset) *FromTupleset {
	from := &FromTupleset{Tupleset: c.symbols.Lookup(string(w.Tupleset))}
	for _, accept := range c.accepts(t.Relation(w.Tupleset)) {
		if accept.Relation != 0 || accept.Wildcard {
			continue
		}
		name := tuples.ObjectType(c.symbols.Name(accept.Type))
		if accept.Target = c.program.Relation(name, w.Computed); accept.Target != nil {
			from.Objects = append(from.Objects, accept)
		}
	}
	return from
}

// accepts groups a relation's restrictions by kind, in the order of the source.
func (c *compiler) accepts(r *Relation) []Accept {
	var accepts []Accept
	for _, restriction := range r.Direct {
		kind := Kind{c.symbols.Lookup(string(restriction.Type)), c.symbols.Lookup(string(restriction.Relation))}
		i := slices.IndexFunc(accepts, func(a Accept) bool {
			return a.Kind == kind && a.Wildcard == restriction.Wildcard
		})
		if i < 0 {
			i = len(accepts)
			accepts = append(accepts, Accept{Kind: kind, Wildcard: restriction.Wildcard})
		}
		accepts[i].Conditions = append(accepts[i].Conditions, c.model.Condition(restriction.Condition))
	}
	return accepts
}

func (c *compiler) step(k Kind) *Step {
	return c.program.Relation(tuples.ObjectType(c.symbols.Name(k.Type)), tuples.Relation(c.symbols.Name(k.Relation)))
}
