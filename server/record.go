package server

import (
	"context"
	"errors"
	"slices"
	"strings"
	"unicode"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/decisions"
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// DecisionOptions say which decisions are recorded beside those whose request asks for
// it, and where (D11).
type DecisionOptions struct {
	// Log keeps the decisions; the server does not close it. nil for no log: who asks for
	// a record is refused then.
	Log *decisions.Log
	// Relations are recorded whether or not a request asks for it.
	Relations []RecordedRelation
}

// RecordedRelation is a relation whose Checks are recorded.
type RecordedRelation struct {
	Type     tuples.ObjectType // "" for every type that has the relation
	Relation tuples.Relation
}

// recording gathers the decisions of one request that are to be recorded.
type recording struct {
	options DecisionOptions
	all     bool // the request asks for it
	address string
	list    []decisions.Decision
}

// recorded is what requests say of being recorded.
type recorded interface {
	GetRecord() bool
	GetSourceAddress() string
}

// recording reads what a request says of being recorded.
func (s *Server) recording(r recorded) (recording, error) {
	address := r.GetSourceAddress()
	if len(address) > maxSourceAddress || strings.ContainsFunc(address, func(c rune) bool { return !unicode.IsPrint(c) }) {
		return recording{}, tuples.Invalid("source_address", address, "is no printable text of 255 bytes at most",
			"send the address of your own client, as in 192.0.2.7")
	}
	if r.GetRecord() && s.options.Decisions.Log == nil {
		return recording{}, noDecisionLog
	}
	return recording{options: s.options.Decisions, all: r.GetRecord(), address: address}, nil
}

var noDecisionLog = &failure{
	reason:  usherv1.ErrorReason_ERROR_REASON_NO_DECISION_LOG,
	message: "the server keeps no decision log; start it with one, or ask for no record",
}

// wants reports whether answers about a relation are to be recorded.
func (r *recording) wants(on tuples.Userset) bool {
	return r.options.Log != nil && (r.all || slices.ContainsFunc(r.options.Relations, func(c RecordedRelation) bool {
		return c.Relation == on.Relation && (c.Type == "" || c.Type == on.Object.Type)
	}))
}

// add notes an answer, if it is to be recorded, with the tuples that grant.
func (r *recording) add(ctx context.Context, a *asked, q question, outcome usherv1.Outcome) error {
	if !r.wants(q.on) {
		return nil
	}
	d := decisions.Decision{
		Time:          a.store.Now(),
		Store:         a.info.ID,
		Object:        q.on.Object,
		Relation:      q.on.Relation,
		Subject:       q.subject,
		SourceAddress: r.address,
		Outcome:       toRecordedOutcome(outcome),
		Revision:      a.snapshot.Revision(),
		Model:         a.version.ID,
	}
	if d.Outcome == decisions.Allowed {
		explanation, err := a.evaluator.Explain(ctx, q.on, q.subject)
		switch {
		case errors.Is(err, check.ErrBudget): // the answer is known, and the path is not
		case err != nil:
			return err
		default:
			d.GrantedBy = grantingTuples(nil, explanation.Root)
		}
	}
	r.list = append(r.list, d)
	return nil
}

// addBatch notes the answers of a batch; an item that failed has none. What it costs to find
// the tuples that grant is spent after all answers are known.
func (r *recording) addBatch(ctx context.Context, a *asked, items []*usherv1.BatchCheckItem, results []*usherv1.BatchCheckResult) error {
	for i, item := range items {
		on := tuples.Userset{Object: wire.ToObject(item.GetObject()), Relation: tuples.Relation(item.GetRelation())}
		if results[i].GetError() != nil || !r.wants(on) {
			continue // most batches are not recorded: only what is needs its question again
		}
		q, err := toQuestion(item.GetObject(), item.GetRelation(), item.GetSubject())
		if err != nil {
			return err
		}
		if err := r.add(ctx, a, q, results[i].GetOutcome()); err != nil {
			return err
		}
	}
	return nil
}

// keep records what was added, or hands it over to be recorded.
func (r *recording) keep(ctx context.Context) error {
	if len(r.list) == 0 {
		return nil
	}
	return r.options.Log.Record(ctx, r.list...)
}

// grantingTuples appends the tuples that the allowed steps of an explanation rest on, from
// the object to the subject.
func grantingTuples(list []tuples.Tuple, r *check.Reason) []tuples.Tuple {
	if r.Decision.Outcome != check.Allowed {
		return list
	}
	if r.Tuple != nil && len(list) < maxGrantedBy {
		list = append(list, *r.Tuple)
	}
	for _, child := range r.Children {
		list = grantingTuples(list, child)
	}
	return list
}

func toRecordedOutcome(o usherv1.Outcome) decisions.Outcome {
	switch o {
	case usherv1.Outcome_OUTCOME_DENIED:
		return decisions.Denied
	case usherv1.Outcome_OUTCOME_ALLOWED:
		return decisions.Allowed
	case usherv1.Outcome_OUTCOME_CONDITIONAL:
		return decisions.Conditional
	}
	return 0
}

// measureDecisions shows what becomes of decisions as metrics.
func measureDecisions(registry *prometheus.Registry, log *decisions.Log) {
	if log == nil {
		return
	}
	metric := func(name, help string) prometheus.Opts {
		return prometheus.Opts{Name: "usher_decisions_" + name, Help: help}
	}
	registry.MustRegister(
		prometheus.NewCounterFunc(prometheus.CounterOpts(metric("recorded_total", "Decisions that were recorded.")),
			func() float64 { return float64(log.Stats().Recorded) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts(metric("dropped_total", "Decisions that were given and could not be recorded.")),
			func() float64 { return float64(log.Stats().Dropped) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts(metric("queued", "Decisions that wait to be recorded.")),
			func() float64 { return float64(log.Stats().Queued) }),
	)
}
