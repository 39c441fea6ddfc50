package wire

import (
	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// ToSource returns a model's source; an error says that none was sent.
func ToSource(s *usherv1.ModelSource) (model.Source, error) {
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

// FromSource returns the message of a model's source.
func FromSource(s model.Source) *usherv1.ModelSource {
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
