package scenario

import (
	"context"
	"errors"
	"slices"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/tuples"
)

// Result is how one test of a file went.
type Result struct {
	Name     string    `json:"name"`
	Line     int       `json:"line"` // of the file, as in all that follows
	Passed   int       `json:"passed"`
	Failures []Failure `json:"failures,omitempty"`
}

// Failure is an assertion that does not hold.
type Failure struct {
	Line  int    `json:"line"`
	Query string `json:"query"`
	Want  string `json:"want"`
	Got   string `json:"got"`
	// Why explains the answer that was got, of a list that of the first entry that is
	// missing or too many: one step a line. Empty where a condition failed, and of shares.
	Why []string `json:"why,omitempty"`
}

// Run runs all tests of a file, in their order, against the engine over a store of their
// own. What its answers rested on goes into coverage, which may be nil. An error says
// that the tests could not be run: that a budget ran out, or ctx, or the disk.
func Run(ctx context.Context, f *File, coverage *Coverage) (results []Result, err error) {
	l, err := Open(ctx, f)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	for i := range f.Tests {
		result, err := l.run(ctx, &f.Tests[i], coverage)
		if err != nil {
			return nil, err
		}
		results = append(results, result)
	}
	return results, nil
}

func (l *Library) run(ctx context.Context, t *Test, coverage *Coverage) (Result, error) {
	result := Result{Name: t.Name, Line: t.Line}
	for _, a := range t.Assertions {
		failure, err := l.judge(ctx, t, a, coverage)
		switch {
		case err != nil:
			return Result{}, err
		case failure == nil:
			result.Passed++
		default:
			result.Failures = append(result.Failures, *failure)
		}
	}
	return result, nil
}

// judge answers one assertion; nil if it holds.
func (l *Library) judge(ctx context.Context, t *Test, a Assertion, coverage *Coverage) (*Failure, error) {
	e, done, err := l.evaluator(ctx, t, a)
	if err != nil {
		return nil, err
	}
	defer done()
	got, err := answer(ctx, e, a.Query)
	if err != nil {
		return nil, err
	}
	if coverage != nil {
		if err := coverage.add(ctx, e, a.Query, got.items); err != nil {
			return nil, err
		}
	}
	if got.text == a.Want {
		return nil, nil
	}
	failure := &Failure{Line: a.Line, Query: a.Query.String(), Want: a.Want, Got: got.text}
	q, ok := questionOf(a.Query)
	if !ok {
		return failure, nil
	}
	x, err := explain(ctx, e, q.naming(difference(a.listed, got.items)))
	if x != nil {
		failure.Why = lines(x)
	}
	return failure, err
}

// difference returns the first entry that is missing in got, or else is too many.
func difference(want, got []Item) tuples.ID {
	for _, lists := range [][2][]Item{{want, got}, {got, want}} {
		for _, item := range lists[0] {
			if !slices.Contains(lists[1], item) {
				return item.ID
			}
		}
	}
	return Asked
}

// questionOf returns the question that a query is, or is about; false if it is none.
func questionOf(query Query) (Question, bool) {
	switch x := query.(type) {
	case Question:
		return x, true
	case Why:
		return x.Question, true
	case Attributes:
		return x.Question, true
	}
	return Question{}, false
}

// naming returns the question with an id in place of [Asked].
func (q Question) naming(id tuples.ID) Question {
	if q.On.Object.ID == Asked {
		q.On.Object.ID = id
	} else if q.Subject.ID == Asked {
		q.Subject.ID = id
	}
	return q
}

// explain explains a check; nil where a condition failed, which is no answer to explain.
func explain(ctx context.Context, e *check.Evaluator, q Question) (*check.Explanation, error) {
	x, err := e.Explain(ctx, q.On, q.Subject)
	var failed *check.ConditionError
	if errors.As(err, &failed) {
		return nil, nil
	}
	return x, err
}
