package model

import (
	"fmt"
	"strings"
)

// DSL returns the model in the modelling language. Reading that text gives an equal
// model, apart from places and modules; a modular model becomes one text.
//
// The language has room for direct types only at the beginning of an expression;
// from a JSON model that has them elsewhere comes a text for people.
func (m *Model) DSL() string {
	var b strings.Builder
	fmt.Fprintf(&b, "model\n  schema %s\n", m.Schema)
	for _, t := range m.Types {
		fmt.Fprintf(&b, "\ntype %s\n", t.Name)
		if len(t.Relations) > 0 {
			b.WriteString("  relations\n")
		}
		for _, r := range t.Relations {
			fmt.Fprintf(&b, "    define %s: %s\n", r.Name, Format(r.Rewrite, r.Direct))
		}
	}
	for _, c := range m.Conditions {
		fmt.Fprintf(&b, "\ncondition %s(%s) {\n  %s\n}\n", c.Name, c.signature(), c.Expression)
	}
	return b.String()
}

// Format returns one relation's definition as the modelling language writes it,
// such as "[user, group#member] or editor or viewer from parent".
func Format(rewrite Rewrite, direct []Restriction) string {
	switch r := rewrite.(type) {
	case This:
		return "[" + kinds(direct) + "]"
	case ComputedUserset:
		return string(r.Relation)
	case TupleToUserset:
		return string(r.Computed) + " from " + string(r.Tupleset)
	case Union:
		return formatOperands(" or ", r.Operands, direct)
	case Intersection:
		return formatOperands(" and ", r.Operands, direct)
	case Exclusion:
		return formatOperands(" but not ", []Rewrite{r.Base, r.Subtract}, direct)
	}
	panic(fmt.Sprintf("model: unknown rewrite %T", rewrite))
}

func formatOperands(operator string, operands []Rewrite, direct []Restriction) string {
	texts := make([]string, len(operands))
	for i, operand := range operands {
		texts[i] = Format(operand, direct)
		switch operand.(type) {
		case Union, Intersection, Exclusion:
			texts[i] = "(" + texts[i] + ")"
		}
	}
	return strings.Join(texts, operator)
}

// kinds lists restrictions as the language does.
func kinds(direct []Restriction) string {
	texts := make([]string, len(direct))
	for i, r := range direct {
		texts[i] = r.String()
	}
	return strings.Join(texts, ", ")
}

// String returns the restriction as the language writes it: "user", "user:*",
// "group#member", each possibly "with condition".
func (r Restriction) String() string {
	text := string(r.Type)
	if r.Wildcard {
		text += ":*"
	}
	if r.Relation != "" {
		text += "#" + string(r.Relation)
	}
	if r.Condition != "" {
		text += " with " + r.Condition
	}
	return text
}

// signature returns the parameters with their types, "ip: ipaddress, day: timestamp".
func (c *Condition) signature() string {
	texts := make([]string, len(c.Parameters))
	for i, p := range c.Parameters {
		texts[i] = p.Name + ": " + p.Type
	}
	return strings.Join(texts, ", ")
}
