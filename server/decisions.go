package server

import (
	"cmp"
	"fmt"
	"iter"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/usher-authz/usher/decisions"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// decisionService implements usher.v1.DecisionService.
type decisionService struct {
	usherv1.UnsafeDecisionServiceServer
	*Server
}

// ListDecisions implements usher.v1.DecisionService.
func (s *decisionService) ListDecisions(r *usherv1.ListDecisionsRequest, stream grpc.ServerStreamingServer[usherv1.ListDecisionsResponse]) error {
	ctx, log := stream.Context(), s.options.Decisions.Log
	if log == nil {
		return noDecisionLog
	}
	query, err := toDecisionQuery(r)
	if err != nil {
		return err
	}
	h, err := s.handle(ctx, r.GetStore())
	if err != nil {
		return err
	}
	query.Store = h.info.ID
	if err := knownQuery(h.store.Symbols(), query); err != nil {
		return err
	}
	l := &decisionList{Server: s.Server, cursor: cursor{stamp: h.stamp(0, 0)}}
	behind, err := l.place(h, r)
	if err != nil {
		return err
	}
	return batches[*usherv1.Decision]{
		limit: int(r.GetPageSize()),
		send: func(page []*usherv1.Decision, more bool) error {
			response := &usherv1.ListDecisionsResponse{Decisions: page, Dropped: log.Stats().Dropped}
			if more {
				response.Cursor = l.cursorBehind(len(page))
			}
			return stream.Send(response)
		},
	}.run(l.messages(log.Newest(ctx, query, behind)))
}

// toDecisionQuery returns which decisions a request selects, of a store yet to be found.
func toDecisionQuery(r *usherv1.ListDecisionsRequest) (decisions.Query, error) {
	var p problems
	q := decisions.Query{
		Object:   wire.ToObject(r.GetObject()),
		Relation: tuples.Relation(r.GetRelation()),
		Subject:  wire.ToSubject(r.GetSubject()),
		Outcome:  toRecordedOutcome(r.GetOutcome()),
	}
	if r.GetObject() != nil {
		p.add("object", q.Object.Validate())
	}
	if r.GetRelation() != "" {
		p.addRelation("relation", q.Relation)
	}
	if r.GetSubject() != nil {
		p.add("subject", q.Subject.Validate())
	}
	if r.GetOutcome() != usherv1.Outcome_OUTCOME_UNSPECIFIED && q.Outcome == 0 {
		p.add("outcome", tuples.Invalid("", r.GetOutcome().String(), "is no outcome", "send one of Outcome, or nothing for all"))
	}
	var err error
	if r.GetFrom() != nil {
		q.From, err = wire.ToTime(r.GetFrom())
		p.add("from", err)
	}
	if r.GetUntil() != nil {
		q.Until, err = wire.ToTime(r.GetUntil())
		p.add("until", err)
	}
	if !q.Until.IsZero() && !q.From.Before(q.Until) {
		p.add("until", tuples.Invalid("", q.Until.Format(time.RFC3339), "is not after from, so that nothing lies between", "send a later time, or none for now"))
	}
	if size := r.GetPageSize(); size < 0 {
		p.add("page_size", tuples.Invalid("", fmt.Sprint(size), "is negative", "send 0 for the whole list"))
	}
	return q, p.err()
}

// knownQuery refuses names that no model of the store ever had: nothing was decided about
// them.
func knownQuery(symbols *tuples.Symbols, q decisions.Query) error {
	return cmp.Or(
		knownType(symbols, "object.type", q.Object.Type), knownRelation(symbols, "relation", q.Relation),
		knownType(symbols, "subject.type", q.Subject.Type), knownRelation(symbols, "subject.relation", q.Subject.Relation),
	)
}

// decisionList is a list that is being sent.
type decisionList struct {
	*Server
	cursor   cursor
	unsealed []decisions.Position // of the decisions that were not sent yet
}

// place returns the position behind which a list goes on.
func (l *decisionList) place(h *handle, r *usherv1.ListDecisionsRequest) (behind decisions.Position, err error) {
	if l.cursor.query, err = hashQuery(r); err != nil || r.GetCursor() == "" {
		return behind, err
	}
	at, err := l.readCursor(h.info, "cursor", r.GetCursor(), l.cursor.query)
	copy(behind[:], at.after)
	return behind, err
}

// cursorBehind returns the cursor of the last of n decisions that are about to be sent.
func (l *decisionList) cursorBehind(n int) string {
	l.cursor.after = string(l.unsealed[n-1][:])
	l.unsealed = l.unsealed[n:]
	return l.sealCursor(l.cursor)
}

// messages turns entries into messages, and remembers their positions.
func (l *decisionList) messages(entries iter.Seq2[decisions.Entry, error]) iter.Seq2[*usherv1.Decision, error] {
	return func(yield func(*usherv1.Decision, error) bool) {
		for entry, err := range entries {
			l.unsealed = append(l.unsealed, entry.Position)
			if !yield(fromDecision(&entry.Decision), err) || err != nil {
				return
			}
		}
	}
}

func fromDecision(d *decisions.Decision) *usherv1.Decision {
	return &usherv1.Decision{
		Time:          timestamppb.New(d.Time),
		Caller:        d.Caller,
		Object:        wire.FromObject(d.Object),
		Relation:      string(d.Relation),
		Subject:       wire.FromSubject(d.Subject),
		SourceAddress: d.SourceAddress,
		Outcome:       fromRecordedOutcome(d.Outcome),
		GrantedBy:     wire.FromTuples(d.GrantedBy),
		Revision:      uint64(d.Revision),
		ModelId:       string(d.Model),
	}
}

func fromRecordedOutcome(o decisions.Outcome) usherv1.Outcome {
	switch o {
	case decisions.Denied:
		return usherv1.Outcome_OUTCOME_DENIED
	case decisions.Allowed:
		return usherv1.Outcome_OUTCOME_ALLOWED
	case decisions.Conditional:
		return usherv1.Outcome_OUTCOME_CONDITIONAL
	}
	return usherv1.Outcome_OUTCOME_UNSPECIFIED
}
