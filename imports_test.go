package usher

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/usher-authz/usher/"

// layers says which packages of this module each package may import, and why.
// Tests may import more: they run the real thing.
var layers = []struct {
	folder string
	may    []string
	why    string
}{
	{"tuples", nil, "the vocabulary stands on the standard library alone, so that everything can import it"},
	{"tuples/bolt", []string{"tuples"}, "a store knows the vocabulary and nothing of models or the engine"},
	{"tuples/storetest", []string{"tuples"}, "the suite holds for every store"},
	{"decisions", []string{"tuples"}, "the decision log is a file of its own, and knows no store, engine or API"},
	{"model", []string{"tuples"}, "a model speaks of types and relations, not of stores"},
	{"check", []string{"check/index", "model", "tuples"}, "the engine is pure: (model, snapshot, query) → answer; closures come from the index"},
	{"check/reference", []string{"model", "tuples"}, "the specification shares no code with the engine"},
	{"check/index", []string{"model", "tuples"}, "the index is fed by whoever commits, and knows no engine, store or API"},
	{"scenario", []string{"check", "model", "tuples", "tuples/bolt"}, "a scenario file is run by the engine over a real store, without a server"},
	{"check/checktest", []string{"check", "check/reference", "model", "scenario", "tuples", "tuples/bolt"}, "random cases for engine and reference"},
	{"server", []string{"gen/usher/v1", "server/wire", "check", "check/index", "decisions", "model", "tuples"}, "hop 1 translates; it works with any store"},
	{"server/wire", []string{"gen/usher/v1", "model", "tuples"}, "the vocabulary as messages, for server and clients"},
	{"tuplefile", []string{"gen/usher/v1", "server/wire", "tuples"}, "files of tuples are read and written by clients, which know no engine, store or server"},
	{"examples", []string{"model", "tuples"}, "an example is a model and tuples"},
	{"bench/library", []string{"tuples"}, "what it knows to be right must not come from what is measured"},
	{"bench/adversarial", []string{"tuples"}, "worlds are tuples with the right answers: whoever is measured must not have made them"},
	{"bench/drive", []string{"gen/usher/v1", "server/wire", "bench/library", "examples", "tuples"}, "what measures a server is a client of it, and nothing else"},
	{"cmd/usher", []string{"gen/usher/v1", "bench/drive", "bench/library", "check", "decisions", "examples", "model", "scenario", "server", "server/wire", "tuplefile", "tuples", "tuples/bolt"}, "the binary wires everything"},
}

// reserved says where some libraries may be imported, and why nowhere else.
var reserved = []struct {
	library string
	folders []string
	why     string
}{
	{"go.etcd.io/bbolt", []string{"tuples/bolt", "decisions", "bench", "bench/drive"}, "the storage engine stays exchangeable; the decision log is a file of its own"},
	{"google.golang.org/grpc", []string{"server", "cmd/usher", "gen/usher/v1", "bench", "bench/drive"}, "only hop 1 and the clients know gRPC"},
	{"google.golang.org/protobuf", []string{"server", "server/wire", "tuplefile", "cmd/usher", "gen/usher/v1", "model", "bench"},
		"only hop 1 and the clients know protobuf; model reads OpenFGA's JSON form"},
	{"cel.dev/cel-go", []string{"model"}, "conditions are compiled and evaluated in one place"},
	{"github.com/openfga", []string{"model"}, "the modelling language is parsed in one place"},
}

func TestPackagesImportOnlyTheLayersBelow(t *testing.T) {
	for _, layer := range layers {
		for file, imports := range importsOf(t, layer.folder) {
			for _, path := range imports {
				inner, ours := strings.CutPrefix(path, module)
				if ours && !slices.Contains(layer.may, inner) {
					t.Errorf("%s imports %s: %s", file, inner, layer.why)
				}
				if layer.folder == "tuples" && strings.Contains(path, ".") {
					t.Errorf("%s imports %s: %s", file, path, layer.why)
				}
			}
		}
	}
}

func TestEveryPackageHasALayer(t *testing.T) {
	known := map[string]bool{"gen/usher/v1": true, "bench": true, ".": true}
	for _, layer := range layers {
		known[layer.folder] = true
	}
	for _, folder := range folders(t) {
		if !known[folder] {
			t.Errorf("package %s has no row in the table of layers: add one with its reason", folder)
		}
	}
}

func TestLibrariesStayWhereTheyBelong(t *testing.T) {
	for _, folder := range folders(t) {
		for file, imports := range importsOf(t, folder) {
			for _, rule := range reserved {
				for _, path := range imports {
					within := path == rule.library || strings.HasPrefix(path, rule.library+"/")
					if within && !slices.Contains(rule.folders, folder) {
						t.Errorf("%s imports %s: %s", file, path, rule.why)
					}
				}
			}
		}
	}
}

// importsOf returns what the files of a folder import, tests left out.
func importsOf(t *testing.T, folder string) map[string][]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	imports := make(map[string][]string)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range parsed.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			imports[file] = append(imports[file], path)
		}
	}
	if len(imports) == 0 && folder != "." {
		t.Fatalf("folder %s has no Go files", folder)
	}
	return imports
}

// folders returns every folder of the module with Go files.
func folders(t *testing.T) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "tools" || entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".") && path != "."):
			return fs.SkipDir
		case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
			found = append(found, filepath.ToSlash(filepath.Dir(path)))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	return slices.Compact(found)
}
