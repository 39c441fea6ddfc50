package check_test

import (
	"context"
	"flag"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-authz/usher/check"
	"github.com/usher-authz/usher/check/checktest"
	"github.com/usher-authz/usher/check/reference"
	"github.com/usher-authz/usher/scenario"
	"github.com/usher-authz/usher/tuples"
)

// Lists hold what the reference says whichever of their operands are worth a walk, in stretches
// of two candidates, and page by page: each page with an evaluator of its own, with or without
// what the one before it left behind.
func TestListsAgreeWithReferenceInSmallPieces(t *testing.T) {
	check.SetReach(t, 2, 2)
	db := openDatabase(t)
	for _, c := range []struct {
		name                         string
		perObject, few, first, below int
	}{
		{"nothing is worth a walk", 0, 1 << 20, 1, 0},
		{"some operands are", 2, 0, 1, 8},
		{"everything is", 1 << 20, 0, 1 << 20, 1 << 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			check.SetWorth(t, c.perObject, c.few, c.first, c.below)
			drawCases(t, 40)
			rapid.Check(t, func(t *rapid.T) {
				drawn := checktest.Cases().Draw(t, "case")
				seed := rapid.Uint64().Draw(t, "seed")
				for _, v := range openViews(t, db, drawn, seed) {
					v.comparePages(t, seed)
				}
			})
		})
	}
}

// drawCases sets how many cases rapid draws, unless the command line says so.
func drawCases(t *testing.T, cases int) {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	before := checks.Value.String()
	if before != checks.DefValue {
		return
	}
	t.Cleanup(func() {
		if err := checks.Value.Set(before); err != nil {
			t.Error(err)
		}
	})
	if err := checks.Value.Set(strconv.Itoa(cases)); err != nil {
		t.Fatal(err)
	}
}

// comparePages reads the lists of the view page by page.
func (v *view) comparePages(t *rapid.T, seed uint64) {
	spec := reference.New(v.world)
	for _, q := range v.questions(seed) {
		if !q.IsList() {
			continue
		}
		got, want := v.pages(t, q, seed), listOf(spec, q)
		if !slices.EqualFunc(got, want, sameItem) {
			t.Fatalf("%s: %s in pages = %v, want %v\n%s", v.name, q, got, want, v.scenario(q, "?"))
		}
	}
}

// listOf asks the reference for a list.
func listOf(spec *reference.Spec, q scenario.Question) []reference.Item {
	switch {
	case q.On.Object.ID == scenario.Asked:
		return spec.ListObjects(q.On.Object.Type, q.On.Relation, q.Subject)
	case q.Subject.Relation != "":
		return spec.ListUsersets(q.On, q.Subject.Type, q.Subject.Relation)
	}
	return spec.ListSubjects(q.On, q.Subject.Type)
}

// pages reads a list in pages of three items.
func (v *view) pages(t *rapid.T, q scenario.Question, seed uint64) []reference.Item {
	var all []reference.Item
	var known *check.Stretch
	after := tuples.ID("")
	for more := true; more; {
		e := &engine{t: t, evaluator: check.New(v.request)}
		var list *check.List
		if q.On.Object.ID == scenario.Asked {
			list = e.evaluator.Objects(q.On.Object.Type, q.On.Relation, q.Subject)
		} else {
			list = e.evaluator.Subjects(q.On, check.SubjectKind{Type: q.Subject.Type, Relation: q.Subject.Relation})
		}
		list.Page()
		if oneIn(2, seed+uint64(len(all)), "resume", q) {
			list.Resume(known)
		}
		n := 0
		more = false
		for item, err := range list.Items(context.Background(), after) {
			if err != nil {
				t.Fatalf("%s: %v", q, err)
			}
			if more = n == 3; more {
				break
			}
			all, after, n = append(all, reference.Item{ID: item.ID, Answer: e.answer(item.Decision, item.Err)}), item.ID, n+1
		}
		known = list.Stretch()
		e.evaluator.Close()
	}
	return all
}
