package check

import (
	"context"
	"slices"
	"sync"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// Evaluator answers the questions of one request, all of them at the request's
// revision, clock reading and model. It remembers what it has worked out, so that
// related questions cost less. It serves one goroutine.
type Evaluator struct {
	request Request
	graph   graph
	solvers []*solver
	oldest  int             // of the solvers, when there are maxSolvers of them
	bars    map[uint32]bool // what [Evaluator.canBar] found out of steps
	ready   bool            // the contextual tuples are laid over the graph
	page    []tuples.Edge   // room for the reads of walks
	lists   *listRoom       // nil before there was a list
}

// evaluators are those that were closed. Most requests need little memory, and all of it
// in an evaluator that served another request before.
var evaluators = sync.Pool{New: func() any { return new(Evaluator) }}

// New returns an evaluator for one request. Close it.
func New(request Request) *Evaluator {
	if request.Budget == 0 {
		request.Budget = DefaultBudget
	}
	e := evaluators.Get().(*Evaluator)
	e.request = request
	e.graph.snapshot, e.graph.program, e.graph.budget = request.Snapshot, request.Program, request.Budget
	return e
}

// Close gives the evaluator's memory to the next one. Neither it nor a list that it gave
// may be used afterwards; answers may. An evaluator that is not closed is no leak.
func (e *Evaluator) Close() {
	for _, s := range e.solvers {
		s.end()
	}
	e.lists.end()
	*e = Evaluator{solvers: e.solvers[:0], page: e.page, lists: e.lists}
	evaluators.Put(e)
}

// Check answers: may subject do what the relation of on stands for? It fails with an
// [*UnknownError], a [*ConditionError], [ErrBudget], the context's error or the
// snapshot's.
func (e *Evaluator) Check(ctx context.Context, on tuples.Userset, subject tuples.Subject) (Decision, error) {
	if err := e.graph.meet(ctx, subject.Object(), on.Object); err != nil {
		return Decision{}, err
	}
	key, err := e.who(ctx, subject)
	if err != nil {
		return Decision{}, err
	}
	step, node, err := e.atom(ctx, on)
	if err != nil {
		return Decision{}, err
	}
	v, err := e.solverOf(key).solve(ctx, node, step)
	if err != nil {
		return Decision{}, err
	}
	return e.decide(ctx, v)
}

// decide turns a value into an answer. A paradox is denied.
func (e *Evaluator) decide(ctx context.Context, v value) (Decision, error) {
	switch {
	case v.truth == yes:
		return Decision{Outcome: Allowed}, nil
	case v.truth == no || v.causes == nil:
		return Decision{Outcome: Denied}, nil
	case v.causes.failed != nil:
		failed := v.causes.failed
		key, err := e.key(ctx, failed.tuple)
		if err != nil {
			return Decision{}, err
		}
		return Decision{}, &ConditionError{Tuple: key, Condition: failed.condition, Err: failed.err}
	}
	return Decision{Outcome: Conditional, Missing: slices.Clone(v.causes.missing)}, nil
}

// key returns the names of an interned tuple.
func (e *Evaluator) key(ctx context.Context, k tuples.EdgeKey) (tuples.Key, error) {
	names, err := e.graph.objects(ctx, []tuples.Node{k.Object, k.Subject})
	if err != nil {
		return tuples.Key{}, err
	}
	return tuples.Key{
		Object:   names[0],
		Relation: tuples.Relation(e.request.Program.Name(k.Relation)),
		Subject: tuples.Subject{
			Type: names[1].Type, ID: names[1].ID,
			Relation: tuples.Relation(e.request.Program.Name(k.SubjectRelation)),
		},
	}, nil
}

// prepare lays the contextual tuples over the graph, once.
func (e *Evaluator) prepare(ctx context.Context) error {
	if e.ready {
		return nil
	}
	if len(e.request.Contextual) > 0 {
		if err := e.graph.layOver(ctx, e.request.Contextual); err != nil {
			return err
		}
	}
	e.ready = true
	return nil
}

// who returns the key of the solver for questions about a subject.
func (e *Evaluator) who(ctx context.Context, subject tuples.Subject) (solverKey, error) {
	if err := e.prepare(ctx); err != nil {
		return solverKey{}, err
	}
	if e.request.Program.Type(subject.Type) == 0 {
		return solverKey{}, &UnknownError{Type: subject.Type}
	}
	var key solverKey
	if subject.IsUserset() {
		if key.relation = e.graph.relation(subject.Type, subject.Relation); key.relation == 0 {
			return solverKey{}, &UnknownError{Type: subject.Type, Relation: subject.Relation}
		}
	}
	var err error
	key.node, err = e.graph.node(ctx, subject.Object())
	return key, err
}

// solver returns the solver for questions about one subject. It is the caller's as long as
// the evaluator.
func (e *Evaluator) solver(ctx context.Context, subject tuples.Subject) (*solver, error) {
	key, err := e.who(ctx, subject)
	if err != nil {
		return nil, err
	}
	s := e.solverOf(key)
	s.lent = true
	return s, nil
}

// maxSolvers bounds the subjects whose answers are kept. A batch about 10,000 users
// would else hold some 40 MB.
const maxSolvers = 16

// solverOf returns the solver of a key. It is the caller's until another one is asked for.
func (e *Evaluator) solverOf(key solverKey) *solver {
	for _, s := range e.solvers {
		if s.key == key {
			return s
		}
	}
	n := len(e.solvers)
	switch {
	case n < cap(e.solvers) && n < maxSolvers: // one of an earlier request
		e.solvers = e.solvers[:n+1]
		if e.solvers[n] == nil {
			e.solvers[n] = &solver{}
		}
	case n < maxSolvers:
		e.solvers = append(e.solvers, &solver{})
	default:
		n = e.oldest
		e.oldest = (e.oldest + 1) % maxSolvers
		if e.solvers[n].lent {
			e.solvers[n] = &solver{}
		}
	}
	e.solvers[n].begin(e, key)
	return e.solvers[n]
}

// written returns a solver for questions about subject that follows the model step by step,
// and the atom of on. The solver is the caller's as long as the evaluator.
func (e *Evaluator) written(ctx context.Context, on tuples.Userset, subject tuples.Subject) (*solver, *model.Step, tuples.Node, error) {
	key, err := e.who(ctx, subject)
	if err != nil {
		return nil, nil, 0, err
	}
	key.written = true
	s := e.solverOf(key)
	s.lent = true
	step, node, err := e.atom(ctx, on)
	return s, step, node, err
}

// atom returns the step and the node that a userset stands for.
func (e *Evaluator) atom(ctx context.Context, on tuples.Userset) (*model.Step, tuples.Node, error) {
	step, err := e.step(on.Object.Type, on.Relation)
	if err != nil {
		return nil, 0, err
	}
	if err := e.prepare(ctx); err != nil {
		return nil, 0, err
	}
	node, err := e.graph.node(ctx, on.Object)
	return step, node, err
}

func (e *Evaluator) step(t tuples.ObjectType, r tuples.Relation) (*model.Step, error) {
	program := e.request.Program
	if step := program.Relation(t, r); step != nil {
		return step, nil
	}
	if program.Type(t) == 0 {
		return nil, &UnknownError{Type: t}
	}
	return nil, &UnknownError{Type: t, Relation: r}
}
