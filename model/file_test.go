package model_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usher-authz/usher/model"
)

// What kind of source a file is follows from its name.
func TestReadFile(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{
		"model.fga":       "model\n  schema 1.1\ntype user\n",
		"model.json":      `{"schema_version": "1.1"}`,
		"fga.mod":         "schema: '1.2'\ncontents:\n  - parts/core.fga\n  - parts/missing.fga\n  - ../outside.fga\n",
		"parts/core.fga":  "module core\ntype user\n",
		"../outside.fga":  "module outside\n",
		"parts/other.fga": "module other\n",
	} {
		path := filepath.Join(folder, "inside", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read := func(name string) model.Source {
		t.Helper()
		source, err := model.ReadFile(filepath.Join(folder, "inside", name))
		if err != nil {
			t.Fatal(err)
		}
		return source
	}
	if got := read("model.fga"); !strings.HasPrefix(got.DSL, "model\n") {
		t.Errorf("model.fga is read as %+v", got)
	}
	if got := read("model.json"); !strings.HasPrefix(got.JSON, "{") {
		t.Errorf("model.json is read as %+v", got)
	}
	got := read("fga.mod")
	if got.Modules == nil || len(got.Modules.Files) != 1 || got.Modules.Files["parts/core.fga"] == "" {
		t.Errorf("fga.mod is read as %+v, want the one listed module that is there, below its folder", got)
	}
}

func TestReadFileErrors(t *testing.T) {
	if _, err := model.ReadFile(filepath.Join(t.TempDir(), "missing.fga")); !os.IsNotExist(err) {
		t.Errorf("a missing file fails with %v", err)
	}
	if _, err := model.SourceOf("model.fga", " \n"); err == nil || !strings.Contains(err.Error(), "model.fga is empty") {
		t.Errorf("an empty model fails with %v", err)
	}
	source, err := model.SourceOf("fga.mod", "contents: {")
	if err != nil || source.Modules == nil || len(source.Modules.Files) != 0 {
		t.Errorf("a broken manifest is read as %+v, %v, want it left to Parse", source, err)
	}
}
