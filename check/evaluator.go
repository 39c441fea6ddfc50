package check

import (
	"context"
	"slices"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// Evaluator answers the questions of one request, all of them at the request's
// revision, clock reading and model. It remembers what it has worked out, so that
// related questions cost less. It serves one goroutine.
type Evaluator struct {
	request Request
	graph   graph
	solvers map[solverKey]*solver
	bars    map[uint32]bool // what [Evaluator.canBar] found out of steps
	ready   bool            // the contextual tuples are laid over the graph
}

type solverKey struct {
	node     tuples.Node
	relation tuples.Symbol
	free     bool
}

// New returns an evaluator for one request.
func New(request Request) *Evaluator {
	if request.Budget == 0 {
		request.Budget = DefaultBudget
	}
	return &Evaluator{
		request: request,
		graph: graph{
			snapshot: request.Snapshot,
			program:  request.Program,
			budget:   request.Budget,
		},
		solvers: make(map[solverKey]*solver, 1),
	}
}

// Close lets go of the evaluator's memory. Neither it nor a list that it gave may be used
// afterwards; answers may.
func (e *Evaluator) Close() { *e = Evaluator{} }

// Check answers: may subject do what the relation of on stands for? It fails with an
// [*UnknownError], a [*ConditionError], [ErrBudget], the context's error or the
// snapshot's.
func (e *Evaluator) Check(ctx context.Context, on tuples.Userset, subject tuples.Subject) (Decision, error) {
	s, step, node, err := e.question(ctx, on, subject)
	if err != nil {
		return Decision{}, err
	}
	v, err := s.solve(ctx, node, step)
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

// solver returns the solver for questions about one subject.
func (e *Evaluator) solver(ctx context.Context, subject tuples.Subject) (*solver, error) {
	if err := e.prepare(ctx); err != nil {
		return nil, err
	}
	program := e.request.Program
	if program.Type(subject.Type) == 0 {
		return nil, &UnknownError{Type: subject.Type}
	}
	relation := e.graph.relation(subject.Type, subject.Relation)
	if subject.IsUserset() && relation == 0 {
		return nil, &UnknownError{Type: subject.Type, Relation: subject.Relation}
	}
	node, err := e.graph.node(ctx, subject.Object())
	if err != nil {
		return nil, err
	}
	return e.solverOf(solverKey{node: node, relation: relation}), nil
}

// maxSolvers bounds the subjects whose answers are kept. A batch about 10,000 users
// would else hold some 40 MB.
const maxSolvers = 16

func (e *Evaluator) solverOf(key solverKey) *solver {
	s := e.solvers[key]
	if s == nil {
		if len(e.solvers) == maxSolvers {
			clear(e.solvers)
		}
		s = newSolver(e, key)
		e.solvers[key] = s
	}
	return s
}

// question returns the solver for questions about subject, and the atom of on.
func (e *Evaluator) question(ctx context.Context, on tuples.Userset, subject tuples.Subject) (*solver, *model.Step, tuples.Node, error) {
	s, err := e.solver(ctx, subject)
	if err != nil {
		return nil, nil, 0, err
	}
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
