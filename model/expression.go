package model

import (
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// Bounds of one evaluation. A unit of cost is about one operation; comparing or
// searching long values costs more. Deadlines are looked at once in so many rounds of
// a comprehension.
const (
	maxEvaluationCost = 10_000
	interruptRounds   = 100
)

// language is CEL with what conditions add to it: IP addresses.
var language = sync.OnceValue(func() *cel.Env {
	env, err := cel.NewEnv(
		cel.EagerlyValidateDeclarations(true),
		cel.Function("ipaddress",
			cel.Overload("string_to_ipaddress", []*cel.Type{cel.StringType}, ipAddressType,
				cel.UnaryBinding(parseIPAddress))),
		cel.Function("in_cidr",
			cel.MemberOverload("ipaddress_in_cidr_string", []*cel.Type{ipAddressType, cel.StringType}, cel.BoolType,
				cel.BinaryBinding(inCIDR))),
	)
	if err != nil {
		panic(err) // the declarations are constant
	}
	return env
})

// compile turns the expression into a program, or says what is wrong with it or with
// a parameter's type.
func (c *Condition) compile(r *report) {
	options := make([]cel.EnvOption, 0, len(c.Parameters))
	for i := range c.Parameters {
		p := &c.Parameters[i]
		kind, ok := parseType(p.Type)
		if !ok {
			r.errorf(p.Pos, "use one of "+typeNames, "parameter %s of condition %s has the unknown type %q", p.Name, c.Name, p.Type)
			return
		}
		p.kind, p.unknown = kind, cel.AttributePattern(p.Name)
		options = append(options, cel.Variable(p.Name, kind.cel))
	}
	env, err := language().Extend(options...)
	if err != nil {
		r.errorf(c.Pos, "rename the parameter that it speaks of", "parameters of condition %s are refused: %v", c.Name, err)
		return
	}
	c.check(env, r)
}

// check parses and type-checks the expression, and plans the program.
func (c *Condition) check(env *cel.Env, r *report) {
	ast, issues := env.Compile(c.Expression)
	for _, issue := range issues.Errors() {
		r.errorf(c.place(issue.Location.Line(), issue.Location.Column()), "declare what it uses as parameters, and return a bool",
			"condition %s: %s", c.Name, strings.TrimSpace(issue.Message))
	}
	if issues.Err() != nil {
		return
	}
	if !ast.OutputType().IsExactType(cel.BoolType) {
		r.errorf(c.exprPos, "compare with something, as in x == 1", "condition %s returns %s instead of bool", c.Name, ast.OutputType())
		return
	}
	program, err := env.Program(ast,
		cel.EvalOptions(cel.OptPartialEval|cel.OptOptimize),
		cel.CostLimit(maxEvaluationCost),
		cel.InterruptCheckFrequency(interruptRounds))
	if err != nil {
		r.errorf(c.exprPos, "correct the constant that it speaks of", "condition %s: %v", c.Name, err)
		return
	}
	c.program = program
}

// place returns where in the source a place in the expression is; lines come from 1
// and columns from 0.
func (c *Condition) place(line, column int) Pos {
	switch {
	case len(c.exprLines) == 0:
		return c.Pos
	case line <= 1:
		return Pos{File: c.Pos.File, Line: c.exprPos.Line, Column: c.exprPos.Column + max(column, 0)}
	}
	return Pos{File: c.Pos.File, Line: c.exprLines[min(line, len(c.exprLines))-1], Column: column + 1}
}

// parseIPAddress is ipaddress(string) in an expression.
func parseIPAddress(text ref.Val) ref.Val {
	address, err := convertIPAddress(text.Value())
	if err != nil {
		return types.WrapErr(err)
	}
	return address
}
