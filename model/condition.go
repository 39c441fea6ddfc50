package model

import (
	"context"
	"fmt"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"

	"github.com/usher-authz/usher/tuples"
)

// Condition is a named expression in CEL over typed parameters, which a tuple can
// carry: the tuple counts only where the condition holds. A Condition of a parsed
// model is safe for concurrent use.
type Condition struct {
	Name       string
	Parameters []Parameter // sorted by name
	Expression string      // CEL source
	Module     string      // of a modular model, else ""
	Pos        Pos

	exprPos   Pos   // where the expression begins
	exprLines []int // the source's line by the line of the expression
	program   cel.Program
}

// Parameter is a parameter of a condition with its type.
type Parameter struct {
	Name string
	Type string // as the language writes it, such as "string" or "list<int>"
	Pos  Pos

	kind    *valueType
	unknown *cel.AttributePatternType // matches every use of the parameter
}

// Verdict is what a condition came to.
type Verdict struct {
	// Met reports whether the condition holds. It says nothing if Missing is not empty.
	Met bool
	// Missing names the parameters without which the outcome is open, sorted.
	Missing []string
	// Cost is what the evaluation took, a failed one too: about one per operation.
	Cost int
}

// ConditionError says that a condition failed: a value of the wrong type, a
// division by zero, too much work.
type ConditionError struct {
	Condition string
	Err       error
}

// Error names the condition and what failed in it.
func (e *ConditionError) Error() string {
	return fmt.Sprintf("condition %s failed: %v", e.Condition, e.Err)
}

// Unwrap returns what failed.
func (e *ConditionError) Unwrap() error { return e.Err }

// Evaluate judges the condition. Values of the tuple's own context take precedence
// over those of the request; keys that are no parameters are ignored. A parameter
// without a value is unknown to the expression, which may be decided all the same:
// "false && x" is not met, and nothing is missing.
//
// An error is a [*ConditionError], or the context's own.
func (c *Condition) Evaluate(ctx context.Context, tuple, request tuples.Context) (Verdict, error) {
	vars, err := c.bind(tuple, request)
	if err != nil {
		return Verdict{}, &ConditionError{Condition: c.Name, Err: err}
	}
	out, details, err := c.program.ContextEval(ctx, vars)
	if ctx.Err() != nil {
		return Verdict{}, context.Cause(ctx)
	}
	verdict := Verdict{}
	if cost := details.ActualCost(); cost != nil {
		verdict.Cost = int(*cost)
	}
	if err != nil {
		return verdict, &ConditionError{Condition: c.Name, Err: err}
	}
	if unknown, ok := out.(*types.Unknown); ok {
		verdict.Missing = missing(unknown)
		return verdict, nil
	}
	verdict.Met = out == types.True
	return verdict, nil
}

// bind converts the values of one evaluation and marks the parameters without one.
func (c *Condition) bind(tuple, request tuples.Context) (cel.Activation, error) {
	vars := &activation{parameters: c.Parameters, values: make([]ref.Val, len(c.Parameters))}
	var unknown []*cel.AttributePatternType
	for i := range c.Parameters {
		p := &c.Parameters[i]
		value, ok := tuple[p.Name]
		if !ok {
			value, ok = request[p.Name]
		}
		if !ok {
			unknown = append(unknown, p.unknown)
			continue
		}
		converted, err := p.kind.convert(value)
		if err != nil {
			return nil, fmt.Errorf("parameter %s: %w", p.Name, err)
		}
		vars.values[i] = converted
	}
	if len(unknown) == 0 {
		return vars, nil
	}
	return interpreter.NewPartialActivation(vars, unknown...)
}

// missing returns the names of the variables that an open result depends on.
func missing(unknown *types.Unknown) []string {
	var names []string
	for _, id := range unknown.IDs() {
		trails, _ := unknown.GetAttributeTrails(id)
		for _, trail := range trails {
			names = append(names, trail.Variable())
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// activation hands the values of one evaluation to CEL.
type activation struct {
	parameters []Parameter
	values     []ref.Val // by position of the parameter; nil for unknown
}

// ResolveName returns the value of a parameter.
func (a *activation) ResolveName(name string) (any, bool) {
	for i := range a.parameters {
		if a.parameters[i].Name == name {
			return a.values[i], a.values[i] != nil
		}
	}
	return nil, false
}

// Parent returns nil: there is no outer scope.
func (a *activation) Parent() cel.Activation { return nil }
