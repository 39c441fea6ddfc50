package index_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/check/checktest"
	"github.com/usher-authz/usher/check/reference"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// named is a revision of a store that is asked for names of objects that it does not have, and
// for nothing else.
type named struct{ pinned }

func (named) Nodes(_ context.Context, objects []tuples.Object, nodes []tuples.Node) error {
	clear(nodes[:len(objects)])
	return nil
}

// TestTheEngineReadsAnIndexLikeAStore has the engine answer questions about random models from
// memory alone, at the latest revision and at the ones before it.
func TestTheEngineReadsAnIndexLikeAStore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := checktest.Cases().Draw(t, "case")
		f := newFeed(c.Model)
		program, err := model.Compile(c.Model, f.symbols)
		if err != nil {
			t.Fatal(err)
		}
		for n := range c.Commits {
			f.commit(tuples.Revision(n+1), c.Commits[n])
		}
		for object, node := range f.nodes {
			f.index.Intern(node, object)
		}
		for range 3 {
			at := rapid.IntRange(0, len(c.Commits)).Draw(t, "revision")
			s := named{pinned{revision: tuples.Revision(at), now: checktest.Now}}
			evaluator := check.New(check.Request{Snapshot: f.index.Over(s), Program: program, Context: c.Context})
			spec := reference.New(reference.World{Model: c.Model, Stored: c.After(at), Context: c.Context, Now: checktest.Now})
			known := slices.DeleteFunc(f.subjects(program), func(s tuples.Subject) bool { return program.Type(s.Type) == 0 })
			subject := rapid.SampledFrom(known).Draw(t, "subject")
			for object := range f.nodes {
				for _, r := range relations(program, object.Type) {
					on := tuples.Userset{Object: object, Relation: r}
					decision, err := evaluator.Check(context.Background(), on, subject)
					got := reference.Outcome(decision.Outcome.String())
					if failed := (*check.ConditionError)(nil); errors.As(err, &failed) {
						got, err = reference.Failed, nil
					}
					if want := spec.Check(on, subject).Outcome; err != nil || got != want {
						t.Fatalf("revision %d: %s has %s: got %s, %v, want %s", at, subject, on, got, err, want)
					}
				}
			}
		}
	})
}
