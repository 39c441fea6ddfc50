package examples_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usher-authz/usher/examples"
	"github.com/usher-authz/usher/scenario"
)

// The scenario file that README.md shows can be read, beside the default model.
func TestReadmeScenario(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "```yaml\n")
	text, _, ok := strings.Cut(rest, "```\n")
	if !ok {
		t.Fatal("README.md shows no scenario file")
	}
	folder := t.TempDir()
	for name, content := range map[string]string{
		"a.fga.yaml": text, "model.fga": examples.MediaLibrary().Model.DSL, "tuples.txt": "",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := scenario.Load(filepath.Join(folder, "a.fga.yaml")); err != nil {
		t.Error(err)
	}
}
