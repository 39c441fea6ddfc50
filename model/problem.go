package model

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing wrong or suspicious in a model: where, what, and what to
// write instead.
type Problem struct {
	Pos     Pos
	Message string
	Remedy  string
}

// String returns "file:line:column: message; remedy", without what is not known.
func (p Problem) String() string {
	text := p.Message
	if p.Pos != (Pos{}) {
		text = p.Pos.String() + ": " + text
	}
	if p.Remedy != "" {
		text += "; " + p.Remedy
	}
	return text
}

// MaxProblems is how many problems of a model are reported.
const MaxProblems = 100

// Error says that a model is refused. It holds everything that is wrong with it,
// in the order of the source, up to [MaxProblems]; if there are more, one in the end
// says how many. A model with syntax errors is not examined further.
type Error struct {
	Problems []Problem
}

// Error returns one line per problem.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// String returns "file:line:column", or "line:column" where there is one file only.
// Of a place in no line, only the file is given.
func (p Pos) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.File == "":
		return fmt.Sprintf("%d:%d", p.Line, p.Column)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// compare orders places by file, then line, then column.
func (p Pos) compare(q Pos) int {
	return cmp.Or(cmp.Compare(p.File, q.File), cmp.Compare(p.Line, q.Line), cmp.Compare(p.Column, q.Column))
}

// report gathers what is found in one model.
type report struct {
	errors   []Problem
	warnings []Problem
}

func (r *report) errorf(pos Pos, remedy, format string, args ...any) {
	r.errors = append(r.errors, Problem{Pos: pos, Message: fmt.Sprintf(format, args...), Remedy: remedy})
}

func (r *report) warnf(pos Pos, remedy, format string, args ...any) {
	r.warnings = append(r.warnings, Problem{Pos: pos, Message: fmt.Sprintf(format, args...), Remedy: remedy})
}

// err returns what is wrong as an error, nil if nothing is.
func (r *report) err() error {
	if len(r.errors) == 0 {
		return nil
	}
	sortProblems(r.errors)
	if more := len(r.errors) - MaxProblems; more > 0 {
		last := Problem{Message: fmt.Sprintf("the model has %d more problems", more), Remedy: "correct these first"}
		r.errors = append(r.errors[:MaxProblems], last)
	}
	return &Error{Problems: r.errors}
}

func sortProblems(problems []Problem) {
	slices.SortStableFunc(problems, func(p, q Problem) int { return p.Pos.compare(q.Pos) })
}
