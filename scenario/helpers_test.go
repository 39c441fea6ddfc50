package scenario_test

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/usher-authz/usher/scenario"
)

// documents is a model that the tests share: groups, folders, documents, one condition.
const documents = `
model
  schema 1.1
type user
type group
  relations
    define member: [user]
type folder
  relations
    define viewer: [user]
type doc
  relations
    define parent: [folder]
    define owner: [user]
    define editor: [user, group#member] or owner
    define viewer: [user, user:*, user with sized] or editor or viewer from parent
    define blocked: [user]
    define approved: [user]
    define can_view: viewer but not blocked
    define can_publish: editor and approved
condition sized(size: int, limit: int) {
  size <= limit
}
`

// folder writes files, given as an archive in the txtar format, with the shared model
// as model.fga beside them, and returns the folder.
func folder(t testing.TB, archive string) string {
	t.Helper()
	path := t.TempDir()
	files := txtar.Parse([]byte(archive)).Files
	files = append(files, txtar.File{Name: "model.fga", Data: []byte(documents)})
	for _, file := range files {
		name := filepath.Join(path, file.Name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, file.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// load reads the file a.fga.yaml of an archive.
func load(t testing.TB, archive string) *scenario.File {
	t.Helper()
	file, err := scenario.Load(filepath.Join(folder(t, archive), "a.fga.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// run runs a file, with coverage.
func run(t testing.TB, file *scenario.File) ([]scenario.Result, scenario.Summary) {
	t.Helper()
	coverage := scenario.NewCoverage(file.Model)
	results, err := scenario.Run(t.Context(), file, coverage)
	if err != nil {
		t.Fatal(err)
	}
	return results, coverage.Summary()
}
