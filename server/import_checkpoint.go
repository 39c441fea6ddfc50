package server

import (
	"context"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/server/wire"
	"github.com/usher-authz/usher/tuples"
)

// checkpoint is the rows of an import since the one before. It is filled, then written.
type checkpoint struct {
	judge      *judge
	first, end int64 // numbers of its first row and of the one behind its last
	mutations  []tuples.Mutation
	offsets    []int32 // of the mutations' rows from first
	bytes      int
	failures   []*usherv1.ImportFailure

	stopped   bool // a row was refused behind which nothing is to be imported
	committed tuples.Committed
	err       error
}

// newCheckpoint returns one whose rows are judged by the model in force now.
func (im *importer) newCheckpoint(ctx context.Context, first int64) (*checkpoint, error) {
	c, err := im.modelAt(ctx, im.store.Head())
	if err != nil {
		return nil, err
	}
	next := &checkpoint{judge: newJudge(c), first: first, end: first}
	if spare := im.spare; spare != nil {
		clear(spare.mutations[:cap(spare.mutations)]) // of what the tuples point to
		next.mutations, next.offsets = spare.mutations[:0], spare.offsets[:0]
		im.spare = nil
	}
	return next, nil
}

// full reports whether the checkpoint is to be written.
func (c *checkpoint) full(size int) bool {
	return c.end-c.first == int64(size) || c.bytes >= maxCheckpointBytes || len(c.failures) == maxCheckpointFailures
}

// take judges the next row. An error is about the import as a whole.
func (c *checkpoint) take(row *usherv1.Tuple) (refused bool, err error) {
	number := c.end
	c.end++
	tuple, err := wire.ToTuple(row)
	if err == nil {
		err = c.judge.permit(&tuple)
	}
	if err != nil {
		return true, c.refuse(number, err)
	}
	if n := len(c.mutations); n == cap(c.mutations) { // append would add a quarter at a time
		c.mutations = slices.Grow(c.mutations, max(n, 1000))
	}
	c.mutations = append(c.mutations, tuples.Mutation{Op: tuples.OpTouch, Tuple: tuple})
	c.offsets = append(c.offsets, int32(number-c.first))
	c.bytes += len(tuple.Object.ID) + len(tuple.Subject.ID)
	if !tuple.Grant.IsZero() {
		c.bytes += proto.Size(row)
	}
	return false, nil
}

func (c *checkpoint) refuse(number int64, why error) error {
	failed, err := itemError(why)
	if err == nil {
		c.failures = append(c.failures, &usherv1.ImportFailure{Row: number, Error: failed})
	}
	return err
}

// judgeAgain judges the rows by another model. Of those that it refuses the first is the
// last one of the checkpoint, if the import stops at a failure.
func (c *checkpoint) judgeAgain(by *judge, stop bool) error {
	c.judge = by
	mutations, offsets := c.mutations[:0], c.offsets[:0]
	for i := range c.mutations {
		number := c.first + int64(c.offsets[i])
		if why := by.permit(&c.mutations[i].Tuple); why != nil {
			if err := c.refuse(number, why); err != nil {
				return err
			}
			if stop {
				c.stopped, c.end = true, number+1
				break
			}
			continue
		}
		mutations, offsets = append(mutations, c.mutations[i]), append(offsets, c.offsets[i])
	}
	c.mutations, c.offsets = mutations, offsets
	if c.stopped {
		c.failures = c.failures[len(c.failures)-1:]
	}
	slices.SortFunc(c.failures, func(a, b *usherv1.ImportFailure) int { return int(a.Row - b.Row) })
	return nil
}

// write commits a checkpoint. If another model comes into force meanwhile, the rows are
// judged by that.
func (im *importer) write(ctx context.Context, c *checkpoint) error {
	return retry(ctx, func() error {
		now, err := im.modelAt(ctx, im.store.Head())
		if err != nil {
			return err
		}
		if now != c.judge.compiled {
			if err := c.judgeAgain(newJudge(now), im.header.GetStopAtFirstFailure()); err != nil {
				return err
			}
		}
		c.committed, err = im.store.Commit(ctx, tuples.Commit{
			Bulk: true, Mutations: c.mutations, InForce: now.id(), Origin: im.origin, DryRun: im.header.GetDryRun(),
		})
		return err
	})
}

// answer sends a checkpoint that was written. It reports whether the import ends with it.
func (im *importer) answer(c *checkpoint) (stop bool, err error) {
	im.committing = nil
	if c.err != nil {
		return false, c.err
	}
	if !im.header.GetDryRun() {
		im.metrics.count(c)
	}
	response := &usherv1.ImportResponse{Rows: im.reached}
	bytes := 0
	for _, f := range c.failures {
		size := proto.Size(f)
		if len(response.Failures) == maxCheckpointFailures || len(response.Failures) > 0 && bytes+size > messageBytes {
			if err := im.stream.Send(response); err != nil {
				return false, err
			}
			response, bytes = &usherv1.ImportResponse{Rows: im.reached}, 0
		}
		response.Failures = append(response.Failures, f)
		bytes += size
	}
	im.reached, im.answered, im.spare = c.end, true, c
	response.Rows = c.end
	response.Created, response.Updated = int64(c.committed.Created), int64(c.committed.Updated)
	response.Unchanged = int64(c.committed.Same)
	response.Token = im.tokenFor(c.committed.Revision, c.committed.Time.UnixMilli())
	response.Revision = uint64(c.committed.Revision)
	return c.stopped, im.stream.Send(response)
}

// judge says what a model permits. It remembers the kinds of tuples that it has permitted:
// an import has many of each. Their names are the same strings in all tuples then, and what
// was received can be forgotten.
type judge struct {
	*compiled
	permitted map[tupleKind]tupleKind
}

// tupleKind is what a model looks at in a tuple that has no condition, if object and subject
// are not the same.
type tupleKind struct {
	objectType      tuples.ObjectType
	relation        tuples.Relation
	subjectType     tuples.ObjectType
	subjectRelation tuples.Relation
	wildcard        bool
}

func newJudge(c *compiled) *judge {
	return &judge{compiled: c, permitted: make(map[tupleKind]tupleKind)}
}

// permit returns why the model does not permit a tuple, nil if it does.
func (j *judge) permit(t *tuples.Tuple) error {
	if t.Condition != nil || t.Object == t.Subject.Object() {
		return permitted(j.program.Model, *t)
	}
	kind := tupleKind{t.Object.Type, t.Relation, t.Subject.Type, t.Subject.Relation, t.Subject.IsWildcard()}
	if same, known := j.permitted[kind]; known {
		t.Object.Type, t.Relation = same.objectType, same.relation
		t.Subject.Type, t.Subject.Relation = same.subjectType, same.subjectRelation
		return nil
	}
	err := permitted(j.program.Model, *t)
	if err == nil {
		j.permitted[kind] = kind
	}
	return err
}

// importMetrics count the rows of imports.
type importMetrics struct {
	created, updated, unchanged, refused prometheus.Counter
}

func newImportMetrics(registry *prometheus.Registry) *importMetrics {
	rows := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "usher_import_rows_total", Help: "Rows of imports, by what became of them.",
	}, []string{"outcome"})
	registry.MustRegister(rows)
	return &importMetrics{
		created: rows.WithLabelValues("created"), updated: rows.WithLabelValues("updated"),
		unchanged: rows.WithLabelValues("unchanged"), refused: rows.WithLabelValues("refused"),
	}
}

func (m *importMetrics) count(c *checkpoint) {
	m.created.Add(float64(c.committed.Created))
	m.updated.Add(float64(c.committed.Updated))
	m.unchanged.Add(float64(c.committed.Same))
	m.refused.Add(float64(len(c.failures)))
}
