package check_test

import (
	"cmp"
	"context"
	"slices"
	"testing"
	"time"

	benchlibrary "github.com/usher-authz/usher/bench/library"
	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/check/index"
	"github.com/usher-authz/usher/examples"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// indexed is a generated media library in an index, with the closures of the default model
// and without a store: whatever the index does not answer fails.
type indexed struct {
	*benchlibrary.Library
	index    *index.Index
	program  *model.Program
	closures *index.Closures
}

// memory is that of the index and of the closures each, in bytes: enough for any library.
const memory = 8 << 30

// loadIndexed generates a library of about size tuples and loads it.
func loadIndexed(t testing.TB, size int) *indexed {
	t.Helper()
	m, _, err := model.Parse(examples.MediaLibrary().Model)
	if err != nil {
		t.Fatal(err)
	}
	symbols := tuples.NewSymbols(m.Symbols()...)
	l := &indexed{Library: benchlibrary.New(1, size), index: index.New(memory)}
	if l.program, err = model.Compile(m, symbols); err != nil {
		t.Fatal(err)
	}
	loader := l.index.Load(1)
	for _, row := range intern(loader, symbols, l.Tuples()) {
		if err := loader.Add(row.key, row.grant); err != nil {
			t.Fatal(err)
		}
	}
	loader.Finish()
	l.closures = l.index.Closures(l.program)
	return l
}

// row is a tuple as an index takes it.
type row struct {
	key   tuples.EdgeKey
	grant *tuples.Grant
}

// intern gives all objects nodes, as a store does, and returns the tuples in the order of
// their keys.
func intern(loader *index.Loader, symbols *tuples.Symbols, all func(func(tuples.Tuple) bool)) []row {
	nodes := make(map[tuples.Object]tuples.Node)
	count := make(map[tuples.ObjectType]uint32)
	node := func(o tuples.Object) tuples.Node {
		known, ok := nodes[o]
		if !ok {
			known = tuples.WildcardNode(symbols.Lookup(string(o.Type)))
			if o.ID != tuples.Wildcard {
				count[o.Type]++
				known = tuples.NewNode(known.Type(), count[o.Type])
			}
			nodes[o] = known
			loader.Name(known, o)
		}
		return known
	}
	var rows []row
	for t := range all {
		r := row{key: tuples.EdgeKey{
			Object: node(t.Object), Relation: symbols.Lookup(string(t.Relation)),
			Subject: node(t.Subject.Object()), SubjectRelation: symbols.Lookup(string(t.Subject.Relation)),
		}}
		if !t.Grant.IsZero() {
			r.grant = &t.Grant
		}
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(
			cmp.Compare(a.key.Object, b.key.Object), cmp.Compare(a.key.Relation, b.key.Relation),
			cmp.Compare(a.key.Subject.Type(), b.key.Subject.Type()), cmp.Compare(a.key.SubjectRelation, b.key.SubjectRelation),
			cmp.Compare(a.key.Subject, b.key.Subject),
		)
	})
	return rows
}

// loadedState is the one revision of the store that an [indexed] library stands for.
type loadedState struct{ tuples.Snapshot }

func (loadedState) Revision() tuples.Revision { return 1 }
func (loadedState) Time() time.Time           { return now }
func (loadedState) Close()                    {}

// request returns a request at the library's only revision.
func (l *indexed) request(context tuples.Context) check.Request {
	return check.Request{
		Program: l.program, Snapshot: l.index.Over(loadedState{}), Closures: l.closures, Context: context,
	}
}

// ask answers one question as a request of its own does.
func (l *indexed) ask(ctx context.Context, q *benchlibrary.Question) (check.Decision, error) {
	request := l.request(q.Context)
	e := check.New(request)
	decision, err := e.Check(ctx, q.On, q.Subject)
	e.Close()
	request.Snapshot.Close()
	return decision, err
}
