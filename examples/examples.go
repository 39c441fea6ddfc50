// Package examples holds the authorization models that ship with Usher, each with
// the tuples of a small lifelike library. README.md tells how to load and read them;
// the scenarios in each folder's *.fga.yaml say what they grant and why.
package examples

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/usher-authz/usher/model"
	"github.com/usher-authz/usher/tuples"
)

// Example is a model and tuples that are valid under it.
type Example struct {
	Name   string // that of its folder, such as "media-library"
	Model  model.Source
	Tuples []tuples.Tuple // in the order of the file, no two of one key
	// Try are commands of the command line that show what the example is about,
	// such as "check user:anna can_view media:logo --explain".
	Try []string
}

// A folder with these three files is an example.
//
//go:embed */model.fga */tuples.txt */try.txt
var files embed.FS

// defaultName is the example whose model a new database gets.
const defaultName = "media-library"

// MediaLibrary returns the default model, with the library of a design studio.
func MediaLibrary() Example { return load(defaultName) }

// All returns every example: the default, then the others by name.
func All() []Example {
	all := []Example{MediaLibrary()}
	for _, name := range folders() {
		if name != defaultName {
			all = append(all, load(name))
		}
	}
	return all
}

// Find returns the example of a name, and whether there is one.
func Find(name string) (Example, bool) {
	if !slices.Contains(folders(), name) {
		return Example{}, false
	}
	return load(name), true
}

// folders returns the names of the examples, sorted.
func folders() []string {
	paths, err := fs.Glob(files, "*/try.txt")
	if err != nil {
		panic("examples: " + err.Error())
	}
	for i, file := range paths {
		paths[i] = path.Dir(file)
	}
	return paths
}

// load reads the files of one example. They are part of the binary and tests read
// all of them, so a failure is a mistake in this package.
func load(name string) Example {
	parsed, err := parse(read(name + "/tuples.txt"))
	if err != nil {
		panic(fmt.Sprintf("examples: %s/tuples.txt: %v", name, err))
	}
	return Example{
		Name:   name,
		Model:  model.Source{DSL: read(name + "/model.fga")},
		Tuples: parsed,
		Try:    strings.Split(strings.TrimSpace(read(name+"/try.txt")), "\n"),
	}
}

func read(name string) string {
	text, err := files.ReadFile(name)
	if err != nil {
		panic("examples: " + err.Error())
	}
	return string(text)
}

// parse reads tuples in their text form, one a line, between blank lines and lines
// that begin with "#". An error names the line.
func parse(text string) ([]tuples.Tuple, error) {
	var parsed []tuples.Tuple
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		t, err := tuples.ParseTuple(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		parsed = append(parsed, t)
	}
	return parsed, nil
}
