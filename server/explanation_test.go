package server_test

import (
	"fmt"
	"strings"
	"testing"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
)

func (w *world) explain(text string) *usherv1.CheckResponse {
	w.t.Helper()
	r := question(w.t, text)
	r.Explain = true
	response, err := w.permissions.Check(w.ctx, r)
	if err != nil {
		w.t.Fatal(err)
	}
	return response
}

func TestExplain(t *testing.T) {
	w := newLibrary(t,
		"group:design#member@user:anna", "folder:acme#viewer@group:design#member", "media:logo#folder@folder:acme",
		`media:logo#viewer@user:dora with office_hours {"opens":9}`,
	)
	t.Run("allowed: the path that grants", func(t *testing.T) {
		got := w.explain("user:anna viewer media:logo")
		e := got.GetExplanation()
		if outcome(got.GetOutcome()) != "allowed" || e.GetRoot().GetOutcome() != got.GetOutcome() || len(e.GetWouldGrant()) != 0 || e.GetModelId() == "" {
			t.Fatalf("got %v", got)
		}
		var path []string
		for n := e.GetRoot(); ; n = n.GetChildren()[0] {
			if tuple := n.GetTuple(); tuple != nil {
				path = append(path, tuple.GetObject().GetType()+"#"+tuple.GetRelation())
			}
			if len(n.GetChildren()) == 0 {
				break
			}
		}
		if shown := strings.Join(path, " "); shown != "media#folder folder#viewer group#member" {
			t.Errorf("path: %s in %v", shown, e)
		}
	})
	t.Run("denied: what would have granted", func(t *testing.T) {
		got := w.explain("user:zoe can_share media:logo")
		grants := got.GetExplanation().GetWouldGrant()
		if outcome(got.GetOutcome()) != "denied" || len(grants) != 1 || grants[0].GetObject().GetId() != "logo" || grants[0].GetRelation() != "owner" {
			t.Errorf("got %v", got)
		}
	})
	t.Run("conditional: what is missing", func(t *testing.T) {
		got := w.explain("user:dora can_view media:logo")
		if outcome(got.GetOutcome()) != "conditional" || strings.Join(got.GetExplanation().GetRoot().GetMissingContext(), " ") != "hour" {
			t.Errorf("got %v", got)
		}
	})
}

// A deep path is cut where protobuf decoders of other languages would refuse it.
func TestExplanationsStayShallow(t *testing.T) {
	var lines []string
	for i := range 200 {
		lines = append(lines, fmt.Sprintf("group:g%d#member@group:g%d#member", i, i+1))
	}
	w := newLibrary(t, append(lines, "group:g200#member@user:anna")...)
	got := w.explain("user:anna member group:g0")
	depth, deepest := 0, got.GetExplanation().GetRoot()
	for n := deepest; n != nil; depth++ {
		deepest, n = n, first(n.GetChildren())
	}
	if outcome(got.GetOutcome()) != "allowed" || depth != 64 || !got.GetExplanation().GetTruncated() || deepest.GetNote() != "explanation cut here" {
		t.Errorf("depth %d, deepest %v", depth, deepest)
	}
}

func first(nodes []*usherv1.ExplanationNode) *usherv1.ExplanationNode {
	if len(nodes) == 0 {
		return nil
	}
	return nodes[0]
}
