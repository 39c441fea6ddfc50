package check

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// SharesQuery asks with whom objects are shared, and as what.
type SharesQuery struct {
	Objects []tuples.Object // at least one, none twice
	// Relations are the rights to tell apart, the weakest first: 1 to [MaxRights]
	// relations that every type of the objects has.
	Relations []tuples.Relation
	// Recipient is the one to summarize for, nil for all.
	Recipient *tuples.Subject
}

// MaxRights is how many relations one summary can tell apart.
const MaxRights = 20

// RecipientShares is what one recipient has on the objects of a query. On each object its
// right is the strongest that it has: the last of the relations for which [Evaluator.Check]
// would not say denied, among those from which a tuple names it.
type RecipientShares struct {
	Subject tuples.Subject
	// Counts are the rights that it has, the strongest first; of the objects that it has
	// none on the last one tells, without a relation.
	Counts []ShareCount
	// Direct is on how many objects a tuple of the object itself gives the right.
	Direct int
	// Origins are the tuples that name the recipient for its right, if the query is of one
	// object: the object's own first, then sorted; [MaxOrigins] at most.
	Origins []tuples.Tuple
	// Err is a [ConditionError] if the right on FailedOn depends on a condition that
	// failed; Counts, Direct and Origins say nothing then.
	Err      error
	FailedOn tuples.Object
}

// MaxOrigins is how many tuples of a recipient are told.
const MaxOrigins = 20

// ShareCount is on how many objects a recipient has one right.
type ShareCount struct {
	Relation    tuples.Relation // "" for none
	Objects     int
	Conditional int // on how many the right depends on context that was not given
	// Which are the places of the objects in the query, ascending, if it names a recipient.
	Which []int32
}

// SummarizeShares yields the recipients that have a right on some of the objects, sorted
// bytewise by their text form, behind after ("" for the beginning). A recipient that the
// query names is yielded in any case. An error ends the list; a condition that failed for
// one recipient is in its item instead. It fails as [Evaluator.Check] does.
//
// Each tuple is read once, however many relations it counts for and however many
// objects inherit it; only of folders and the like with more than a quarter of a million
// tuples some may be read again. Rights that no "and", "but not" or open condition stands
// before are known by then; of the others each costs a Check.
func (e *Evaluator) SummarizeShares(ctx context.Context, q SharesQuery, after string) iter.Seq2[RecipientShares, error] {
	return func(yield func(RecipientShares, error) bool) {
		s, err := e.newSummary(ctx, q)
		if err == nil {
			err = s.count(ctx)
		}
		if err != nil {
			yield(RecipientShares{}, err)
			return
		}
		sorted, err := s.sorted(ctx, after)
		if err != nil {
			yield(RecipientShares{}, err)
			return
		}
		for _, n := range sorted {
			shares, err := s.judge(ctx, n.number)
			shares.Subject = n.subject
			if err != nil {
				yield(RecipientShares{}, err)
				return
			}
			if (len(shares.Counts) > 0 || shares.Err != nil) && !yield(shares, nil) {
				return
			}
		}
	}
}

// newSummary prepares the work on a query.
func (e *Evaluator) newSummary(ctx context.Context, q SharesQuery) (*summary, error) {
	if err := e.prepare(ctx); err != nil {
		return nil, err
	}
	s := &summary{
		evaluator: e, query: q, demands: make(map[tuples.ObjectType][]demand), groups: make(map[string]*group),
		nodes: make([]tuples.Node, len(q.Objects)),
	}
	for i, object := range q.Objects {
		if s.demands[object.Type] == nil {
			demands, err := e.demands(object.Type, q.Relations)
			if err != nil {
				return nil, err
			}
			s.demands[object.Type] = demands
		}
		var err error
		if s.nodes[i], err = e.graph.node(ctx, object); err != nil {
			return nil, err
		}
	}
	if q.Recipient != nil {
		asked, err := e.solver(ctx, *q.Recipient)
		if err != nil {
			return nil, err
		}
		s.only = &recipient{asked.subject.node, asked.subject.kind.Relation}
	}
	s.survey = newSurvey(e, s.only)
	s.lineages = newLineages(s.survey, nil)
	if s.only != nil {
		s.survey.number(*s.only)
	}
	return s, nil
}

// demands asks for relations of a type.
func (e *Evaluator) demands(t tuples.ObjectType, relations []tuples.Relation) ([]demand, error) {
	demands := make([]demand, len(relations))
	for i, r := range relations {
		step, err := e.step(t, r)
		if err != nil {
			return nil, err
		}
		bit := rights(1) << i
		demands[i] = demand{step, claim{named: bit, sure: bit}}
	}
	return demands, nil
}

// numbered is a recipient with its name.
type numbered struct {
	number  int32
	subject tuples.Subject
	text    string
}

// sorted names the recipients behind after and sorts them.
func (s *summary) sorted(ctx context.Context, after string) ([]numbered, error) {
	nodes := make([]tuples.Node, len(s.survey.recipients))
	for i, r := range s.survey.recipients {
		nodes[i] = r.node
	}
	objects, err := s.evaluator.graph.objects(ctx, nodes)
	if err != nil {
		return nil, err
	}
	all := make([]numbered, 0, len(objects))
	for i, object := range objects {
		n := numbered{number: int32(i), subject: s.subject(s.survey.recipients[i], object)}
		if n.text = n.subject.String(); n.text > after {
			all = append(all, n)
		}
	}
	slices.SortFunc(all, func(a, b numbered) int { return strings.Compare(a.text, b.text) })
	return all, nil
}

func (s *summary) subject(r recipient, object tuples.Object) tuples.Subject {
	relation := tuples.Relation(s.evaluator.request.Program.Name(r.relation))
	return tuples.Subject{Type: object.Type, ID: object.ID, Relation: relation}
}

// judge sums up what one recipient has.
func (s *summary) judge(ctx context.Context, number int32) (RecipientShares, error) {
	p := &portrait{
		summary: s, number: number,
		counts: slices.Clone(s.settled[int(number)*len(s.query.Relations):][:len(s.query.Relations)]),
		direct: s.direct[number],
	}
	for _, o := range s.open[number] {
		err := p.add(ctx, o)
		if failed := (*ConditionError)(nil); errors.As(err, &failed) {
			return RecipientShares{Err: failed, FailedOn: s.query.Objects[o.object]}, nil
		}
		if err != nil {
			return RecipientShares{}, err
		}
	}
	return p.shares(ctx)
}

// step returns the step of one of the rights on an object.
func (s *summary) step(object, right int) *model.Step {
	return s.demands[s.query.Objects[object].Type][right].step
}
