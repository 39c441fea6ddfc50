package model

import (
	"context"

	"github.com/usher-authz/usher/tuples"
)

// Condition is a named expression in CEL over typed parameters, which a tuple can
// carry: the tuple counts only where the condition holds.
type Condition struct {
	Name       string
	Parameters []Parameter // sorted by name
	Expression string      // CEL source
	Module     string      // of a modular model, else ""
	Pos        Pos
}

// Parameter is a parameter of a condition with its type.
type Parameter struct {
	Name string
	Type string // as the language writes it, such as "string" or "list<int>"
}

// Verdict is what a condition came to.
type Verdict struct {
	// Met reports whether the condition holds. It says nothing if Missing is not empty.
	Met bool
	// Missing names the parameters without which the outcome is open, sorted.
	Missing []string
}

// Evaluate judges the condition. Values of the tuple's own context take precedence
// over those of the request. An error says that the expression failed: a value of
// the wrong type, a division by zero, too much work.
func (c *Condition) Evaluate(ctx context.Context, tuple, request tuples.Context) (Verdict, error) {
	return Verdict{}, nil
}
