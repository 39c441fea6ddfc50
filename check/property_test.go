package check_test

import (
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/check/checktest"
	"github.com/usher-authz/usher/check/reference"
	"github.com/usher-authz/usher/scenario"
	"github.com/usher-authz/usher/tuples"
)

// cases is how many random cases a run takes unless -rapid.checks or RAPID_CHECKS
// says otherwise, and leastCompared how many answers it compares at least. 250 cases
// are some 330,000 answers.
const (
	cases         = 250
	leastCompared = 100_000
)

// The engine answers every question as package reference does: through every
// operation, over a real store, at the head and at older revisions, with and without
// contextual tuples, from one evaluator and from fresh ones, whatever the order of
// the questions and of the operands in the model. What the reference holds of lists it
// defines by Check, so lists and checks are held to each other too. For a longer run:
//
//	go test ./check -run TestEngineAgreesWithReference -rapid.checks 20000 -timeout 1h
func TestEngineAgreesWithReference(t *testing.T) {
	atLeast := setCases(t)
	db := openDatabase(t)
	var compared atomic.Int64
	rapid.Check(t, func(t *rapid.T) {
		c := checktest.Cases().Draw(t, "case")
		seed := rapid.Uint64().Draw(t, "seed")
		for _, v := range openViews(t, db, c, seed) {
			compared.Add(int64(v.compare(t, seed)))
		}
	})
	t.Logf("compared %d answers", compared.Load())
	if compared.Load() < int64(atLeast) {
		t.Errorf("compared %d answers, want %d at least: draw larger cases, or more of them", compared.Load(), atLeast)
	}
}

// The engine gives the answers of the scenarios, which package reference is held to.
func TestScenarios(t *testing.T) {
	for name, scenario := range checktest.Scenarios(t) {
		t.Run(name, func(t *testing.T) {
			world := scenario.World(t)
			var commit []tuples.Mutation
			for _, tuple := range scenario.Stored {
				commit = append(commit, tuples.Mutation{Op: tuples.OpTouch, Tuple: tuple})
			}
			store, _ := writeStore(t, openDatabase(t), world.Model, [][]tuples.Mutation{commit}, nil, 0)
			for seed := range uint64(len(indexMemories)) {
				x, how := openIndex(t, seed<<32)
				warm(t, x, store)
				v := openView(t, store, tuples.At{}, world, x)
				t.Run(how, func(t *testing.T) { scenario.Run(t, &engine{t: t, evaluator: check.New(v.request)}) })
			}
		})
	}
}

// setCases sets how many cases rapid draws, and returns how many answers are to be
// compared at least. A number on the command line has precedence.
func setCases(t *testing.T) int {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	if checks.Value.String() != checks.DefValue || checks.DefValue != "100" {
		return 1
	}
	t.Cleanup(func() {
		if err := checks.Value.Set(checks.DefValue); err != nil {
			t.Error(err)
		}
	})
	if err := checks.Value.Set(fmt.Sprint(cases)); err != nil {
		t.Fatal(err)
	}
	return leastCompared
}

// compare asks all questions of the view in random order and returns how many.
func (v *view) compare(t *rapid.T, seed uint64) int {
	spec := reference.New(v.world)
	shared := &engine{t: t, evaluator: check.New(v.request)}
	questions := v.questions(seed)
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(questions), func(i, j int) {
		questions[i], questions[j] = questions[j], questions[i]
	})
	for _, q := range questions {
		asked := shared
		if oneIn(4, seed, "fresh", q) {
			asked = &engine{t: t, evaluator: check.New(v.request)}
		}
		got, want := checktest.Ask(asked, q), checktest.Ask(spec, q)
		if got != want {
			t.Fatalf("%s: %s = %s, the reference says %s\n%s", v.name, q, got, want, v.scenario(q, want))
		}
		if !q.IsList() {
			v.compareFailure(t, asked, spec, q)
		} else if oneIn(2, seed, "cursor", q) {
			v.compareCursor(t, asked, q)
		}
	}
	return len(questions)
}

// compareFailure checks that a failed answer names a tuple that it depends on.
func (v *view) compareFailure(t *rapid.T, e *engine, spec *reference.Spec, q scenario.Question) {
	want := spec.Check(q.On, q.Subject)
	if want.Outcome != reference.Failed {
		return
	}
	got := e.Check(q.On, q.Subject)
	if !slices.Contains(want.Failed, got.Failed[0]) {
		t.Fatalf("%s: %s fails by the tuple %s, the reference says by %v\n%s",
			v.name, q, got.Failed[0], want.Failed, v.scenario(q, "failed"))
	}
}

// compareCursor checks that a list goes on behind its items, some of them if it is long.
func (v *view) compareCursor(t *rapid.T, e *engine, q scenario.Question) {
	all := e.list(q, "")
	for i := 0; i < len(all); i += 1 + len(all)/4 {
		item := all[i]
		rest := e.list(q, item.ID)
		if !slices.EqualFunc(rest, all[i+1:], sameItem) {
			t.Fatalf("%s: %s behind %s = %v, want %v\n%s", v.name, q, item.ID, rest, all[i+1:], v.scenario(q, "?"))
		}
	}
}

func sameItem(a, b reference.Item) bool { return a.ID == b.ID && a.Answer.Same(b.Answer) }

// questions are half of all checks between the objects and the subjects of the small
// world that random cases live in, and a part of the lists, which cost more.
func (v *view) questions(seed uint64) []scenario.Question {
	var questions []scenario.Question
	subjects, kinds := v.subjects()
	for _, typ := range v.world.Model.Types {
		for _, r := range typ.Relations {
			for _, id := range []tuples.ID{"1", "2", "!", "stranger"} {
				on := tuples.Userset{Object: tuples.Object{Type: typ.Name, ID: id}, Relation: r.Name}
				for _, s := range subjects {
					q := scenario.Question{Subject: s, On: on}
					if oneIn(2, seed, "check", q) {
						questions = append(questions, q)
					}
				}
				for _, kind := range kinds {
					q := scenario.Question{Subject: kind, On: on}
					if oneIn(4, seed, "list", q) {
						questions = append(questions, q)
					}
				}
			}
			every := tuples.Userset{Object: tuples.Object{Type: typ.Name, ID: scenario.Asked}, Relation: r.Name}
			for _, s := range subjects {
				q := scenario.Question{Subject: s, On: every}
				if oneIn(2, seed, "list", q) {
					questions = append(questions, q)
				}
			}
		}
	}
	return questions
}

// subjects are the subjects that questions are about, and the kinds that lists of
// subjects ask for.
func (v *view) subjects() (subjects, kinds []tuples.Subject) {
	for _, typ := range v.world.Model.Types {
		kinds = append(kinds, tuples.Subject{Type: typ.Name, ID: scenario.Asked})
		for _, id := range []tuples.ID{"1", "2", "stranger", tuples.Wildcard} {
			subjects = append(subjects, tuples.Subject{Type: typ.Name, ID: id})
		}
		for _, r := range typ.Relations {
			kinds = append(kinds, tuples.Subject{Type: typ.Name, ID: scenario.Asked, Relation: r.Name})
			for _, id := range []tuples.ID{"1", "2"} {
				subjects = append(subjects, tuples.Subject{Type: typ.Name, ID: id, Relation: r.Name})
			}
		}
	}
	return subjects, kinds
}

// oneIn chooses one in n questions. The choice depends on the question alone, so that
// a failing one is still asked when the case around it shrinks.
func oneIn(n, seed uint64, what string, q scenario.Question) bool {
	hash := fnv.New64a()
	fmt.Fprint(hash, seed, what, q)
	return hash.Sum64()%n == 0
}
