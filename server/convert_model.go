package server

import (
	"strings"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/model"
)

func fromProblems(problems []model.Problem) []*usherv1.ModelProblem {
	out := make([]*usherv1.ModelProblem, len(problems))
	for i, p := range problems {
		out[i] = &usherv1.ModelProblem{
			File: p.Pos.File, Line: int32(p.Pos.Line), Column: int32(p.Pos.Column), Message: p.Message, Remedy: p.Remedy,
		}
	}
	return out
}

func fromDifferences(differences []model.Difference) []*usherv1.ModelDifference {
	out := make([]*usherv1.ModelDifference, len(differences))
	for i, d := range differences {
		out[i] = &usherv1.ModelDifference{Subject: d.Subject(), Change: changeOf(d)}
	}
	return out
}

// changeOf says what differs.
func changeOf(d model.Difference) string {
	text := ""
	switch d.Change {
	case model.Added:
		text = strings.TrimSuffix("added: "+d.New, ": ")
	case model.Removed:
		text = strings.TrimSuffix("removed: "+d.Old, ": ")
	case model.Changed:
		text = d.Old + " → " + d.New
	}
	for i, kind := range d.Forbidden {
		if i == 0 {
			text += "; no longer allowed: " + kind.String()
		} else {
			text += ", " + kind.String()
		}
	}
	return text
}
