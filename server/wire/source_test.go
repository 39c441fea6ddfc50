package wire_test

import (
	"reflect"
	"testing"

	usherv1 "github.com/usher-authz/usher/gen/usher/v1"
	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/server/wire"
)

func TestSourcesGoOverTheWireUnchanged(t *testing.T) {
	for name, want := range map[string]model.Source{
		"dsl":     {DSL: "model\n  schema 1.1\ntype user\n"},
		"json":    {JSON: `{"schema_version": "1.1"}`},
		"modular": {Modules: &model.Modules{Manifest: "schema: '1.2'", Files: map[string]string{"core.fga": "module core"}}},
	} {
		if got, err := wire.ToSource(wire.FromSource(want)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s arrives as %v, %v", name, got, err)
		}
	}
	for name, message := range map[string]*usherv1.ModelSource{"nothing": nil, "no form": {}} {
		if _, err := wire.ToSource(message); err == nil {
			t.Errorf("%s is taken for a source", name)
		}
	}
}
