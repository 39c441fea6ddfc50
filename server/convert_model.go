package server

import (
	"strings"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

func toSource(s *usherv1.ModelSource) (model.Source, error) {
	switch kind := s.GetSource().(type) {
	case *usherv1.ModelSource_Dsl:
		return model.Source{DSL: kind.Dsl}, nil
	case *usherv1.ModelSource_Json:
		return model.Source{JSON: kind.Json}, nil
	case *usherv1.ModelSource_Modular:
		return model.Source{Modules: &model.Modules{
			Manifest: kind.Modular.GetManifest(), Files: kind.Modular.GetFiles(),
		}}, nil
	}
	return model.Source{}, tuples.Invalid("source", "", "is not set", "send one of dsl, json or modular")
}

func fromSource(s model.Source) *usherv1.ModelSource {
	switch {
	case s.Modules != nil:
		return &usherv1.ModelSource{Source: &usherv1.ModelSource_Modular{
			Modular: &usherv1.ModularModel{Manifest: s.Modules.Manifest, Files: s.Modules.Files},
		}}
	case s.JSON != "":
		return &usherv1.ModelSource{Source: &usherv1.ModelSource_Json{Json: s.JSON}}
	}
	return &usherv1.ModelSource{Source: &usherv1.ModelSource_Dsl{Dsl: s.DSL}}
}

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
		out[i] = &usherv1.ModelDifference{Subject: subjectOf(d), Change: changeOf(d)}
	}
	return out
}

// subjectOf says what a difference is about.
func subjectOf(d model.Difference) string {
	switch {
	case d.Condition != "":
		return "condition " + d.Condition
	case d.Relation != "":
		return string(d.Type) + "#" + string(d.Relation)
	case d.Type != "":
		return "type " + string(d.Type)
	}
	return "schema"
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
