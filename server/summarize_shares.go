package server

import (
	"fmt"

	"google.golang.org/grpc"

	"github.com/usher-authz/usher/check"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// SummarizeShares implements usher.v1.PermissionService.
func (s *permissionService) SummarizeShares(
	r *usherv1.SummarizeSharesRequest, stream grpc.ServerStreamingServer[usherv1.SummarizeSharesResponse],
) error {
	ctx := stream.Context()
	q, err := sharesQuestion(r)
	if err != nil {
		return err
	}
	l, err := s.openList(ctx, r)
	if err != nil {
		return err
	}
	defer l.close()
	if err := known(l.program.Model, q.names()...); err != nil {
		return err
	}
	if err := q.validateAfter(l.after); err != nil {
		return err
	}
	items := l.evaluator.SummarizeShares(ctx, q.SharesQuery, l.after)
	return batches[*usherv1.RecipientSummary]{
		limit: int(r.GetPageSize()),
		send: func(recipients []*usherv1.RecipientSummary, more bool) error {
			return stream.Send(&usherv1.SummarizeSharesResponse{
				Recipients: recipients, Cursor: l.cursor, More: more, Token: l.token, Revision: l.revision(),
			})
		},
	}.run(messages(l, items, func(shares check.RecipientShares) listed[*usherv1.RecipientSummary] {
		next := listed[*usherv1.RecipientSummary]{text: shares.Subject.String()}
		if shares.Err != nil {
			next.failed = concerning(shares.Err, "object", shares.FailedOn.String())
			return next
		}
		next.message = q.summary(shares)
		return next
	}))
}

// sharesOf is "with whom are these objects shared, and as what?".
type sharesOf struct{ check.SharesQuery }

func sharesQuestion(r *usherv1.SummarizeSharesRequest) (sharesOf, error) {
	var q sharesOf
	var p problems
	p.addCount("objects", len(r.GetObjects()), maxItems)
	p.addCount("relations", len(r.GetRelations()), check.MaxRights)
	if err := p.err(); err != nil {
		return q, err
	}
	q.Objects = p.toObjects("objects[%d]", r.GetObjects())
	q.Relations = p.toRelations("relations[%d]", r.GetRelations())
	if r.GetRecipient() != nil {
		recipient := wire.ToSubject(r.GetRecipient())
		p.add("recipient", recipient.Validate())
		q.Recipient = &recipient
	}
	return q, p.err()
}

// names returns what the question names, for [known]: of each type its first object.
func (q sharesOf) names() []name {
	var names []name
	seen := make(map[tuples.ObjectType]bool)
	for i, object := range q.Objects {
		if seen[object.Type] {
			continue
		}
		seen[object.Type] = true
		names = append(names, name{fmt.Sprintf("objects[%d].type", i), object.Type, ""})
		for j, r := range q.Relations {
			names = append(names, name{fmt.Sprintf("relations[%d]", j), object.Type, r})
		}
	}
	if s := q.Recipient; s != nil {
		names = append(names, name{"recipient.type", s.Type, ""}, name{"recipient.relation", s.Type, s.Relation})
	}
	return names
}

// validateAfter refuses a place where no list of recipients goes on.
func (q sharesOf) validateAfter(text string) error {
	if text == "" {
		return nil
	}
	if _, err := tuples.ParseSubject(text); err != nil {
		return tuples.Invalid("resume.after", text, "is no recipient of this list", "send one as in user:anna or group:design#member")
	}
	return nil
}

// summary turns what a recipient has into a message.
func (q sharesOf) summary(shares check.RecipientShares) *usherv1.RecipientSummary {
	m := &usherv1.RecipientSummary{
		Subject: wire.FromSubject(shares.Subject), Mixed: len(shares.Counts) > 1, Direct: int32(shares.Direct),
	}
	if !m.Mixed {
		m.Relation = string(shares.Counts[0].Relation)
	}
	for _, c := range shares.Counts {
		m.Counts = append(m.Counts, &usherv1.ShareCount{
			Relation: string(c.Relation), Objects: int32(c.Objects), Conditional: int32(c.Conditional), Which: c.Which,
		})
	}
	for _, t := range shares.Origins {
		m.Origins = append(m.Origins, &usherv1.ShareOrigin{Tuple: wire.FromTuple(t), Inherited: t.Object != q.Objects[0]})
	}
	return m
}
