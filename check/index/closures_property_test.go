package index_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/usher-authz/usher/check/checktest"
	"github.com/usher-authz/usher/check/index"
	"github.com/usher-authz/usher/check/reference"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// feed interns what a store would, and hands it to an index.
type feed struct {
	symbols *tuples.Symbols
	nodes   map[tuples.Object]tuples.Node
	index   *index.Index
}

func newFeed(m *model.Model) *feed {
	f := &feed{symbols: tuples.NewSymbols(m.Symbols()...), nodes: make(map[tuples.Object]tuples.Node), index: index.NewSeeded(1 << 30)}
	if err := f.index.Load(0).Finish(); err != nil {
		panic(err) // nothing was fed, so nothing can be lost
	}
	return f
}

func (f *feed) node(o tuples.Object) tuples.Node {
	t := f.symbols.Add(string(o.Type))
	if o.ID == tuples.Wildcard {
		return tuples.WildcardNode(t)
	}
	if _, known := f.nodes[o]; !known {
		f.nodes[o] = tuples.NewNode(t, uint32(len(f.nodes)+1))
	}
	return f.nodes[o]
}

func (f *feed) relation(r tuples.Relation) tuples.Symbol {
	if r == "" {
		return 0
	}
	return f.symbols.Add(string(r))
}

// commit applies mutations at a revision and publishes it.
func (f *feed) commit(revision tuples.Revision, mutations []tuples.Mutation) {
	var changes []tuples.EdgeChange
	for i := range mutations {
		m := &mutations[i]
		c := tuples.EdgeChange{Op: m.Op, Key: tuples.EdgeKey{
			Object: f.node(m.Tuple.Object), Relation: f.relation(m.Tuple.Relation),
			Subject: f.node(m.Tuple.Subject.Object()), SubjectRelation: f.relation(m.Tuple.Subject.Relation),
		}}
		if !m.Tuple.Grant.IsZero() && m.Op != tuples.OpDelete {
			c.Grant = &m.Tuple.Grant
		}
		changes = append(changes, c)
	}
	f.index.Apply(revision, changes)
	f.index.Publish(revision)
}

// pinned is a revision of a store that must not be asked anything.
type pinned struct {
	tuples.Snapshot
	revision tuples.Revision
	now      time.Time
}

func (p pinned) Revision() tuples.Revision { return p.revision }
func (p pinned) Time() time.Time           { return p.now }

// TestClosuresAreRightAtEveryRevision asks the closures of random models, while commits come,
// about every userset, at the latest revision and at the one before it, by clocks
// that go back too. What a closure decides is what the reference says.
func TestClosuresAreRightAtEveryRevision(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := checktest.Cases().Draw(t, "case")
		f := newFeed(c.Model)
		program, err := model.Compile(c.Model, f.symbols)
		if err != nil {
			t.Fatal(err)
		}
		closures := f.index.ClosuresIn(rapid.SampledFrom([]int64{0, 1000, 1 << 20}).Draw(t, "memory"), program)
		clocks := []time.Time{checktest.Now, checktest.Now.Add(-time.Hour), checktest.Now.Add(time.Hour)}
		for n := 0; n <= len(c.Commits); n++ {
			if n > 0 {
				f.commit(tuples.Revision(n), c.Commits[n-1])
			}
			now := rapid.SampledFrom(clocks).Draw(t, "now")
			for _, at := range []int{n, max(n-1, 0), n} {
				spec := reference.New(reference.World{Model: c.Model, Stored: c.After(at), Context: c.Context, Now: now})
				s := f.index.Over(pinned{revision: tuples.Revision(at), now: now})
				ask(t, f, closures, program, s, spec)
			}
		}
	})
}

// ask compares what closures decide with the reference.
func ask(t *rapid.T, f *feed, closures *index.Closures, program *model.Program, s tuples.Snapshot, spec *reference.Spec) {
	for range 8 {
		subject := rapid.SampledFrom(f.subjects(program)).Draw(t, "subject")
		closure, _, err := closures.Of(context.Background(), s, f.node(subject.Object()), f.relation(subject.Relation))
		if err != nil {
			t.Fatal(err)
		}
		for object, node := range f.nodes {
			for _, r := range relations(program, object.Type) {
				on := tuples.Userset{Object: object, Relation: r}
				got := closure.In(node, program.Relation(object.Type, r))
				outcome := spec.Check(on, subject).Outcome
				if got == index.In && outcome != reference.Allowed || got == index.Out && outcome != reference.Denied {
					t.Fatalf("revision %d: %s is %s %s, and %s", s.Revision(), subject, got, on, outcome)
				}
			}
		}
	}
}

// subjects are all objects and wildcards as subjects, and their usersets.
func (f *feed) subjects(program *model.Program) []tuples.Subject {
	var all []tuples.Subject
	for _, t := range program.Model.Types {
		all = append(all, tuples.Subject{Type: t.Name, ID: tuples.Wildcard})
	}
	for object := range f.nodes {
		all = append(all, tuples.Subject{Type: object.Type, ID: object.ID})
		for _, r := range relations(program, object.Type) {
			all = append(all, tuples.Subject{Type: object.Type, ID: object.ID, Relation: r})
		}
	}
	slices.SortFunc(all, tuples.Subject.Compare)
	return all
}

func relations(program *model.Program, t tuples.ObjectType) []tuples.Relation {
	var names []tuples.Relation
	for _, step := range program.Steps {
		if step.Root && tuples.ObjectType(program.Name(step.Type)) == t {
			names = append(names, tuples.Relation(program.Name(step.Relation)))
		}
	}
	return names
}
