package server

import (
	"context"
	"fmt"
	"time"

	"github.com/usher-authz/usher/check"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// PreviewShares implements usher.v1.PermissionService.
func (s *permissionService) PreviewShares(ctx context.Context, r *usherv1.PreviewSharesRequest) (*usherv1.PreviewSharesResponse, error) {
	h, err := s.handle(ctx, r.GetStore())
	if err != nil {
		return nil, err
	}
	supposed, p := toSharing(r, sharingLimits{shares: maxPreviewShares, pairs: maxPreviewPairs})
	relation := tuples.Relation(r.GetRelation())
	p.addRelation("relation", relation)
	if err := p.err(); err != nil {
		return nil, err
	}
	values, err := toQuestionContext(r.GetContext())
	if err != nil {
		return nil, err
	}
	v, err := s.openAt(ctx, h, r.GetConsistency())
	if err != nil {
		return nil, err
	}
	defer v.close()
	c, err := v.model(ctx, tuples.ModelID(r.GetModelId()))
	if err != nil {
		return nil, err
	}
	p.addForbiddenShares(c.program.Model, h.store.Symbols(), supposed)
	p.addUnaskable(c.program.Model, supposed, relation)
	if err := p.err(); err != nil {
		return nil, err
	}
	preview := &sharePreview{sharing: supposed, relation: relation, evaluator: check.New(check.Request{
		Program:    c.program,
		Snapshot:   v.snapshot,
		Contextual: supposed.contextual(c.program.Model, v.snapshot.Time()),
		Context:    values,
		Budget:     s.options.WorkBudget,
	})}
	response := &usherv1.PreviewSharesResponse{Token: v.newToken(), Revision: v.revision()}
	for i := range supposed.shares {
		message, err := preview.of(ctx, supposed.shares[i].recipient)
		if err != nil {
			return nil, err
		}
		response.Previews = append(response.Previews, message)
	}
	return response, nil
}

// addUnaskable notes the types of a selection that lack the relation to be asked for, and
// the recipients that the model does not know. Of those that are given a role
// [problems.addForbiddenShares] has spoken.
func (p *problems) addUnaskable(m *model.Model, s *sharing, relation tuples.Relation) {
	if p.err() != nil {
		return
	}
	for _, i := range s.firstOfTypes() {
		p.add("relation", known(m, name{"", s.objects[i].Type, relation}))
	}
	for i := range s.shares {
		recipient := s.shares[i].recipient
		p.add(fmt.Sprintf("shares[%d]", i), known(m, subjectNames(recipient)...))
	}
}

// contextual returns what SetShares would leave, as contextual tuples: one that expires
// at the time of the question counts as absent, and hides the one that is stored.
func (s *sharing) contextual(m *model.Model, at time.Time) (all []tuples.Tuple) {
	for _, object := range s.objects {
		for i := range s.shares {
			share := &s.shares[i]
			for _, role := range s.roles {
				switch {
				case role == share.role:
					all = append(all, share.tuple(object))
				case m.Relation(object.Type, role) != nil:
					key := tuples.Key{Object: object, Relation: role, Subject: share.recipient}
					all = append(all, tuples.Tuple{Key: key, Grant: tuples.Grant{Expires: at}})
				}
			}
		}
	}
	return all
}

// sharePreview asks what a sharing would come to.
type sharePreview struct {
	*sharing
	relation  tuples.Relation
	evaluator *check.Evaluator
}

// of tells what one recipient would see.
func (p *sharePreview) of(ctx context.Context, recipient tuples.Subject) (*usherv1.SharePreview, error) {
	preview := &usherv1.SharePreview{Subject: wire.FromSubject(recipient)}
	for _, object := range p.objects {
		on := tuples.Userset{Object: object, Relation: p.relation}
		decision, err := p.evaluator.Check(ctx, on, recipient)
		if err != nil {
			return nil, concerning(err, "object", object.String())
		}
		if decision.Outcome == check.Allowed {
			preview.Allowed++
			continue
		}
		unseen := &usherv1.UnseenObject{
			Object: wire.FromObject(object), Outcome: fromOutcome(decision.Outcome), MissingContext: decision.Missing,
		}
		blockers, err := p.evaluator.Blockers(ctx, on, recipient)
		if err != nil {
			return nil, err
		}
		for _, u := range blockers {
			unseen.BlockedBy = append(unseen.BlockedBy, &usherv1.Userset{Object: wire.FromObject(u.Object), Relation: string(u.Relation)})
		}
		preview.Unseen = append(preview.Unseen, unseen)
	}
	return preview, nil
}
