package check_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/check/checktest"
	"github.com/usher-authz/usher/check/reference"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/scenario"
	"github.com/usher-authz/usher/tuples"
)

// eachView runs a law on the views of random cases.
func eachView(t *testing.T, law func(t *rapid.T, v *view, spec *reference.Spec, seed uint64)) {
	db := openDatabase(t)
	rapid.Check(t, func(t *rapid.T) {
		c := checktest.Cases().Draw(t, "case")
		seed := rapid.Uint64().Draw(t, "seed")
		for _, v := range openViews(t, db, c, seed) {
			law(t, v, reference.New(v.world), seed)
		}
	})
}

// checks are one in n of the view's questions that are no lists.
func (v *view) checks(n, seed uint64) []scenario.Question {
	return slices.DeleteFunc(v.questions(seed), func(q scenario.Question) bool {
		return q.IsList() || !oneIn(n, seed, "law", q)
	})
}

// An explanation answers like Check and rests on visible tuples. If it explains why
// not, then one tuple in any userset that it proposes would be enough; if it explains
// why, then its tuples alone are.
func TestExplanationsHold(t *testing.T) {
	proofs, proposals := 0, 0
	eachView(t, func(t *rapid.T, v *view, spec *reference.Spec, seed uint64) {
		for _, q := range v.checks(4, seed) {
			want := spec.Check(q.On, q.Subject)
			explanation, err := check.New(v.request).Explain(context.Background(), q.On, q.Subject)
			var failed *check.ConditionError
			if want.Outcome == reference.Failed && errors.As(err, &failed) {
				continue
			}
			if err != nil {
				t.Fatalf("%s: explain %s: %v, want %v\n%s", v.name, q, err, want, v.scenario(q, string(want.Outcome)))
			}
			got := (&engine{t: t}).answer(explanation.Decision, nil)
			if !got.Same(want) || explanation.Root.On != q.On {
				t.Fatalf("%s: explanation of %s says %v of %s, want %v\n%s",
					v.name, q, got, explanation.Root.On, want, v.scenario(q, string(want.Outcome)))
			}
			rested := v.restsOn(t, spec, explanation.Root, nil)
			switch {
			case want.Outcome != reference.Allowed:
				proposals += len(explanation.WouldGrant)
				v.expectGrants(t, q, explanation.WouldGrant)
			case !explanation.Truncated && !excludes(v.world.Model):
				proofs++
				v.expectProof(t, q, rested)
			}
		}
	})
	if proofs == 0 || proposals == 0 {
		t.Errorf("looked at %d proofs and %d proposals, want some of both", proofs, proposals)
	}
}

// restsOn returns the tuples of an explanation, all of which must be visible. No
// proof rests on itself.
func (v *view) restsOn(t *rapid.T, spec *reference.Spec, r *check.Reason, above []*check.Reason) []tuples.Tuple {
	for _, a := range above {
		if r.Decision.Outcome == check.Allowed && r.Note != "" && r.Tuple == nil && r.On == a.On && r.Rule == a.Rule {
			t.Fatalf("%s: the proof of %s, %s, goes in a circle\n%s", v.name, r.On, r.Rule, v.scenario(scenario.Question{}, "?"))
		}
	}
	var all []tuples.Tuple
	if r.Tuple != nil {
		list := tuples.Userset{Object: r.Tuple.Object, Relation: r.Tuple.Relation}
		if !slices.ContainsFunc(spec.Tuples(list), func(visible tuples.Tuple) bool { return sameTuple(visible, *r.Tuple) }) {
			t.Fatalf("%s: explanation rests on %s, which is not visible\n%s", v.name, r.Tuple, v.scenario(scenario.Question{}, "?"))
		}
		all = append(all, *r.Tuple)
	}
	for _, child := range r.Children {
		all = append(all, v.restsOn(t, spec, child, append(slices.Clip(above), r))...)
	}
	return all
}

// expectGrants checks that a tuple of the subject in each of the usersets is enough.
func (v *view) expectGrants(t *rapid.T, q scenario.Question, usersets []tuples.Userset) {
	for _, u := range usersets {
		world := v.world
		grant := tuples.Tuple{Key: tuples.Key{Object: u.Object, Relation: u.Relation, Subject: q.Subject}}
		world.Contextual = append(slices.Clone(world.Contextual), grant)
		if answer := reference.New(world).Check(q.On, q.Subject); answer.Outcome != reference.Allowed {
			t.Fatalf("%s: %s would be %v with %s, which the explanation proposes\n%s",
				v.name, q, answer, grant, v.scenario(q, "?"))
		}
	}
}

// expectProof checks that the tuples alone are enough.
func (v *view) expectProof(t *rapid.T, q scenario.Question, rested []tuples.Tuple) {
	world := v.world
	world.Stored, world.Contextual = rested, nil
	if answer := reference.New(world).Check(q.On, q.Subject); answer.Outcome != reference.Allowed {
		t.Fatalf("%s: %s is %v by the tuples %v of its explanation\n%s", v.name, q, answer, rested, v.scenario(q, "allowed"))
	}
}

// excludes reports whether a model has a "but not": with it, fewer tuples can grant more.
func excludes(m *model.Model) bool {
	var within func(model.Rewrite) bool
	within = func(rewrite model.Rewrite) bool {
		switch r := rewrite.(type) {
		case model.Exclusion:
			return true
		case model.Union:
			return slices.ContainsFunc(r.Operands, within)
		case model.Intersection:
			return slices.ContainsFunc(r.Operands, within)
		}
		return false
	}
	for _, typ := range m.Types {
		for _, r := range typ.Relations {
			if within(r.Rewrite) {
				return true
			}
		}
	}
	return false
}

func sameTuple(a, b tuples.Tuple) bool { return a.Key == b.Key && a.Grant.Equal(b.Grant) }

// An expanded userset mirrors the rewrite of its relation, and its leaves have the
// visible tuples, in one page or in several.
func TestExpandShowsTheRewrite(t *testing.T) {
	eachView(t, func(t *rapid.T, v *view, spec *reference.Spec, seed uint64) {
		for _, typ := range v.request.Program.Model.Types { // its operands may be shuffled
			for _, r := range typ.Relations {
				on := tuples.Userset{Object: tuples.Object{Type: typ.Name, ID: "1"}, Relation: r.Name}
				x := &expanded{view: v, spec: spec, on: on}
				x.compare(t, x.page(t, check.ExpandPage{Size: 1000}), r.Rewrite)
			}
		}
	})
}

// expanded is one expanded userset.
type expanded struct {
	*view
	spec *reference.Spec
	on   tuples.Userset
}

func (x *expanded) page(t *rapid.T, page check.ExpandPage) *check.Tree {
	tree, err := check.New(x.request).Expand(context.Background(), x.on, page)
	if err != nil {
		t.Fatalf("%s: expand %s: %v", x.name, x.on, err)
	}
	return tree
}

func (x *expanded) compare(t *rapid.T, tree *check.Tree, rewrite model.Rewrite) {
	var parts []model.Rewrite
	switch r := rewrite.(type) {
	case model.This:
		x.compareLeaf(t, tree, x.spec.Tuples(x.on))
	case model.TupleToUserset:
		lead := x.spec.Tuples(tuples.Userset{Object: x.on.Object, Relation: r.Tupleset})
		x.compareLeaf(t, tree, slices.DeleteFunc(lead, func(tuple tuples.Tuple) bool {
			return x.world.Model.Relation(tuple.Subject.Type, r.Computed) == nil
		}))
	case model.ComputedUserset:
		if want := (tuples.Userset{Object: x.on.Object, Relation: r.Relation}); tree.Computed != want {
			t.Fatalf("%s: expand %s leads to %s, want %s", x.name, x.on, tree.Computed, want)
		}
	case model.Union:
		parts = r.Operands
	case model.Intersection:
		parts = r.Operands
	case model.Exclusion:
		parts = []model.Rewrite{r.Base, r.Subtract}
	}
	if len(tree.Children) != len(parts) {
		t.Fatalf("%s: expand %s has %d operands, want %d in %T", x.name, x.on, len(tree.Children), len(parts), rewrite)
	}
	for i, part := range parts {
		x.compare(t, tree.Children[i], part)
	}
}

// compareLeaf compares a leaf's tuples, and the same read in pages.
func (x *expanded) compareLeaf(t *rapid.T, tree *check.Tree, want []tuples.Tuple) {
	var paged []tuples.Tuple
	page := check.ExpandPage{Size: 3, Leaf: tree.Leaf}
	for more := true; more; {
		leaf := findLeaf(x.page(t, page), tree.Leaf)
		paged = append(paged, leaf.Tuples...)
		if more = leaf.More; more {
			page.After = &leaf.Tuples[len(leaf.Tuples)-1].Key
		}
	}
	for _, got := range [][]tuples.Tuple{tree.Tuples, paged} {
		got = slices.SortedFunc(slices.Values(got), func(a, b tuples.Tuple) int { return a.Key.Compare(b.Key) })
		if !slices.EqualFunc(got, want, sameTuple) {
			t.Fatalf("%s: leaf %d of %s has %v, want %v\n%s", x.name, tree.Leaf, x.on, got, want, x.scenario(scenario.Question{}, "?"))
		}
	}
}

func findLeaf(tree *check.Tree, leaf int) *check.Tree {
	if tree.Leaf == leaf {
		return tree
	}
	for _, child := range tree.Children {
		if found := findLeaf(child, leaf); found != nil {
			return found
		}
	}
	return nil
}

// What an answer rests on is in its read set: tuples of other lists can come and go,
// and time can pass until ValidUntil, without another answer.
func TestReadSetIsEnough(t *testing.T) {
	eachView(t, func(t *rapid.T, v *view, spec *reference.Spec, seed uint64) {
		if len(v.world.Contextual) > 0 {
			return // a write's precondition has none
		}
		for _, q := range v.checks(16, seed) {
			want := spec.Check(q.On, q.Subject)
			if want.Outcome == reference.Failed {
				continue // fails the write
			}
			evaluator := check.New(v.request)
			evaluator.TrackReads()
			if got := (&engine{t: t, evaluator: evaluator}).Check(q.On, q.Subject); !got.Same(want) {
				t.Fatalf("%s: %s = %v, want %v", v.name, q, got, want)
			}
			read, err := evaluator.ReadSet(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			filters, err := evaluator.Reads(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			for what, rests := range map[string]func(tuples.Key) bool{
				"the read set": func(k tuples.Key) bool {
					return slices.Contains(read.Lists, tuples.Userset{Object: k.Object, Relation: k.Relation})
				},
				"the reads": func(k tuples.Key) bool {
					return slices.ContainsFunc(filters, func(f tuples.Filter) bool { return f.Matches(k) })
				},
			} {
				world := v.otherwise(q.Subject, read.ValidUntil, rests)
				if answer := reference.New(world).Check(q.On, q.Subject); !answer.Same(want) {
					t.Fatalf("%s: %s is %v, want %v as before: %s, lists %v, filters %v until %v, lack something\n%s\nchanged to %v", v.name, q,
						answer, want, what, read.Lists, filters, read.ValidUntil, v.scenario(q, string(want.Outcome)), world.Stored)
				}
			}
		}
	})
}

// otherwise returns the view's world at the end of an answer's validity, with all tuples
// turned round that the answer does not rest on: those there are gone, and the subject
// is where it was not.
func (v *view) otherwise(subject tuples.Subject, validUntil time.Time, rests func(tuples.Key) bool) reference.World {
	world := v.world
	world.Now = validUntil.Add(-time.Millisecond)
	if validUntil.IsZero() {
		world.Now = tuples.MaxTime.Add(time.Second)
	}
	world.Stored = slices.DeleteFunc(slices.Clone(world.Stored), func(t tuples.Tuple) bool { return !rests(t.Key) })
	for _, typ := range world.Model.Types {
		for _, r := range typ.Relations {
			for _, id := range []tuples.ID{"1", "2", "!"} {
				key := tuples.Key{Object: tuples.Object{Type: typ.Name, ID: id}, Relation: r.Name, Subject: subject}
				if !rests(key) {
					world.Stored = append(world.Stored, tuples.Tuple{Key: key})
				}
			}
		}
	}
	return world
}
