package examples_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/usher-authz/usher/examples"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/scenario"
)

// mutant is a relation's definition with one part left out: an operand of a union, an
// intersection or an exclusion, or a kind of subject that it takes.
type mutant struct {
	rewrite model.Rewrite
	direct  []model.Restriction
}

// Every part of every definition is there for a scenario, or for a step of a ladder: leave
// it out, and one fails. Of a part that none misses nobody would notice that it is wrong.
func TestEveryPartOfAModelIsMissed(t *testing.T) {
	for _, e := range examples.All() {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			shown := openWorkbench(t, e)
			if failure := shown.firstFailure(t); failure != "" {
				t.Fatalf("the model itself: %s", failure)
			}
			for _, typ := range shown.model.Types {
				for _, relation := range typ.Relations {
					whole := mutant{relation.Rewrite, relation.Direct}
					for _, m := range whole.smaller() {
						relation.Rewrite, relation.Direct = m.rewrite, m.direct
						if shown.firstFailure(t) == "" {
							t.Errorf("no scenario of %s fails if %s#%s is only %s", e.Name, typ.Name, relation.Name, m)
						}
					}
					relation.Rewrite, relation.Direct = whole.rewrite, whole.direct
				}
			}
		})
	}
}

// String returns the definition in the modelling language.
func (m mutant) String() string { return model.Format(m.rewrite, m.direct) }

// smaller returns the definition without each of its parts in turn.
func (m mutant) smaller() []mutant {
	var all []mutant
	for i := range m.direct {
		all = append(all, mutant{m.rewrite, slices.Delete(slices.Clone(m.direct), i, i+1)})
	}
	for _, rewrite := range reduced(m.rewrite) {
		all = append(all, mutant{rewrite, m.direct})
	}
	return all
}

// reduced returns a rewrite without each of its operands in turn. Of an exclusion only
// what it subtracts is left out: without its base nothing would be left. The same holds
// for what tuples say, whose kinds of subjects are left out one by one.
func reduced(r model.Rewrite) []model.Rewrite {
	switch r := r.(type) {
	case model.Union:
		return reducedOperands(r.Operands, func(rest []model.Rewrite) model.Rewrite { return model.Union{Operands: rest} })
	case model.Intersection:
		return reducedOperands(r.Operands, func(rest []model.Rewrite) model.Rewrite { return model.Intersection{Operands: rest} })
	case model.Exclusion:
		all := []model.Rewrite{r.Base}
		for _, base := range reduced(r.Base) {
			all = append(all, model.Exclusion{Base: base, Subtract: r.Subtract})
		}
		for _, subtract := range reduced(r.Subtract) {
			all = append(all, model.Exclusion{Base: r.Base, Subtract: subtract})
		}
		return all
	}
	return nil
}

// reducedOperands leaves out each operand, and each part of each operand.
func reducedOperands(operands []model.Rewrite, join func([]model.Rewrite) model.Rewrite) []model.Rewrite {
	var all []model.Rewrite
	for i, operand := range operands {
		if operand != (model.This{}) {
			all = append(all, join(slices.Delete(slices.Clone(operands), i, i+1)))
		}
		for _, part := range reduced(operand) {
			changed := slices.Clone(operands)
			changed[i] = part
			all = append(all, join(changed))
		}
	}
	return all
}

// workbench is an example whose model may be changed while its scenarios are asked.
type workbench struct {
	model   *model.Model
	library *scenario.Library
	tests   []scenario.Test
}

func openWorkbench(t *testing.T, e examples.Example) workbench {
	t.Helper()
	file := storeFileOf(t, e)
	for _, l := range ladders {
		if l.example == e.Name {
			file.Tests = append(file.Tests, l.tests(t)...)
		}
	}
	return workbench{file.Model, openLibrary(t, file), file.Tests}
}

// firstFailure asks the scenarios of the model as it is now until one fails.
func (w workbench) firstFailure(t *testing.T) string {
	t.Helper()
	if err := w.library.Use(w.model); err != nil {
		t.Fatal(err)
	}
	for i, s := range w.tests {
		for _, a := range s.Assertions {
			got, err := w.library.Answer(t.Context(), &w.tests[i], a)
			if err != nil {
				t.Fatal(err)
			}
			if got != a.Want {
				return fmt.Sprintf("%s = %s, want %s", a.Query, got, a.Want)
			}
		}
	}
	return ""
}
