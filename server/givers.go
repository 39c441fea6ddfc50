package server

import (
	"context"
	"errors"
	"slices"

	"github.com/usher-authz/usher/check"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// validateGivenBy refuses a relation of givers that cannot be one. Which relations there
// are only the model tells, see [hasRelation].
func validateGivenBy(r *usherv1.CheckRequest) error {
	relation := r.GetGivenBy()
	if relation == "" {
		return nil
	}
	if !r.GetExplain() {
		return tuples.Invalid("given_by", relation, "is set without explain", "set explain too, or leave it out")
	}
	var p problems
	p.addRelation("given_by", tuples.Relation(relation))
	return p.err()
}

// addGivers names those who can give what would grant the access (E9): on each userset
// whoever has the relation on its object. Usersets of objects without it are left out:
// nobody gives an address its account. When the budget ends on the way, the explanation
// is truncated: the question itself has its answer.
func (a *asked) addGivers(ctx context.Context, e *usherv1.Explanation, relation tuples.Relation) error {
	m := a.program.Model
	if !slices.ContainsFunc(m.Types, func(t *model.Type) bool { return t.Relation(relation) != nil }) {
		return refuse(usherv1.ErrorReason_ERROR_REASON_UNKNOWN_RELATION, "given_by", string(relation),
			"is not a relation of any type in the authorization model", "use one that lets its holders share, such as can_share")
	}
	e.WouldGrant = slices.DeleteFunc(e.WouldGrant, func(g *usherv1.ExplanationGrant) bool {
		return m.Relation(tuples.ObjectType(g.GetObject().GetType()), relation) == nil
	})
	named := make(map[tuples.Object]*usherv1.ExplanationGrant) // the roles of one object have the same givers
	for i, grant := range e.WouldGrant {
		object := wire.ToObject(grant.GetObject())
		if same := named[object]; same != nil {
			grant.Givers, grant.MoreGivers = same.GetGivers(), same.GetMoreGivers()
			continue
		}
		named[object] = grant
		err := a.nameGivers(ctx, grant, object, relation)
		if errors.Is(err, check.ErrBudget) {
			e.WouldGrant, e.Truncated = e.WouldGrant[:i], true
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// nameGivers names, of those who have a relation to the object of a userset for certain,
// the first few.
func (a *asked) nameGivers(ctx context.Context, grant *usherv1.ExplanationGrant, object tuples.Object, relation tuples.Relation) error {
	query := check.SharesQuery{Objects: []tuples.Object{object}, Relations: []tuples.Relation{relation}}
	for giver, err := range a.evaluator.SummarizeShares(ctx, query, "") {
		switch {
		case err != nil:
			return err
		case giver.Err != nil || giver.Counts[0].Relation == "" || giver.Counts[0].Conditional > 0:
			continue
		case len(grant.Givers) == maxGivers:
			grant.MoreGivers = true
			return nil
		}
		grant.Givers = append(grant.Givers, wire.FromSubject(giver.Subject))
	}
	return nil
}
